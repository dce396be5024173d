"""Results as records: one row per attempt, and the two calls of existing runners that start and end a job."""

import sqlite3
import time
from typing import Any, cast

from torc.errors import Conflict, Unprocessable
from torc.models.catalogue import RESULTS
from torc.models.job import Job
from torc.models.queries import Paging
from torc.models.record import Page
from torc.models.result import Result
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.models.sync import FinishedJob
from torc.store import attempts, events, jobs, outcomes, table, workflows
from torc.store.database import Database
from torc.store.events import JobEvent
from torc.store.outcomes import Held
from torc.store.rows import columns, exists
from torc.store.table import select_page


def page(
    database: Database, workflow_id: int, paging: Paging, filters: dict[str, Any], *, all_runs: bool = False
) -> Page[Result]:
    """One page of results: the current one of each job, or with ``all_runs`` every attempt."""
    where, arguments = ["workflow_id = ?"], list[Any]((workflow_id,))
    where.append("workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)")
    for name, value in filters.items():
        if value is not None:
            where.append(f"{name} = ?")
            arguments.append(value)
    if not all_runs:
        where.append("id IN (SELECT current_result_id FROM job WHERE workflow_id = ?)")
        arguments.append(workflow_id)
    with database.read() as db:
        return select_page(db, Result, "result", columns(Result), " AND ".join(where), arguments, paging)


def create(database: Database, result: Result) -> Result:
    """Store a result by hand; without an attempt it gets the job's. The job's status and current result stay."""
    with database.write() as db:
        workflows.require(db, result.workflow_id)
        _check_references(db, result)
        if result.attempt_id is None:
            (attempt_id,) = db.execute("SELECT attempt_id FROM job WHERE id = ?", (result.job_id,)).fetchone()
            result.attempt_id = attempt_id or 1
        _refuse_open_attempt(db, result)
        try:
            result_id = table.insert_row(db, RESULTS, result)
        except sqlite3.IntegrityError as error:
            raise _taken(result) from error
        workflows.touch(db, result.workflow_id)
        return cast(Result, table.fetch(db, RESULTS, result_id))


def _taken(result: Result) -> Conflict:
    return Conflict(f"job {result.job_id} already has a result for run {result.run_id}, attempt {result.attempt_id}")


def _refuse_open_attempt(db: sqlite3.Connection, result: Result) -> None:
    # With a result, the attempt would be over: the report of the runner would be taken for a repeat.
    if exists(
        db,
        """
        SELECT 1 FROM job
         WHERE id = ? AND run_id = ? AND attempt_id = ? AND status IN ('pending', 'running')
        """,
        (result.job_id, result.run_id, result.attempt_id),
    ):
        raise Conflict(
            f"attempt {result.attempt_id} of job {result.job_id} is still under way; its runner will report the result"
        )


def _check_references(db: sqlite3.Connection, result: Result) -> None:
    for name, source in (("job_id", "job"), ("compute_node_id", "compute_node")):
        value = getattr(result, name)
        if not db.execute(
            f"SELECT 1 FROM {source} WHERE id = ? AND workflow_id = ?", (value, result.workflow_id)
        ).fetchone():
            raise Unprocessable(f"{name}: no {source.replace('_', ' ')} {value} in workflow {result.workflow_id}")


def start(database: Database, *, job_id: int, run_id: int, compute_node_id: int) -> Job:
    """An existing runner started a job. Accepts pending and ready jobs without an owner; the same again is fine."""
    with database.write() as db:
        job = jobs.fetch(db, job_id)
        _check_run(run_id, _run_of(db, job.workflow_id))
        if not db.execute(
            "SELECT 1 FROM compute_node WHERE id = ? AND workflow_id = ?", (compute_node_id, job.workflow_id)
        ).fetchone():
            raise Unprocessable(f"compute_node_id: no compute node {compute_node_id} in workflow {job.workflow_id}")
        if job.status == JobStatus.RUNNING and (job.active_compute_node_id, job.run_id) == (compute_node_id, run_id):
            return job
        owned = job.active_compute_node_id not in (None, compute_node_id)
        if job.status not in (JobStatus.PENDING, JobStatus.READY) or (owned and job.status == JobStatus.PENDING):
            raise Unprocessable(
                f"Job {job_id} cannot be started: its status is '{job.status}'"
                + (f" on compute node {job.active_compute_node_id}" if owned else "")
            )
        if job.status == JobStatus.READY:
            attempts.hand_out(db, [job_id], run_id=run_id, node_id=compute_node_id)
        db.execute("UPDATE job SET active_compute_node_id = ? WHERE id = ?", (compute_node_id, job_id))
        attempts.start(db, [(job_id, time.time())])
        job = jobs.fetch(db, job_id)
        events.add_job_events(
            db, job.workflow_id, [JobEvent(events.STARTED, job_id, run_id, job.attempt_id, compute_node_id)]
        )
        workflows.touch(db, job.workflow_id)
        return job


