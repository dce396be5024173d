"""The jobs of one runner: started where they fit, reaped, stopped, and every result kept until it is acknowledged."""

import logging
import time
from pathlib import Path

from torc.models.status import JobStatus
from torc.models.sync import FinishedJob, StopJob, SyncJob
from torc.runner.capacity import Capacity
from torc.runner.child import Child, Ending
from torc.runner.ending import Progress
from torc.runner.launcher import Launcher, SpawnFailed
from torc.runner.ledger import Key, Ledger, key_of
from torc.runner.pace import Pace
from torc.runner.report import report_end, report_spawn_failure
from torc.runner.spool import Spawned, Spool

logger = logging.getLogger(__name__)

GRACE_S = 10.0
"""Between SIGTERM and SIGKILL, for a job that somebody stopped."""

LEAVING_GRACE_S = 60.0
"""The same when the runner itself was told to end. Whoever does not want to wait sends a second signal."""

REAP_POLL_S = 0.05
"""No signal tells that the last process of a session has ended; only its leader is our child."""


class Work:
    """Children, and the jobs that wait to become children."""

    def __init__(self, *, capacity: Capacity, launcher: Launcher, spool: Spool, progress: Progress) -> None:
        self.capacity = capacity
        self.ledger = Ledger()
        self.pace = Pace()
        self.durable = False  # results must outlive the machine: the server cannot take them now
        self.changed_at = time.monotonic()  # when a job last came or went
        self._launcher = launcher
        self._spool = spool
        self._progress = progress
        self._told_of_problem = False

    @property
    def children(self) -> list[Child]:
        """The running jobs."""
        return list(self.ledger.children.values())

    @property
    def spool_path(self) -> Path:
        """Where results lie that the server does not have."""
        return self._spool.path

    def is_safe(self) -> bool:
        """Whether another result can be kept until it is acknowledged."""
        return self._spool.problem is None

    def needs_polling(self) -> bool:
        """Whether a session is being ended whose last process may not be our child."""
        return any(child.stopped for child in self.ledger.children.values())

    def receive(self, jobs: list[SyncJob]) -> None:
        """Jobs that the server gave us."""
        if self.ledger.receive(jobs):
            self.changed_at = time.monotonic()

    def start_waiting(self) -> None:
        """Start what fits."""
        for job, _ in list(self.ledger.waiting.values()):
            if not self.capacity.has_room():
                return
            if self.capacity.fits(job):
                self._start(job)

    def reap(self) -> list[tuple[Child, Ending]]:
        """The children that have ended. Their room is free at once; what else is due can wait: see settle."""
        ended = [(child, ending) for child in self.children if (ending := child.collect()) is not None]
        for child, ending in ended:
            self.capacity.give_back(child.job)
            self.pace.job_ended(ending.runtime_s, len(self.ledger.children))
        return ended

    def settle(self, ended: list[tuple[Child, Ending]]) -> None:
        """Report what reap has found."""
        for child, ending in ended:
            if child.lost:
                self.ledger.forget(child)
                self._progress.job_finished(child.job.name, JobStatus.TERMINATED, ending.return_code)
            else:
                self._finish(child.job, report_end(child, ending))

    def stop(self, stop: StopJob) -> None:
        """Somebody wants a job to end; one that has not started is given back."""
        key = stop.job_id, stop.attempt_id
        self.ledger.release([key])
        child = self.ledger.children.get(key)
        if child is None:
            return
        if not child.stopped:
            self._progress.note(f"stopping job {child.job.name}: {stop.reason}")
        if stop.how == "terminate":
            child.terminate(GRACE_S)
        else:
            child.kill()

    def lose(self, key: Key) -> None:
        """The job is another runner's by now; two must not write the same files."""
        child = self.ledger.lose(key)
        if child is not None and not child.stopped:
            self._progress.note(f"job {child.job.name} is no longer this runner's; stopping it")
            child.kill()

    def wind_down(self) -> None:
        """Start nothing more, and ask what runs to end."""
        self.ledger.release(self.ledger.waiting)
        running = len(self.children)
        if running:
            self._progress.note(f"stopping {running} running job{'' if running == 1 else 's'}")
        for child in self.children:
            if child.job.supports_termination:
                child.terminate(LEAVING_GRACE_S)
            else:
                child.kill()

    def kill_all(self) -> None:
        """End what runs at once."""
        for child in self.children:
            child.kill()

    def bury_all(self) -> None:
        """Kill and wait, whatever went wrong: no child survives its runner."""
        self.kill_all()
        for child in self.children:
            while child.collect() is None:
                time.sleep(REAP_POLL_S)
        self.ledger.children.clear()

    def make_durable(self) -> None:
        """From now on results outlive the machine."""
        if not self.durable:
            self._spool.fsync()
        self.durable = True

    def tidy(self) -> None:
        """Drop from the spool what was acknowledged, and try again after a full disk."""
        self.durable = False
        if self._spool.needs_rewrite():
            running = [_spawned(child) for child in self.children if not child.lost]
            self._spool.rewrite(running, self.ledger.unacknowledged())

    def _keep(self, *, spawned: Spawned | None = None, finished: FinishedJob | None = None) -> None:
        self._spool.add(spawned=spawned, finished=finished)
        if self.durable:
            self._spool.fsync()
        problem = self._spool.problem
        if problem is not None and not self._told_of_problem:
            self._told_of_problem = True
            self._progress.note(
                f"cannot write {self._spool.path} ({problem.strerror}): results are kept in memory, and no job is "
                "claimed until there is room"
            )

    def _start(self, job: SyncJob) -> None:
        try:
            child = self._launcher.start(job)
        except SpawnFailed as failure:
            self._progress.note(str(failure))
            self._finish(job, report_spawn_failure(job, failure))
            return
        self.capacity.take(job)
        self.ledger.start(child)
        self._keep(spawned=_spawned(child))
        logger.debug("job %d: started as process %d", job.id, child.pid)
        self._progress.job_started(job.name)

    def _finish(self, job: SyncJob, report: FinishedJob) -> None:
        self.changed_at = time.monotonic()
        self.ledger.finish(report)
        self._keep(finished=report)
        logger.info("job %d: %s with return code %d", job.id, report.status, report.return_code)
        self._progress.job_finished(job.name, report.status, report.return_code)
        if report.missing_files:
            self._progress.note(f"job {job.name} failed: it did not write its output {', '.join(report.missing_files)}")


def _spawned(child: Child) -> Spawned:
    job_id, attempt_id = key_of(child.job)
    return Spawned(job_id=job_id, attempt_id=attempt_id, pid=child.pid, born=child.born)
