"""A status set by hand."""

import sqlite3

from torc.errors import Unprocessable
from torc.models.job import Job
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.store import groups, jobs, outcomes, workflows
from torc.store.database import Database
from torc.store.readiness import Change, cancellations, change_status, verdict
from torc.store.rows import exists, json_ids


def set_status(database: Database, *, job_id: int, status: JobStatus, run_id: int | None) -> Job:
    """Move a job to a status that is no outcome. What may follow what is in models/status.py.

    Ready and blocked are what the dependencies make of the job, so either asks for that. A reset is refused while a
    job that depends on this one is pending or running. Ends the attempt the job is in.
    """
    if status in COMPLETE:
        raise Unprocessable(
            f"Cannot set completion status '{status}' via manage_status_change. Use complete_job API instead."
        )
    with database.write() as db:
        job = jobs.fetch(db, job_id)
        if job.status == status:
            return job
        current = workflows.fetch_status(db, job.workflow_id).run_id
        if run_id not in (None, current):
            raise Unprocessable(f"Run ID mismatch: provided {run_id} but workflow status has {current}")
        if status in HANDED_OUT:
            raise Unprocessable(f"only a runner makes a job {status}: it claims the job and starts it")
        if status == JobStatus.DISABLED and job.status in HANDED_OUT:
            raise Unprocessable(f"job {job_id} is {job.status} and cannot be disabled; cancel the workflow first")
        if status != JobStatus.DISABLED:
            _refuse_upstream_of_handed_out(db, job_id)
        if status in (JobStatus.READY, JobStatus.BLOCKED):
            if job.status in COMPLETE | {JobStatus.DISABLED}:
                change_status(db, job.workflow_id, [Change(job_id, JobStatus.UNINITIALIZED)], end_attempt=True)
            unmet, bad, flag = db.execute(
                "SELECT unmet, bad, cancel_on_blocking_job_failure FROM job WHERE id = ?", (job_id,)
            ).fetchone()
            status = verdict(unmet, bad, flag)
        canceled = status == JobStatus.CANCELED
        change = cancellations(db, [job_id])[0] if canceled else Change(job_id, status)
        applied = change_status(db, job.workflow_id, [change], end_attempt=True)
        outcomes.note_canceled(db, job.workflow_id, applied.canceled)
        if job.status in COMPLETE and status == JobStatus.UNINITIALIZED:
            _reset_direct_dependents(db, job)
        outcomes.announce_completion(db, job.workflow_id)
        workflows.touch(db, job.workflow_id)
        return jobs.fetch(db, job_id)


def _refuse_upstream_of_handed_out(db: sqlite3.Connection, job_id: int) -> None:
    behind = groups.downstream(db, [job_id]) - {job_id}
    if exists(
        db,
        "SELECT 1 FROM job WHERE id IN (SELECT value FROM json_each(?)) AND status IN ('pending', 'running')",
        (json_ids(behind),),
    ):
        raise Unprocessable(f"a job that depends on job {job_id} is pending or running; wait for it or cancel it")


def _reset_direct_dependents(db: sqlite3.Connection, job: Job) -> None:
    """The contract resets one level; initialize_jobs?only_uninitialized=true reaches the rest."""
    assert job.id is not None
    rows = db.execute(
        f"SELECT id FROM job WHERE id IN ({groups.DEPENDENTS}) AND status IN ('completed', 'failed')",
        (job.id, job.id),
    ).fetchall()
    change_status(
        db, job.workflow_id, [Change(job_id, JobStatus.UNINITIALIZED) for (job_id,) in rows], end_attempt=True
    )
