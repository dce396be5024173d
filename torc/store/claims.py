"""Handing out ready jobs. Choosing and marking share one write transaction, so no job goes out twice."""

import math
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torc.errors import InvalidRequest, Unprocessable
from torc.models.job import ClaimAnswer, ComputeNodesResources, Job
from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME
from torc.models.sync import SyncJob
from torc.store import attempts, jobs, misfits, retries, workflows
from torc.store.database import Database
from torc.store.leases import Leases
from torc.store.rows import json_ids, select_at_once
from torc.store.shapes import Room, Shape, first_ready, memory_bytes, ready_shapes, runtime_s
from torc.store.user_data_text import resolve
from torc.units import GIB, parse_duration


@dataclass(frozen=True, slots=True)
class Run:
    """What a claim has to know of the workflow."""

    run_id: int
    is_canceled: bool
    busy: str | None
    sort_method: str

    @property
    def is_open(self) -> bool:
        """Whether jobs may be handed out now."""
        return not self.is_canceled and self.busy is None


def run_of(db: sqlite3.Connection, workflow_id: int) -> Run:
    """The run a workflow is in; NotFound if there is no such workflow."""
    row = db.execute(
        """
        SELECT s.run_id, s.is_canceled, s.busy, w.jobs_sort_method
          FROM workflow AS w JOIN workflow_status AS s USING (id)
         WHERE w.id = ? AND w.hidden IS NULL
        """,
        (workflow_id,),
    ).fetchone()
    if row is None:
        workflows.require(db, workflow_id)
    return Run(row[0], bool(row[1]), row[2], row[3])


class Queue:
    """The ready jobs of a workflow in one transaction: chosen for one node after the other, handed out together."""

    def __init__(
        self, db: sqlite3.Connection, workflow_id: int, run: Run, sort_method: str | None = None, *, nodes: int = 1
    ) -> None:
        """``nodes`` is how many will choose: so many jobs are looked up ahead."""
        self._db = db
        self._workflow_id = workflow_id
        self._run = run
        self._sort_method = sort_method or run.sort_method
        self._ahead = nodes - 1
        self._heads: dict[Shape, list[int]] = {}  # jobs looked up and not chosen yet
        self._last: dict[Shape, int] = {}  # the last job looked up
        self.chosen: list[tuple[int, int | None]] = []  # job and node

    @cached_property
    def _shapes(self) -> list[Shape]:
        return ready_shapes(self._db, self._workflow_id, self._sort_method)

    def choose(self, *, node_id: int | None, room: Room, limit: float) -> list[int]:
        """Ready jobs that fit together into ``room``, at most ``limit``; their ids.

        A job that is too big for what is left never hides a smaller one behind it.
        """
        found: list[int] = []
        for shape in self._shapes:
            wanted = min(room.fits(shape), limit - len(found))
            if wanted < 1:
                continue
            job_ids = self._take(shape, wanted)
            room.take(shape, len(job_ids))
            found += job_ids
        self.chosen += [(job_id, node_id) for job_id in found]
        return found

    def _take(self, shape: Shape, wanted: float) -> list[int]:
        """The next jobs of a shape."""
        head = self._heads.pop(shape, [])
        missing = wanted - len(head)
        if missing > 0:
            limit = -1 if missing == math.inf else int(missing) + self._ahead
            head += first_ready(self._db, self._workflow_id, shape, limit, after=self._last.get(shape, 0))
            if head:
                self._last[shape] = head[-1]
        taken = head if wanted == math.inf else head[: int(wanted)]
        self._heads[shape] = head[len(taken) :]
        return taken

    def hand_out(self) -> None:
        """Make the chosen jobs pending on their nodes."""
        if self.chosen:
            attempts.hand_out(self._db, self.chosen, run_id=self._run.run_id)


