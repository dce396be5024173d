"""The part of an explanation that is about runners: why a ready job has not been handed out."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torc.models.explanation import Reason, ReasonKind
from torc.store import misfits
from torc.store.action_turns import PREPARATIONS
from torc.store.actions import SUPERVISED
from torc.store.claims import Run
from torc.store.rows import json_ids
from torc.store.shapes import Room, Shape, memory_bytes, ready_shapes, room_of, runtime_s
from torc.units import GIB, epoch_of, format_duration_s, iso_of

SHOWN = 5
COUNTED = 10_000
"""Ready jobs are not counted beyond this many: their number must not matter."""


@dataclass
class Place:
    """An active node: what it has in all, what is free, and how much of its time is left."""

    node_id: int
    total: Room
    free: Room


def reasons(db: sqlite3.Connection, job_id: int, workflow_id: int, run: Run) -> Iterator[Reason]:
    """Why a ready job is still here, as far as the workflow lets jobs start at all."""
    shape, not_before = _shape(db, job_id)
    backs_off = not_before is not None and not_before > time.time()
    if not_before is not None and backs_off:
        until = iso_of(not_before)
        yield Reason(
            kind=ReasonKind.BACK_OFF, says=f"an attempt failed, and the next one waits until {until}", until=until
        )
    yield from _held_back(db, workflow_id, run.run_id)
    places = _places(db, workflow_id)
    if obstacle := _obstacle(db, workflow_id, shape, places):
        yield obstacle
    elif not backs_off and run.is_open:
        yield _queued(db, workflow_id, run, shape, places, job_id)


def _shape(db: sqlite3.Connection, job_id: int) -> tuple[Shape, float | None]:
    """What a job needs, and when its back-off ends."""
    needs, scheduler, cpus, gpus, nodes, memory, runtime, not_before = db.execute(
        """
        SELECT r.id, job.scheduler_id, r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime, job.not_before
          FROM job JOIN resource_requirements AS r ON r.id = job.resource_requirements_id WHERE job.id = ?
        """,
        (job_id,),
    ).fetchone()
    return Shape(needs, scheduler, job_id, cpus, gpus, nodes, memory_bytes(memory), runtime_s(runtime)), not_before


def _held_back(db: sqlite3.Connection, workflow_id: int, run_id: int) -> Iterator[Reason]:
    """The actions of the start for which nodes wait before they take jobs."""
    triggers = ", ".join(f"'{trigger}'" for trigger in sorted(PREPARATIONS))
    rows = db.execute(
        f"""
        SELECT a.id, n.id
          FROM workflow_action AS a
               JOIN compute_node AS n ON n.workflow_id = a.workflow_id AND n.is_active AND {SUPERVISED}
               LEFT JOIN workflow_action_node AS t
                      ON t.action_id = a.id AND t.compute_node_id = n.id AND t.run_id = :run
         WHERE a.workflow_id = :workflow AND a.action_type = 'run_commands' AND a.trigger_type IN ({triggers})
           AND CASE WHEN a.persistent
                    THEN a.state = 'pending' AND coalesce(t.state, 'pending') IN ('pending', 'claimed', 'running')
                    ELSE a.state = 'pending' OR (a.state IN ('claimed', 'running') AND EXISTS (
                             SELECT 1 FROM compute_node AS e WHERE e.id = a.executed_by AND e.is_active)) END
         ORDER BY a.id, n.id
        """,
        {"workflow": workflow_id, "run": run_id},
    ).fetchall()
    if rows:
        action_ids, node_ids = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
        yield Reason(
            kind=ReasonKind.ACTIONS,
            says=f"the commands of action(s) {_listed(action_ids)} have to end before compute node(s) "
            f"{_listed(node_ids)} take jobs",
            action_ids=action_ids,
            compute_node_ids=node_ids[:SHOWN],
            count=len(node_ids),
        )


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids[:SHOWN])) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")


def _places(db: sqlite3.Connection, workflow_id: int) -> list[Place]:
    rows = db.execute(
        """
        SELECT id, num_cpus, memory_gb, num_gpus, num_nodes, time_limit, start_time, scheduler_config_id
          FROM compute_node WHERE workflow_id = ? AND is_active
        """,
        (workflow_id,),
    ).fetchall()
    places: dict[int, Place] = {}
    for node_id, cpus, memory_gb, gpus, nodes, limit, start_time, config in rows:
        began = epoch_of(start_time)
        left_s = misfits.limit_s(limit) - (0 if began is None else max(0.0, time.time() - began))
        room = Room(cpus, memory_gb * GIB, gpus, nodes, max(0.0, left_s), config)
        places[node_id] = Place(node_id, room, room_of(room))
    _take_what_is_used(db, places)
    return list(places.values())


def _take_what_is_used(db: sqlite3.Connection, places: dict[int, Place]) -> None:
    for node_id, jobs, cpus, memory, gpus, nodes in db.execute(
        """
        SELECT job.active_compute_node_id, count(*), r.num_cpus, r.memory, r.num_gpus, r.num_nodes
          FROM job JOIN resource_requirements AS r ON r.id = job.resource_requirements_id
         WHERE job.active_compute_node_id IN (SELECT value FROM json_each(?)) AND job.status IN ('pending', 'running')
         GROUP BY 1, r.id
        """,
        (json_ids(places),),
    ).fetchall():
        places[node_id].free.take(Shape(0, 0, 0, cpus, gpus, nodes, memory_bytes(memory), 0), jobs)


def _obstacle(db: sqlite3.Connection, workflow_id: int, shape: Shape, places: Sequence[Place]) -> Reason | None:
    """What makes every active node unfit, however long one waits."""
    coming = misfits.is_allocation_pending(db, workflow_id, shape.scheduler_id)
    if not places:
        cure = "an allocation of its scheduler is pending" if coming else f"start one with: torc run {workflow_id}"
        return Reason(kind=ReasonKind.NO_RUNNER, says=f"no runner is active; {cure}")
    able = [place for place in places if place.total.scheduler_config_id in (None, shape.scheduler_id)]
    if shape.scheduler_id and not able:
        return Reason(
            kind=ReasonKind.SCHEDULER,
            says=f"only runners of scheduler {shape.scheduler_id} may take it, and none is active; "
            f"{'an allocation is pending' if coming else 'no allocation is pending either'}",
            scheduler_id=shape.scheduler_id,
        )
    able = able if shape.scheduler_id else list(places)
    if any(place.total.fits(shape) >= 1 for place in able):
        return None
    return _too_little(shape, able)


def _too_little(shape: Shape, able: Sequence[Place]) -> Reason:
    """That no node is big enough; if only the time is too short, that."""
    timeless = replace(shape, runtime_s=0)
    big = [place for place in able if place.total.fits(timeless) >= 1]
    if big:
        left_s = int(max(place.total.time_left_s for place in big))
        need, offer = format_duration_s(shape.runtime_s), format_duration_s(left_s)
        return Reason(
            kind=ReasonKind.TIME_LEFT,
            says=f"it needs {need} of time, and no active runner that is big enough has more than {offer} left",
            need=need,
            offer=offer,
        )
    best = max(able, key=lambda place: _suits(place.total, shape))
    need, offer = misfits.compare(timeless, best.total)
    return Reason(
        kind=ReasonKind.RESOURCES,
        says=f"no active runner is big enough: it needs {need}, the best of them (compute node {best.node_id}) "
        f"has {offer}",
        need=need,
        offer=offer,
        compute_node_ids=[best.node_id],
    )


def _suits(room: Room, shape: Shape) -> tuple[float, ...]:
    """How many of the needs a node meets, then how big it is."""
    met = (
        (room.num_gpus >= shape.num_gpus)
        + (room.num_cpus >= shape.num_cpus)
        + (room.memory_bytes >= shape.memory_bytes)
        + (shape.num_nodes <= 1 or room.num_nodes >= shape.num_nodes)
    )
    return met, room.num_gpus, room.num_cpus, room.memory_bytes


def _queued(
    db: sqlite3.Connection, workflow_id: int, run: Run, shape: Shape, places: Sequence[Place], job_id: int
) -> Reason:
    """That others come first, or that nothing is free."""
    ahead = _jobs_ahead(db, workflow_id, run, shape, job_id)
    slots = int(min(COUNTED, sum(min(COUNTED, place.free.fits(shape)) for place in places)))
    most = "more than " if ahead > COUNTED else ""
    others = f"{most}{min(ahead, COUNTED)} ready job(s) come before it" if ahead else "it is the next"
    room = f"{slots} job(s) like it find room now" if slots else "nothing that it needs is free now"
    return Reason(
        kind=ReasonKind.QUEUE,
        says=f"it waits for a runner to ask: {others}, {room} on {len(places)} active runner(s)",
        jobs_ahead=min(ahead, COUNTED),
        free_slots=slots,
        count=len(places),
        compute_node_ids=[place.node_id for place in places[:SHOWN]],
    )


def _jobs_ahead(db: sqlite3.Connection, workflow_id: int, run: Run, shape: Shape, job_id: int) -> int:
    """Ready jobs that are served before this one; COUNTED + 1 stands for more."""
    ahead = 0
    for other in ready_shapes(db, workflow_id, run.sort_method):
        is_ours = (other.requirements_id, other.scheduler_id) == (shape.requirements_id, shape.scheduler_id)
        (count,) = db.execute(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM job INDEXED BY job_ready
                 WHERE workflow_id = ? AND status = 'ready' AND not_before IS NULL
                   AND resource_requirements_id = ? AND scheduler_id = ? AND id < ? LIMIT ?)
            """,
            (
                workflow_id,
                other.requirements_id,
                other.scheduler_id,
                job_id if is_ours else 2**62,
                COUNTED + 1 - ahead,
            ),
        ).fetchone()
        ahead += count
        if is_ours or ahead > COUNTED:
            break
    return ahead
