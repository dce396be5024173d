"""One running job: how it was started, whether it was told to end, how it ended."""

import os
import resource
import signal
import sys
import time
from dataclasses import dataclass

from torc.models.status import Cause
from torc.models.sync import SyncJob
from torc.runner.capacity import Grant
from torc.runner.processes import boot_time


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended and what the kernel counted for it and the children it waited for."""

    return_code: int  # negative: killed by that signal
    runtime_s: float
    cpu_s: float
    peak_memory_bytes: int | None  # of its largest process


class Child:
    """A running job: the leader of its own session and process group.

    It is asked to end here; ``reaper`` sends the signals and sees to it that everything it has started ends too. The
    job of a child that ends by itself is over when its shell is: what it leaves in the background stays, as with
    nohup.
    """

    __slots__ = (
        "_ending",
        "born",
        "cause",
        "grant",
        "is_recovery",
        "job",
        "kill_at",
        "lost",
        "mark",
        "pid",
        "sent",
        "started",
        "started_at",
        "told_all",
    )

    def __init__(self, job: SyncJob, pid: int, born: tuple[float, float], mark: str) -> None:
        self.job = job
        self.pid = pid
        self.born = born  # between these two boot times; asking the kernel while the child execs costs 0.5 ms
        self.mark = mark  # in the environment of everything it starts
        self.started = time.monotonic() - (boot_time() - born[0])  # the earliest that it can have been
        self.started_at = time.time()
        self.grant = Grant()
        self.is_recovery = False  # not the job itself, but what is done before it is tried again
        self.lost = False  # no longer ours to report
        self.cause: Cause | None = None  # why we ended it
        self.kill_at: float | None = None  # monotonic
        self.sent: signal.Signals | None = None  # the last signal, of SIGTERM and SIGKILL
        self.told_all = False  # whether SIGTERM went to more than the process group
        self._ending: Ending | None = None

    @property
    def stopped(self) -> bool:
        """Whether we ended it; its exit code does not tell what happened."""
        return self.kill_at is not None

    def terminate(self, grace_s: float, cause: Cause) -> None:
        """Ask it to end, and kill what is left after ``grace_s``. The first cause counts, and the shortest grace.

        A child that has ended by itself is not stopped: what it did counts.
        """
        if not self.stopped and self.has_ended():
            return
        self.cause = self.cause or cause
        kill_at = time.monotonic() + grace_s
        self.kill_at = kill_at if self.kill_at is None else min(self.kill_at, kill_at)

    def kill(self, cause: Cause) -> None:
        """End it at once."""
        self.terminate(0.0, cause)

    def blame(self, cause: Cause) -> None:
        """It has ended, and what it returned does not count: somebody else has ended it."""
        if not self.stopped:
            self.cause, self.kill_at = cause, time.monotonic()

    def has_ended(self) -> bool:
        """Whether the child itself has ended. Its number stays taken until ``collect``."""
        return self._ending is not None or bool(os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def collect(self) -> Ending | None:
        """How it ended; None while it runs."""
        if self._ending is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._ending = Ending(
                    return_code=os.waitstatus_to_exitcode(status),
                    runtime_s=time.monotonic() - self.started,
                    cpu_s=usage.ru_utime + usage.ru_stime,
                    peak_memory_bytes=_peak_memory_bytes(usage),
                )
        return self._ending


def _peak_memory_bytes(usage: resource.struct_rusage) -> int | None:
    """None for a job smaller than this process, whose peak Linux counts as the child's until its exec."""
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        return None
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