def deliver(db: sqlite3.Connection, workflow_id: int, job_ids: Sequence[int]) -> list[SyncJob]:
    """The jobs, complete enough to start without another request, in the order given."""
    if not job_ids:
        return []
    rows = select_at_once(
        db,
        """
        job.id, job.name, job.command, job.invocation_script, job.run_id, job.attempt_id,
        job.supports_termination, job.failure_handler_id, job.retries,
        r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime,
        EXISTS (SELECT 1 FROM job_output_file AS o WHERE o.job_id = job.id)
        """,
        """
          FROM job JOIN resource_requirements AS r ON r.id = job.resource_requirements_id
         WHERE job.id IN (SELECT value FROM json_each(?))
        """,
        (json_ids(job_ids),),
    )
    outputs = _outputs(db, [row[0] for row in rows if row[-1]])
    found: dict[int, SyncJob] = {}
    for row in rows:
        job_id, name, command, script, run_id, attempt_id, stops, handler, tries, *needs, _ = row
        cpus, gpus, nodes, memory, time_ = needs
        recovery = retries.recovery(db, job_id) if handler and tries else None
        found[job_id] = SyncJob(
            id=job_id,
            name=name,
            command=resolve(db, workflow_id, command),
            invocation_script=resolve(db, workflow_id, script) if script else None,
            run_id=run_id,
            attempt_id=attempt_id,
            num_cpus=cpus,
            num_gpus=gpus,
            num_nodes=nodes,
            memory_bytes=memory_bytes(memory),
            runtime_s=runtime_s(time_),
            memory_is_default=memory == DEFAULT_MEMORY,
            runtime_is_default=time_ == DEFAULT_RUNTIME,
            supports_termination=bool(stops),
            output_files=outputs.get(job_id, []),
            recover=recovery is not None,
            recovery_script=recovery.script if recovery else None,
            last_return_code=recovery.return_code if recovery else None,
        )
    return [found[job_id] for job_id in job_ids]


def _outputs(db: sqlite3.Connection, job_ids: Sequence[int]) -> dict[int, list[tuple[int, str, str]]]:
    """The files each job writes: id, name and path."""
    found: dict[int, list[tuple[int, str, str]]] = {}
    if not job_ids:
        return found
    for job_id, file_id, name, path in db.execute(
        """
        SELECT o.job_id, f.id, f.name, f.path FROM job_output_file AS o JOIN file AS f ON f.id = o.file_id
         WHERE o.job_id IN (SELECT value FROM json_each(?)) ORDER BY f.id
        """,
        (json_ids(job_ids),),
    ):
        found.setdefault(job_id, []).append((file_id, name, path))
    return found


def claim_by_resources(
    database: Database,
    leases: Leases,
    workflow_id: int,
    offer: ComputeNodesResources,
    limit: int,
    sort_method: str | None,
) -> ClaimAnswer:
    """The contract's claim by need. The jobs have no node until start_job; they go back if that does not come."""
    room = Room(
        offer.num_cpus,
        offer.memory_gb * GIB,
        offer.num_gpus,
        offer.num_nodes,
        _time_left_s(offer.time_limit),
        offer.scheduler_config_id,
    )
    return _claim_without_node(database, leases, workflow_id, room, limit, sort_method)


def claim_next(database: Database, leases: Leases, workflow_id: int, limit: int) -> ClaimAnswer:
    """The contract's claim by number: the first ready jobs, whatever they need."""
    room = Room(math.inf, math.inf, math.inf, math.inf)
    return _claim_without_node(database, leases, workflow_id, room, limit, "none")


def _claim_without_node(
    database: Database, leases: Leases, workflow_id: int, room: Room, limit: int, sort_method: str | None
) -> ClaimAnswer:
    if limit < 0:
        raise InvalidRequest(f"limit must not be negative, got {limit}")
    with database.write() as db:
        run = run_of(db, workflow_id)
        if not run.is_open:
            return ClaimAnswer(
                jobs=[], reason="Workflow is canceled" if run.is_canceled else f"Workflow is busy: {run.busy}"
            )
        retries.wake(db, workflow_id, time.time())
        queue = Queue(db, workflow_id, run, sort_method)
        chosen = queue.choose(node_id=None, room=room, limit=limit)
        queue.hand_out()
        if chosen:
            workflows.touch(db, workflow_id)
        claimed = [_as_claimed(db, workflow_id, job) for job in jobs.select(db, chosen, links=jobs.OUTPUT_LINKS)]
        reason = "" if chosen else misfits.why_empty(db, workflow_id, room, limit)
    leases.claimed_unowned(chosen)
    return ClaimAnswer(jobs=claimed, reason=reason)


def _as_claimed(db: sqlite3.Connection, workflow_id: int, job: Job) -> Job:
    job.command = resolve(db, workflow_id, job.command)
    if job.invocation_script:
        job.invocation_script = resolve(db, workflow_id, job.invocation_script)
    return job


def _time_left_s(text: str | None) -> float:
    if text is None:
        return math.inf
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Unprocessable(f"Invalid time_limit format '{text}': {error}", field="time_limit", value=text) from error
