"""New allocations for jobs that are ready and have none: as few as they need, of a scheduler that has room for them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from torc.errors import Conflict, TorcError
from torc.hpc.match import Need, best, nearest, shortages
from torc.hpc.profile import Partition, Profile
from torc.models.job import Job
from torc.models.resource_requirements import ResourceRequirements
from torc.models.scheduler import ScheduledComputeNode, SlurmScheduler
from torc.models.status import JobStatus
from torc.units import format_walltime
from torc.workflow import allocations
from torc.workflow.room import Room
from torc.workflow.sizing import Options, memory_text, need_of, scheduler_of, size_of, words
from torc.workflow.submit import MakeWish, asks_for_nodes, claim_action

if TYPE_CHECKING:
    from torc.client.api import Client


class Waiting(NamedTuple):
    """A job that waits for an allocation, and what it needs."""

    job: Job
    has: ResourceRequirements


class Site(NamedTuple):
    """What is known of the cluster, and how allocations there are planned. Without a profile nothing is known."""

    profile: Profile | None
    options: Options


@dataclass
class Ask:
    """Allocations to be asked for."""

    scheduler: SlurmScheduler  # without an id: it is to be made
    partition: Partition | None = None  # from which it was made
    count: int = 0
    worker_per_node: bool = False
    max_parallel_jobs: int | None = None
    jobs: list[Waiting] = field(default_factory=list)
    stands_for: set[int] = field(default_factory=set)  # schedulers whose allocations the jobs would have used


def waiting_jobs(client: "Client", workflow_id: int) -> list[Waiting]:
    """The jobs that are ready, and what they need."""
    needs = {one.id: one for one in client.resource_requirements.list(workflow_id)}
    ready = client.jobs.list(workflow_id, status=JobStatus.READY)
    return [Waiting(job, needs[job.resource_requirements_id]) for job in ready]


def plan(client: "Client", workflow_id: int, jobs: Iterable[Waiting], site: Site, *, run_id: int) -> list[Ask]:
    """What to ask for so that these jobs can run: of their own schedulers where they fit, of new ones elsewhere.

    New ones are named after the run. Raises Conflict, naming the job, when one fits nowhere. Changes nothing.
    """
    planner = _Planner(client, workflow_id, site, run_id)
    for one in jobs:
        planner.add(one)
    return planner.asks()


def check(client: "Client", workflow_id: int, asks: Sequence[Ask], make: MakeWish) -> None:
    """Refuse, before anything is changed, what cannot or should not be submitted."""
    allocations.check(client, workflow_id, [_wish(ask, make) for ask in asks])


def make_schedulers(client: "Client", asks: Sequence[Ask]) -> None:
    """Store the schedulers that are new, and keep their jobs for them."""
    for ask in asks:
        if ask.scheduler.id is None:
            ask.scheduler = client.slurm_schedulers.create(ask.scheduler)
            client.jobs.bind([one.job.id or 0 for one in ask.jobs], scheduler_id=ask.scheduler.id or 0)


def submit(
    client: "Client", workflow_id: int, asks: Sequence[Ask], make: MakeWish, note: Callable[[str], None]
) -> list[ScheduledComputeNode]:
    """Ask for the allocations; their records.

    Actions that have fired and ask for nodes are taken, so that nobody asks for the same jobs again; where a submission
    fails they are pending again.
    """
    pending = [one for one in client.workflows.pending_actions(workflow_id) if asks_for_nodes(one)]
    taken = [one.id or 0 for one in pending if claim_action(client, workflow_id, one.id or 0)]
    try:
        return [one for ask in asks for one in allocations.submit(client, workflow_id, _wish(ask, make), note)]
    except (TorcError, OSError):
        for action_id in taken:
            client.rerun_action(action_id)
        raise


def _wish(ask: Ask, make: MakeWish) -> allocations.Wish:
    return make(ask.scheduler, ask.count, ask.worker_per_node, ask.max_parallel_jobs)


class _Planner:
    """Finds for each job the scheduler in whose allocations it will run."""

    def __init__(self, client: "Client", workflow_id: int, site: Site, run_id: int) -> None:
        self._workflow_id = workflow_id
        self._site = site
        self._buffer_s = client.workflows.get(workflow_id).compute_node_expiration_buffer_seconds
        self._run_id = run_id
        self._actions = [one.action_config for one in client.workflows.actions(workflow_id) if asks_for_nodes(one)]
        self._live = allocations.live_allocations(client, workflow_id)
        self._schedulers = {one.id or 0: one for one in client.slurm_schedulers.list(workflow_id)}
        nodes = list(client.compute_nodes.list(workflow_id))
        self._rooms = {
            scheduler_id: Room.of(one, [node for node in nodes if node.scheduler_config_id == scheduler_id])
            for scheduler_id, one in self._schedulers.items()
        }
        self._asks: dict[str | int, Ask] = {}  # by scheduler, or name of a new one
        self._places: dict[tuple[Need, int | None], Ask] = {}  # by needs and scheduler of a job

    def add(self, one: Waiting) -> None:
        """Find a place for a job."""
        key = self._need(one), one.job.scheduler_id
        if key not in self._places:
            self._places[key] = self._place(one)
        self._places[key].jobs.append(one)

    def asks(self) -> list[Ask]:
        """What to ask for. What is there already is counted, and the workflow's own actions are the limit."""
        for ask in self._asks.values():
            wanted = self._allocations_for(ask)
            asked = [self._asked(scheduler_id) for scheduler_id in ask.stands_for]
            limit = sum(asked) if asked and all(asked) else wanted
            there = sum(one.scheduler_config_id == ask.scheduler.id for one in self._live)
            ask.count = max(0, min(wanted, limit) - there)
        return list(self._asks.values())

    def _need(self, one: Waiting) -> Need:
        return need_of(one.has, buffer_s=self._buffer_s)

    def _place(self, one: Waiting) -> Ask:
        need, bound = self._need(one), one.job.scheduler_id
        candidates = [bound] if bound in self._schedulers else list(self._schedulers)
        for scheduler_id in candidates:
            if scheduler_id is not None and self._rooms[scheduler_id].has_room_for(need):
                return self._ask(scheduler_id, self._schedulers[scheduler_id], scheduler_id)
        first = candidates[0] if candidates else None
        return self._place_in_new(one, need, None if first is None else self._schedulers[first])

    def _place_in_new(self, one: Waiting, need: Need, old: SlurmScheduler | None) -> Ask:
        """In allocations of a scheduler that is still to be made: like the old one, or from the profile."""
        profile = self._site.profile
        partitions = profile.partitions if profile else []
        named = next((part for part in partitions if old is not None and part.name == old.partition), None)
        if old is not None and (profile is None or (named is not None and not any(shortages(named, need)))):
            return self._enlarge(one, need, old, named)
        if profile is None:
            raise Conflict(
                f"job {one.job.id} '{one.job.name}' has no Slurm scheduler, and no profile of this cluster is known; "
                "name one with --hpc-profile (`torc hpc list`), or make one with `torc hpc generate`."
            )
        partition = best(profile, need)
        if partition is None:
            raise Conflict(
                f"job {one.job.id} '{one.job.name}' fits on no partition of {profile.title}: it needs "
                f"{words(one.has)}, and {nearest(profile, need)}."
            )
        name = f"{partition.name}_run{self._run_id}"
        made = SlurmScheduler(workflow_id=self._workflow_id, name=name, account="", nodes=1, walltime="1")
        account = self._site.options.account or (old.account if old else "")
        if not account:
            raise Conflict(
                f"no account for allocations on {profile.title}: add --account NAME, or set client.hpc.default_account."
            )
        ask = self._ask(name, msgspec.structs.replace(made, account=account), old.id if old else None)
        ask.partition = partition
        return ask

    def _enlarge(self, one: Waiting, need: Need, old: SlurmScheduler, partition: Partition | None) -> Ask:
        """The same scheduler with as much more memory and time as the job needs."""
        name = f"{old.name or 'scheduler'}_run{self._run_id}"
        ask = self._ask(name, msgspec.structs.replace(old, id=None, name=name), old.id)
        made, room = ask.scheduler, Room.of(ask.scheduler)
        if need.memory_mb > room.memory_mb or (not made.mem and need.memory_mb > self._rooms[old.id or 0].memory_mb):
            made.mem = memory_text(need.memory_mb)
        if need.walltime_s > room.walltime_s:
            walltime_s = 60 * math.ceil(need.walltime_s / 60)
            made.walltime = format_walltime(min(walltime_s, partition.max_walltime_secs) if partition else walltime_s)
        made.nodes = max(made.nodes, need.num_nodes)
        if not Room.of(made).has_room_for(need):
            raise Conflict(
                f"job {one.job.id} '{one.job.name}' fits in no allocation of its scheduler {old.name or old.id}: it "
                f"needs {words(one.has)}; give the scheduler more with: torc slurm update {old.id}"
            )
        return ask

    def _ask(self, key: str | int, scheduler: SlurmScheduler, old_id: int | None) -> Ask:
        if key not in self._asks:
            config = next((one for one in self._actions if one["scheduler_id"] == old_id), {})
            self._asks[key] = Ask(
                scheduler,
                worker_per_node=bool(config.get("start_one_worker_per_node")),
                max_parallel_jobs=config.get("max_parallel_jobs"),
            )
        ask = self._asks[key]
        ask.stands_for |= set() if old_id is None else {old_id}
        return ask

    def _asked(self, scheduler_id: int) -> int:
        """How many allocations of a scheduler the workflow itself asks for."""
        wishes = (one.get("num_allocations") or 1 for one in self._actions if one["scheduler_id"] == scheduler_id)
        return sum(wishes)

    def _allocations_for(self, ask: Ask) -> int:
        """How many it takes to run all its jobs at a time; a new scheduler gets its figures here."""
        needs = [self._need(one) for one in ask.jobs]
        if ask.partition is None:
            room = self._rooms[ask.scheduler.id] if ask.scheduler.id else Room.of(ask.scheduler)
            return max(1, math.ceil(sum(1 / room.jobs_at_a_time(need) for need in needs) - 1e-9))
        options = self._site.options
        size = size_of(ask.partition, needs, single_allocation=options.single_allocation)
        fields = scheduler_of(ask.scheduler.name or "", ask.partition, needs, options, [])
        ask.scheduler = msgspec.structs.replace(ask.scheduler, **{**fields, "account": ask.scheduler.account})
        ask.worker_per_node = size.has_workers
        return size.allocations
