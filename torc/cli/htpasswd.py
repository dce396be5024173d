"""``torc-htpasswd``: the users in a server's htpasswd file."""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from torc import __version__, accounts
from torc.cli import output
from torc.cli.command import Parser, StoreOnce
from torc.cli.credentials import ask_password, can_ask
from torc.errors import EXIT_ERROR, EXIT_INTERRUPTED, NotFound, TorcError, UsageError

DESCRIPTION = """Edits the htpasswd file of a server that was started with --auth-file.

The server sees a change at once; it does not have to be started again."""

EXAMPLES = """examples:
  torc-htpasswd add --file accounts alice                    asks for the password, twice
  torc-htpasswd add --file accounts alice < password.txt     reads it from a file or a pipe, one line
  torc-htpasswd add --file accounts --cost 14 alice          harder to guess, slower to check
  torc-htpasswd list --file accounts
  torc-htpasswd verify --file accounts alice
  torc-htpasswd remove --file accounts alice

exit codes:
  0    done; the password is right
  1    an error; the password is wrong, or there is no such user
  2    usage error
  130  interrupted"""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is returned, usage errors exit by themselves with code 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names are other people's text
    options = make_parser().parse_args(words)
    try:
        text, code = options.command(options)
        output.write(text)
    except TorcError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    return int(code)


def add(options: argparse.Namespace) -> tuple[str, int]:
    """Add a user, or give one a new password."""
    path, user = _path(options), options.username
    accounts.check_user(user)
    if path.exists():
        accounts.read(path)  # before anybody types
    password = _password(options, repeat=True)
    accounts.check_password(password)
    print(f"Hashing password (cost={options.cost})...", file=sys.stderr)
    was_there = accounts.put(path, user, password, options.cost)
    return f'{"Updated" if was_there else "Added"} user {user!r} {"in" if was_there else "to"} "{path}"', 0


def remove(options: argparse.Namespace) -> tuple[str, int]:
    """Take a user out."""
    path = _existing(options)
    accounts.remove(path, options.username)
    return f'Removed user {options.username!r} from "{path}"', 0


def list_users(options: argparse.Namespace) -> tuple[str, int]:
    """Show the users."""
    path = _existing(options)
    users = accounts.read(path).users
    if not users:
        return f'No users found in "{path}"', 0
    return "\n".join([f'Users in "{path}":', *(f"  - {user}" for user in users)]), 0


def verify(options: argparse.Namespace) -> tuple[str, int]:
    """Tell whether a password is right."""
    known = accounts.read(_existing(options))
    if known.verify(options.username, _password(options, repeat=False)):
        return f"Password is correct for user {options.username!r}", 0
    return f"Password is incorrect for user {options.username!r}", EXIT_ERROR


def create(options: argparse.Namespace) -> tuple[str, int]:
    """Make a file without users."""
    path = _path(options)
    accounts.create(path)
    return f'Created "{path}"', 0


def make_parser() -> Parser:
    """The command line."""
    parser = Parser(prog="torc-htpasswd", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("-V", "--version", action="version", version=f"torc-htpasswd {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)
    for name, run in {"add": add, "list": list_users, "verify": verify, "remove": remove, "create": create}.items():
        made = commands.add_parser(name, help=str(run.__doc__).rstrip("."), description=run.__doc__)
        made.set_defaults(command=run)
        takes_user = name in ("add", "verify", "remove")
        made.usage = f"torc-htpasswd {name} [OPTIONS] --file FILE{' USERNAME' if takes_user else ''}"
        made.add_argument("-f", "--file", action=StoreOnce, type=Path, metavar="FILE", help="the htpasswd file")
        made.add_argument("place", nargs="?", type=Path, metavar="FILE", help="the same, without --file")
        if takes_user:
            made.add_argument("username", metavar="USERNAME", help="the name to log in with")
        if name in ("add", "verify"):
            made.add_argument(
                "-p",
                "--password",
                action=StoreOnce,
                metavar="PASSWORD",
                help="other users of this machine can see it; without it, it is asked for or read from a pipe",
            )
        if name == "add":
            made.add_argument(
                "-c",
                "--cost",
                action=StoreOnce,
                type=_cost,
                default=accounts.USUAL_COST,
                metavar="N",
                help=f"from {accounts.COSTS[0]} to {accounts.COSTS[-1]}; one more doubles the time of every guess, "
                f"and of every first check [default: {accounts.USUAL_COST}]",
            )
    return parser


def _cost(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) in accounts.COSTS):
        raise argparse.ArgumentTypeError(
            f"cost must be between {accounts.COSTS[0]} and {accounts.COSTS[-1]}, got {text!r}"
        )
    return int(text)


def _path(options: argparse.Namespace) -> Path:
    given: list[Path] = [path for path in (options.file, options.place) if path is not None]
    if len(given) != 1:
        raise UsageError("name one htpasswd file, with --file FILE.")
    return given[0]


def _existing(options: argparse.Namespace) -> Path:
    path = _path(options)
    if not path.exists():
        raise NotFound(f'file "{path}" does not exist; `torc-htpasswd add` makes it.')
    return path


def _password(options: argparse.Namespace, *, repeat: bool) -> str:
    """The option's, else typed where there is a terminal, else the first line of standard input."""
    if options.password is not None:
        return str(options.password)
    if can_ask():
        password = ask_password(f"Password for {options.username!r}: ")
        if repeat and ask_password("The same again: ") != password:
            raise TorcError("the two passwords differ; nothing was changed.")
        return password
    line = b"" if sys.stdin is None else sys.stdin.buffer.readline()
    if not line:
        raise TorcError("there is no password: type it on a terminal, or send it to standard input as one line.")
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise TorcError("the password on standard input is not text in UTF-8.") from error


if __name__ == "__main__":
    sys.exit(main())
