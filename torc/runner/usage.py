"""What a job used: figures made of samples, and put together with what the kernel counted when it ended."""

from dataclasses import dataclass

from torc.runner.census import Count
from torc.runner.child import Ending
from torc.runner.processes import TICKS_PER_S

WINDOW_S = 1.0
"""CPU time is told in hundredths of a second: over less than this, a percentage would be a guess."""

ROUNDING_TICKS = 2
"""User and system time are each rounded down, so a difference may be this much too large. 101 % of one core would read
as if the job had used more than it asked for."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the samples of one job say."""

    peak_memory_bytes: int
    avg_memory_bytes: int
    peak_cpu_percent: float  # 100 is one core
    cpu_s: float  # at least


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report says of a job. None: not known."""

    peak_memory_bytes: int | None
    avg_memory_bytes: int | None
    peak_cpu_percent: float | None
    avg_cpu_percent: float | None


def merge(usage: Usage | None, ending: Ending, counted_bytes: int | None = None) -> Figures:
    """Samples miss what happens between them; the kernel misses what the job did not wait for. The larger counts.

    ``counted_bytes`` is the peak that a control group has counted, which misses nothing.
    """
    cpu_s = max(ending.cpu_s, usage.cpu_s if usage else 0.0)
    avg_cpu_percent = 100 * cpu_s / ending.runtime_s if ending.runtime_s > 0 else None
    if usage is None:
        # One sample over the whole run: its peak is its mean.
        return Figures(counted_bytes or ending.peak_memory_bytes, None, avg_cpu_percent, avg_cpu_percent)
    return Figures(
        peak_memory_bytes=counted_bytes or max(usage.peak_memory_bytes, ending.peak_memory_bytes or 0),
        avg_memory_bytes=usage.avg_memory_bytes,
        peak_cpu_percent=max(usage.peak_cpu_percent, avg_cpu_percent or 0.0),
        avg_cpu_percent=avg_cpu_percent,
    )


class Meter:
    """Makes figures of the samples of one job. Times are of the monotonic clock."""

    def __init__(self, started: float) -> None:
        self.usage: Usage | None = None  # replaced as a whole: another thread reads it
        self.cpu_percent = 0.0  # of the last sample
        self._sampled_at = started
        self._byte_seconds = self._seconds = 0.0
        self._cpu = _CpuWindow(started)
        self._peak_cpu_percent = 0.0
        self._most_ticks = 0

    def add(self, count: Count, *, began: float, ended: float) -> None:
        """A sample was taken between these two moments.

        It stands for the time since the one before, so that many samples of a young job do not outweigh the rest.
        """
        stands_for_s = max(began - self._sampled_at, 1e-9)
        self._byte_seconds += count.memory_bytes * stands_for_s
        self._seconds += stands_for_s
        self._sampled_at = began
        self.cpu_percent = self._cpu.percent(count.cpu_ticks, began=began, ended=ended)
        self._peak_cpu_percent = max(self._peak_cpu_percent, self.cpu_percent)
        self._most_ticks = max(self._most_ticks, count.cpu_ticks)
        self.usage = Usage(
            peak_memory_bytes=max(count.memory_bytes, self.usage.peak_memory_bytes if self.usage else 0),
            avg_memory_bytes=round(self._byte_seconds / self._seconds),
            peak_cpu_percent=self._peak_cpu_percent,
            cpu_s=self._most_ticks / TICKS_PER_S,
        )


class _CpuWindow:
    """CPU percent of a tree since a moment at least WINDOW_S ago, or since its start; never more than it was."""

    def __init__(self, started: float) -> None:
        self._ticks = 0
        self._since = started
        self._percent = 0.0
        self._fell = False

    def percent(self, ticks: int, *, began: float, ended: float) -> float:
        """``ticks`` were read between these two moments."""
        if ticks < self._ticks:
            # The ticks of a child are nowhere between its end and its parent's wait for it. If they are still missing
            # the next time, nobody will wait.
            if self._fell:
                self._move(ticks, began)
            self._fell = not self._fell
            return self._percent
        self._fell = False
        used_s = max(0, ticks - self._ticks - ROUNDING_TICKS) / TICKS_PER_S
        self._percent = 100 * used_s / (ended - self._since) if ended > self._since else 0.0
        if began - self._since >= WINDOW_S:
            self._move(ticks, began)
        return self._percent

    def _move(self, ticks: int, since: float) -> None:
        self._ticks, self._since = ticks, since
