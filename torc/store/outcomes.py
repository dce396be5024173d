"""How attempts end: results, what follows from them, and whether the workflow is complete.

Everything one report causes happens in the transaction that stores it.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob
from torc.store import events, retries, triggers, workflows
from torc.store.attempts import OPEN
from torc.store.events import JobEvent
from torc.store.readiness import Change, Fate, change_status
from torc.store.rows import PAIRS, insert_many, json_ids, select_at_once, to_json
from torc.units import utc_now_iso


class Told(NamedTuple):
    """What a node says of the end of an attempt."""

    node_id: int
    report: FinishedJob

    @property
    def attempt(self) -> tuple[int, int, int]:
        """What is stored once: job, run and attempt."""
        return self.report.job_id, self.report.run_id, self.report.attempt_id


Starts = Mapping[tuple[int, int, int], float]
"""Times of starts, in seconds since the epoch, by node, job and attempt."""


@dataclass(frozen=True, slots=True)
class Held:
    """What decides whether a report counts."""

    status: JobStatus
    node_id: int | None
    run_id: int | None
    attempt_id: int | None
    failure_handler_id: int | None
    retries: int
    stop_requested: int = 0  # somebody wants the attempt terminated
    is_reported: int = 0  # whether a result of the attempt is stored

    def is_attempt_of(self, told: Told) -> bool:
        """Whether the report speaks of the attempt the job is in, on the node that has it."""
        return (self.node_id, self.run_id, self.attempt_id) == (
            told.node_id,
            told.report.run_id,
            told.report.attempt_id,
        )


def accept(db: sqlite3.Connection, workflow_id: int, told: Sequence[Told], starts: Starts) -> list[Told]:
    """Apply what nodes report: each counts, is stored as history, or repeats what is known.

    ``starts`` are starts that are told only now. Returns what is no longer its node's.
    """
    lost: list[Told] = []
    if not told:
        return lost
    jobs = held_jobs(db, workflow_id, [one.report.job_id for one in told])
    known = _known_attempts(db, told, jobs)
    counting: list[Told] = []
    stored: list[Told] = []
    current: list[Told] = []
    for one in told:
        if one.attempt in known:
            continue  # a repeat: acknowledged, and nothing else
        known.add(one.attempt)
        job = jobs.get(one.report.job_id)
        if job is None:
            lost.append(one)
            continue
        stored.append(one)
        if not job.is_attempt_of(one) or job.status not in OPEN | {JobStatus.CANCELED}:
            lost.append(one)
            continue
        current.append(one)
        if job.status in OPEN:
            counting.append(one)
    insert_results(db, workflow_id, stored, current)
    settle(db, workflow_id, counting, jobs, starts)
    return lost


def held_jobs(db: sqlite3.Connection, workflow_id: int, job_ids: Sequence[int]) -> dict[int, Held]:
    """Whose attempt each job of the workflow is in."""
    return {
        job_id: Held(JobStatus(status), *rest)
        for job_id, status, *rest in select_at_once(
            db,
            """
            id, status, active_compute_node_id, run_id, attempt_id, failure_handler_id, retries, stop_requested,
            EXISTS (SELECT 1 FROM result AS r
                     WHERE r.job_id = job.id AND r.run_id = job.run_id AND r.attempt_id = job.attempt_id)
            """,
            "FROM job WHERE id IN (SELECT value FROM json_each(?)) AND workflow_id = ?",
            (json_ids(job_ids), workflow_id),
        )
    }


def _known_attempts(
    db: sqlite3.Connection, told: Sequence[Told], jobs: Mapping[int, Held]
) -> set[tuple[int, int, int]]:
    """Those of the told attempts that have a result. Of the attempts the jobs are in, that is known already."""
    known: set[tuple[int, int, int]] = set()
    older: list[int] = []
    for one in told:
        job = jobs.get(one.report.job_id)
        if job is None or not job.is_attempt_of(one):
            older.append(one.report.job_id)
        elif job.is_reported:
            known.add(one.attempt)
    if older:
        known |= set(
            db.execute(
                "SELECT job_id, run_id, attempt_id FROM result WHERE job_id IN (SELECT value FROM json_each(?))",
                (json_ids(older),),
            )
        )
    return known


REPORTED = (
    "job_id",
    "run_id",
    "attempt_id",
    "return_code",
    "exec_time_minutes",
    "completion_time",
    "peak_memory_bytes",
    "avg_memory_bytes",
    "peak_cpu_percent",
    "avg_cpu_percent",
    "status",
    "cause",
    "signal",
)
"""What a result takes from a report as it is."""

_reported = attrgetter(*REPORTED)


def insert_results(db: sqlite3.Connection, workflow_id: int, told: Sequence[Told], current: Sequence[Told]) -> None:
    """Store one row per report; those in ``current`` become their jobs' current results."""
    if not told:
        return
    first_id = insert_many(
        db,
        "result",
        ("workflow_id", "compute_node_id", *REPORTED, "gpu_ids"),
        [
            (
                workflow_id,
                node_id,
                *_reported(report),
                to_json(report.gpu_ids) if report.gpu_ids is not None else None,
            )
            for node_id, report in told
        ],
    )
    counts = {id(one) for one in current}
    made = [(one.report.job_id, first_id + index) for index, one in enumerate(told) if id(one) in counts]
    db.execute(
        f"UPDATE job SET current_result_id = made.b FROM {PAIRS} AS made WHERE job.id = made.a", (to_json(made),)
    )


