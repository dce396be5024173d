"""Whether the kernel ended a job for memory: its counters of such kills, read when a job ends as if by SIGKILL."""

import time
from pathlib import Path

from torc.runner import own_cgroup

KILLED_CODES = (-9, 137)
"""Return codes of a job that SIGKILL ended, and of a shell whose last child it ended."""

RECENT_S = 2.0
"""A kill that is seen explains what ends within this time: one kill may end several processes, and several jobs."""


class OomKills:
    """Watches the kernel's count of processes killed for want of memory.

    It counts those of this process's control group, where the jobs are too, else those of the machine.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._file = _counter_file(root)
        self._count = self._read()
        self._grew_at: float | None = None  # monotonic

    def look(self) -> None:
        """Notice what was killed up to now; the more often this is called, the less an old kill explains."""
        count = self._read()
        if count > self._count:
            self._grew_at = time.monotonic()
        self._count = count

    def killed(self) -> bool:
        """Whether a job that has just ended with one of KILLED_CODES was killed for memory."""
        self.look()
        return self._grew_at is not None and time.monotonic() - self._grew_at <= RECENT_S

    def _read(self) -> int:
        return own_cgroup.number_in(self._file, "oom_kill") or 0


def _counter_file(root: Path) -> Path:
    candidates = [
        *(folder / "memory.events" for folder in own_cgroup.lineage(own_cgroup.UNIFIED, root)[:1]),
        *(folder / "memory.oom_control" for folder in own_cgroup.lineage("memory", root)[:1]),
    ]
    counting = (file for file in candidates if own_cgroup.number_in(file, "oom_kill") is not None)
    return next(counting, root / "proc/vmstat")
