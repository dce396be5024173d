"""Results stored by hand: by a client that knows how a job ended, and not as the report that ends it."""

import sqlite3
from typing import cast

from torc.errors import Conflict, InvalidRequest, Unprocessable
from torc.models.catalogue import RESULTS
from torc.models.result import NO_NODE, NewResult, Result
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.store import table, workflows
from torc.store.database import Database
from torc.store.results import check_references, cut_output
from torc.store.rows import exists
from torc.units import utc_now_iso


def create(database: Database, result: NewResult) -> Result:
    """Store a result. The job's status and current result stay: complete_job is what ends a job.

    What it leaves out is the job's: run, attempt, node. A job that runs without a node may have a result before it
    ends; the report of its end is then written over that.
    """
    result.return_code = _return_code(result)
    result.status = result.status or (JobStatus.FAILED if result.return_code else JobStatus.COMPLETED)
    result.completion_time = result.completion_time or utc_now_iso()
    cut_output(result)
    with database.write() as db:
        workflows.require(db, result.workflow_id)
        _fill_in_from_job(db, result)
        check_references(db, result)
        _refuse_open_attempt(db, result)
        try:
            result_id = table.insert_row(db, RESULTS, result)
        except sqlite3.IntegrityError as error:
            raise Conflict(
                f"job {result.job_id} already has a result for run {result.run_id}, attempt {result.attempt_id}"
            ) from error
        workflows.touch(db, result.workflow_id)
        return cast(Result, table.fetch(db, RESULTS, result_id))


def update(database: Database, result_id: int, result: Result, given: frozenset[str]) -> Result:
    """Write the ``given`` fields over a stored result."""
    cut_output(result)
    with database.write() as db:
        if result.exit_code == cast(Result, table.fetch(db, RESULTS, result_id)).exit_code:
            result.exit_code = None  # from our answer: return_code alone was changed, or nothing
        _return_code(result)
        return cast(Result, table.update_row(db, RESULTS, result_id, result, given))


def _return_code(result: Result | NewResult) -> int:
    """How the process ended, whichever of the two names was used. Both must agree."""
    code = result.exit_code if result.return_code is None else result.return_code
    if code is None:
        raise InvalidRequest("a result needs return_code, or exit_code")
    if result.exit_code not in (None, code):
        raise Unprocessable(
            f"exit_code is {result.exit_code} but return_code is {code}; send one of them, or the same twice"
        )
    return code


def _fill_in_from_job(db: sqlite3.Connection, result: NewResult) -> None:
    workflows.require_member(db, result.workflow_id, "job_id", "job", result.job_id)
    status, its_run_id, attempt_id, node_id, run_id = db.execute(
        """
        SELECT job.status, job.run_id, job.attempt_id, n.id, s.run_id
          FROM job JOIN workflow_status AS s ON s.id = job.workflow_id
               LEFT JOIN compute_node AS n ON n.id = job.active_compute_node_id
         WHERE job.id = ? AND job.workflow_id = ?
        """,
        (result.job_id, result.workflow_id),
    ).fetchone()
    if result.run_id is None:
        result.run_id = its_run_id if status in HANDED_OUT | COMPLETE and its_run_id is not None else run_id
    if result.attempt_id is None:
        result.attempt_id = attempt_id if attempt_id and result.run_id == its_run_id else 1
    if result.compute_node_id is None:
        result.compute_node_id = node_id or NO_NODE


def _refuse_open_attempt(db: sqlite3.Connection, result: Result) -> None:
    # With a result, the attempt would be over: the report of the runner would be taken for a repeat.
    if exists(
        db,
        """
        SELECT 1 FROM job
         WHERE id = ? AND run_id = ? AND attempt_id = ?
           AND (status = 'pending' OR (status = 'running' AND active_compute_node_id IS NOT NULL))
        """,
        (result.job_id, result.run_id, result.attempt_id),
    ):
        raise Conflict(
            f"attempt {result.attempt_id} of job {result.job_id} is still under way; its runner will report the result"
        )
