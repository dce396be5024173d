"""``torc-server``: its options, and the life of the process from the first check to the last lock."""

import argparse
import logging
import os
import re
import secrets
import socket
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from torc import __version__, logs
from torc.errors import DatabaseUnusable, TorcError
from torc.rendezvous import BASE_PATH, ERROR_LINE, PORT_LINE, Places, ServerRecord, host_name, network_filesystem
from torc.server import log_file
from torc.server.listener import bind, in_url, is_loopback, own_names
from torc.server.options import PID_FILE, complete, database_path, parser
from torc.units import utc_now_iso

if TYPE_CHECKING:  # the watching process never imports what only serving needs
    from ssl import SSLContext

    from torc.server.auth import Authenticator
    from torc.server.daemon import PidFile
    from torc.server.housekeeping import Housekeeping
    from torc.server.possession import Attendance, Possession
    from torc.server.stream import Streams
    from torc.store.database import Database

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the server or print versions; the exit status is 0, 1 for an error, 2 for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "run")
    options = parser(run, print_version, print_openapi).parse_args(words)
    try:
        options.command(options)
    except TorcError as error:
        _complain(error, getattr(options, "standalone", False))
        sys.exit(error.exit_code)
    sys.exit(0)


def run(options: argparse.Namespace) -> None:
    """Check everything that can be checked, bind the port, and serve until told to stop."""
    _refuse_more_workers()
    complete(options)
    places = Places.of(database_path(options.database))
    shared = options.network_filesystem or _is_shared(places, options.standalone)
    pid_file = _settle(options)
    try:
        _serve(options, places, shared)
    finally:
        if pid_file is not None:
            pid_file.remove()


def _serve(options: argparse.Namespace, places: Places, shared: bool) -> None:
    tls = _tls_context(options)
    authenticator = None if options.standalone else _authenticator(options)
    listener = bind(options.url, options.port)
    if not is_loopback(listener) and (authenticator is None or not authenticator.is_required):
        logger.warning(
            "listening on %s and answering without authentication: whoever can reach this port can run commands as "
            "the users whose runners ask here; --require-auth prevents that",
            options.url,
        )
    service = Service(options, places, shared, listener, authenticator)
    from torc.server.process import Application

    Application(
        listener,
        options.threads,
        tls,
        load=service.load,
        ready=service.ready,
        ending=service.ending,
        end=service.end,
        complain=lambda error: _complain(error, options.standalone),
    ).run()


