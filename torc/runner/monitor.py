"""Watches what the running jobs use: one thread for all of them, which sleeps while nothing is due."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from torc.runner.census import Census, Count
from torc.runner.ledger import Key
from torc.runner.samples import Sample, SampleFile
from torc.runner.threads import start_without_signals
from torc.runner.usage import Meter, Usage

logger = logging.getLogger(__name__)

EARLY_S = (0.1, 0.25, 0.5, 1.0)
"""Ages at which a young job is sampled, so that short ones have figures too. A job that lives shorter costs nothing."""

EARLY_SHARE = 0.01
"""Of one core at most for samples of young jobs: where many short jobs run, only some of them are met."""

REGULAR_SHARE = 0.05
"""The same for all others, on a machine with very many processes."""

WATCHDOG_S = 1.0
"""How often memory is compared with its limit."""

LONGEST_WAIT_S = 3600.0
"""There is a limit to what Event.wait takes."""

JOIN_S = 1.0


class MonitorSettings(Struct, frozen=True):
    """How closely the jobs of a workflow are watched."""

    enabled: bool = True
    granularity: Literal["summary", "time_series"] = "summary"
    sample_interval_seconds: Annotated[float, Meta(gt=0)] = 5.0


OFF = MonitorSettings(enabled=False)


def settings_of(config: str | None) -> MonitorSettings:
    """What ``Workflow.resource_monitor_config`` says. A text that cannot be used is told of once, and means off."""
    if config is None:
        return OFF
    try:
        given = msgspec.json.decode(config, type=dict[str, object])
        return msgspec.convert({key: value for key, value in given.items() if value is not None}, MonitorSettings)
    except msgspec.DecodeError as error:
        logger.warning("jobs are not monitored: the workflow's resource_monitor_config cannot be used: %s", error)
        return OFF


class Watched:
    """A running job."""

    __slots__ = ("is_told_of", "key", "mark", "memory_limit_bytes", "meter", "name", "pid", "sample_at", "started")

    def __init__(self, key: Key, pid: int, mark: str, name: str, memory_limit_bytes: int | None) -> None:
        self.key = key
        self.pid = pid
        self.mark = mark
        self.name = name
        self.memory_limit_bytes = memory_limit_bytes
        self.started = time.monotonic()
        self.meter = Meter(self.started)
        self.sample_at = self.started + EARLY_S[0]  # out of turn; inf from when it is no longer young
        self.is_told_of = False  # that it uses too much

    def grow(self, now: float) -> None:
        """It was sampled."""
        later = (self.started + age for age in EARLY_S)
        self.sample_at = next((moment for moment in later if moment > now), math.inf)


class Monitor:
    """Samples the process trees of jobs from their start to their end.

    ``on_memory`` is called from the monitor's thread, once for each job whose tree has more memory than its limit, with
    what it has. ``watch`` and ``end`` are for one other thread and never wait.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        *,
        on_memory: Callable[[Key, int], None] | None = None,
        file: SampleFile | None = None,
    ) -> None:
        self._record_interval_s = settings.sample_interval_seconds
        self._interval_s = min(self._record_interval_s, WATCHDOG_S) if on_memory else self._record_interval_s
        self._on_memory = on_memory
        self._file = file
        self._census = Census()
        self._watched: dict[Key, Watched] = {}
        self._regular_at = self._record_at = 0.0
        self._early_at = 0.0  # not before this: their share is used up
        self._wakes_at = math.inf
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def watch(self, key: Key, *, pid: int, mark: str, name: str, memory_limit_bytes: int | None = None) -> None:
        """A job was started as process ``pid``, with ``mark`` in its environment."""
        watched = self._watched[key] = Watched(key, pid, mark, name, memory_limit_bytes)
        if self._thread is None:
            self._start()
        elif watched.sample_at < self._wakes_at:
            self._wake.set()

    def end(self, key: Key) -> Usage | None:
        """What the job used, if it was ever sampled; it is watched no longer."""
        watched = self._watched.pop(key, None)
        return watched.meter.usage if watched else None

    def close(self) -> None:
        """Sample nothing more, and write what is left."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)  # the file may be on a file system that hangs

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        start_without_signals(self._thread)

    def _run(self) -> None:
        self._regular_at = self._record_at = time.monotonic() + self._interval_s
        while not self._closing:
            self._wait()
            if not self._closing and time.monotonic() >= self._due_at():
                self._round()
        if self._file is not None:
            self._file.close()

    def _wait(self) -> None:
        self._wake.clear()
        if self._closing:
            return
        self._wakes_at = math.inf  # a job that comes while we look at the others wakes us again
        self._wakes_at = due_at = self._due_at()
        self._wake.wait(None if due_at == math.inf else min(max(0.0, due_at - time.monotonic()), LONGEST_WAIT_S))
        self._wakes_at = 0.0  # awake

    def _due_at(self) -> float:
        """When the next sample is due; never, while no job runs."""
        jobs = self._jobs()
        if not jobs:
            return math.inf
        early_at = max(self._early_at, min(job.sample_at for job in jobs))
        return min(self._regular_at, early_at)

    def _jobs(self) -> list[Watched]:
        return list(self._watched.values())  # one step of the interpreter: the other thread changes the dictionary

    def _round(self) -> None:
        began, cpu_began = time.monotonic(), time.thread_time()
        jobs = self._jobs()
        counts = self._census.take({job.pid: job.mark for job in jobs}) if jobs else {}
        ended = time.monotonic()
        is_record = began >= self._record_at
        for job in jobs:
            count = counts[job.pid]
            if count.processes:
                job.meter.add(count, began=began, ended=ended)
                self._check_memory(job, count)
                if self._file is not None and (is_record or job.sample_at < math.inf):
                    self._record(self._file, job, count)
            job.grow(began)
        if self._file is not None:
            self._file.write_if_due()
        self._plan(began, time.thread_time() - cpu_began)

    def _plan(self, began: float, cpu_s: float) -> None:
        self._early_at = began + max(EARLY_S[0], cpu_s / EARLY_SHARE)
        if began >= self._regular_at:
            self._regular_at = began + max(self._interval_s, cpu_s / REGULAR_SHARE)
        if began >= self._record_at:
            self._record_at = began + self._record_interval_s

    def _check_memory(self, job: Watched, count: Count) -> None:
        if self._on_memory is None or job.memory_limit_bytes is None or job.is_told_of:
            return
        if count.memory_bytes > job.memory_limit_bytes:
            job.is_told_of = True
            self._on_memory(job.key, count.memory_bytes)

    def _record(self, file: SampleFile, job: Watched, count: Count) -> None:
        sample = Sample(job.key[0], time.time(), job.meter.cpu_percent, count.memory_bytes, count.processes)
        file.add(sample, job.name)
