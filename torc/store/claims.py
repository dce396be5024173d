"""Handing out ready jobs. Choosing and marking share one write transaction, so no job goes out twice."""

import math
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from torc.errors import InvalidRequest, Unprocessable
from torc.models.job import ClaimAnswer, ComputeNodesResources, Job
from torc.models.sync import Offer, SyncJob
from torc.store import attempts, jobs, retries, workflows
from torc.store.database import Database
from torc.store.leases import Leases
from torc.store.rows import json_ids
from torc.store.shapes import Room, first_ready, memory_bytes, ready_shapes, runtime_s
from torc.store.user_data_text import resolve
from torc.units import parse_duration

GIB = 1024**3


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


def room_in(offer: Offer) -> Room:
    """What a runner of ours has free."""
    return Room(
        offer.num_cpus,
        offer.memory_bytes,
        offer.num_gpus,
        offer.num_nodes,
        math.inf if offer.time_left_s is None else offer.time_left_s,
        offer.scheduler_config_id,
    )


def claim(
    db: sqlite3.Connection,
    workflow_id: int,
    run: Run,
    *,
    node_id: int | None,
    room: Room,
    limit: float,
    sort_method: str | None = None,
) -> list[int]:
    """Hand out ready jobs that fit together into ``room``, at most ``limit``; their ids.

    A job that is too big for what is left never hides a smaller one behind it.
    """
    chosen: list[int] = []
    for shape in ready_shapes(db, workflow_id, sort_method or run.sort_method):
        wanted = min(room.fits(shape), limit - len(chosen))
        if wanted < 1:
            continue
        found = first_ready(db, workflow_id, shape, -1 if wanted == math.inf else int(wanted))
        room.take(shape, len(found))
        chosen += found
    if chosen:
        attempts.hand_out(db, chosen, run_id=run.run_id, node_id=node_id)
    return chosen


def deliver(db: sqlite3.Connection, workflow_id: int, job_ids: Sequence[int]) -> list[SyncJob]:
    """The jobs, complete enough to start without another request, in the order given."""
    if not job_ids:
        return []
    ids = json_ids(job_ids)
    outputs: dict[int, list[tuple[int, str, str]]] = {}
    for job_id, file_id, name, path in db.execute(
        """
        SELECT o.job_id, f.id, f.name, f.path FROM job_output_file AS o JOIN file AS f ON f.id = o.file_id
         WHERE o.job_id IN (SELECT value FROM json_each(?)) ORDER BY f.id
        """,
        (ids,),
    ):
        outputs.setdefault(job_id, []).append((file_id, name, path))
    found: dict[int, SyncJob] = {}
    for row in db.execute(
        """
        SELECT job.id, job.name, job.command, job.invocation_script, job.run_id, job.attempt_id,
               job.supports_termination, job.failure_handler_id, job.retries,
               r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime
          FROM job JOIN resource_requirements AS r ON r.id = job.resource_requirements_id
         WHERE job.id IN (SELECT value FROM json_each(?))
        """,
        (ids,),
    ).fetchall():
        job_id, name, command, script, run_id, attempt_id, stops, handler, tries, cpus, gpus, nodes, memory, time_ = row
        recovery = retries.recovery_script(db, job_id) if handler and tries else None
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
            supports_termination=bool(stops),
            output_files=outputs.get(job_id, []),
            recover=recovery is not None,
            recovery_script=recovery,
        )
    return [found[job_id] for job_id in job_ids]


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
        chosen = claim(db, workflow_id, run, node_id=None, room=room, limit=limit, sort_method=sort_method)
        if chosen:
            workflows.touch(db, workflow_id)
        claimed = [_as_claimed(db, workflow_id, job) for job in jobs.select(db, chosen, links=jobs.OUTPUT_LINKS)]
    leases.claimed_unowned(chosen)
    return ClaimAnswer(jobs=claimed)


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
