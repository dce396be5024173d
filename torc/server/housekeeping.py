"""What the server does by itself, in one thread: leases, drafts, the write-ahead log, interrupted verbs."""

import logging
import threading
from collections.abc import Callable

from torc.store import deletion, drafts, lifecycle, nodes
from torc.store.database import Database
from torc.store.leases import Leases

logger = logging.getLogger(__name__)

WAL_CHECKPOINT_BYTES = 4 * 1024 * 1024  # SQLite's own checkpoints, at commits, keep an idle log below this
WAL_WARNING_BYTES = 256 * 1024 * 1024


class Housekeeping(threading.Thread):
    """Runs its chores every ``interval_s``. A chore that fails is logged and tried again at the next round."""

    def __init__(self, database: Database, leases: Leases, interval_s: float) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._database = database
        self._leases = leases
        self._interval_s = interval_s
        self._ending = threading.Event()
        self._has_warned = False

    def run(self) -> None:
        self._try(self.resume)
        while not self._ending.wait(self._interval_s):
            for chore in (self.expire_leases, self.delete_idle_drafts, self.checkpoint):
                self._try(chore)

    def stop(self) -> None:
        """End the loop; a chore under way is finished first."""
        self._ending.set()
        self.join()

    def _try(self, chore: Callable[[], None]) -> None:
        try:
            chore()
        except Exception:
            logger.exception("housekeeping: %s failed; it is tried again in %g s", chore.__name__, self._interval_s)

    def resume(self) -> None:
        """Finish the verbs over whole workflows that a crash interrupted."""
        count = lifecycle.resume_busy(self._database) + deletion.purge_hidden(self._database)
        if count:
            logger.info("resumed %d interrupted operations over whole workflows", count)

    def expire_leases(self) -> None:
        """Take back the jobs of runners that have fallen silent, and claims that were never started."""
        count = nodes.expire(self._database, self._leases)
        if count:
            logger.warning("%d compute nodes fell silent; their jobs are ready again", count)

    def delete_idle_drafts(self) -> None:
        """Remove workflows whose creation was never finished."""
        count = drafts.delete_idle(self._database)
        if count:
            logger.info("deleted %d drafts that were never finished", count)

    def checkpoint(self) -> None:
        """Keep the write-ahead log small; say so, once, when readers keep it from shrinking."""
        if self._database.wal_bytes() > WAL_CHECKPOINT_BYTES:
            self._database.checkpoint()
        size = self._database.wal_bytes()
        if size > WAL_WARNING_BYTES and not self._has_warned:
            logger.warning("the write-ahead log has %d MB; a long read keeps it from shrinking", size // 2**20)
        self._has_warned = size > WAL_WARNING_BYTES
