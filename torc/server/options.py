"""The options of ``torc-server``."""

import argparse
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torc import __version__
from torc.errors import DatabaseUnusable, TorcError
from torc.settings import AUTH_FILE, HTTPS, JSON_LOGS, LOG_DIR, REQUIRE_AUTH, SERVER, URL, Setting, seconds, yes_or_no

logger = logging.getLogger(__name__)

LEASE_S = 300.0

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
        type=_type_of(seconds),
        default=LEASE_S,
        metavar="SECONDS",
        help=f"how long a runner may be silent before its jobs are given to others (default {LEASE_S:g})",
    )
    add("--network-filesystem", action="store_true", help="the database is on a file system shared between machines")
    add("--take-over", action="store_true", help="serve although a server on another machine did not sign off")
    add("--standalone", action="store_true", help=argparse.SUPPRESS)  # started by a client, for clients here
    return made


def _add(serve: argparse.ArgumentParser, setting: Setting) -> None:
    """An option for a setting; None when it is not given."""
    default = "" if setting.default in (None, False) else f"default: {setting.default}; "
    text = f"{setting.help} [{default}{setting.older_variable or setting.variable}]"
    if setting.read is yes_or_no:
        serve.add_argument(*setting.options, action=argparse.BooleanOptionalAction, dest=setting.name, help=text)
    else:
        read = _type_of(setting.read)
        serve.add_argument(*setting.options, type=read, dest=setting.name, metavar=setting.metavar, help=text)


def _type_of(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def complete(options: argparse.Namespace) -> None:
    """Give what was not on the command line the value from the environment, a file or the default.

    A private server is only told by its client what to do: accounts and addresses of others are not for it.
    """
    for setting in SERVER:
        if getattr(options, setting.name) is None:
            is_for_others = options.standalone and setting in (URL, AUTH_FILE, REQUIRE_AUTH)
            setattr(options, setting.name, setting.default if is_for_others else setting.configured())
    if HTTPS.configured() and not options.standalone:
        raise TorcError(
            f"{HTTPS.key} is true ({HTTPS.found().origin}), but this server does not speak TLS yet; put a proxy in "
            "front of it that does, and set it to false"
        )


def warn_of_what_is_not_built() -> None:
    """Say which settings of the log have no effect yet. To be called when logging has been configured."""
    for setting in (LOG_DIR, JSON_LOGS):
        found = setting.found()
        if found.value:
            logger.warning("%s (%s) has no effect yet: lines of text go to standard error", setting.key, found.origin)


def database_path(text: str | None) -> Path:
    """Where the database is. The text may begin with ``sqlite:``."""
    text = text or ""
    path = re.sub(r"^sqlite:(//)?", "", text).partition("?")[0] if text.startswith("sqlite:") else text
    if not path:
        raise DatabaseUnusable("no database given; name a file with --database FILE or in DATABASE_URL")
    if path == ":memory:":
        raise DatabaseUnusable("a database in memory would be lost with the server; name a file with --database FILE")
    return Path(path)
