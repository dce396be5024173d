"""More memory or time for the next try of a job that ran out of them.

What jobs share is never touched: the job gets requirements of its own kind (``raised_from``), which all jobs that are
raised to the same figures share, so that claiming still looks at few shapes.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from torc.errors import Unprocessable
from torc.models.failure_handler import FailureRule
from torc.models.status import Cause
from torc.models.sync import FinishedJob
from torc.models.workflow import RaisedNeeds
from torc.raising import FACTOR, memory_text, more_memory, more_time
from torc.store.database import Database
from torc.store.rows import json_ids
from torc.store.shapes import memory_bytes, runtime_s
from torc.units import GIB, MAX_BYTES, format_duration_s, parse_duration, parse_memory

CHUNK_JOBS = 1000
"""Jobs in one transaction: some 30 ms, as each may get requirements of its own."""


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
        size = more_memory(
            memory_bytes(needs.memory),
            asked=memory_bytes(needs.asked_memory),
            peak=report.peak_memory_bytes,
            factor=rule.memory_factor or FACTOR,
            most=_largest_node(db, needs.workflow_id),
        )
        if size is not None:
            raised["memory"] = memory_text(size)
    else:
        asked_s = runtime_s(needs.asked_runtime)
        time_s = more_time(runtime_s(needs.runtime), asked_s=asked_s, factor=rule.runtime_factor or FACTOR)
        if time_s is not None:
            raised["runtime"] = format_duration_s(time_s)
    if raised:
        memory, runtime = raised.get("memory", needs.memory), raised.get("runtime", needs.runtime)
        _give(db, report.job_id, needs._replace(memory=memory, runtime=runtime))
    return raised


def check(db: sqlite3.Connection, workflow_id: int, raised: Iterable[RaisedNeeds]) -> None:
    """Raise Unprocessable unless these are jobs of the workflow, each once, and figures that make sense."""
    wanted = [one.job_id for one in raised]
    rows = db.execute(
        "SELECT id FROM job WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))",
        (workflow_id, json_ids(wanted)),
    )
    strangers = sorted(set(wanted) - {job_id for (job_id,) in rows})
    if strangers:
        raise Unprocessable(f"raised: workflow {workflow_id} has no job {', '.join(map(str, strangers))}")
    if len(set(wanted)) < len(wanted):
        raise Unprocessable("raised: a job is named twice")
    for one in raised:
        for field, text, parse in (("memory", one.memory, parse_memory), ("runtime", one.runtime, parse_duration)):
            try:
                if text is not None and not parse(text):
                    raise ValueError("a job needs more than nothing")
            except ValueError as error:
                raise Unprocessable(f"raised: Invalid {field} format '{text}' of job {one.job_id}: {error}") from error


def give_all(database: Database, raised: Sequence[Mapping[str, Any]]) -> None:
    """Let jobs need what RaisedNeeds say, in chunks that may be repeated."""
    for start in range(0, len(raised), CHUNK_JOBS):
        with database.write() as db:
            for one in raised[start : start + CHUNK_JOBS]:
                needs = _needs_of(db, one["job_id"])
                memory, runtime = one.get("memory") or needs.memory, one.get("runtime") or needs.runtime
                if (memory, runtime) != (needs.memory, needs.runtime):
                    _give(db, one["job_id"], needs._replace(memory=memory, runtime=runtime))


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
