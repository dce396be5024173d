"""What this runner was given and has not settled with the server: the content of every sync."""

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

from torc.models.sync import FinishedJob, StartedJob, SyncJob, SyncRequest
from torc.runner.child import Child
from torc.runner.pace import BATCH_RESULTS

Key = tuple[int, int]
"""A job id and an attempt id: one attempt is what a runner owns."""


def key_of(job: SyncJob) -> Key:
    """The attempt that ``job`` stands for."""
    return job.id, job.attempt_id


class Ledger:
    """Jobs waiting to be started, children, and reports the server has not acknowledged."""

    def __init__(self) -> None:
        self.waiting: dict[Key, tuple[SyncJob, float]] = {}  # with the time.monotonic() of their arrival
        self.children: dict[Key, Child] = {}
        self._finished: dict[Key, FinishedJob] = {}
        self._finished_since = 0.0
        self._started: dict[Key, StartedJob] = {}
        self._started_since = 0.0
        self._released: set[Key] = set()

    def receive(self, jobs: Iterable[SyncJob]) -> int:
        """Jobs the server gave us; how many of them are new."""
        now = time.monotonic()
        new = [job for job in jobs if key_of(job) not in self.waiting and key_of(job) not in self.children]
        for job in new:
            self.waiting[key_of(job)] = (job, now)
        return len(new)

    def start(self, child: Child) -> None:
        """A waiting job has become a child. While its recovery script runs it has not started yet."""
        key = key_of(child.job)
        self.waiting.pop(key, None)
        self.children[key] = child
        if child.is_recovery:
            return
        if not self._started:
            self._started_since = time.monotonic()
        self._started[key] = StartedJob(job_id=key[0], attempt_id=key[1], start_time=child.started_at)

    def finish(self, report: FinishedJob) -> None:
        """An attempt has ended: a child's, or that of a job that could not be started."""
        key = report.job_id, report.attempt_id
        self.children.pop(key, None)
        self.waiting.pop(key, None)
        if not self._finished:
            self._finished_since = time.monotonic()
        self._finished[key] = report

    def release(self, keys: Iterable[Key]) -> None:
        """Give jobs back that were never started."""
        for key in list(keys):
            if self.waiting.pop(key, None):
                self._released.add(key)

    def lose(self, key: Key) -> Child | None:
        """The attempt is no longer ours. The child to be killed, if it runs; it stays among the children."""
        self.waiting.pop(key, None)
        self._started.pop(key, None)
        child = self.children.get(key)
        if child is not None:
            child.lost = True
        return child

    def forget(self, child: Child) -> None:
        """A lost child is gone."""
        del self.children[key_of(child.job)]

    def sections(self) -> dict[str, Any]:
        """The parts of a SyncRequest that say what happened here."""
        ours = [key for key, child in self.children.items() if not child.lost]
        return {
            "finished": list(islice(self._finished.values(), BATCH_RESULTS)),
            "started": list(islice(self._started.values(), BATCH_RESULTS)),
            "released": list(self._released),
            "holding": [*self.waiting, *ours, *self._finished],
        }

    def acknowledge(self, request: SyncRequest) -> None:
        """The server has applied ``request``."""
        for report in request.finished:
            self._finished.pop((report.job_id, report.attempt_id), None)
        for started in request.started:
            self._started.pop((started.job_id, started.attempt_id), None)
        self._released.difference_update(request.released)
        self._finished_since = self._started_since = time.monotonic()

    def unacknowledged(self) -> list[FinishedJob]:
        """Reports still to be delivered."""
        return list(self._finished.values())

    def results_due_at(self, patience_s: float) -> float | None:
        """When the oldest report has waited ``patience_s``; None without reports, now when a batch is full."""
        if not self._finished:
            return None
        return 0.0 if len(self._finished) >= BATCH_RESULTS else self._finished_since + patience_s

    def starts_due_at(self, patience_s: float) -> float | None:
        """When the oldest start that was not told yet has waited ``patience_s``; None without any."""
        return self._started_since + patience_s if self._started else None

    def oldest_waiting_at(self, patience_s: float) -> float | None:
        """When the job that waits longest will have waited ``patience_s``; None when none waits."""
        return next((arrived + patience_s for _, arrived in self.waiting.values()), None)

    def release_older_than(self, patience_s: float) -> None:
        """Give back the jobs that have waited for ``patience_s``."""
        latest = time.monotonic() - patience_s
        self.release(key for key, (_, arrived) in self.waiting.items() if arrived <= latest)

    def owes(self) -> bool:
        """Whether the server does not know all that happened here."""
        return bool(self._finished or self._started or self._released)

    def is_empty(self) -> bool:
        """Nothing waits, runs or has to be told."""
        return not (self.waiting or self.children or self.owes())
