"""Deleting jobs without leaving anybody waiting for them. Whole workflows: deletion.py."""

import sqlite3
from collections.abc import Sequence

from torc.errors import Conflict, NotFound
from torc.models.job import Job
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.store import groups, jobs, outcomes, triggers, workflows
from torc.store.database import Database
from torc.store.readiness import Change, change_status
from torc.store.rows import exists, json_ids


def delete(database: Database, job_id: int, *, force: bool = False) -> Job:
    """Remove a job. Refused while it runs, and when results or dependents would be lost, unless forced."""
    (job,) = delete_several(database, [job_id], force=force)
    return job


def delete_several(database: Database, job_ids: Sequence[int], *, force: bool = False) -> list[Job]:
    """Remove jobs, all or, if one is refused, none. A dependent that goes too is no reason to refuse."""
    wanted = list(dict.fromkeys(job_ids))
    with database.write() as db:
        found = jobs.select(db, wanted)
        known = {job.id: job for job in found}
        missing = [job_id for job_id in wanted if job_id not in known]
        if missing:
            raise NotFound(f"Job not found with ID: {', '.join(map(str, missing))}")
        if not force:
            for job in found:
                _refuse_if_needed(db, job, wanted)
        for workflow_id in sorted({job.workflow_id for job in found}):
            remove(db, workflow_id, [job_id for job_id in wanted if known[job_id].workflow_id == workflow_id])
            if exists(db, "SELECT 1 FROM job WHERE workflow_id = ?", (workflow_id,)):
                outcomes.announce_completion(db, workflow_id)
            workflows.touch(db, workflow_id)
        return found


def _refuse_if_needed(db: sqlite3.Connection, job: Job, going: Sequence[int]) -> None:
    if job.status in HANDED_OUT:
        raise Conflict(f"job {job.id} is {job.status}; cancel the workflow first, or force")
    (results,) = db.execute("SELECT count(*) FROM result WHERE job_id = ?", (job.id,)).fetchone()
    (dependents,) = db.execute(
        f"SELECT count(*) FROM ({groups.DEPENDENTS}) WHERE job_id NOT IN (SELECT value FROM json_each(?))",
        (job.id, job.id, json_ids(going)),
    ).fetchone()
    if results or dependents:
        raise Conflict(
            f"job {job.id} has {results} result(s) and {dependents} dependent job(s) that would be lost or cut loose; "
            "force to delete it all the same"
        )


def remove(db: sqlite3.Connection, workflow_id: int, job_ids: Sequence[int]) -> None:
    """Delete jobs with everything that hangs on them; the counters of those that remain stay true.

    Deleting ends the job's links first, as if it had completed, so that nobody waits for a job that is gone.
    """
    done = [Change(job_id, JobStatus.COMPLETED) for job_id in job_ids]
    unsettle = [
        Change(job_id, JobStatus.UNINITIALIZED)
        for (job_id,) in db.execute(
            f"""
            SELECT id FROM job WHERE id IN (SELECT value FROM json_each(?))
               AND status IN ({", ".join(f"'{status}'" for status in sorted(COMPLETE | {JobStatus.DISABLED}))})
            """,
            (json_ids(job_ids),),
        )
    ]
    change_status(db, workflow_id, unsettle, end_attempt=True, decide=False)
    change_status(db, workflow_id, done, end_attempt=True)
    triggers.drop_jobs(db, job_ids)
    ids = json_ids(job_ids)
    for table, column in (
        ("job_depends_on", "job_id"),
        ("job_depends_on", "depends_on_job_id"),
        ("job_depends_on_group", "job_id"),
        ("dependency_group_member", "job_id"),
        *((table, "job_id") for table, _ in jobs.LINKS.values()),
        ("result", "job_id"),
        ("job", "id"),
    ):
        db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (ids,))


def delete_all(database: Database, workflow_id: int, *, force: bool = False) -> int:
    """Remove every job of a workflow; how many there were.

    Refused while any runs, and when results would be lost, unless forced.
    """
    with database.write() as db:
        if not workflows.is_visible(db, workflow_id):
            return 0
        if not force:
            _refuse_if_any_needed(db, workflow_id)
        ids = [job_id for (job_id,) in db.execute("SELECT id FROM job WHERE workflow_id = ?", (workflow_id,))]
        remove(db, workflow_id, ids)
        db.execute(
            """
            DELETE FROM job_depends_on_group
             WHERE group_id IN (SELECT id FROM dependency_group WHERE workflow_id = ?)
            """,
            (workflow_id,),
        )
        db.execute("DELETE FROM dependency_group WHERE workflow_id = ?", (workflow_id,))
        workflows.touch(db, workflow_id)
        return len(ids)


def _refuse_if_any_needed(db: sqlite3.Connection, workflow_id: int) -> None:
    for status in HANDED_OUT:
        if workflows.has_jobs(db, workflow_id, status):
            raise Conflict(
                f"workflow {workflow_id} has {status} jobs; cancel it first with: torc workflows cancel {workflow_id}"
            )
    (results,) = db.execute("SELECT count(*) FROM result WHERE workflow_id = ?", (workflow_id,)).fetchone()
    if results:
        raise Conflict(
            f"workflow {workflow_id} has {results} result(s) that would be lost with its jobs; "
            "force to delete them all the same"
        )
