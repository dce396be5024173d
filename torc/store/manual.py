"""A status set by hand."""

import sqlite3
import time

from torc.errors import Conflict, Unprocessable
from torc.models.job import Job
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.store import attempts, claims, events, groups, jobs, outcomes, workflows
from torc.store.claims import Run
from torc.store.database import Database
from torc.store.events import JobEvent
from torc.store.leases import Leases
from torc.store.readiness import Change, cancellations, change_status, verdict
from torc.store.rows import exists, json_ids


def set_status(database: Database, leases: Leases, *, job_id: int, status: JobStatus, run_id: int | None) -> Job:
    """Move a job to a status that is no outcome. What may follow what is in models/status.py.

    Ready and blocked are what the dependencies make of the job, so either asks for that. A job set pending or running
    belongs to no node: whoever asked for it starts it, and ends it with complete_job. A reset is refused while a job
    that depends on this one is pending or running. Ends the attempt the job is in.
    """
    if status in COMPLETE:
        raise Unprocessable(
            f"Cannot set completion status '{status}' via manage_status_change. Use complete_job API instead."
        )
    with database.write() as db:
        job = jobs.fetch(db, job_id)
        if job.status == status:
            return job
        run = claims.run_of(db, job.workflow_id)
        if run_id not in (None, run.run_id):
            raise Unprocessable(f"Run ID mismatch: provided {run_id} but workflow status has {run.run_id}")
        if status == JobStatus.DISABLED and job.status in HANDED_OUT:
            raise Unprocessable(
                f"job {job_id} is {job.status} and cannot be disabled; cancel it with: torc jobs cancel {job_id}"
            )
        if status != JobStatus.DISABLED:
            _refuse_upstream_of_handed_out(db, job_id)
        if status in HANDED_OUT:
            _hand_out(db, job, status, run)
        else:
            _rest(db, job, status)
        outcomes.announce_completion(db, job.workflow_id)
        workflows.touch(db, job.workflow_id)
        job = jobs.fetch(db, job_id)
    if job.status == JobStatus.PENDING:
        leases.claimed_unowned([job_id])
    return job


def _rest(db: sqlite3.Connection, job: Job, status: JobStatus) -> None:
    """Take the job from whoever has it."""
    assert job.id is not None
    if status in (JobStatus.READY, JobStatus.BLOCKED):
        status = _what_dependencies_allow(db, job)
    canceled = status == JobStatus.CANCELED
    change = cancellations(db, [job.id])[0] if canceled else Change(job.id, status)
    applied = change_status(db, job.workflow_id, [change], end_attempt=True)
    outcomes.note_canceled(db, job.workflow_id, applied.canceled)
    if job.status in COMPLETE and status == JobStatus.UNINITIALIZED:
        _reset_direct_dependents(db, job)


def _what_dependencies_allow(db: sqlite3.Connection, job: Job) -> JobStatus:
    """Ready, blocked or canceled; a job with an outcome, or a disabled one, is uninitialized after this."""
    assert job.id is not None
    if job.status in COMPLETE | {JobStatus.DISABLED}:
        change_status(db, job.workflow_id, [Change(job.id, JobStatus.UNINITIALIZED)], end_attempt=True)
    return verdict(db, job.id)


def _hand_out(db: sqlite3.Connection, job: Job, status: JobStatus, run: Run) -> None:
    """Begin an attempt as a claim without a node does, or go on with one that is claimed and has not started."""
    assert job.id is not None
    if not run.is_open:
        raise Conflict(
            f"job {job.id} cannot be {status} now: workflow {job.workflow_id} is "
            + ("canceled; reset its status first" if run.is_canceled else f"busy with {run.busy}; try again later")
        )
    if job.status != JobStatus.PENDING or job.active_compute_node_id is not None:
        _make_ready(db, job, status)
        attempts.hand_out(db, [(job.id, None)], run_id=run.run_id)
    if status == JobStatus.RUNNING:
        attempts.start(db, [(job.id, time.time())])
        begun = jobs.fetch(db, job.id)
        started = JobEvent(events.STARTED, job.id, begun.run_id, begun.attempt_id, None)
        events.add_job_events(db, job.workflow_id, [started])


def _make_ready(db: sqlite3.Connection, job: Job, wanted: JobStatus) -> None:
    assert job.id is not None
    allowed = _what_dependencies_allow(db, job)
    if allowed == JobStatus.BLOCKED:
        (unmet,) = db.execute("SELECT unmet FROM job WHERE id = ?", (job.id,)).fetchone()
        raise Unprocessable(f"job {job.id} cannot be {wanted}: {unmet} of its dependencies are not finished")
    if allowed == JobStatus.CANCELED:
        raise Unprocessable(f"job {job.id} cannot be {wanted}: a job it depends on did not succeed; reset that first")
    change_status(db, job.workflow_id, [Change(job.id, JobStatus.READY)], end_attempt=True)
    db.execute("UPDATE job SET not_before = NULL WHERE id = ?", (job.id,))


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