def _run_of(db: sqlite3.Connection, workflow_id: int) -> int:
    return workflows.fetch_status(db, workflow_id).run_id


def _check_run(provided: int, actual: int) -> None:
    if provided != actual:
        raise Unprocessable(f"Run ID mismatch: provided {provided} but workflow status has {actual}")


def complete(database: Database, *, job_id: int, status: JobStatus, run_id: int, result: Result) -> Job:
    """An existing runner reports the end of a job. The same report again is fine; another outcome is a conflict."""
    if status not in COMPLETE:
        raise Unprocessable(f"status: a job completes as completed, failed, canceled or terminated, not as '{status}'")
    with database.write() as db:
        job = jobs.fetch(db, job_id)
        _check_report(db, job, status, run_id, result)
        report = _as_report(db, job, status, run_id, result)
        if job.status in COMPLETE and not (job.status == JobStatus.CANCELED and not _has_result(db, report)):
            if (job.status, job.run_id) == (status, run_id) or _has_result(db, report, status):
                return job
            raise Conflict(f"Job {job_id} is already complete with status {job.status.capitalize()}")
        outcomes.insert_results(db, job.workflow_id, result.compute_node_id, [report], [report])
        if job.status not in COMPLETE:
            db.execute(
                "UPDATE job SET run_id = ?, attempt_id = ? WHERE id = ?", (report.run_id, report.attempt_id, job_id)
            )
            held = Held(
                job.status,
                job.active_compute_node_id,
                run_id,
                report.attempt_id,
                job.failure_handler_id,
                job.retries or 0,
            )
            outcomes.settle(db, job.workflow_id, result.compute_node_id, [report], {job_id: held})
        workflows.touch(db, job.workflow_id)
        return jobs.fetch(db, job_id)


def _check_report(db: sqlite3.Connection, job: Job, status: JobStatus, run_id: int, result: Result) -> None:
    for name, expected in (
        ("job_id", job.id),
        ("workflow_id", job.workflow_id),
        ("run_id", run_id),
        ("status", status),
    ):
        if getattr(result, name) != expected:
            raise Unprocessable(f"{name}: the body says {getattr(result, name)}, the path {expected}")
    _check_references(db, result)
    claimed_in = job.run_id if job.status in COMPLETE or job.active_compute_node_id is not None else None
    _check_run(run_id, claimed_in if claimed_in is not None else _run_of(db, job.workflow_id))


def _as_report(db: sqlite3.Connection, job: Job, status: JobStatus, run_id: int, result: Result) -> FinishedJob:
    was_claimed = job.status in COMPLETE | HANDED_OUT or job.active_compute_node_id is not None
    if was_claimed and job.run_id == run_id and job.attempt_id is not None:
        attempt_id = job.attempt_id
    else:
        (attempt_id,) = db.execute(
            f"SELECT {attempts.NEXT} FROM job WHERE id = :job", {"job": job.id, "run": run_id}
        ).fetchone()
    return FinishedJob(
        job_id=result.job_id,
        run_id=run_id,
        attempt_id=attempt_id,
        status=status,
        return_code=result.return_code,
        cause=result.cause,
        signal=result.signal,
        exec_time_minutes=result.exec_time_minutes,
        completion_time=result.completion_time,
        peak_memory_bytes=result.peak_memory_bytes,
        avg_memory_bytes=result.avg_memory_bytes,
        peak_cpu_percent=result.peak_cpu_percent,
        avg_cpu_percent=result.avg_cpu_percent,
        gpu_ids=result.gpu_ids,
    )


def _has_result(db: sqlite3.Connection, report: FinishedJob, status: JobStatus | None = None) -> bool:
    row = db.execute(
        "SELECT status FROM result WHERE job_id = ? AND run_id = ? AND attempt_id = ?",
        (report.job_id, report.run_id, report.attempt_id),
    ).fetchone()
    if row is None:
        return False
    return status is None or row[0] == status
