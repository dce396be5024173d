"""What a person wants to become of single jobs while others run: cancel, terminate, retry, disable, enable.

Several jobs are one transaction: if one of them is refused, nothing has happened to the others.
"""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.job import Job, JobVerb
from torc.models.status import COMPLETE, HANDED_OUT, SETTLED, Cause, JobStatus
from torc.store import busy, events, jobs, outcomes, redo, workflows
from torc.store.database import Database
from torc.store.leases import Leases
from torc.store.readiness import Change, change_status
from torc.store.rows import json_ids


def command(
    database: Database, leases: Leases, verb: JobVerb, job_ids: Sequence[int], *, user: str | None = None
) -> list[Job]:
    """Do what ``verb`` says to jobs, whatever their workflows, and return them as they are then, in the order given.

    Raises NotFound, Conflict or Unprocessable, and then has done nothing.
    """
    with database.write() as db:
        wanted = _fetch(db, job_ids)
        for workflow_id, found in groupby(sorted(wanted, key=_place), key=attrgetter("workflow_id")):
            busy.refuse(db, workflow_id)
            touched = VERBS[verb](db, leases, workflow_id, list(found))
            if touched:
                _note(db, workflow_id, verb, touched, user)
                outcomes.announce_completion(db, workflow_id)
                workflows.touch(db, workflow_id)
        return jobs.select(db, [_id(job) for job in wanted])


def _fetch(db: sqlite3.Connection, job_ids: Sequence[int]) -> list[Job]:
    found = jobs.select(db, list(dict.fromkeys(job_ids)), links={}, dependencies=False)
    missing = sorted(set(job_ids) - {_id(job) for job in found})
    if missing:
        raise NotFound(f"Job not found with ID: {', '.join(map(str, missing))}")
    return found


def _place(job: Job) -> tuple[int, int]:
    return job.workflow_id, _id(job)


def _id(job: Job) -> int:
    assert job.id is not None
    return job.id


def _about(job: Job) -> str:
    return f"job {job.id} '{job.name}' is {job.status}"


def _cancel(db: sqlite3.Connection, leases: Leases, workflow_id: int, found: Sequence[Job]) -> list[int]:
    """The node of a pending or running job keeps it: its next sync is told to stop it, and the result is stored."""
    for job in found:
        if job.status == JobStatus.UNINITIALIZED:
            raise Conflict(f"{_about(job)}: nobody would run it yet; keep it so with: torc jobs disable {job.id}")
        if job.status in SETTLED - {JobStatus.CANCELED}:
            raise Conflict(f"{_about(job)} already and cannot be canceled")
    return _settle(db, workflow_id, found, JobStatus.CANCELED, end_attempt=False)


def _terminate(db: sqlite3.Connection, leases: Leases, workflow_id: int, found: Sequence[Job]) -> list[int]:
    """A node that syncs is asked to end a running job, and reports it; without one the job has ended as we say so."""
    for job in found:
        if job.status in SETTLED - {JobStatus.TERMINATED}:
            raise Conflict(f"{_about(job)} already and cannot be terminated")
        if job.status not in HANDED_OUT | SETTLED:
            raise Conflict(f"{_about(job)}: no runner has it; cancel it with: torc jobs cancel {job.id}")
    asked = [job for job in found if job.status == JobStatus.RUNNING and _syncs(leases, job)]
    others = [job for job in found if job not in asked]
    return _ask_to_stop(db, asked) + _settle(db, workflow_id, others, JobStatus.TERMINATED, end_attempt=True)


def _syncs(leases: Leases, job: Job) -> bool:
    return job.active_compute_node_id is not None and leases.has(job.active_compute_node_id)


def _ask_to_stop(db: sqlite3.Connection, asked: Sequence[Job]) -> list[int]:
    rows = db.execute(
        """
        UPDATE job SET stop_requested = 1
         WHERE id IN (SELECT value FROM json_each(?)) AND NOT stop_requested RETURNING id
        """,
        (json_ids(map(_id, asked)),),
    )
    return [job_id for (job_id,) in rows.fetchall()]


