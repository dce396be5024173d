"""The right to serve a database: a lock held for life, the files that say who holds it, and when to let go."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress

from torc.errors import DatabaseUnusable
from torc.rendezvous import (
    Lock,
    Places,
    ServerRecord,
    host_name,
    read_lock_owner,
    read_server_file,
    write_lock_owner,
    write_server_file,
)

logger = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""Clients take the lock for an instant to see whether it is free; a taker tries again for so long."""

SUCCESSION_S = 60.0
"""How long a new worker waits for the old one of the same server to finish what it has."""

USERS_POLL_S = 0.2
LINGER_S = 2.0
"""A standalone server ends when nobody has used it for so long."""


class Possession:
    """This process serves the database; the kernel takes the lock back however the process ends."""

    def __init__(self, places: Places, record: ServerRecord, *, shared_filesystem: bool, take_over: bool) -> None:
        """Take the lock before anything else touches the database. Raises DatabaseUnusable naming the holder."""
        self.places = places
        self._instance = record.instance
        self._lock = Lock(places.lock)
        self._take()
        owner = read_lock_owner(places.lock)
        if shared_filesystem and owner is not None and owner.host != host_name() and not take_over:
            # The lock may reach no further than this machine, so that it was free proves nothing.
            raise DatabaseUnusable(
                f"database {places.database} was last served by {owner.who()}, which did not sign off; "
                "if that server has ended, start again with --take-over"
            )
        write_lock_owner(places.lock, record)

    def _take(self) -> None:
        begun = time.monotonic()
        while not self._lock.acquire():
            owner = read_lock_owner(self.places.lock)
            is_ours = owner is not None and (owner.host, owner.master_pid) == (host_name(), os.getppid())
            if time.monotonic() - begun > (SUCCESSION_S if is_ours else PATIENCE_S):
                holder = owner.who() if owner is not None else "another process"
                raise DatabaseUnusable(
                    f"database {self.places.database} is already served by {holder}; use that server, or stop it first"
                )
            time.sleep(0.01)

    def publish(self, record: ServerRecord) -> None:
        """Tell clients where the server is, once it answers."""
        write_lock_owner(self.places.lock, record)
        write_server_file(self.places.server, record)

    def leave(self) -> None:
        """Sign off. The lock goes with the process, after the database is closed."""
        with suppress(OSError, DatabaseUnusable):  # the folder may have been deleted with the database
            # Whoever deleted the database with its files may have started another server by now.
            if self._is_ours(read_server_file(self.places.server)):
                self.places.server.unlink(missing_ok=True)
            if self._is_ours(read_lock_owner(self.places.lock)):
                write_lock_owner(self.places.lock, None)

    def _is_ours(self, found: ServerRecord | None) -> bool:
        return found is not None and found.instance == self._instance


class Attendance(threading.Thread):
    """Ends a standalone server when the last ``--standalone`` client has gone, even by ``kill -9``."""

    def __init__(self, places: Places) -> None:
        super().__init__(name="attendance", daemon=True)
        self._users = Lock(places.users)
        self._ending = threading.Event()

    def run(self) -> None:
        free_since: float | None = None
        while not self._ending.wait(USERS_POLL_S):
            if not self._users.acquire():
                free_since = None
                continue
            free_since = free_since or time.monotonic()
            if time.monotonic() - free_since >= LINGER_S:
                # The lock is kept: who comes now waits for the end of this process and starts a new server.
                logger.info("nobody uses this standalone server any more; it ends")
                os.kill(os.getppid(), signal.SIGTERM)
                return
            self._users.release()

    def stop(self) -> None:
        self._ending.set()
