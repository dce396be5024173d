"""gunicorn, made to be exactly one serving process that starts, stops and closes connections quickly."""

import logging
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from ssl import SSLContext
from typing import Any, cast

from gunicorn import arbiter
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers import gthread

from torc.errors import TorcError

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 10_000
SPARE_FILES = 200  # for the database, the log and the listener
KEEPALIVE_S = 75  # more than a runner's pause between two syncs; 2 s, the default, breaks the next POST
LINGER_S = 0.5
STALL_S = 20
"""A peer that stops in the middle of a request, or of reading an answer, may keep a thread for so long."""

PATIENCE_S = {
    # how long a stopping worker waits for a next request of clients that kept their connection; 2 s as it comes
    "STOP_KEEPALIVE_LINGER": 0.2,
    # how long a new connection that says nothing keeps a thread; with 5 s, eight browser tabs block the server
    "DEFAULT_WORKER_DATA_TIMEOUT": 1.0,
}
for _name, _seconds in PATIENCE_S.items():  # module constants of gunicorn, not settings
    setattr(gthread, _name, _seconds)


class Log(Logger):
    """gunicorn's own messages go where ours go, from warnings up."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        # A worker that could not start has said why in a sentence of its own.
        self.error_log.addFilter(lambda record: not record.getMessage().endswith("exited with code 3."))
        self.error_log.addFilter(_without_stall_traceback)


def _without_stall_traceback(record: logging.LogRecord) -> bool:
    """A peer that fell silent is no error of this program."""
    if record.exc_info and isinstance(record.exc_info[1], (BlockingIOError, TimeoutError)):
        record.msg, record.args, record.exc_info = "a client fell silent in the middle of a request", (), None
    return True


class Worker(gthread.ThreadWorker):
    """The process that serves."""

    def notify(self) -> None:
        """Nothing: nobody watches for a sign of life, since ``timeout`` is 0. As it comes, it is a file touched on
        disk several times for every request, a sixth of what a short one costs.
        """

    is_ending = False

    def handle(self, conn: Any) -> Any:
        """Answer one request, and see a connection that ends off in this thread.

        gunicorn waits in its event loop, up to 2 s, for the peer to close: every other client would wait with it.
        """
        limit = struct.pack("@ll", STALL_S, 0)  # gunicorn's sockets have no time-out: a lost peer would keep a thread
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        keep = super().handle(conn)
        if keep is False:
            _see_off(conn.sock)
        return keep

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Finish the requests under way; those that would last are told."""
        cast(Application, self.app).ending()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once, and only once: Ctrl-C comes from the terminal and from the parent.

        gunicorn takes the thread pool's lock in this handler, which the interrupted code may hold.
        """
        self.alive = False
        if not self.is_ending:
            self.is_ending = True
            sys.exit(0)


def _see_off(connection: socket.socket) -> None:
    """Send the end of the answer and drain what the peer still sends, so that closing loses nothing."""
    try:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(LINGER_S)
        while connection.recv(65536):
            pass
    except OSError:
        pass
    try:
        connection.shutdown(socket.SHUT_RD)  # the event loop now finds nothing to wait for
    except OSError:
        pass


class Arbiter(arbiter.Arbiter):
    """The process that watches the worker, and starts another when it dies.

    Locks and leases live in the one worker, so nothing may start a second beside it.
    """

    def init_signals(self) -> None:
        is_detached = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().init_signals()
        if is_detached:  # nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def handle_hup(self) -> None:
        """The terminal is gone; reloading would start a worker beside the old one."""
        self.handle_term()

    def handle_ttin(self) -> None:
        logger.warning("torc-server has exactly one worker process; the signal to add one is ignored")

    def handle_usr2(self) -> None:
        logger.warning("torc-server cannot replace itself while it runs; the signal is ignored")

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """As gunicorn, but a worker that could not start is an ordinary error, already explained."""
        try:
            super().halt()
        except SystemExit:
            sys.exit(1 if exit_status else 0)


class Application(BaseApplication):
    """``load`` makes the WSGI application in the worker; ``ready``, ``ending`` and ``end`` run there too."""

    def __init__(
        self,
        listener: socket.socket,
        threads: int,
        tls: SSLContext | None,
        *,
        load: Callable[[], Any],
        ready: Callable[[bool], None],
        ending: Callable[[], None],
        end: Callable[[Callable[[], None]], None],
        complain: Callable[[TorcError], None],
    ) -> None:
        """``ready`` gets whether this is the first worker; ``end`` gets a function that waits for open requests.

        Without ``tls`` it speaks plain HTTP.
        """
        self._listener = listener
        self._threads = threads
        self._tls = tls
        self._load = load
        self._ready = ready
        self.ending = ending
        self._end = end
        self._complain = complain
        super().__init__()

    def load_config(self) -> None:
        wanted: dict[str, Any] = {
            "bind": f"fd://{self._listener.detach()}",
            "workers": 1,
            "threads": self._threads,
            "worker_class": Worker,
            "worker_connections": _connections(),
            "keepalive": KEEPALIVE_S,
            "limit_request_line": 8190,  # the most gunicorn allows; long filters are no attack
            "timeout": 0,  # a stopped or busy server is not a dead one
            "control_socket_disable": True,  # it would lie in the user's home, one for all servers
            "logger_class": Log,
            "proc_name": "torc-server",
            "post_worker_init": lambda worker: self._explained(lambda: self._ready(worker.age == 1)),
            "worker_exit": lambda server, worker: self._leave(worker),
        }
        if self._tls is not None:
            wanted["certfile"] = os.devnull  # gunicorn asks no more of it than that it exists
            wanted["ssl_context"] = lambda config, default: self._tls  # as it comes, read anew for every connection
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._explained(self._load)

    def _explained(self, step: Callable[[], Any]) -> Any:
        """Do a step of the start; what torc can explain ends the worker, and with it the server, in one sentence."""
        try:
            return step()
        except TorcError as error:
            self._complain(error)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def _leave(self, worker: Any) -> None:
        if worker.pid == os.getpid():  # gunicorn also calls this in the parent, for a worker that is gone
            worker.is_ending = True
            self._end(lambda: worker.tpool.shutdown(wait=True))

    def run(self) -> None:
        Arbiter(self).run()


def _connections() -> int:
    """How many connections fit: every one is an open file, and running out of files would end the worker."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - SPARE_FILES, 64)
