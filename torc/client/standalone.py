"""A private server for one database: find the one that runs, else start it; it ends after its last client."""

import base64
import http.client
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import torc
from torc.errors import Conflict, DatabaseUnusable
from torc.rendezvous import (
    ERROR_LINE,
    PORT_LINE,
    STANDALONE_USER,
    Lock,
    Places,
    ServerRecord,
    host_name,
    is_held,
    network_filesystem,
    open_private,
    read_lock_owner,
    read_server_file,
)

logger = logging.getLogger(__name__)

ATTACH_S = 10.0
"""How long a server that holds the lock may take to answer."""

START_S = 120.0
"""How long a server may take to start: a large database may have to be migrated."""

LOG_BYTES = 10 * 1024 * 1024
"""A log larger than this begins anew at the next start."""

DYING_S = 1.0
"""How long the worker of a server that could not start may still hold the lock."""

PING_S = 2.0
POLL_S = 0.02


@dataclass(frozen=True)
class Attachment:
    """How to reach the server, as Client wants it."""

    url: str
    username: str | None
    password: str | None


@contextmanager
def attach(database: Path, *, take_over: bool = False) -> Iterator[Attachment]:
    """Use the server of ``database`` and keep it alive meanwhile; it is started if there is none.

    ``take_over``: serve although a server on another machine did not sign off. Raises DatabaseUnusable or Conflict
    with the server's own last sentence.
    """
    places = Places.of(database)
    kind = network_filesystem(places.database)
    if kind is not None:
        logger.warning("%s is on a shared file system (%s): one server has it alone", places.database, kind)
    users = Lock(places.users)
    try:
        record = _serve(places, users, take_over)
        yield Attachment(record.url, STANDALONE_USER if record.token else None, record.token)
    finally:
        users.close()


class _Replaced(Conflict):
    """The server of these places holds another file than the one that has the name now."""


def _serve(places: Places, users: Lock, take_over: bool) -> ServerRecord:
    """The server, with this process counted as one of its clients."""
    deadline = time.monotonic() + ATTACH_S
    while True:
        _enter(users)
        try:
            return _find_or_start(places, take_over)
        except _Replaced:
            # The database was deleted or replaced. Its server ends when nobody uses it, which we must not seem to do.
            users.release()
            while is_held(places.lock):
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)


def _enter(users: Lock) -> None:
    """Be counted as a client. A server that has just decided to end keeps newcomers out until it is gone."""
    deadline = time.monotonic() + ATTACH_S
    while not users.acquire(shared=True):
        if time.monotonic() > deadline:
            raise DatabaseUnusable(f"{users.path} stays locked by a server that does not end; stop that process")
        time.sleep(POLL_S)


def _find_or_start(places: Places, take_over: bool) -> ServerRecord:
    deadline = time.monotonic() + ATTACH_S
    while time.monotonic() < deadline:
        if is_held(places.lock):
            record = _running(places)
            if record is not None:
                return record
            time.sleep(POLL_S)
            continue
        failure = _start(places, take_over)
        deadline = time.monotonic() + ATTACH_S
        if failure is not None and not _another_serves(places):
            raise DatabaseUnusable(failure)
    owner = read_lock_owner(places.lock)
    holder = owner.who() if owner is not None else "another process"
    raise DatabaseUnusable(
        f"database {places.database} is held by {holder}, which does not answer; stop that process and try again"
    )


def _another_serves(places: Places) -> bool:
    """Whether our server failed because, of two that started at once, the other was faster."""
    gone_by = time.monotonic() + DYING_S
    while is_held(places.lock):
        if _running(places) is not None or time.monotonic() > gone_by:
            return True
        time.sleep(POLL_S)
    return False


def _running(places: Places) -> ServerRecord | None:
    """The server that holds the lock, if it answers by now and is one this client can use."""
    owner = read_lock_owner(places.lock)
    if owner is not None and owner.host != host_name():
        raise Conflict(
            f"database {places.database} is served by {owner.who()}; work on that machine, or end the commands there"
        )
    record = read_server_file(places.server)
    if record is None or not _answers(record):
        return None
    if record.version != torc.__version__:
        raise Conflict(
            f"database {places.database} is served by {record.who()}, which is version {record.version} while this is "
            f"{torc.__version__}; use that version, or end the commands that use it"
        )
    if record.database_inode != _inode(places.database):
        raise _Replaced(
            f"{places.database} is not the file that {record.who()} serves: it was deleted or replaced meanwhile; "
            "end the commands that use that server, then try again"
        )
    return record


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _answers(record: ServerRecord) -> bool:
    """Whether the author of the server file answers at its URL, and not somebody who got its port later.

    Raises Conflict for a server with TLS, and for one with accounts: nobody would be told a password before it has
    proved who it is.
    """
    parts = urlsplit(record.url)
    if parts.scheme == "https":
        raise Conflict(
            f"the database is served by {record.who()} with TLS; leave out --standalone and use --url {record.url}"
        )
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PING_S)
    headers = {}
    if record.token is not None:
        credentials = base64.b64encode(f"{STANDALONE_USER}:{record.token}".encode()).decode("ascii")
        headers["Authorization"] = f"Basic {credentials}"
    try:
        connection.request("GET", f"{parts.path}/ping", headers=headers)
        response = connection.getresponse()
        if response.status == HTTPStatus.UNAUTHORIZED and record.token is None:
            raise Conflict(
                f"the database is served by {record.who()}, which needs a user name and a password; leave out "
                f"--standalone and use --url {record.url} with --username NAME"
            )
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("instance") == record.instance


def _start(places: Places, take_over: bool) -> str | None:
    """Start a server in its own session and wait until it serves; its last sentence if it does not.

    Ctrl-C is for this process, which may still have to tell the server how its jobs ended. The server's stderr is
    its log.
    """
    package_parent = str(Path(torc.__file__).parent.parent)
    search_path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "torc.server", "run", "--standalone", "--port", "0"]
    command += ["--host", "127.0.0.1", "--database", str(places.database)]
    log = _open_log(places.log)
    try:
        server = subprocess.Popen(
            [*command, "--take-over"] if take_over else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd=places.database.parent,  # not the caller's folder: the server may outlive it
            env={**os.environ, "PYTHONPATH": search_path},  # -P: a torc.py in that folder is not ours
        )
    finally:
        os.close(log)
    assert server.stdout is not None
    with server.stdout:
        said = _first_word(server.stdout.fileno())
    if said.startswith(PORT_LINE):
        return None
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    status = server.wait()
    if said.startswith(ERROR_LINE):
        return said.removeprefix(ERROR_LINE)
    return f"the server for {places.database} did not start (exit status {status}); the reason is in {places.log}"


def _first_word(stdout: int) -> str:
    """The line with the port or with the error; empty when the server ends, or takes too long, without either."""
    deadline = time.monotonic() + START_S
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            chunk = os.read(stdout, 4096)
            text += chunk
            whole = text[: text.rfind(b"\n") + 1].decode(errors="replace").splitlines()
            found = [line for line in whole if line.startswith((PORT_LINE, ERROR_LINE))]
            if found or not chunk:
                return found[0] if found else ""
    return ""


def _open_log(path: Path) -> int:
    log = open_private(path, os.O_WRONLY | os.O_APPEND)
    if os.fstat(log).st_size > LOG_BYTES:
        os.truncate(log, 0)
    return log
