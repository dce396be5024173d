"""One running job: signal it, collect how it ended."""

import os
import resource
import sys
import time
from dataclasses import dataclass

from torc.models.sync import SyncJob
from torc.runner import session


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended and what the kernel counted for it and the children it waited for."""

    return_code: int  # negative: killed by that signal
    runtime_s: float
    cpu_s: float
    peak_memory_bytes: int | None  # of its largest process


DYING_S = 5.0
"""How long killed processes may take to go. One that hangs in a file system goes when that answers, if ever."""


class Child:
    """A running job: the leader of its own session and process group."""

    __slots__ = ("born", "job", "kill_at", "lost", "pid", "started", "started_at", "stopped")

    def __init__(self, job: SyncJob, pid: int, born: tuple[float, float]) -> None:
        self.job = job
        self.pid = pid
        self.born = born  # between these two boot times; asking the kernel while the child execs costs 0.5 ms
        self.started = time.monotonic()
        self.started_at = time.time()
        self.stopped = False  # we ended it; its exit code does not tell what happened
        self.lost = False  # no longer ours to report
        self.kill_at: float | None = None  # monotonic

    def terminate(self, grace_s: float) -> None:
        """Ask it to end; ``collect`` kills what is left after ``grace_s``."""
        if not self.stopped:
            self.stopped = True
            self.kill_at = time.monotonic() + grace_s
            session.terminate(self.pid)

    def kill(self) -> None:
        """End it at once, with everything it started."""
        self.stopped = True
        self.kill_at = time.monotonic()
        session.kill(self.pid)

    def collect(self) -> Ending | None:
        """How it ended; None while it runs.

        A child that was told to end has ended when its whole session has: its shell dies of SIGTERM at once, while
        the program inside may still be writing a checkpoint.
        """
        if self.stopped and not self._session_ended():
            return None
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if not pid:
            return None
        return Ending(
            return_code=os.waitstatus_to_exitcode(status),
            runtime_s=time.monotonic() - self.started,
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_memory_bytes=_peak_memory_bytes(usage),
        )

    def _session_ended(self) -> bool:
        # WNOWAIT leaves the leader's number taken, so that the session that is killed is still this one.
        overdue_s = -1.0 if self.kill_at is None else time.monotonic() - self.kill_at
        if overdue_s >= 0:
            session.kill(self.pid)
        leader_ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return leader_ended and (overdue_s >= DYING_S or not any(session.members(self.pid)))


def _peak_memory_bytes(usage: resource.struct_rusage) -> int | None:
    """None for a job smaller than this process, whose peak Linux counts as the child's until its exec."""
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        return None
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