class Service:
    """What the worker opens and must close: the right to the database, the database, and two threads."""

    def __init__(
        self,
        options: argparse.Namespace,
        places: Places,
        shared: bool,
        listener: socket.socket,
        authenticator: "Authenticator | None",
    ) -> None:
        """Made in the parent, so that a worker that replaces a dead one has the same token and instance."""
        self._options = options
        self._places = places
        self._shared = shared
        self._authenticator = authenticator
        self._port: int = listener.getsockname()[1]
        self._scheme = "https" if options.https else "http"
        self._host: str = options.url if options.https else in_url(listener)  # a certificate is for a name
        self._names = own_names(listener, options.url, options.allowed_host)
        self._instance = uuid.uuid4().hex
        self._token = secrets.token_urlsafe(32) if options.standalone else None
        self._opened: _Opened | None = None

    def load(self) -> Any:
        """The application over the opened database; in the worker, since neither locks nor SQLite survive a fork."""
        from torc.server.app import create_app
        from torc.server.housekeeping import Housekeeping
        from torc.server.possession import Possession
        from torc.server.stream import Streams
        from torc.store import nodes
        from torc.store.database import Database
        from torc.store.leases import Leases

        places, options = self._places, self._options
        log_file.rotate()
        possession = Possession(places, self._record(), shared_filesystem=self._shared, take_over=options.take_over)
        try:
            database = Database(places.database, network_filesystem=self._shared)
        except TorcError:
            possession.leave()
            raise
        leases = Leases(options.lease_s, tick_s=options.completion_check_interval_secs)
        nodes.adopt(database, leases)
        housekeeping = Housekeeping(database, leases, options.completion_check_interval_secs)
        self._opened = _Opened(possession, database, housekeeping, Streams(max(1, options.threads // 4)))
        return create_app(
            database,
            leases,
            instance=self._instance,
            streams=self._opened.streams,
            log_place=self._log_place(),
            host_names=self._names,
            token=self._token,
            authenticator=self._authenticator,
        )

    def _log_place(self) -> str:
        if self._options.log_dir is not None:
            return str(self._options.log_dir / log_file.NAME)
        return str(self._places.log) if self._options.standalone else "the server's standard error"

    def ready(self, is_first: bool) -> None:
        """The application is loaded and the port open: begin to work, and say so."""
        assert self._opened is not None
        self._opened.possession.publish(self._record())
        self._opened.housekeeping.start()
        if self._options.standalone:
            from torc.server.possession import Attendance

            self._opened.attendance = Attendance(self._places)
            self._opened.attendance.start()
        if is_first and self._authenticator is None and self._token is None:
            logger.info("No htpasswd file configured, authentication disabled")
        if is_first:
            _tell_starter(f"{PORT_LINE}{self._port}")
        logger.info("serving %s on %s", self._places.database, self._url())

    def ending(self) -> None:
        """The order to stop has come: streams would last for ever. Runs in a signal handler and takes no lock."""
        if self._opened is not None:
            self._opened.streams.is_ending = True

    def end(self, wait_for_requests: Callable[[], None]) -> None:
        """Close in the order that lets nothing use what is closed."""
        opened = self._opened
        if opened is None:  # it never came so far
            return
        if opened.attendance is not None:
            opened.attendance.stop()
        wait_for_requests()
        if opened.housekeeping.ident is not None:
            opened.housekeeping.stop()
        opened.database.close()
        opened.possession.leave()

    def _url(self) -> str:
        return f"{self._scheme}://{self._host}:{self._port}{BASE_PATH}"

    def _record(self) -> ServerRecord:
        try:
            inode = self._places.database.stat().st_ino
        except FileNotFoundError:  # not made yet
            inode = 0
        return ServerRecord(
            instance=self._instance,
            url=self._url(),
            host=host_name(),
            pid=os.getpid(),
            master_pid=os.getppid(),
            started=utc_now_iso(),
            version=__version__,
            database_inode=inode,
            token=self._token,
        )


@dataclass
class _Opened:
    possession: "Possession"
    database: "Database"
    housekeeping: "Housekeeping"
    streams: "Streams"
    attendance: "Attendance | None" = None


def _settle(options: argparse.Namespace) -> "PidFile | None":
    """Go to the background, take the pid file and open the log, as far as each is asked for."""
    pid_file = None
    if options.daemon or options.pid_file:
        from torc.server.daemon import PidFile, detach

        if options.daemon:
            detach()
        pid_file = PidFile(options.pid_file or PID_FILE)
    logs.configure(options.log_level)
    if options.log_dir is not None:
        log_file.open_log(options.log_dir, as_json=options.json_logs)
    elif options.daemon:
        logger.warning("nobody will hear what this server has to say; --log-dir DIR keeps it")
    return pid_file


def _tls_context(options: argparse.Namespace) -> "SSLContext | None":
    """What encrypts connections, if they are to be. Raises TorcError."""
    if not (options.https or options.tls_cert or options.tls_key):
        return None  # and nothing of TLS is loaded
    from torc.server.tls import tls_context

    return tls_context(options.https, options.tls_cert, options.tls_key)


def _authenticator(options: argparse.Namespace) -> "Authenticator | None":
    """What checks credentials, if there are accounts. Raises TorcError before anybody could be served."""
    path, is_required = options.auth_file, options.require_auth
    if path is None:
        if is_required:
            raise TorcError(
                "authentication is required, but there are no accounts; name an htpasswd file with --auth-file FILE or "
                "in TORC_AUTH_FILE"
            )
        return None
    from torc.server.auth import Authenticator

    authenticator = Authenticator(path, is_required=is_required, threads=options.threads)
    kind = "REQUIRED for all requests" if is_required else "OPTIONAL (backward compatible mode)"
    logger.info("Authentication is %s", kind)
    return authenticator


def print_version(options: argparse.Namespace) -> None:
    """Both versions: of torc, and of the SQLite that holds the data."""
    from torc.store import database

    print(f"torc-server {__version__} (SQLite {database.SQLITE_VERSION})")


def print_openapi(options: argparse.Namespace) -> None:
    """The document that ``/openapi.json`` serves."""
    import json

    import yaml

    from torc.server.openapi import document
    from torc.server.routes import described

    found = document(described())
    print(json.dumps(found, indent=2) if options.json else yaml.safe_dump(found, sort_keys=False, width=120), end="")


def _complain(error: TorcError, standalone: bool) -> None:
    """Say why there is no server: to people, and to the client that wants one."""
    print(f"Error: {error.message}", file=sys.stderr, flush=True)
    if standalone:
        _tell_starter(ERROR_LINE + error.message.replace("\n", " "))


def _tell_starter(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:  # it has gone; others may come
        sys.stdout = open(os.devnull, "w")


def _refuse_more_workers() -> None:
    """gunicorn would take a number of workers from the environment."""
    in_arguments = re.search(r"(?:-w|--workers)[ =]*(\S+)", os.environ.get("GUNICORN_CMD_ARGS", ""))
    asked = {
        "WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY"),
        "GUNICORN_CMD_ARGS": in_arguments[1] if in_arguments else None,
    }
    for variable, number in asked.items():
        if number not in (None, "", "1"):
            raise TorcError(f"torc-server runs exactly one worker process, not {number}; unset {variable}")
    os.environ.pop("WEB_CONCURRENCY", None)  # gunicorn cannot read an empty one


def _is_shared(places: Places, standalone: bool) -> bool:
    """Whether other machines might see the database. Raises DatabaseUnusable where that must be said explicitly."""
    kind = network_filesystem(places.database)
    if kind is None:
        return False
    if not standalone:
        raise DatabaseUnusable(
            f"{places.database} is on a file system that other machines may share ({kind}); put the database on a "
            "local disk with --database, or add --network-filesystem to let this one server have it alone"
        )
    return True
