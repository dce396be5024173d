"""Failure handlers: whether a failed attempt is tried again. The server decides, in the transaction of the report."""

import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from torc.models.failure_handler import FailureRule
from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob
from torc.store import escalation

if TYPE_CHECKING:
    from torc.store.outcomes import Held

MAX_BACKOFF_S = 300.0
DOUBLINGS = 64
"""More of them would overflow, and even the smallest back-off is at its limit by then."""


Raised = dict[str, str]
"""What a job gets more of for its next try, and how much: ``{"memory": "12g"}``; empty if it is the same."""


def handle(
    db: sqlite3.Connection, workflow_id: int, reports: Sequence[FinishedJob], jobs: "dict[int, Held]"
) -> dict[int, Raised]:
    """Give failed jobs whose handler has a try left another one; which, and what was raised for it.

    They become ready with a back-off, or stay pending on their node for a recovery script. A job that needs more than
    before may not fit there, and one without a node has no such place: their script runs wherever they are claimed.
    They are never failed in between, so nobody cancels what waits for them. What a person stopped is not tried again.
    """
    handled: dict[int, Raised] = {}
    for report in reports:
        job = jobs[report.job_id]
        if job.failure_handler_id is None or report.status == JobStatus.COMPLETED:
            continue
        if report.cause == Cause.USER or job.stop_requested:
            continue
        rule = _first_match(db, job.failure_handler_id, report)
        if rule is None or job.retries >= rule.max_retries:
            continue
        raised = handled[report.job_id] = escalation.raise_needs(db, report, rule)
        if rule.recovery_script is not None and not raised:
            _keep_for_recovery(db, report.job_id)
        else:
            doublings = min(job.retries, DOUBLINGS)
            _back_off(db, report.job_id, min(rule.backoff_s * 2.0**doublings, MAX_BACKOFF_S))
    return handled


def _first_match(db: sqlite3.Connection, handler_id: int, report: FinishedJob) -> FailureRule | None:
    (text,) = db.execute("SELECT rules FROM failure_handler WHERE id = ?", (handler_id,)).fetchone()
    rules = msgspec.json.decode(text, type=list[FailureRule])
    return next((rule for rule in rules if _matches(rule, report)), None)


def _matches(rule: FailureRule, report: FinishedJob) -> bool:
    """Whether this failure is one of the rule's."""
    return (
        (report.return_code != 0 and rule.match_all_exit_codes)
        or report.return_code in rule.exit_codes
        or (report.signal is not None and report.signal in rule.signals)
        or (report.cause is not None and report.cause in rule.causes)
    )


def _back_off(db: sqlite3.Connection, job_id: int, backoff_s: float) -> None:
    db.execute(
        """
        UPDATE job
           SET status = 'ready', retries = retries + 1, not_before = ?, active_compute_node_id = NULL,
               start_time = NULL, stop_requested = 0
         WHERE id = ?
        """,
        (time.time() + backoff_s, job_id),
    )


def _keep_for_recovery(db: sqlite3.Connection, job_id: int) -> None:
    db.execute(
        """
        UPDATE job
           SET status = CASE WHEN active_compute_node_id IS NULL THEN 'ready' ELSE 'pending' END,
               attempt_id = attempt_id + (active_compute_node_id IS NOT NULL), retries = retries + 1, start_time = NULL,
               stop_requested = 0
         WHERE id = ?
        """,
        (job_id,),
    )


def wake(db: sqlite3.Connection, workflow_id: int, now: float) -> float | None:
    """End the back-offs that are over; seconds until the next one is, if any waits.

    None lasts longer than MAX_BACKOFF_S from ``now``, though the clock may have been set back since it began.
    """
    waiting = "workflow_id = ? AND not_before IS NOT NULL"
    earliest, latest = db.execute(  # two seeks; min() and max() in one SELECT would walk all of them
        f"SELECT (SELECT min(not_before) FROM job WHERE {waiting}), (SELECT max(not_before) FROM job WHERE {waiting})",
        (workflow_id, workflow_id),
    ).fetchone()
    if earliest is None:
        return None
    if earliest > now and latest <= now + MAX_BACKOFF_S:
        return float(earliest) - now
    db.execute(
        """
        UPDATE job SET not_before = CASE WHEN not_before > :now THEN :latest END
         WHERE workflow_id = :workflow AND not_before IS NOT NULL AND (not_before <= :now OR not_before > :latest)
        """,
        {"workflow": workflow_id, "now": now, "latest": now + MAX_BACKOFF_S},
    )
    return wake(db, workflow_id, now)


class Recovery(NamedTuple):
    """What is to be run before an attempt, and what it is told."""

    script: str
    return_code: int  # of the attempt that failed


def recovery(db: sqlite3.Connection, job_id: int) -> Recovery | None:
    """The script to run before this attempt, if the last one failed in a way that asks for it."""
    row = db.execute(
        """
        SELECT h.rules, r.return_code, r.signal, r.cause, r.run_id, r.attempt_id, r.status
          FROM job JOIN failure_handler AS h ON h.id = job.failure_handler_id
               JOIN result AS r ON r.id = job.current_result_id
         WHERE job.id = ? AND job.retries > 0 AND r.run_id = job.run_id
        """,
        (job_id,),
    ).fetchone()
    if row is None:
        return None
    text, return_code, signal, cause, run_id, attempt_id, status = row
    last = FinishedJob(
        job_id=job_id,
        run_id=run_id,
        attempt_id=attempt_id,
        status=JobStatus(status),
        return_code=return_code,
        signal=signal,
        cause=Cause(cause) if cause else None,
        exec_time_minutes=0.0,
        completion_time="",
    )
    rules = msgspec.json.decode(text, type=list[FailureRule])
    rule = next((rule for rule in rules if _matches(rule, last)), None)
    return Recovery(rule.recovery_script, return_code) if rule and rule.recovery_script is not None else None
