"""Running jobs under observation: what they use, and the limits they may not exceed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torc.models.status import Cause
from torc.runner.cgroups import JobCgroups
from torc.runner.child import Child, Ending
from torc.runner.ledger import Key, key_of
from torc.runner.monitor import Monitor
from torc.runner.oom import KILLED_CODES, OomKills
from torc.runner.usage import Figures, merge

OVERDUE_GRACE_S = 10.0
"""Between SIGTERM and SIGKILL, for a job that ran too long."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a job by the time it ended."""

    figures: Figures
    out_of_memory: bool  # the kernel ended it, or a part of it


class Watch:
    """Told of every job that starts and ends. Limits hold only where somebody asked for them."""

    def __init__(self, monitor: Monitor | None, *, enforce_runtime: bool, cgroups: JobCgroups | None) -> None:
        self._monitor = monitor
        self._enforce_runtime = enforce_runtime
        self._cgroups = cgroups
        self._kills = OomKills()
        self._ends_at: dict[Key, tuple[float, Child]] = {}  # monotonic

    def begin(self, child: Child) -> None:
        """A job has started."""
        key, job = key_of(child.job), child.job
        limit_bytes = None if job.memory_is_default else job.memory_bytes
        if self._cgroups and limit_bytes is not None:
            self._cgroups.enter(key, child.pid, limit_bytes)
        if self._monitor:
            self._monitor.watch(key, pid=child.pid, mark=child.mark, name=job.name, memory_limit_bytes=limit_bytes)
        if self._enforce_runtime and not (job.runtime_is_default or child.is_recovery):
            self._ends_at[key] = child.started + job.runtime_s, child

    def end(self, child: Child, ending: Ending) -> Observed:
        """A job has ended."""
        key = key_of(child.job)
        self._ends_at.pop(key, None)
        usage = self._monitor.end(key) if self._monitor else None
        left = self._cgroups.leave(key) if self._cgroups else None
        killed = ending.return_code in KILLED_CODES and not child.stopped and self._kills.killed()
        return Observed(
            # A group counts the files in its cache, too: its peak tells what the job needed only when that was all.
            figures=merge(usage, ending, left.peak_bytes if left and left.oom_killed else None),
            out_of_memory=killed or (left is not None and left.oom_killed),
        )

    def overdue_at(self) -> Iterator[float]:
        """When the next job will have run too long; nothing when none can."""
        if self._ends_at:
            yield min(ends_at for ends_at, _ in self._ends_at.values())

    def look(self) -> None:
        """Notice what the kernel has killed; to be called now and then."""
        self._kills.look()

    def end_overdue(self, tell: Callable[[str], None]) -> None:
        """Ask the jobs that have run too long to end."""
        now = time.monotonic()
        for key, (ends_at, child) in list(self._ends_at.items()):
            if ends_at <= now:
                del self._ends_at[key]
                tell(f"job {child.job.name} runs longer than the {child.job.runtime_s} s it asked for; stopping it")
                child.terminate(OVERDUE_GRACE_S, Cause.TIMEOUT)

    def close(self) -> None:
        """No job runs any more."""
        if self._monitor:
            self._monitor.close()
        if self._cgroups:
            self._cgroups.close()
