"""Recovering a workflow: jobs get more of what they lacked and run again, and allocations for them are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from torc.errors import Conflict
from torc.hpc import slurm
from torc.models.job import Job
from torc.models.resource_requirements import ResourceRequirements
from torc.models.scheduler import ScheduledComputeNode
from torc.models.status import Cause, JobStatus
from torc.models.workflow import RaisedNeeds, ReinitializeAnswer, ReinitializeRequest
from torc.raising import FACTOR, MOST_TIMES, memory_text, more_memory, more_time
from torc.rendezvous import host_name
from torc.units import MAX_BYTES, format_duration_s, parse_duration, parse_memory
from torc.workflow import diagnose, regenerate
from torc.workflow.diagnose import Failure, Kind
from torc.workflow.reconcile import reconcile
from torc.workflow.regenerate import Ask, Site, Waiting
from torc.workflow.sizing import MIB

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.workflow.submit import MakeWish


class Options(NamedTuple):
    """How to recover."""

    output_dir: Path  # where the logs of runners and jobs are
    user: str
    memory_factor: float = FACTOR
    runtime_factor: float = FACTOR
    retry_unknown: bool = False  # also what nothing is known of that more resources would cure


class Change(NamedTuple):
    """What becomes of a job that did not succeed."""

    failure: Failure
    memory: str | None = None  # what it gets now
    runtime: str | None = None
    stays_because: str | None = None  # it does not run again

    @property
    def needs(self) -> ResourceRequirements:
        """What the job needs now."""
        has = self.failure.has
        return msgspec.structs.replace(has, memory=self.memory or has.memory, runtime=self.runtime or has.runtime)


@dataclass
class Recovery:
    """What is to be done about a workflow."""

    workflow_id: int
    changes: list[Change]
    wish: ReinitializeRequest | None = None  # when a new run has to begin
    renewal: ReinitializeAnswer | None = None  # what runs again in it
    asks: list[Ask] = field(default_factory=list)
    is_for_slurm: bool = False
    allocations: list[ScheduledComputeNode] = field(default_factory=list)  # once they were asked for

    @property
    def helps(self) -> bool:
        """Whether there is anything to do."""
        return self.renewal is not None or any(ask.count for ask in self.asks)


def prepare(
    client: "Client",
    workflow_id: int,
    options: Options,
    site: Callable[[], Site],
    make: Callable[[], "MakeWish"],
) -> Recovery:
    """Find out why jobs did not succeed, and what would help. Nothing but the records of allocations is changed.

    ``site`` and ``make`` are asked for workflows with Slurm schedulers only, where there is Slurm. Raises Conflict
    while jobs run, and where what would help cannot be had.
    """
    _refuse_stopped(client, workflow_id)
    has_schedulers = any(client.slurm_schedulers.list(workflow_id, limit=1))
    where = site() if has_schedulers and slurm.is_available() else None
    if where is not None:
        reconcile(client, [workflow_id])
    _refuse_running(client, workflow_id)
    made = Recovery(workflow_id, _changes(client, workflow_id, options, where), is_for_slurm=where is not None)
    _plan_run(client, made, options)
    if where is not None:
        again = [one for one in made.changes if one.stays_because is None]
        jobs = [Waiting(one.failure.job, one.needs) for one in again]
        known = {one.job.id for one in jobs}
        jobs += [one for one in regenerate.waiting_jobs(client, workflow_id) if one.job.id not in known]
        made.asks = regenerate.plan(client, workflow_id, jobs, where, run_id=_run_id(client, made))
        if made.helps:
            regenerate.check(client, workflow_id, made.asks, make())
    return made


def carry_out(
    client: "Client",
    recovery: Recovery,
    site: Callable[[], Site],
    make: Callable[[], "MakeWish"],
    note: Callable[[str], None],
) -> Recovery:
    """Do it; the same with what came of it. What is refused on the way leaves a workflow that can be recovered."""
    workflow_id = recovery.workflow_id
    if recovery.wish is not None:
        recovery.renewal = client.workflows.reinitialize(workflow_id, recovery.wish)
    if recovery.is_for_slurm:
        jobs = regenerate.waiting_jobs(client, workflow_id)
        recovery.asks = regenerate.plan(client, workflow_id, jobs, site(), run_id=_run_id(client, recovery))
        regenerate.make_schedulers(client, recovery.asks)
        recovery.allocations = regenerate.submit(client, workflow_id, recovery.asks, make(), note)
    return recovery


def _refuse_stopped(client: "Client", workflow_id: int) -> None:
    status = client.workflows.status(workflow_id)
    if status.is_canceled or status.is_archived:
        state = "archived" if status.is_archived else "canceled"
        raise Conflict(
            f"workflow {workflow_id} is {state}; that is no failure to recover from. To go on with it: "
            f"torc workflows {'archive false' if status.is_archived else 'reinitialize'} {workflow_id}"
        )
    if client.workflows.is_uninitialized(workflow_id):
        raise Conflict(f"workflow {workflow_id} has not begun; begin it with: torc run or torc submit {workflow_id}")


def _refuse_running(client: "Client", workflow_id: int) -> None:
    counts = client.workflows.job_counts(workflow_id)
    running = counts.get(JobStatus.RUNNING, 0)
    if running:
        raise Conflict(
            f"{running} job(s) of workflow {workflow_id} run; wait until they have ended, as "
            f"`torc watch {workflow_id} --recover` does."
        )


def _run_id(client: "Client", recovery: Recovery) -> int:
    return recovery.renewal.run_id if recovery.renewal else client.workflows.status(recovery.workflow_id).run_id


def _changes(client: "Client", workflow_id: int, options: Options, where: Site | None) -> list[Change]:
    needs = {one.id: one for one in client.resource_requirements.list(workflow_id)}
    partitions = where.profile.partitions if where is not None and where.profile is not None else []
    most = max((partition.memory_mb for partition in partitions), default=MAX_BYTES // MIB) * MIB
    return [
        _change(failure, needs.get(failure.has.raised_from, failure.has), options, most)
        for failure in diagnose.failures(client, workflow_id, options.output_dir)
    ]


def _change(failure: Failure, asked: ResourceRequirements, options: Options, most: int) -> Change:
    """``asked`` is what the specification says that the job needs."""
    has = failure.has
    match failure.kind:
        case Kind.MEMORY:
            peak = failure.result.peak_memory_bytes if failure.result else None
            size = more_memory(
                parse_memory(has.memory),
                asked=parse_memory(asked.memory),
                peak=peak,
                factor=options.memory_factor,
                most=most,
            )
            if size is None:
                return Change(failure, stays_because=_enough(f"{has.memory} of memory"))
            return Change(failure, memory=memory_text(size))
        case Kind.TIME:
            asked_s = parse_duration(asked.runtime)
            time_s = more_time(parse_duration(has.runtime), asked_s=asked_s, factor=options.runtime_factor)
            if time_s is None:
                return Change(failure, stays_because=_enough(has.runtime))
            return Change(failure, runtime=format_duration_s(time_s))
        case Kind.UNKNOWN if not options.retry_unknown:
            return Change(failure, stays_because="more resources would not help, as far as is known")
        case Kind.USER:
            return Change(failure, stays_because="somebody ended it")
    return Change(failure)


def _enough(what: str) -> str:
    return f"it has {what}, and gets no more than {MOST_TIMES} times what it asked for, or than there is"


def _plan_run(client: "Client", made: Recovery, options: Options) -> None:
    """The new run, if one has to begin: what was lost and is ready already needs none, unless it gets more.

    It is about jobs that did not succeed. Files are not looked at: from another folder, all would seem to be gone.
    """
    again = [one for one in made.changes if one.stays_because is None]
    if all(one.failure.job.status == JobStatus.READY and one.needs == one.failure.has for one in again):
        return
    left = [one.failure.job for one in made.changes if one.stays_because is not None]
    left += _ended_by_hand(client, made.workflow_id)
    raised = [
        RaisedNeeds(job_id=one.failure.job.id or 0, memory=one.memory, runtime=one.runtime)
        for one in again
        if one.memory or one.runtime
    ]
    made.wish = ReinitializeRequest(
        leave=[job.id or 0 for job in left],
        raised=raised,
        from_run_id=client.workflows.status(made.workflow_id).run_id,
        user=options.user,
        hostname=host_name(),
    )
    would = msgspec.structs.replace(made.wish, dry_run=True)
    made.renewal = client.workflows.reinitialize(made.workflow_id, would)


def _ended_by_hand(client: "Client", workflow_id: int) -> Sequence[Job]:
    return [one for one in client.jobs.list(workflow_id, status=JobStatus.CANCELED) if one.cause == Cause.USER]
