"""Ready jobs that find no room, in an offer or on any node: the first thing a newcomer with a small laptop meets."""

import math
import sqlite3
import threading
import time

from torc.models.status import HANDED_OUT
from torc.models.sync import Misfit
from torc.store import workflows
from torc.store.shapes import Room, Shape, ready_shapes
from torc.units import GIB, format_bytes, format_duration_s, parse_duration

SECOND_LOOK_S = 10.0
"""A node that could take the job may just be joining: only what is still true after so long is said."""

_first_look: dict[int, float] = {}
_guard = threading.Lock()


def look(db: sqlite3.Connection, workflow_id: int) -> Misfit | None:
    """The first ready job that fits no active node's total, once it has been seen twice, SECOND_LOOK_S apart.

    Looks at whole nodes, not at what is free. Jobs that back off are not ready, and jobs bound to a scheduler with
    an allocation on its way are waited for.
    """
    found = _find(db, workflow_id)
    with _guard:
        if found is None:
            _first_look.pop(workflow_id, None)
            return None
        since = _first_look.setdefault(workflow_id, time.monotonic())
    return found if time.monotonic() - since >= SECOND_LOOK_S else None


def second_look_in_s(workflow_id: int) -> float | None:
    """How soon to look again; None when the last look found nothing or has said it."""
    with _guard:
        since = _first_look.get(workflow_id)
    left = None if since is None else since + SECOND_LOOK_S - time.monotonic()
    return left if left is not None and left > 0 else None


def _find(db: sqlite3.Connection, workflow_id: int) -> Misfit | None:
    if any(workflows.has_jobs(db, workflow_id, status) for status in HANDED_OUT):
        return None  # what runs now may release jobs that fit
    shapes = ready_shapes(db, workflow_id, "none")
    if not shapes:
        return None
    nodes = db.execute(
        """
        SELECT num_cpus, memory_gb, num_gpus, num_nodes, time_limit, scheduler_config_id FROM compute_node
         WHERE workflow_id = ? AND is_active ORDER BY num_cpus DESC, memory_gb DESC
        """,
        (workflow_id,),
    ).fetchall()
    rooms = [
        Room(cpus, gb * GIB, gpus, count, limit_s(limit), config) for cpus, gb, gpus, count, limit, config in nodes
    ]
    if not rooms or any(room.fits(shape) for shape in shapes for room in rooms):
        return None
    shape = next((shape for shape in shapes if not is_allocation_pending(db, workflow_id, shape.scheduler_id)), None)
    if shape is None:
        return None
    need, offer = compare(shape, rooms[0])
    return Misfit(job_id=shape.first_job_id, job_name=_name(db, shape), need=need, offer=offer)


def why_empty(db: sqlite3.Connection, workflow_id: int, room: Room, limit: float) -> str:
    """Why a claim of at most ``limit`` jobs found none for what is free, in a sentence for people."""
    shapes = ready_shapes(db, workflow_id, "none")
    if not shapes:
        return "No job is ready"
    if limit < 1:
        return "The limit of the claim is 0"
    first = shapes[0]
    job = f"job {first.first_job_id} '{_name(db, first)}'"
    if first.scheduler_id and room.scheduler_config_id not in (None, first.scheduler_id):
        return f"No ready job is for this runner: {job} waits for one of scheduler {first.scheduler_id}"
    need, offer = compare(first, room)
    return f"No ready job fits: {job} needs {need}, free are {offer}"


def _name(db: sqlite3.Connection, shape: Shape) -> str:
    (name,) = db.execute("SELECT name FROM job WHERE id = ?", (shape.first_job_id,)).fetchone()
    return str(name)


def compare(shape: Shape, room: Room) -> tuple[str, str]:
    """What a job needs and what there is, in words; time only where it is too short."""
    need, offer = _words(shape), _words(room)
    if shape.runtime_s > room.time_left_s:
        need += f", {format_duration_s(shape.runtime_s)} of time"
        offer += f", {format_duration_s(int(room.time_left_s))} of time"
    return need, offer


def limit_s(limit: str | None) -> float:
    """Seconds in a node's whole time limit; infinite without one."""
    try:
        return math.inf if limit is None else parse_duration(limit)
    except ValueError:
        return math.inf  # existing runners write whatever they like


def is_allocation_pending(db: sqlite3.Connection, workflow_id: int, scheduler_id: int) -> bool:
    """Whether nodes of this scheduler have been asked for."""
    return bool(
        scheduler_id
        and db.execute(
            """
            SELECT 1 FROM scheduled_compute_node
             WHERE workflow_id = ? AND scheduler_config_id = ? AND status IN ('submitting', 'pending')
            """,
            (workflow_id, scheduler_id),
        ).fetchone()
    )


def _words(what: Shape | Room) -> str:
    parts = [
        f"{what.num_cpus:g} CPU{'' if what.num_cpus == 1 else 's'}",
        f"{format_bytes(int(what.memory_bytes))} memory",
    ]
    if what.num_gpus:
        parts.append(f"{what.num_gpus:g} GPU{'' if what.num_gpus == 1 else 's'}")
    if what.num_nodes > 1:
        parts.append(f"{what.num_nodes:g} nodes")
    return ", ".join(parts)