def _settle(
    db: sqlite3.Connection, workflow_id: int, found: Sequence[Job], status: JobStatus, *, end_attempt: bool
) -> list[int]:
    """Give jobs a status that is final because a person says so; those that had another."""
    changes = [Change(_id(job), status, Cause.USER) for job in found if job.status != status]
    applied = change_status(db, workflow_id, changes, end_attempt=end_attempt)
    outcomes.note_canceled(db, workflow_id, applied.canceled)
    ids = [change.job_id for change in changes]
    db.execute("UPDATE job SET not_before = NULL WHERE id IN (SELECT value FROM json_each(?))", (json_ids(ids),))
    return ids


def _retry(db: sqlite3.Connection, leases: Leases, workflow_id: int, found: Sequence[Job]) -> list[int]:
    for job in found:
        if job.status == JobStatus.DISABLED:
            raise Unprocessable(f"{_about(job)}; enable it with: torc jobs enable {job.id}")
        if job.status not in COMPLETE:
            raise Unprocessable(f"{_about(job)} and has not ended: there is nothing to retry")
    _refuse_closed(db, workflow_id)
    ids = [_id(job) for job in found]
    touched = redo.again(db, workflow_id, ids)
    for job in jobs.select(db, ids, links={}, dependencies=False):
        if job.status == JobStatus.CANCELED:
            raise Unprocessable(
                f"{_about(job)} because job {job.cause_job_id} did not succeed, and would be again; retry that one: "
                f"torc jobs retry {job.cause_job_id}"
            )
    return sorted(touched)


def _disable(db: sqlite3.Connection, leases: Leases, workflow_id: int, found: Sequence[Job]) -> list[int]:
    for job in found:
        if job.status in HANDED_OUT:
            raise Unprocessable(f"{_about(job)} and cannot be disabled; cancel it with: torc jobs cancel {job.id}")
    return _settle(db, workflow_id, found, JobStatus.DISABLED, end_attempt=True)


def _enable(db: sqlite3.Connection, leases: Leases, workflow_id: int, found: Sequence[Job]) -> list[int]:
    for job in found:
        if job.status != JobStatus.DISABLED:
            raise Unprocessable(f"{_about(job)}, not disabled: there is nothing to enable")
    _refuse_closed(db, workflow_id)
    return sorted(redo.again(db, workflow_id, map(_id, found)))


def _refuse_closed(db: sqlite3.Connection, workflow_id: int) -> None:
    """No job starts in a workflow that was canceled or put away."""
    status = workflows.fetch_status(db, workflow_id)
    if status.is_canceled:
        raise Unprocessable(
            f"workflow {workflow_id} is canceled; start it again with: torc workflows reinitialize {workflow_id}"
        )
    if status.is_archived:
        raise Unprocessable(f"workflow {workflow_id} is archived; unarchive it first")


VERBS: dict[JobVerb, Callable[[sqlite3.Connection, Leases, int, Sequence[Job]], list[int]]] = {
    JobVerb.CANCEL: _cancel,
    JobVerb.TERMINATE: _terminate,
    JobVerb.RETRY: _retry,
    JobVerb.DISABLE: _disable,
    JobVerb.ENABLE: _enable,
}
"""What each verb does to jobs of one workflow; the ids of those it touched, none where all was so already."""

TOLD = {
    JobVerb.CANCEL: "canceled",
    JobVerb.TERMINATE: "terminated, or asked to stop,",
    JobVerb.RETRY: "retried",
    JobVerb.DISABLE: "disabled",
    JobVerb.ENABLE: "enabled",
}


def _note(db: sqlite3.Connection, workflow_id: int, verb: JobVerb, touched: Sequence[int], user: str | None) -> None:
    events.note(
        db,
        workflow_id,
        "job",
        f"{verb}_jobs",
        f"{len(touched)} job(s) {TOLD[verb]} by {user or 'hand'}.",
        job_ids=touched,
        cause=Cause.USER,
        user=user,
    )
