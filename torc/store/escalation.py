"""More memory or time for the next try of a job that ran out of them.

What jobs share is never touched: the job gets requirements of its own kind (``raised_from``), which all jobs that are
raised to the same figures share, so that claiming still looks at few shapes.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from torc.models.failure_handler import FailureRule
from torc.models.status import Cause
from torc.models.sync import FinishedJob
from torc.store.rows import json_ids
from torc.store.shapes import memory_bytes, runtime_s
from torc.units import BYTES_PER_UNIT, GIB, MAX_BYTES, MAX_DURATION_S, format_duration_s

FACTOR = 1.5
"""Of a rule that names none."""

MOST_TIMES = 4
"""Nobody gets more than so many times what the specification asks for."""

STEPS_PER_DOUBLING = 16
"""Peaks differ from job to job; rounding them up keeps the shapes few, at a price of at most 1 / 16."""


class _Needs(NamedTuple):
    """What a job has now, and what it asked for."""

    workflow_id: int
    original_id: int
    memory: str
    runtime: str
    asked_memory: str
    asked_runtime: str


def raise_needs(db: sqlite3.Connection, report: FinishedJob, rule: FailureRule) -> dict[str, str]:
    """Give the job more of what this failure says it lacked; what was raised and to how much.

    Nothing for other failures, and for a job that has all it can get.
    """
    if report.cause not in (Cause.OOM, Cause.TIMEOUT):
        return {}
    needs = _needs_of(db, report.job_id)
    raised: dict[str, str] = {}
    if report.cause == Cause.OOM:
        has = memory_bytes(needs.memory)
        wanted = max(report.peak_memory_bytes or 0, has) * (rule.memory_factor or FACTOR)
        most = min(MOST_TIMES * memory_bytes(needs.asked_memory), _largest_node(db, needs.workflow_id), MAX_BYTES)
        now = _rounded(wanted, most)
        if now > has:
            raised["memory"] = _memory_text(now)
    else:
        has = runtime_s(needs.runtime)
        most = min(MOST_TIMES * runtime_s(needs.asked_runtime), MAX_DURATION_S)
        now = min(int(has * (rule.runtime_factor or FACTOR)), most)
        if now > has:
            raised["runtime"] = format_duration_s(now)
    if raised:
        memory, runtime = raised.get("memory", needs.memory), raised.get("runtime", needs.runtime)
        _give(db, report.job_id, needs._replace(memory=memory, runtime=runtime))
    return raised


def restore(db: sqlite3.Connection, job_ids: Iterable[int]) -> None:
    """Let jobs need what they asked for again."""
    db.execute(
        """
        UPDATE job SET resource_requirements_id = r.raised_from
          FROM resource_requirements AS r
         WHERE job.id IN (SELECT value FROM json_each(?))
           AND r.id = job.resource_requirements_id AND r.raised_from IS NOT NULL
        """,
        (json_ids(job_ids),),
    )


def _needs_of(db: sqlite3.Connection, job_id: int) -> _Needs:
    row = db.execute(
        """
        SELECT job.workflow_id, asked.id, has.memory, has.runtime, asked.memory, asked.runtime
          FROM job JOIN resource_requirements AS has ON has.id = job.resource_requirements_id
               JOIN resource_requirements AS asked ON asked.id = coalesce(has.raised_from, has.id)
         WHERE job.id = ?
        """,
        (job_id,),
    ).fetchone()
    return _Needs(*row)


def _largest_node(db: sqlite3.Connection, workflow_id: int) -> int:
    """The memory of the largest node this workflow has known, in bytes; more than fits in any was never of use."""
    (memory_gb,) = db.execute(
        "SELECT max(memory_gb) FROM compute_node WHERE workflow_id = ?", (workflow_id,)
    ).fetchone()
    return MAX_BYTES if memory_gb is None else int(memory_gb * GIB)


def _rounded(wanted: float, most: int) -> int:
    """``wanted`` bytes rounded up, or what fits into ``most`` rounded down: a step is a part of the power of two."""
    up = -(-int(wanted) // _step(wanted)) * _step(wanted)
    return up if up <= most else most // _step(most) * _step(most)


def _step(size: float) -> int:
    return max(1, (1 << int(size).bit_length() - 1) // STEPS_PER_DOUBLING) if size >= 1 else 1


def _memory_text(size: int) -> str:
    """A rounded size as text that says exactly that: ``12g``, ``1.0625g``."""
    unit, least = next((unit, least) for unit, least in reversed(BYTES_PER_UNIT.items()) if size >= least)
    return f"{size / least:.4f}".rstrip("0").rstrip(".") + unit


def _give(db: sqlite3.Connection, job_id: int, needs: _Needs) -> None:
    """Bind the job to the requirements raised to these figures, made if there are none."""
    figures = {"original": needs.original_id, "memory": needs.memory, "runtime": needs.runtime}
    row = db.execute(
        """
        SELECT r.id FROM resource_requirements AS r JOIN resource_requirements AS asked ON asked.id = :original
         WHERE r.workflow_id = asked.workflow_id AND r.raised_from = asked.id
           AND r.memory = :memory AND r.runtime = :runtime
           AND (r.num_cpus, r.num_gpus, r.num_nodes) = (asked.num_cpus, asked.num_gpus, asked.num_nodes)
        """,
        figures,
    ).fetchone()
    more = [needs.memory] if needs.memory != needs.asked_memory else []
    more += [needs.runtime] if needs.runtime != needs.asked_runtime else []
    if row is None:
        row = db.execute(
            """
            INSERT INTO resource_requirements
                   (workflow_id, name, num_cpus, num_gpus, num_nodes, memory, runtime, raised_from)
            SELECT workflow_id, name || :more, num_cpus, num_gpus, num_nodes, :memory, :runtime, id
              FROM resource_requirements WHERE id = :original
            RETURNING id
            """,
            {**figures, "more": f", raised to {' and '.join(more)}"},
        ).fetchone()
    db.execute("UPDATE job SET resource_requirements_id = ? WHERE id = ?", (row[0], job_id))
