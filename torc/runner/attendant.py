"""What goes on beside a runner in an allocation: Slurm is asked when it ends it, and records are kept true."""

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from torc.client.api import Client
from torc.errors import TorcError
from torc.hpc import slurm
from torc.hpc.slurm import JobNow
from torc.runner.place import Deadline
from torc.runner.threads import start_without_signals
from torc.workflow.reconcile import LOOK_EVERY_S, reconcile_in_turn

logger = logging.getLogger(__name__)

ASK_EVERY_S = 300.0
"""How often Slurm is asked when it will end the job. Users may have it moved while the job runs."""

NEAR_THE_END_S = 600.0
"""From here on it is asked at every look: what was granted in the last minutes counts, too."""

KILL_WAIT_S = 30.0
"""From Slurm's SIGTERM to its SIGKILL, where it does not say otherwise."""


class End:
    """When Slurm ends this job, as far as it tells."""

    def __init__(self, job_id: int, at: datetime | None) -> None:
        self.deadline = Deadline()
        self._job_id = job_id
        self._at: datetime | None = None
        self._asked_at = time.monotonic()
        self._kill_wait_s = KILL_WAIT_S
        try:
            self._kill_wait_s = slurm.kill_wait_s() or KILL_WAIT_S
            self._set(at or slurm.look_at(job_id).ends_at)
        except TorcError as error:
            logger.warning("Slurm does not say when this allocation ends: %s", error.message)
            self._set(at)

    def left_s(self) -> float | None:
        """None when nobody knows."""
        left_s = self.deadline.left_s()
        return None if left_s == math.inf else max(0.0, left_s)

    def ask_if_due(self) -> None:
        """Ask Slurm again when the last answer is old, or the end is near."""
        if time.monotonic() - self._asked_at >= ASK_EVERY_S or self.deadline.left_s() < NEAR_THE_END_S:
            self._asked_at = time.monotonic()
            now = self._ask()
            self._set(now and now.ends_at)

    def told(self) -> JobNow | None:
        """A signal has come. It is a warning if the job runs on; else Slurm soon kills. None: it does not say."""
        now = self._ask()
        if now is None or now.state != "RUNNING":
            self.deadline.move(min(self._kill_wait_s, self.deadline.left_s()))
        else:
            self._set(now.ends_at)
        return now

    def _ask(self) -> JobNow | None:
        try:
            return slurm.look_at(self._job_id)
        except TorcError as error:
            logger.warning("no word from Slurm on this allocation: %s", error.message)
            return None

    def _set(self, at: datetime | None) -> None:
        if at is not None and at != self._at:
            self._at = at
            self.deadline.move(max(0.0, (at - datetime.now(UTC)).total_seconds()))
            logger.info("the allocation ends at %s", at.astimezone(UTC).isoformat())


class Attendant:
    """A thread that does what is due, once a minute. Of several runners in an allocation, the first looks after all."""

    def __init__(self, client: Client, end: End, *, user: str | None) -> None:
        """``user``: whose allocations are to be looked after; None: nobody's."""
        self._client = client
        self._user = user
        self._end = end
        self._due: list[Callable[[], object]] = [end.ask_if_due, *([] if user is None else [self._reconcile])]
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._attend, name="attendant", daemon=True)

    def __enter__(self) -> "Attendant":
        start_without_signals(self._thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._wake.set()

    def told(self) -> None:
        """Find out what the signal means that has just come."""
        self._due = [self._end.told]
        self._wake.set()

    def _attend(self) -> None:
        while not self._is_over:
            if self._wake.wait(LOOK_EVERY_S) and not self._is_over:
                self._wake.clear()
            for task in [] if self._is_over else self._due:
                task()

    def _reconcile(self) -> None:
        try:
            for change in reconcile_in_turn(self._client, self._user or ""):
                job_id, now = change.record.scheduler_id, change.record
                logger.info("allocation %d: %s, now %s (%s)", job_id, change.before, now.status, now.reason)
        except TorcError as error:
            logger.warning("the allocations could not be looked after: %s", error.message)
