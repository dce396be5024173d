"""The options of ``torc-server``."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path

from torc import __version__
from torc.errors import DatabaseUnusable
from torc.settings import AUTH_FILE, COMPLETION_CHECK_INTERVAL, REQUIRE_AUTH

LEASE_S = 300.0

Command = Callable[[argparse.Namespace], None]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, above 0 and at most a day, got '{text}'")
    return seconds


def _number(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and minimum <= int(text) <= maximum):
            raise argparse.ArgumentTypeError(f"must be a whole number from {minimum} to {maximum}, got '{text}'")
        return int(text)

    return read


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
    add("-u", "--url", "--host", dest="host", default="localhost", metavar="HOST", help="name or address to listen on")
    add("-p", "--port", type=_number(0, 65535), default=8080, help="port; 0 takes a free one and prints it")
    add("-t", "--threads", type=_number(1, 256), default=16, help="requests served at a time (default 16)")
    add("-d", "--database", metavar="FILE", help="SQLite file, made if missing; or set DATABASE_URL")
    add("--allowed-host", action="append", default=[], metavar="NAME", help="a further name clients use for this host")
    add("--auth-file", type=Path, metavar="FILE", help=f"{AUTH_FILE.help} [{AUTH_FILE.older_variable}]")
    add("--require-auth", action="store_true", help=f"{REQUIRE_AUTH.help} [{REQUIRE_AUTH.variable}]")
    add(
        "-c",
        "--completion-check-interval-secs",
        dest="interval_s",
        type=_seconds,
        metavar="SECONDS",
        help=f"{COMPLETION_CHECK_INTERVAL.help} [default: {COMPLETION_CHECK_INTERVAL.default:g}; "
        f"{COMPLETION_CHECK_INTERVAL.older_variable}]",
    )
    add(
        "--lease-secs",
        dest="lease_s",
        type=_seconds,
        default=LEASE_S,
        metavar="SECONDS",
        help=f"how long a runner may be silent before its jobs are given to others (default {LEASE_S:g})",
    )
    add("--network-filesystem", action="store_true", help="the database is on a file system shared between machines")
    add("--take-over", action="store_true", help="serve although a server on another machine did not sign off")
    add("-l", "--log-level", default=os.environ.get("RUST_LOG") or "info", metavar="LEVEL", help="default: info")
    add("--standalone", action="store_true", help=argparse.SUPPRESS)  # started by a client, for clients here
    return made


def database_path(option: str | None) -> Path:
    """Where the database is: ``--database``, else DATABASE_URL; both may begin with ``sqlite:``."""
    text = option or os.environ.get("DATABASE_URL", "")
    path = re.sub(r"^sqlite:(//)?", "", text).partition("?")[0] if text.startswith("sqlite:") else text
    if not path:
        raise DatabaseUnusable("no database given; name a file with --database FILE or in DATABASE_URL")
    if path == ":memory:":
        raise DatabaseUnusable("a database in memory would be lost with the server; name a file with --database FILE")
    return Path(path)
