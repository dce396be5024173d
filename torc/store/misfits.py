"""A ready job that no active node can ever take: the first thing a newcomer with a small laptop meets."""

import sqlite3
import threading
import time

from torc.models.status import HANDED_OUT
from torc.models.sync import Misfit
from torc.store import workflows
from torc.store.claims import GIB
from torc.store.shapes import Room, Shape, ready_shapes
from torc.units import format_bytes

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


def _find(db: sqlite3.Connection, workflow_id: int) -> Misfit | None:
    if any(workflows.has_jobs(db, workflow_id, status) for status in HANDED_OUT):
        return None  # what runs now may release jobs that fit
    shapes = ready_shapes(db, workflow_id, "none")
    if not shapes:
        return None
    nodes = db.execute(
        """
        SELECT num_cpus, memory_gb, num_gpus, num_nodes, scheduler_config_id FROM compute_node
         WHERE workflow_id = ? AND is_active ORDER BY num_cpus DESC, memory_gb DESC
        """,
        (workflow_id,),
    ).fetchall()
    rooms = [Room(cpus, gb * GIB, gpus, count, scheduler_config_id=config) for cpus, gb, gpus, count, config in nodes]
    if not rooms or any(room.fits(shape) for shape in shapes for room in rooms):
        return None
    shape = next((shape for shape in shapes if not _allocation_pending(db, workflow_id, shape.scheduler_id)), None)
    if shape is None:
        return None
    (name,) = db.execute("SELECT name FROM job WHERE id = ?", (shape.first_job_id,)).fetchone()
    return Misfit(job_id=shape.first_job_id, job_name=name, need=_need(shape), offer=_offer(rooms[0]))


def _allocation_pending(db: sqlite3.Connection, workflow_id: int, scheduler_id: int) -> bool:
    return bool(
        scheduler_id
        and db.execute(
            """
            SELECT 1 FROM scheduled_compute_node
             WHERE workflow_id = ? AND scheduler_config_id = ? AND status = 'pending'
            """,
            (workflow_id, scheduler_id),
        ).fetchone()
    )


def _need(shape: Shape) -> str:
    return _words(shape.num_cpus, shape.memory_bytes, shape.num_gpus, shape.num_nodes)


def _offer(room: Room) -> str:
    return _words(room.num_cpus, room.memory_bytes, room.num_gpus, room.num_nodes)


def _words(cpus: float, memory_bytes: float, gpus: float, nodes: float) -> str:
    parts = [f"{cpus:g} CPU{'' if cpus == 1 else 's'}", f"{format_bytes(int(memory_bytes))} memory"]
    if gpus:
        parts.append(f"{gpus:g} GPU{'' if gpus == 1 else 's'}")
    if nodes > 1:
        parts.append(f"{nodes:g} nodes")
    return ", ".join(parts)
