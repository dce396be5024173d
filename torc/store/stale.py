"""Which jobs run again in a new run, and why: decided over the whole graph before anything is changed."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torc.models.status import BAD, COMPLETE, HANDED_OUT, JobStatus
from torc.models.workflow import ReinitializeRequest, RerunJob, RerunReason
from torc.store import busy, graph
from torc.store.database import Database
from torc.store.fingerprints import Fingerprints
from torc.store.found_files import Differences
from torc.store.rows import json_ids


class Standing(NamedTuple):
    """What decides whether a job runs again."""

    status: JobStatus
    cancels: bool  # cancel_on_blocking_job_failure
    is_lost: bool  # the node that had it is gone


class Why(NamedTuple):
    """Why a job runs again. The record is a file, or for ``upstream`` a job."""

    reason: RerunReason
    record_id: int | None = None


@dataclass
class Plan:
    """What becomes of the jobs of a workflow in a new run."""

    again: dict[int, Why] = field(default_factory=dict)  # have run, and run again
    runs: set[int] = field(default_factory=set)  # these, and those that have not run yet
    ready: int = 0  # of ``runs``, wait for nobody
    canceled: set[int] = field(default_factory=set)  # would run, if what they depend on did not stay without success


def plan(edges: Mapping[int, Sequence[int]], jobs: Mapping[int, Standing], reasons: Mapping[int, Why]) -> Plan:
    """Follow the reasons through the graph (graph.waits_for): what depends on a job that runs, runs.

    Unless it is disabled, or depends on a job that has not succeeded and does not run again.
    """
    made = Plan()
    running: dict[int, int] = {}  # by node, a job that runs: the node itself, or one that the group or record is behind
    bad: set[int] = set()
    alone = (job_id for job_id in jobs if job_id not in edges)
    for node in (*alone, *graph.in_order(edges)):
        upstream = edges.get(node, ())
        behind = next((running[other] for other in upstream if other in running), None)
        has_bad = any(other in bad for other in upstream)
        if node in jobs:
            _decide(made, node, jobs[node], reasons.get(node), behind, has_bad)
            if node in made.runs:
                running[node] = node
            elif jobs[node].status in BAD or node in made.canceled:
                bad.add(node)
        else:
            if behind is not None:
                running[node] = behind
            if has_bad:
                bad.add(node)
    return made


def _decide(made: Plan, job_id: int, job: Standing, why: Why | None, behind: int | None, has_bad: bool) -> None:
    """What becomes of a job when everything it depends on is decided; ``behind`` is a job among that, that runs."""
    if why is None and behind is not None:
        why = Why("upstream", behind)
    if job.status == JobStatus.DISABLED or (why is None and job.status in COMPLETE):
        return
    if has_bad and job.cancels:
        made.canceled.add(job_id)
        return
    made.runs.add(job_id)
    made.ready += behind is None
    if why is not None and (job.status in COMPLETE | HANDED_OUT or job.is_lost):
        made.again[job_id] = why


def standings(db: sqlite3.Connection, workflow_id: int) -> dict[int, Standing]:
    """Every job of a workflow."""
    rows = db.execute(
        """
        SELECT id, status, cancel_on_blocking_job_failure,
               status = 'ready' AND cause IS 'lost_node'
            OR status = 'pending' AND NOT EXISTS (
                   SELECT 1 FROM compute_node AS n WHERE n.id = active_compute_node_id AND n.is_active
               )
          FROM job WHERE workflow_id = ? ORDER BY id
        """,
        (workflow_id,),
    )
    return {job_id: Standing(JobStatus(status), bool(cancels), bool(lost)) for job_id, status, cancels, lost in rows}


def reasons(
    database: Database,
    workflow_id: int,
    request: ReinitializeRequest,
    jobs: Mapping[int, Standing],
    files: Differences,
) -> dict[int, Why]:
    """Why jobs run again by themselves, whatever becomes of the others. The first reason a job has is told."""
    found: dict[int, Why] = {}
    left = frozenset(request.leave)
    for job_id, job in jobs.items():
        reason = None if job_id in left else _by_status(job, request)
        if reason is not None:
            found[job_id] = Why(reason)
    fingerprints = Fingerprints(workflow_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.read() as db:
            for changed in fingerprints.changed(db, first_id, last_id):
                found.setdefault(changed.job_id, Why("changed"))
    with database.read() as db:
        for job_id, file_id in _linked(db, "job_input_file", files.changed):
            found.setdefault(job_id, Why("changed_file", file_id))
        for job_id, file_id in _linked(db, "job_output_file", files.missing):
            if job_id in jobs and jobs[job_id].status == JobStatus.COMPLETED:
                found.setdefault(job_id, Why("missing_output", file_id))
    return found


def _by_status(job: Standing, request: ReinitializeRequest) -> RerunReason | None:
    if job.is_lost:
        return "lost"
    if job.status in HANDED_OUT:
        return "taken_away"
    if job.status in (JobStatus.TERMINATED, JobStatus.CANCELED):
        return "terminated" if job.status == JobStatus.TERMINATED else "canceled"
    if job.status == JobStatus.FAILED and not request.keep_failed:
        return "failed"
    return "reset" if request.reset_all and job.status in COMPLETE else None


def _linked(db: sqlite3.Connection, table: str, file_ids: Sequence[int]) -> list[tuple[int, int]]:
    return db.execute(
        f"""
        SELECT job_id, file_id FROM {table}
         WHERE file_id IN (SELECT value FROM json_each(?)) ORDER BY job_id, file_id
        """,
        (json_ids(file_ids),),
    ).fetchall()


def told(db: sqlite3.Connection, again: Mapping[int, Why], jobs: Mapping[int, Standing]) -> list[RerunJob]:
    """The jobs that run again with the names that people know, ascending by id."""
    upstream = {why.record_id for why in again.values() if why.reason == "upstream" and why.record_id is not None}
    file_ids = {why.record_id for why in again.values() if why.reason != "upstream" and why.record_id is not None}
    names = _texts(db, "SELECT id, name FROM job", again.keys() | upstream)
    paths = _texts(db, "SELECT id, path FROM file", file_ids)
    return [
        RerunJob(
            job_id=job_id,
            name=names[job_id],
            status=jobs[job_id].status,
            reason=why.reason,
            detail=(names if why.reason == "upstream" else paths).get(why.record_id or 0),
        )
        for job_id, why in sorted(again.items())
    ]


def _texts(db: sqlite3.Connection, select: str, ids: set[int]) -> dict[int, str]:
    return dict(db.execute(f"{select} WHERE id IN (SELECT value FROM json_each(?))", (json_ids(ids),)).fetchall())