def settle(
    db: sqlite3.Connection,
    workflow_id: int,
    told: Sequence[Told],
    jobs: dict[int, Held],
    starts: Starts = MappingProxyType({}),
) -> None:
    """Give the jobs the outcome their reports tell, unless a failure handler wants another try."""
    if not told:
        return
    retried = retries.handle(db, workflow_id, [one.report for one in told], jobs)
    final = [one.report for one in told if one.report.job_id not in retried]
    changes = [
        Change(report.job_id, report.status, report.cause if report.status != JobStatus.COMPLETED else None)
        for report in final
    ]
    before = {report.job_id: jobs[report.job_id].status for report in final}
    applied = change_status(db, workflow_id, changes, before=before)
    _store_output_files(db, final)
    happened: list[JobEvent] = []
    for node_id, report in told:
        started_at = starts.get((node_id, report.job_id, report.attempt_id))
        if started_at is not None:
            happened.append(start_of(report.job_id, report.run_id, report.attempt_id, node_id, started_at))
        happened.append(_end_of(report, node_id, retried.get(report.job_id)))
    events.add_job_events(db, workflow_id, happened)
    note_canceled(db, workflow_id, applied.canceled)
    announce_completion(db, workflow_id)


def start_of(job_id: int, run_id: int | None, attempt_id: int, node_id: int, started_at: float) -> JobEvent:
    """The event of a start; ``started_at`` in seconds since the epoch, by the runner's clock."""
    return JobEvent(events.STARTED, job_id, run_id, attempt_id, node_id, details={"start_time": round(started_at, 3)})


def _end_of(report: FinishedJob, node_id: int, raised: retries.Raised | None) -> JobEvent:
    """The event of an end; ``raised`` is what the next try gets more of, None without one."""
    details = {
        "cause": report.cause,
        "return_code": report.return_code or None,
        "missing_files": report.missing_files or None,
    }
    return JobEvent(
        events.COMPLETED if raised is None else events.RETRIED,
        report.job_id,
        report.run_id,
        report.attempt_id,
        node_id,
        report.status,
        {name: value for name, value in details.items() if value is not None} | (raised or {}),
    )


def _store_output_files(db: sqlite3.Connection, reports: Sequence[FinishedJob]) -> None:
    written = [
        (output.st_mtime, output.size, output.file_id, report.job_id)
        for report in reports
        for output in report.output_files
    ]
    if written:
        db.executemany(
            """
            UPDATE file SET st_mtime = ?, size = ?
             WHERE id = ? AND id IN (SELECT file_id FROM job_output_file WHERE job_id = ?)
            """,
            written,
        )


def note_canceled(db: sqlite3.Connection, workflow_id: int, canceled: Sequence[Fate]) -> None:
    """Write one event for all jobs that one failure canceled."""
    by_cause: dict[int | None, list[str]] = {}
    for fate in canceled:
        by_cause.setdefault(fate.cause_job_id, []).extend(fate.ids.split(","))
    for cause_job_id, ids in by_cause.items():
        events.note(
            db,
            workflow_id,
            "job_completion",
            "jobs_canceled",
            f"{len(ids)} job(s) canceled because job {cause_job_id} did not succeed.",
            job_ids=[int(job_id) for job_id in ids[: events.FIRST_IDS]],
            count=len(ids),
            cause=Cause.DEPENDENCY,
            cause_job_id=cause_job_id,
        )


def announce_completion(db: sqlite3.Connection, workflow_id: int) -> None:
    """Fire on_workflow_complete when nothing is left to do, once per run."""
    if workflows.has_unsettled(db, workflow_id):
        return
    announced = db.execute(
        """
        UPDATE workflow_status SET completed_run_id = run_id
         WHERE id = ? AND busy IS NULL AND completed_run_id IS NOT run_id
        """,
        (workflow_id,),
    ).rowcount
    if announced:
        triggers.fire(db, workflow_id, "on_workflow_complete")
        events.note(db, workflow_id, "workflow", "complete", "Every job is finished.")


def fail_lost(db: sqlite3.Connection, workflow_id: int, node_id: int, job_ids: Sequence[int]) -> None:
    """End jobs whose node was lost and that shall not go elsewhere, with a result that says so.

    One that lost its node MAX_LOST_NODES times in one run kills its nodes: it failed. One that somebody wanted
    terminated is.
    """
    if not job_ids:
        return
    victims = db.execute(
        """
        SELECT id, run_id, attempt_id, stop_requested FROM job
         WHERE id IN (SELECT value FROM json_each(?)) AND (lost_nodes >= ? OR stop_requested) AND status = 'ready'
        """,
        (json_ids(job_ids), MAX_LOST_NODES),
    ).fetchall()
    told = [
        Told(
            node_id,
            FinishedJob(
                job_id=job_id,
                run_id=run_id,
                attempt_id=attempt_id,
                status=JobStatus.TERMINATED if stop_requested else JobStatus.FAILED,
                return_code=-1,
                cause=Cause.USER if stop_requested else Cause.LOST_NODE,
                exec_time_minutes=0.0,
                completion_time=utc_now_iso(),
            ),
        )
        for job_id, run_id, attempt_id, stop_requested in victims
    ]
    jobs = held_jobs(db, workflow_id, [one.report.job_id for one in told])
    known = _known_attempts(db, told, jobs)
    told = [one for one in told if one.attempt not in known]
    insert_results(db, workflow_id, told, told)
    settle(db, workflow_id, told, jobs)


MAX_LOST_NODES = 3
