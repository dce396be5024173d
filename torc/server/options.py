"""The options of ``torc-server``."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from torc import __version__
from torc.errors import DatabaseUnusable
from torc.settings import (
    COMPLETION_CHECK_INTERVAL,
    PORT,
    SERVER,
    SERVER_DATABASE,
    SERVER_LOG_LEVEL,
    THREADS,
    Setting,
    any_path,
    as_argument,
    seconds,
    yes_or_no,
)

LEASE_S = 300.0
PID_FILE = Path("/var/run/torc-server.pid")

FOR_PRIVATE_SERVERS = (PORT, THREADS, SERVER_DATABASE, COMPLETION_CHECK_INTERVAL, SERVER_LOG_LEVEL)
"""What a server that a client started for itself takes from the environment and from files."""

Command = Callable[[argparse.Namespace], None]


def parser(run: Command, print_version: Command, print_openapi: Command) -> argparse.ArgumentParser:
    """The command line; the parsed ``command`` is one of the functions."""
    made = argparse.ArgumentParser(
        prog="torc-server", description="The server that holds workflows and hands out jobs.", allow_abbrev=False
    )
    made.add_argument("--version", action="version", version=f"torc-server {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    version = commands.add_parser("version", help="print the versions of torc and SQLite")
    version.set_defaults(command=print_version)
    openapi = commands.add_parser("openapi", help="print the OpenAPI document of the API, as YAML or JSON")
    openapi.add_argument("--json", action="store_true", help="as JSON instead of YAML")
    openapi.set_defaults(command=print_openapi)
    serve = commands.add_parser("run", help="serve a database (the default command)", allow_abbrev=False)
    serve.set_defaults(command=run)
    add = serve.add_argument
    for setting in SERVER:
        _add(serve, setting)
    add("--allowed-host", action="append", default=[], metavar="NAME", help="a further name clients use for this host")
    add(
        "--lease-secs",
        dest="lease_s",
        type=as_argument(seconds),
        default=LEASE_S,
        metavar="SECONDS",
        help=f"how long a runner may be silent before its jobs are given to others (default {LEASE_S:g})",
    )
    add("--network-filesystem", action="store_true", help="the database is on a file system shared between machines")
    add("--take-over", action="store_true", help="serve although a server on another machine did not sign off")
    add("--daemon", action="store_true", help="serve in the background; --log-dir keeps what it has to say")
    add(
        "--pid-file",
        type=any_path,
        metavar="FILE",
        help=f"file for the number of the serving process (default with --daemon: {PID_FILE})",
    )
    add("--standalone", action="store_true", help=argparse.SUPPRESS)  # started by a client, for clients here
    return made


def _add(serve: argparse.ArgumentParser, setting: Setting) -> None:
    """An option for a setting; None when it is not given."""
    default = "" if setting.default in (None, False) else f"default: {setting.default}; "
    text = f"{setting.help} [{default}{setting.older_variable or setting.variable}]"
    if setting.read is yes_or_no:
        serve.add_argument(*setting.options, action=argparse.BooleanOptionalAction, dest=setting.name, help=text)
    else:
        read = as_argument(setting.read)
        serve.add_argument(*setting.options, type=read, dest=setting.name, metavar=setting.metavar, help=text)


def complete(options: argparse.Namespace) -> None:
    """Give what was not on the command line the value from the environment, a file or the default.

    A private server is only told by its client what to do: accounts, addresses and logs of others are not for it.
    """
    for setting in SERVER:
        if getattr(options, setting.name) is None:
            is_for_others = options.standalone and setting not in FOR_PRIVATE_SERVERS
            setattr(options, setting.name, setting.default if is_for_others else setting.configured())


def database_path(text: str | None) -> Path:
    """Where the database is. The text may begin with ``sqlite:``."""
    text = text or ""
    path = re.sub(r"^sqlite:(//)?", "", text).partition("?")[0] if text.startswith("sqlite:") else text
    if not path:
        raise DatabaseUnusable("no database given; name a file with --database FILE or in DATABASE_URL")
    if path == ":memory:":
        raise DatabaseUnusable("a database in memory would be lost with the server; name a file with --database FILE")
    return Path(path)
