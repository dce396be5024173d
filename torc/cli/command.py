"""The @command decorator, what arguments are made of, and the parser of one noun's commands."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from torc.cli.output import Result
from torc.errors import EXIT_USAGE
from torc.settings import CLIENT, Setting, whole_number, yes_or_no

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Argument:
    """What argparse's add_argument takes."""

    names: tuple[str, ...]
    options: Mapping[str, Any]


def argument(*names: str, **options: Any) -> Argument:
    """An option with a value, or a positional argument."""
    return Argument(names, {"action": StoreOnce, **options})


def flag(*names: str, **options: Any) -> Argument:
    """An option without a value."""
    return Argument(names, {"action": FlagOnce, **options})


@dataclass(frozen=True)
class Command:
    """A declared command. ``path`` is what the user types after ``torc``."""

    path: str
    arguments: tuple[Argument | Setting, ...]
    run: Callable[..., Any]
    aliases: tuple[str, ...]
    epilog: str | None
    prepare: Callable[[dict[str, Any]], dict[str, Any] | Result] | None
    needs_server: bool
    json_in_pipe: bool

    @property
    def description(self) -> str:
        """The function's docstring."""
        return self.run.__doc__ or ""

    @property
    def help(self) -> str:
        """The first line of it."""
        return self.description.partition("\n")[0].rstrip(".")


COMMANDS: dict[str, Command] = {}
"""Every command of the modules imported so far, by path."""


def command(
    path: str,
    *arguments: Argument | Setting,
    aliases: tuple[str, ...] = (),
    epilog: str | None = None,
    prepare: Callable[[dict[str, Any]], dict[str, Any] | Result] | None = None,
    needs_server: bool = True,
    json_in_pipe: bool = False,
) -> Callable[[F], F]:
    """Make ``torc <path>`` of a function that takes a Client and ``arguments`` by name, and returns a result.

    ``prepare`` may change the arguments before a server is asked for; what can be refused without one belongs there,
    and when it returns a result that is all there is to do. Without ``needs_server`` the function takes no Client.
    With ``json_in_pipe`` a program that reads the output gets JSON unless the user has chosen a format.
    """

    def register(function: F) -> F:
        if not function.__doc__:
            raise TypeError(f"the command {path!r} needs a docstring; its first line is the help")
        COMMANDS[path] = Command(path, arguments, function, aliases, epilog, prepare, needs_server, json_in_pipe)
        return function

    return register


class StoreOnce(argparse.Action):
    """Keeps a value. An option that is given twice is a mistake, not a correction."""

    used = False

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if option and self.used:
            parser.error(f"{option} is given more than once")
        self.used = True
        setattr(namespace, self.dest, values)


class FlagOnce(StoreOnce):
    """Keeps that a flag was given."""

    def __init__(self, default: Any = False, **options: Any) -> None:
        super().__init__(nargs=0, default=default, **options)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        super().__call__(parser, namespace, True, option)


class Parser(argparse.ArgumentParser):
    """An argparse parser that shortens no option and ends with code 2 and one clear sentence."""

    def __init__(self, **options: Any) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(**{"allow_abbrev": False, "formatter_class": layout, **options})

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().removeprefix("usage: ")
        self.exit(EXIT_USAGE, f"error: {message}\n\nUsage: {usage}\nSee `{self.prog} --help`.\n")

    def parse(self, words: Sequence[str], found: argparse.Namespace) -> argparse.Namespace:
        """As parse_args, adding to ``found``; ends the program when only a noun was given."""
        _, unknown = self.parse_known_args(words, found)
        parser: Parser = getattr(found, "parser", self)
        if unknown:
            parser.error(f"unexpected: {' '.join(unknown)}")
        if not hasattr(found, "command"):
            self.print_help(sys.stderr)
            raise SystemExit(EXIT_USAGE)
        return found

    def add_global(self, default: Any = argparse.SUPPRESS) -> None:
        """Add the global options so that one left out here keeps what was given earlier in the line."""
        group = self.add_argument_group("options of every command")
        for argument in GLOBAL:
            self.add(argument, default=default, group=group)

    def add(
        self, argument: Argument | Setting, default: Any = None, group: argparse._ArgumentGroup | None = None
    ) -> None:
        """Add what a command declares."""
        place = group or self
        if isinstance(argument, Setting) and argument.read is yes_or_no:
            place.add_argument(
                *argument.options, action=FlagOnce, dest=argument.name, default=default, help=_help_of(argument)
            )
        elif isinstance(argument, Setting):
            place.add_argument(
                *argument.options,
                action=StoreOnce,
                dest=argument.name,
                type=_type_of(argument.read),
                default=default,
                metavar=argument.metavar,
                help=_help_of(argument),
            )
        else:
            extra = {} if default is None else {"default": default}
            place.add_argument(*argument.names, **{**argument.options, **extra})


STANDALONE = flag("--standalone", help="start a private server for this command when none serves the database")
DATABASE = argument("--database", metavar="FILE", help="the database of --standalone (default: ./torc.db)")
TAKE_OVER = flag("--take-over", help="with --standalone: although a server on another machine did not sign off")
GLOBAL = (*CLIENT, STANDALONE, DATABASE, TAKE_OVER)
"""Options of every command; they may stand before or after it."""


def noun_parser(noun: str) -> Parser:
    """The parser for what follows ``torc <noun>``; its module has been imported."""
    commands = [found for path, found in COMMANDS.items() if path.split()[0] == noun]
    parser = Parser(prog=f"torc {noun}")
    if commands[0].path == noun:
        _fill(parser, commands[0])
        return parser
    parser.usage = f"{parser.prog} COMMAND [OPTIONS] ..."
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    for found in commands:
        verb = found.path.split()[1]
        _fill(verbs.add_parser(verb, aliases=found.aliases, help=found.help), found)
    parser.add_global()
    return parser


def _fill(parser: Parser, declared: Command) -> None:
    parser.description = declared.description
    parser.epilog = declared.epilog
    parser.set_defaults(command=declared, parser=parser)
    words = [_usage_of(one) for one in declared.arguments if isinstance(one, Argument)]
    parser.usage = " ".join([parser.prog, "[OPTIONS]", *filter(None, words)])
    for argument in declared.arguments:
        parser.add(argument)
    parser.add_global()


def _usage_of(argument: Argument) -> str:
    """A positional argument as the usage line shows it; nothing for an option."""
    if argument.names[0].startswith("-"):
        return ""
    name: str = argument.options["metavar"]
    return {"?": f"[{name}]", "+": f"{name}..."}.get(argument.options.get("nargs", ""), name)


def _type_of(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """For argparse, which shows the reason of an ArgumentTypeError only."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _help_of(setting: Setting) -> str:
    default = "" if setting.default in (None, False) else f"default: {setting.default}; "
    return f"{setting.help} [{default}{setting.older_variable or setting.variable}]".replace("%", "%%")


def number(minimum: int) -> Callable[[str], int]:
    """An argument type: an integer of at least ``minimum``."""
    return _type_of(whole_number(minimum))


WORKFLOW_ID = argument("workflow_id", metavar="WORKFLOW_ID", type=number(1), help="see `torc workflows list`")
PAGING = (
    argument("-l", "--limit", metavar="N", type=number(0), default=10000, help="at most so many (default: 10000)"),
    argument("-o", "--offset", metavar="N", type=number(0), default=0, help="leave out so many at the beginning"),
    argument("--sort-by", metavar="FIELD", help="order by this field instead of by ID"),
    flag("--reverse-sort", help="biggest first"),
)
