"""Jobs that are to run again in the same run, with what came of them."""

import sqlite3
from collections.abc import Iterable

from torc.errors import Unprocessable
from torc.models.status import COMPLETE, HANDED_OUT, Cause, JobStatus
from torc.store import outcomes, reset, workflows
from torc.store.effective import listed
from torc.store.fingerprints import Fingerprints
from torc.store.readiness import Change, cancellations, change_status, verdicts
from torc.store.rows import json_ids, to_json


def again(db: sqlite3.Connection, workflow_id: int, job_ids: Iterable[int]) -> set[int]:
    """Let settled jobs, and those behind them that this concerns, be decided anew from their dependencies; all of them.

    Attempts go on counting; what was raised for a retry, and how many there were, is forgotten. Where nothing has been
    initialized yet, the jobs wait for that. Raises Unprocessable while a job behind them is pending or running.
    """
    jobs = with_followers(db, job_ids)
    reset.jobs(db, workflow_id, sorted(jobs), decide=True)
    if _is_initialized(db, workflow_id):
        _decide(db, workflow_id, jobs)
    return jobs


def with_followers(db: sqlite3.Connection, job_ids: Iterable[int]) -> set[int]:
    """These jobs and, at any depth, those that have an outcome because of theirs.

    That is an outcome of its own, or to have been canceled because one of them did not succeed; what a person canceled
    or disabled stays. Raises Unprocessable when one of them is pending or running.
    """
    found = set(job_ids)
    wave = found
    while wave:
        followers = db.execute(_FOLLOWERS, {"jobs": json_ids(wave)}).fetchall()
        for job_id, name, status, _, _ in followers:
            if status in HANDED_OUT:
                raise Unprocessable(
                    f"job {job_id} '{name}' depends on it and is {status}; wait until that has ended, or cancel it "
                    f"with: torc jobs cancel {job_id}"
                )
        # Who was canceled because of a job that turns up only later is met again behind what was canceled with it.
        wave = {
            job_id
            for job_id, _, status, cause, cause_job_id in followers
            if status in COMPLETE
            and (status != JobStatus.CANCELED or (cause == Cause.DEPENDENCY and cause_job_id in found))
        } - found
        found = found | wave
    return found


_FOLLOWERS = """
    SELECT id, name, status, cause, cause_job_id FROM job WHERE id IN (
        SELECT job_id FROM job_depends_on WHERE depends_on_job_id IN (SELECT value FROM json_each(:jobs))
         UNION
        SELECT job_id FROM job_depends_on_group WHERE group_id IN (
            SELECT group_id FROM dependency_group_member WHERE job_id IN (SELECT value FROM json_each(:jobs))
        )
    )
"""


def _is_initialized(db: sqlite3.Connection, workflow_id: int) -> bool:
    """Whether a run has begun: before that nobody expects a job to start."""
    (run_id,) = db.execute("SELECT run_id FROM workflow_status WHERE id = ?", (workflow_id,)).fetchone()
    return run_id > 0 or not workflows.nothing_initialized(db, workflow_id)


def _decide(db: sqlite3.Connection, workflow_id: int, jobs: set[int]) -> None:
    """Give uninitialized jobs the status that follows from their dependencies, and store what they are made of now."""
    taken = Fingerprints(workflow_id).take(db, listed(jobs))
    db.execute(
        "UPDATE job SET input_hash = taken.value FROM json_each(?) AS taken WHERE job.id = taken.key", (to_json(taken),)
    )
    wanted = verdicts(db, jobs)
    doomed = [job_id for job_id, status in wanted.items() if status == JobStatus.CANCELED]
    changes = [Change(job_id, status) for job_id, status in wanted.items() if status != JobStatus.CANCELED]
    applied = change_status(db, workflow_id, [*changes, *cancellations(db, doomed)])
    outcomes.note_canceled(db, workflow_id, applied.canceled)
