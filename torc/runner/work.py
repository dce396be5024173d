"""The jobs of one runner: started where they fit, reaped, stopped, and every result kept until it is acknowledged."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob, StopJob, SyncJob
from torc.runner.capacity import Capacity, Grant
from torc.runner.child import Child, Ending
from torc.runner.ending import Progress
from torc.runner.gpus import Devices
from torc.runner.launcher import Launcher, SpawnFailed
from torc.runner.ledger import Key, Ledger, key_of
from torc.runner.pace import Pace
from torc.runner.reaper import DYING_S, Reaper
from torc.runner.report import report_end, report_spawn_failure
from torc.runner.span import Span
from torc.runner.spool import Spawned, Spool
from torc.runner.watch import Watch
from torc.units import format_bytes

logger = logging.getLogger(__name__)

GRACE_S = 10.0
"""Between SIGTERM and SIGKILL, for a job that somebody stopped."""

REAP_POLL_S = 0.05
"""No signal tells that the last process of a tree has ended; only the job's shell is our child."""


class Work:
    """Children, and the jobs that wait to become children."""

    def __init__(
        self,
        *,
        capacity: Capacity,
        launcher: Launcher,
        gpus: Devices,
        span: Span,
        watch: Watch,
        spool: Spool,
        progress: Progress,
    ) -> None:
        self.capacity = capacity
        self._span = span
        self._gpus = gpus if capacity.grants_devices() else Devices()
        self._watch = watch
        self.ledger = Ledger()
        self.pace = Pace()
        self.durable = False  # results must outlive the machine: the server cannot take them now
        self.changed_at = time.monotonic()  # when a job last came or went
        self._launcher = launcher
        self._reaper = Reaper()
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
        """Whether a process tree is being ended whose last process may not be our child."""
        return any(child.stopped for child in self.ledger.children.values())

    def receive(self, jobs: list[SyncJob]) -> None:
        """Jobs that the server gave us."""
        if self.ledger.receive(jobs):
            self.changed_at = time.monotonic()

    def start_waiting(self, left_s: float) -> None:
        """Start what fits, and ends in the time that is left."""
        for key, (job, _) in list(self.ledger.waiting.items()):
            if not self.capacity.has_room():
                return
            if job.runtime_s > left_s:
                self.ledger.release([key])
            elif self.capacity.fits(job):
                self._begin(job)

    def reap(self) -> list[tuple[Child, Ending]]:
        """The children that have ended. Their room is free at once; what else is due can wait: see settle."""
        ended = self._reaper.collect(self.children)
        for child, ending in list(ended):
            if child.is_recovery and ending.return_code == 0 and not child.stopped:
                ended.remove((child, ending))
                self._watch.end(child, ending)
                self._spawn(child.job, child.grant)
                continue
            self.capacity.give_back(child.job, child.grant)
            self.pace.job_ended(ending.runtime_s, len(self.ledger.children))
        return ended

    def settle(self, ended: list[tuple[Child, Ending]]) -> None:
        """Report what reap has found."""
        for child, ending in ended:
            observed = self._watch.end(child, ending)
            if child.lost:
                self.ledger.forget(child)
                self._progress.job_finished(child.job.name, JobStatus.TERMINATED, ending.return_code)
            else:
                self._finish(child.job, report_end(child, ending, observed))

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
            child.terminate(GRACE_S, Cause.USER)
        else:
            child.kill(Cause.USER)

    def overdue_at(self) -> Iterator[float]:
        """When the next job will have run for longer than it may."""
        return self._watch.overdue_at()

    def end_overdue(self) -> None:
        """Ask jobs that run for longer than they may to end."""
        self._watch.end_overdue(self._progress.note)

    def end_over_memory(self, key: Key, used_bytes: int) -> None:
        """A job was seen to use more memory than it may."""
        child = self.ledger.children.get(key)
        if child is not None and not child.stopped:
            allowed = format_bytes(child.job.memory_bytes)
            self._progress.note(
                f"job {child.job.name} uses {format_bytes(used_bytes)} of memory and asked for {allowed}; stopping it"
            )
            child.kill(Cause.OOM)

    def lose(self, key: Key) -> None:
        """The job is another runner's by now; two must not write the same files."""
        child = self.ledger.lose(key)
        if child is not None and not child.stopped:
            self._progress.note(f"job {child.job.name} is no longer this runner's; stopping it")
            child.kill(Cause.LOST_NODE)

    def wind_down(self, cause: Cause, grace_s: float) -> None:
        """Start nothing more, and ask what runs to end."""
        self.ledger.release(self.ledger.waiting)
        running = len(self.children)
        if running:
            self._progress.note(f"stopping {running} running job{'' if running == 1 else 's'}")
        for child in self.children:
            if child.job.supports_termination:
                child.terminate(grace_s, cause)
            else:
                child.kill(cause)

    def hasten(self, grace_s: float) -> None:
        """What was asked to end has less time for it than it was told."""
        for child in self.children:
            if child.stopped:
                child.terminate(grace_s, Cause.TIME_UP)

    def kill_all(self) -> None:
        """End what runs at once."""
        for child in self.children:
            child.kill(Cause.USER)

    def bury_all(self) -> None:
        """Kill and wait, whatever went wrong: no child survives its runner."""
        self.kill_all()
        left = self.children
        give_up_at = time.monotonic() + 2 * DYING_S
        while left and time.monotonic() < give_up_at:
            ended = [child for child, _ in self._reaper.collect(left)]
            left = [child for child in left if child not in ended]
            if left:
                time.sleep(REAP_POLL_S)
        self.ledger.children.clear()

    def make_durable(self) -> None:
        """From now on results outlive the machine."""
        if not self.durable:
            self._spool.fsync()
        self.durable = True

    def tidy(self) -> None:
        """Drop from the spool what was acknowledged, and try again after a full disk."""
        self._watch.look()
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

    def _begin(self, job: SyncJob) -> None:
        """Start a job, or first what its failure handler wants done before it is tried again."""
        self._spawn(job, self.capacity.take(job), recovers=job.recovery_script is not None)

    def _spawn(self, job: SyncJob, grant: Grant, *, recovers: bool = False) -> None:
        try:
            child = self._launcher.start(job, self._environment(job, grant), recovers=recovers)
        except SpawnFailed as failure:
            self.capacity.give_back(job, grant)
            self._progress.note(str(failure))
            self._finish(job, report_spawn_failure(job, failure))
            return
        child.grant = grant
        self._watch.begin(child)
        self.ledger.start(child)
        self._keep(spawned=_spawned(child))
        if recovers:
            self._progress.note(f"job {job.name}: running its recovery script before attempt {job.attempt_id}")
            return
        logger.debug("job %d: started as process %d", job.id, child.pid)
        self._progress.job_started(job.name)

    def _environment(self, job: SyncJob, grant: Grant) -> dict[str, str | None]:
        """The variables that tell a job what is its own."""
        # The batch system says it of the GPUs to whatever a job over several nodes starts there.
        devices = {} if len(grant.nodes) > 1 else self._gpus.environment(grant.gpu_ids)
        return {**devices, **self._span.environment(job, grant.nodes, self._launcher.path)}

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
