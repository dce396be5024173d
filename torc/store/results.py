"""Results: one row per attempt; and the two calls of existing runners that start and end a job."""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from torc.errors import Conflict, Unprocessable
from torc.models.draft_history import DraftResult
from torc.models.job import Job
from torc.models.queries import Paging
from torc.models.record import Page
from torc.models.result import NO_NODE, Result
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.models.sync import FinishedJob
from torc.store import attempts, events, jobs, outcomes, workflows
from torc.store.database import Database
from torc.store.events import JobEvent
from torc.store.outcomes import Held, Told
from torc.store.rows import columns, to_row
from torc.store.table import select_page

OUTPUT = ("stdout", "stderr")
KEPT_OUTPUT_BYTES = 64 * 1024
LISTED = columns(Result, OUTPUT)  # a page of 10,000 results could hold more than a gigabyte of output
ATTEMPT = ("job_id", "run_id", "attempt_id")
REPORTED = columns(Result, ("id", "workflow_id", "exit_code", *ATTEMPT, *OUTPUT))
"""What a report says of an attempt."""


def page(
    database: Database,
    workflow_id: int,
    paging: Paging,
    filters: dict[str, Any],
    *,
    all_runs: bool = False,
    all_attempts: bool = False,
) -> Page[Result]:
    """One page of results: of each job the latest attempt that counts.

    With ``all_attempts`` every attempt of the run the job is in, or was last; with ``all_runs`` those of every run.
    """
    where, arguments = ["workflow_id = ?"], list[Any]((workflow_id,))
    where.append("workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)")
    for name, value in filters.items():
        if value is not None:
            where.append(f"{name} = ?")
            arguments.append(value)
    if all_attempts and not all_runs:
        where.append("run_id = (SELECT run_id FROM job WHERE job.id = result.job_id)")
    elif not all_runs:
        where.append("id = (SELECT current_result_id FROM job WHERE job.id = result.job_id)")
    with database.read() as db:
        return select_page(db, Result, "result", LISTED, " AND ".join(where), arguments, paging)


def cut_output(result: Result | DraftResult) -> None:
    """Keep the end, where the reason of a failure stands."""
    for name in OUTPUT:
        text: str | None = getattr(result, name)
        if text is not None and len(text) > KEPT_OUTPUT_BYTES // 4:
            kept = text.encode()[-KEPT_OUTPUT_BYTES:]
            setattr(result, name, kept.decode(errors="ignore"))  # the cut may be in the middle of a character


def check_references(db: sqlite3.Connection, result: Result) -> None:
    """Raise Unprocessable unless job and node are of the result's workflow."""
    workflows.require_member(db, result.workflow_id, "job_id", "job", result.job_id)
    if result.compute_node_id != NO_NODE:
        workflows.require_member(db, result.workflow_id, "compute_node_id", "compute_node", result.compute_node_id)


def start(database: Database, *, job_id: int, run_id: int, compute_node_id: int) -> Job:
    """An existing runner started a job. Accepts pending and ready jobs without an owner; the same again is fine."""
    with database.write() as db:
        job = jobs.fetch(db, job_id)
        _check_run(run_id, _run_of(db, job.workflow_id))
        workflows.require_member(db, job.workflow_id, "compute_node_id", "compute_node", compute_node_id)
        if job.status == JobStatus.RUNNING and (job.active_compute_node_id, job.run_id) == (compute_node_id, run_id):
            return job
        owned = job.active_compute_node_id not in (None, compute_node_id)
        if job.status not in (JobStatus.PENDING, JobStatus.READY) or (owned and job.status == JobStatus.PENDING):
            raise Unprocessable(
                f"Job {job_id} cannot be started: its status is '{job.status}'"
                + (f" on compute node {job.active_compute_node_id}" if owned else "")
            )
        if job.status == JobStatus.READY:
            attempts.hand_out(db, [(job_id, compute_node_id)], run_id=run_id)
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
        told = [Told(result.compute_node_id, report)]
        if _has_result(db, report):
            _write_over(db, report, result)
        else:
            outcomes.insert_results(db, job.workflow_id, told, told)
        _add_output(db, report, result)
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
                _stop_requested(db, job_id),
            )
            outcomes.settle(db, job.workflow_id, told, {job_id: held})
        workflows.touch(db, job.workflow_id)
        return jobs.fetch(db, job_id)


def _stop_requested(db: sqlite3.Connection, job_id: int) -> int:
    (wanted,) = db.execute("SELECT stop_requested FROM job WHERE id = ?", (job_id,)).fetchone()
    return int(wanted)


def _check_report(db: sqlite3.Connection, job: Job, status: JobStatus, run_id: int, result: Result) -> None:
    for name, expected in (
        ("job_id", job.id),
        ("workflow_id", job.workflow_id),
        ("run_id", run_id),
        ("status", status),
    ):
        if getattr(result, name) != expected:
            raise Unprocessable(f"{name}: the body says {getattr(result, name)}, the path {expected}")
    check_references(db, result)
    claimed_in = job.run_id if _was_claimed(job) else None
    _check_run(run_id, claimed_in if claimed_in is not None else _run_of(db, job.workflow_id))


def _as_report(db: sqlite3.Connection, job: Job, status: JobStatus, run_id: int, result: Result) -> FinishedJob:
    if _was_claimed(job) and job.run_id == run_id and job.attempt_id is not None:
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


def _was_claimed(job: Job) -> bool:
    return job.status in COMPLETE | HANDED_OUT or job.active_compute_node_id is not None


def _write_over(db: sqlite3.Connection, report: FinishedJob, result: Result) -> None:
    """Make the result that was posted while the job ran without a node what the report says, and the current one."""
    attempt = tuple(getattr(report, name) for name in ATTEMPT)
    _set(db, attempt, REPORTED, to_row(result, REPORTED))
    db.execute(
        f"UPDATE job SET current_result_id = (SELECT id FROM result WHERE {_OF_ATTEMPT}) WHERE id = ?",
        (*attempt, report.job_id),
    )


def _add_output(db: sqlite3.Connection, report: FinishedJob, result: Result) -> None:
    cut_output(result)
    given = [name for name in OUTPUT if getattr(result, name) is not None]
    if given:
        _set(db, tuple(getattr(report, name) for name in ATTEMPT), given, to_row(result, given))


def _set(db: sqlite3.Connection, attempt: tuple[int, ...], names: Sequence[str], values: Sequence[Any]) -> None:
    db.execute(
        f"UPDATE result SET {', '.join(f'{name} = ?' for name in names)} WHERE {_OF_ATTEMPT}", (*values, *attempt)
    )


_OF_ATTEMPT = " AND ".join(f"{name} = ?" for name in ATTEMPT)


def _has_result(db: sqlite3.Connection, report: FinishedJob, status: JobStatus | None = None) -> bool:
    attempt = (report.job_id, report.run_id, report.attempt_id)
    row = db.execute(f"SELECT status FROM result WHERE {_OF_ATTEMPT}", attempt).fetchone()
    if row is None:
        return False
    return status is None or row[0] == status
