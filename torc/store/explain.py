"""Why a job is not running: everything that is known of it, read in one transaction.

What this costs grows with what is said, not with the workflow: what could be long is looked at up to a limit.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from torc.models.explanation import Explanation, Reason, ReasonKind
from torc.models.status import COMPLETE, HANDED_OUT, Cause, JobStatus
from torc.store import explain_dependencies, explain_ready, jobs, workflows
from torc.store.claims import run_of
from torc.store.database import Database
from torc.units import iso_of


class Explained(NamedTuple):
    """What has to be known of the job itself."""

    id: int
    workflow_id: int
    status: JobStatus
    cause: Cause | None
    cause_job_id: int | None
    node_id: int | None
    attempt_id: int | None
    start_time: float | None
    stop_requested: bool


def explain(database: Database, job_id: int) -> Explanation:
    """Why a job stands where it stands; NotFound if there is none."""
    with database.read() as db:
        (found,) = jobs.select(db, [job_id], links={}, dependencies=False) or [jobs.fetch(db, job_id)]
        start_time, stop_requested = db.execute(
            "SELECT start_time, stop_requested FROM job WHERE id = ?", (job_id,)
        ).fetchone()
        job = Explained(
            job_id,
            found.workflow_id,
            found.status,
            found.cause,
            found.cause_job_id,
            found.active_compute_node_id,
            found.attempt_id,
            start_time,
            bool(stop_requested),
        )
        return Explanation(
            job_id=job_id,
            job_name=found.name,
            workflow_id=found.workflow_id,
            status=found.status,
            reasons=[*_of_the_workflow(db, job), *_of_the_job(db, job)],
        )


def _of_the_workflow(db: sqlite3.Connection, job: Explained) -> Iterator[Reason]:
    if job.status == JobStatus.COMPLETED:
        return
    about, status = f"workflow {job.workflow_id}", workflows.fetch_status(db, job.workflow_id)
    if status.is_canceled:
        yield Reason(
            kind=ReasonKind.WORKFLOW_CANCELED,
            says=f"{about} is canceled; start it again with: torc workflows reinitialize {job.workflow_id}",
        )
    if status.busy is not None:
        yield Reason(
            kind=ReasonKind.WORKFLOW_BUSY, says=f"{about} is busy with {status.busy}; no job is handed out meanwhile"
        )
    if status.is_archived:
        yield Reason(
            kind=ReasonKind.WORKFLOW_ARCHIVED, says=f"{about} is archived; no run of it can be started until it is not"
        )


def _of_the_job(db: sqlite3.Connection, job: Explained) -> Iterator[Reason]:
    if job.status == JobStatus.UNINITIALIZED:
        yield Reason(
            kind=ReasonKind.UNINITIALIZED,
            says=f"it has not been initialized; start the workflow with: torc run {job.workflow_id}",
        )
    elif job.status == JobStatus.DISABLED:
        yield Reason(kind=ReasonKind.DISABLED, says=f"it is disabled; let it run with: torc jobs enable {job.id}")
    elif job.status == JobStatus.BLOCKED:
        yield from explain_dependencies.unfinished(db, job.id)
    elif job.status == JobStatus.READY:
        yield from explain_ready.reasons(db, job.id, job.workflow_id, run_of(db, job.workflow_id))
    elif job.status in HANDED_OUT:
        yield from _at_work(db, job)
    elif job.status in COMPLETE:
        yield from _ended(db, job)


def _at_work(db: sqlite3.Connection, job: Explained) -> Iterator[Reason]:
    since = None if job.start_time is None else iso_of(job.start_time)
    where = "a client without a compute node"
    if job.node_id is not None:
        row = db.execute("SELECT hostname, pid FROM compute_node WHERE id = ?", (job.node_id,)).fetchone()
        where = f"compute node {job.node_id}" + (f" (process {row[1]} on {row[0]})" if row else "")
    is_running = job.status == JobStatus.RUNNING
    yield Reason(
        kind=ReasonKind.RUNNING if is_running else ReasonKind.CLAIMED,
        says=f"{where} runs it{f' since {since}' if since else ''}, attempt {job.attempt_id}"
        if is_running
        else f"{where} has claimed it and has not said yet that it runs, attempt {job.attempt_id}",
        compute_node_ids=None if job.node_id is None else [job.node_id],
        since=since,
    )
    if job.stop_requested:
        yield Reason(kind=ReasonKind.STOPPING, says="somebody wants it terminated; its runner was asked to stop it")


def _ended(db: sqlite3.Connection, job: Explained) -> Iterator[Reason]:
    if job.cause == Cause.DEPENDENCY:
        yield explain_dependencies.first_cause(db, job.id, job.cause_job_id)
        return
    if job.status == JobStatus.CANCELED:
        by = "by a person" if job.cause == Cause.USER else "with its workflow"
        yield Reason(
            kind=ReasonKind.CANCELED, says=f"it was canceled {by}; run it again with: torc jobs retry {job.id}"
        )
        return
    again = "" if job.status == JobStatus.COMPLETED else f"; run it again with: torc jobs retry {job.id}"
    how = explain_dependencies.ending(db, job.id)
    yield Reason(kind=ReasonKind.ENDED, says=f"it {job.status}{how}{again}")
