"""Ready jobs are few shapes: distinct needs. Claiming looks at shapes, never at the queue."""

import math
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from torc.store.rows import select_at_once
from torc.units import parse_duration, parse_memory

memory_bytes = lru_cache(1024)(parse_memory)
runtime_s = lru_cache(1024)(parse_duration)


@dataclass(frozen=True, slots=True)
class Shape:
    """What all jobs with the same requirements and scheduler need."""

    requirements_id: int
    scheduler_id: int  # 0: any runner
    first_job_id: int
    num_cpus: int
    num_gpus: int
    num_nodes: int
    memory_bytes: int
    runtime_s: int


class Needs(Protocol):
    """What a job takes of a node while it runs."""

    @property
    def num_cpus(self) -> int: ...
    @property
    def num_gpus(self) -> int: ...
    @property
    def num_nodes(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...


@dataclass(slots=True)
class Room:
    """What is still free on a node. Multi-node jobs share ``num_nodes``; CPUs, memory and GPUs are one pool."""

    num_cpus: float  # math.inf where nothing is counted
    memory_bytes: float
    num_gpus: float
    num_nodes: float
    time_left_s: float = math.inf
    scheduler_config_id: int | None = None

    def fits(self, shape: Shape) -> float:
        """How many jobs of this shape fit together in what is free; may be infinite."""
        if shape.runtime_s > self.time_left_s:
            return 0
        if shape.scheduler_id and self.scheduler_config_id not in (None, shape.scheduler_id):
            return 0  # a runner without a scheduler may take any job: "test locally first"
        return min(
            times(self.num_cpus, shape.num_cpus),
            times(self.memory_bytes, shape.memory_bytes),
            times(self.num_gpus, shape.num_gpus),
            times(self.num_nodes, shape.num_nodes) if shape.num_nodes > 1 else math.inf,
        )

    def take(self, needs: Needs, jobs: int) -> None:
        """Charge ``jobs`` jobs of this shape."""
        self.num_cpus -= jobs * needs.num_cpus
        self.memory_bytes -= jobs * needs.memory_bytes
        self.num_gpus -= jobs * needs.num_gpus
        if needs.num_nodes > 1:
            self.num_nodes -= jobs * needs.num_nodes


@dataclass(slots=True)
class Span(Room):
    """Room in an allocation of several nodes, as our own runner gives it out.

    A job over several nodes has each of them for itself and needs what it asks for on each. All others share the first
    node, of which CPUs, memory and GPUs tell; it counts among ``num_nodes`` while nothing runs there, and is the last
    to be given away.
    """

    node: Room = field(kw_only=True)  # a whole node, with all nodes there are

    def fits(self, shape: Shape) -> float:
        """How many jobs of this shape fit together in what is free."""
        if shape.num_nodes <= 1:
            return super(Span, self).fits(shape)
        return times(self.num_nodes, shape.num_nodes) if self.node.fits(shape) >= 1 else 0

    def take(self, needs: Needs, jobs: int) -> None:
        """Charge ``jobs`` jobs of this shape."""
        first_is_idle = self.num_cpus >= self.node.num_cpus
        if needs.num_nodes <= 1:
            super(Span, self).take(needs, jobs)
            self.num_nodes -= first_is_idle
            return
        self.num_nodes -= jobs * needs.num_nodes
        if first_is_idle and self.num_nodes <= 0:
            self.num_cpus = self.memory_bytes = self.num_gpus = 0


class EachAlone(Room):
    """Room for any number of jobs that each fit alone: they will run one after the other."""

    def fits(self, shape: Shape) -> float:
        """Without bound, if one fits."""
        return math.inf if super().fits(shape) >= 1 else 0

    def take(self, needs: Needs, jobs: int) -> None:
        """Nothing is used up."""


def room_of(node: Room) -> Room:
    """What is free on a node of which nothing is used."""
    return Span(**asdict(node), node=node) if node.num_nodes > 1 else replace(node)


def times(free: float, need: int) -> float:
    """How often ``need`` fits into ``free``."""
    if need <= 0 or free == math.inf:
        return math.inf
    return max(0, math.floor(free / need))


SORT_KEYS: dict[str, Callable[[Shape], tuple[int, ...]]] = {
    "gpus_runtime_memory": lambda s: (-s.num_gpus, -s.runtime_s, -s.memory_bytes, s.first_job_id),
    "gpus_memory_runtime": lambda s: (-s.num_gpus, -s.memory_bytes, -s.runtime_s, s.first_job_id),
    "none": lambda s: (s.first_job_id,),
}


def ready_shapes(db: sqlite3.Connection, workflow_id: int, sort_method: str) -> list[Shape]:
    """The shapes of the jobs that are ready now, in the order the workflow wants them served.

    Two seeks in the job_ready index per shape; the number of ready jobs does not matter.
    """
    rows = db.execute(_WALK, {"workflow": workflow_id}).fetchall()
    shapes = [
        Shape(needs, scheduler, job_id, cpus, gpus, nodes, memory_bytes(memory), runtime_s(runtime))
        for needs, scheduler, job_id, cpus, gpus, nodes, memory, runtime in rows
    ]
    return sorted(shapes, key=SORT_KEYS[sort_method])


def _first(where: str) -> str:
    """SQL for the first ready job of the shapes that ``where`` leaves."""
    return f"""
        (SELECT id FROM job INDEXED BY job_ready
          WHERE workflow_id = :workflow AND status = 'ready' AND not_before IS NULL {where}
          ORDER BY resource_requirements_id, scheduler_id, id LIMIT 1)
    """


# Two seeks for the next shape: SQLite would walk the queue for (requirements, scheduler) > (?, ?).
_WALK = f"""
    WITH RECURSIVE shape (needs, scheduler, id) AS (
        SELECT resource_requirements_id, scheduler_id, id FROM job WHERE id = {_first("")}
        UNION ALL
        SELECT job.resource_requirements_id, job.scheduler_id, job.id
          FROM shape JOIN job ON job.id = coalesce(
               {_first("AND resource_requirements_id = shape.needs AND scheduler_id > shape.scheduler")},
               {_first("AND resource_requirements_id > shape.needs")})
    )
    SELECT shape.needs, shape.scheduler, shape.id, r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime
      FROM shape JOIN resource_requirements AS r ON r.id = shape.needs
"""


def first_ready(db: sqlite3.Connection, workflow_id: int, shape: Shape, limit: int, *, after: int = 0) -> list[int]:
    """The ids at the head of a shape's queue, or of what comes behind the job ``after``."""
    rows = select_at_once(
        db,
        "id",
        """
        FROM (SELECT id FROM job
               WHERE workflow_id = ? AND status = 'ready' AND not_before IS NULL
                 AND resource_requirements_id = ? AND scheduler_id = ? AND id > ?
               ORDER BY id LIMIT ?)
        """,
        (workflow_id, shape.requirements_id, shape.scheduler_id, after, limit),
    )
    return [job_id for (job_id,) in rows]
