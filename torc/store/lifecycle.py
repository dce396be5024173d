"""Verbs over a whole workflow: initialize, reset, start over what has changed, cancel. How they are done: busy.py."""

import sqlite3
from collections.abc import Callable

from torc.errors import Unprocessable
from torc.models.status import COMPLETE, HANDED_OUT, UNSETTLED, Cause, JobStatus
from torc.models.workflow import (
    InitializeAnswer,
    InitializeRequest,
    ReinitializeAnswer,
    ReinitializeRequest,
    WorkflowStatus,
)
from torc.store import busy, events, found_files, graph, groups, implied, outcomes, reset, triggers, workflows
from torc.store import reinitialize as reinitialization
from torc.store.database import Database
from torc.store.fingerprints import Changed, Fingerprints
from torc.store.readiness import Change, change_status
from torc.store.rows import json_ids

_CLEAR_FLAGS = "is_canceled = 0, has_detected_need_to_run_completion_script = 0"


def initialize(database: Database, workflow_id: int, request: InitializeRequest) -> InitializeAnswer:
    """Begin a new run: every job that is not disabled starts over. A refusal changes nothing."""
    while True:
        with database.read() as db:
            revision = _check_initialize(db, workflow_id)
            graph.refuse_cycles(db, workflow_id)
        with database.write() as db:
            if _check_initialize(db, workflow_id) == revision:  # else the graph may have changed: look again
                run_id = _begin_initialize(db, workflow_id, request)
                break
    _finish(database, workflow_id)
    return InitializeAnswer(run_id=run_id, jobs_ready=_ready(database, workflow_id))


def _ready(database: Database, workflow_id: int) -> int:
    with database.read() as db:
        sql = "SELECT count(*) FROM job WHERE workflow_id = ? AND status = 'ready'"
        (ready,) = db.execute(sql, (workflow_id,)).fetchone()
        return int(ready)


def reinitialize(database: Database, workflow_id: int, request: ReinitializeRequest) -> ReinitializeAnswer:
    """Begin a new run of what has not succeeded, has changed or depends on such. A refusal changes nothing."""
    answer = reinitialization.begin(database, workflow_id, request)
    if not request.dry_run:
        _finish(database, workflow_id)
        answer.jobs_ready = _ready(database, workflow_id)
    return answer


def _check_initialize(db: sqlite3.Connection, workflow_id: int) -> int:
    """Raise if the workflow cannot be initialized now; its revision."""
    revision = workflows.fetch(db, workflow_id).revision
    _refuse_archived(db, workflow_id)
    busy.refuse(db, workflow_id)
    _refuse_running(db, workflow_id)
    assert revision is not None
    return revision


def _begin_initialize(db: sqlite3.Connection, workflow_id: int, request: InitializeRequest) -> int:
    db.execute(
        f"UPDATE workflow_status SET run_id = run_id + 1, {_CLEAR_FLAGS} WHERE id = ?",
        (workflow_id,),
    )
    found_files.store(db, found_files.compare(db, workflow_id, request.files).to_store)
    busy.begin(db, workflow_id, "initialize", user=request.user, hostname=request.hostname)
    (run_id,) = db.execute("SELECT run_id FROM workflow_status WHERE id = ?", (workflow_id,)).fetchone()
    return int(run_id)


def initialize_jobs(
    database: Database, workflow_id: int, *, only_uninitialized: bool = False, clear_ephemeral: bool = False
) -> None:
    """The contract's verb: decide jobs without beginning a new run.

    Touches uninitialized, blocked and ready jobs, and terminated ones unless ``only_uninitialized``; that one also
    starts over what lies downstream of an uninitialized job. Pending and running jobs refuse the one (422) and are
    left alone, with their descendants, by the other.
    """
    with database.read() as db:
        workflows.require(db, workflow_id)
        graph.refuse_cycles(db, workflow_id)
    with database.write() as db:
        busy.refuse(db, workflow_id)
        if not only_uninitialized:
            _refuse_running(db, workflow_id)
        busy.begin(
            db, workflow_id, "initialize_jobs", only_uninitialized=only_uninitialized, clear_ephemeral=clear_ephemeral
        )
    _finish(database, workflow_id)


def cancel(database: Database, workflow_id: int) -> WorkflowStatus:
    """Stop a workflow: nothing is claimed from now on, and everything unsettled becomes canceled."""
    with database.write() as db:
        workflows.fetch_status(db, workflow_id)
        busy.refuse(db, workflow_id)
        db.execute("UPDATE workflow_status SET is_canceled = 1 WHERE id = ?", (workflow_id,))
        busy.begin(db, workflow_id, "cancel")
    _finish(database, workflow_id)
    return workflows.status(database, workflow_id)


def reset_status(database: Database, workflow_id: int, *, force: bool = False) -> WorkflowStatus:
    """Clear the flags of a workflow; the run and the jobs stay."""
    with database.write() as db:
        workflows.fetch_status(db, workflow_id)
        _refuse_archived(db, workflow_id)
        busy.refuse(db, workflow_id)
        if not force:
            _refuse_running(db, workflow_id)
        db.execute(f"UPDATE workflow_status SET {_CLEAR_FLAGS} WHERE id = ?", (workflow_id,))
        workflows.touch(db, workflow_id)
        return workflows.fetch_status(db, workflow_id)


def reset_job_status(
    database: Database,
    workflow_id: int,
    *,
    failed_only: bool = False,
    force: bool = False,
    with_flags: bool = False,
) -> int:
    """Make jobs uninitialized: all but disabled ones, or those that failed with what lies downstream.

    How many jobs changed; with ``failed_only`` how many of them had failed. With ``force`` pending and running jobs
    are taken away from whoever has them. ``with_flags`` does what ``reset_status`` does in the same transaction.
    """
    with database.write() as db:
        workflows.require(db, workflow_id)
        if with_flags:
            _refuse_archived(db, workflow_id)
        busy.refuse(db, workflow_id)
        if not force:
            _refuse_running(db, workflow_id)
        (count,) = db.execute(
            f"SELECT count(*) FROM job WHERE workflow_id = ? AND status {_FAILED if failed_only else _NOT_RESET}",
            (workflow_id,),
        ).fetchone()
        if with_flags:
            db.execute(f"UPDATE workflow_status SET {_CLEAR_FLAGS} WHERE id = ?", (workflow_id,))
        busy.begin(db, workflow_id, "reset_job_status", failed_only=failed_only, force=force)
    _finish(database, workflow_id)
    return int(count)


def process_changed_job_inputs(database: Database, workflow_id: int, *, dry_run: bool = False) -> list[str]:
    """Start over the jobs that are no longer what they became ready with (fingerprints.py); their names by id.

    What lies behind them is for ``initialize_jobs``. Refused while one of them, or a job behind one, is pending or
    running; ``dry_run`` only tells. Jobs that were never initialized have nothing to be compared with.
    """
    with database.read() as db:
        workflows.require(db, workflow_id)
    changed: list[Changed] = []
    fingerprints = Fingerprints(workflow_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.read() as db:
            changed += fingerprints.changed(db, first_id, last_id)
    again = [job.job_id for job in changed if job.status != JobStatus.UNINITIALIZED]
    if again and not dry_run:
        with database.write() as db:
            busy.refuse(db, workflow_id)
            _refuse_before_handed_out(db, workflow_id, again)
            busy.begin(db, workflow_id, "process_changed_job_inputs")
        _finish(database, workflow_id)
    return [job.name for job in changed]


def _refuse_before_handed_out(db: sqlite3.Connection, workflow_id: int, job_ids: list[int]) -> None:
    if not any(workflows.has_jobs(db, workflow_id, status) for status in HANDED_OUT):
        return
    row = db.execute(
        """
        SELECT id, name, status FROM job
         WHERE id IN (SELECT value FROM json_each(?)) AND status IN ('pending', 'running') ORDER BY id LIMIT 1
        """,
        (json_ids(groups.downstream(db, job_ids)),),
    ).fetchone()
    if row is not None:
        raise Unprocessable(
            f"job {row[0]} '{row[1]}' is {row[2]} although it or a job it depends on has changed; wait until it has "
            f"ended, or cancel it with: torc workflows cancel {workflow_id}"
        )


_FAILED = "IN ('failed', 'terminated')"
_RESTING = COMPLETE | {JobStatus.BLOCKED, JobStatus.READY}
_NOT_RESET = "NOT IN ('uninitialized', 'disabled')"


def _refuse_archived(db: sqlite3.Connection, workflow_id: int) -> None:
    if workflows.fetch_status(db, workflow_id).is_archived:
        raise Unprocessable(reinitialization.ARCHIVED)


def _refuse_running(db: sqlite3.Connection, workflow_id: int) -> None:
    if any(workflows.has_jobs(db, workflow_id, status) for status in HANDED_OUT):
        raise Unprocessable("Cannot reset workflow status: jobs are currently running or pending submission")


def _initialize(database: Database, workflow_id: int, user: str | None, hostname: str | None) -> None:
    reset.start_over(database, workflow_id, _RESTING)
    reset.clear_ephemeral(database, workflow_id)
    reset.decide_all(database, workflow_id)
    with database.write() as db:
        (run_id,) = db.execute("SELECT run_id FROM workflow_status WHERE id = ?", (workflow_id,)).fetchone()
        events.note(
            db,
            workflow_id,
            "workflow",
            "start",
            f"Started run {run_id} of workflow {workflow_id}.",
            run_id=run_id,
            user=user,
            hostname=hostname,
        )
        reset.open_for_runners(db, workflow_id)


def _initialize_jobs(database: Database, workflow_id: int, only_uninitialized: bool, clear_ephemeral: bool) -> None:
    again = {JobStatus.BLOCKED, JobStatus.READY}
    if only_uninitialized:
        implied.add(database, workflow_id)  # a new job may stand before a completed one
        reset.downstream(database, workflow_id)
    else:
        again |= {JobStatus.TERMINATED}
    reset.start_over(database, workflow_id, frozenset(again), forget=False)
    if clear_ephemeral:
        reset.clear_ephemeral(database, workflow_id)
    reset.decide_all(database, workflow_id)
    with database.write() as db:
        reset.open_for_runners(db, workflow_id)


def _cancel(database: Database, workflow_id: int) -> None:
    canceled: list[int] = []
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            ids = reset.ids_with(db, workflow_id, first_id, last_id, UNSETTLED - {JobStatus.UNINITIALIZED})
            changes = [Change(job_id, JobStatus.CANCELED, Cause.USER) for job_id in ids]
            applied = change_status(db, workflow_id, changes, decide=False)
            triggers.count_jobs(db, workflow_id, applied.changed, fire=False)
            canceled += ids
    with database.write() as db:
        events.note(
            db,
            workflow_id,
            "workflow",
            "cancel",
            f"Canceled workflow {workflow_id} with {len(canceled)} unfinished job(s).",
            job_ids=canceled,
            cause=Cause.USER,
        )
        busy.done(db, workflow_id)
        outcomes.announce_completion(db, workflow_id)


def _reset_job_status(database: Database, workflow_id: int, failed_only: bool, force: bool = False) -> None:
    if failed_only:
        # Jobs that went on in spite of a failure may be ready: they have to wait again.
        reset.start_over(database, workflow_id, frozenset({JobStatus.FAILED, JobStatus.TERMINATED}), decide=True)
        reset.downstream(database, workflow_id, decide=True, although_running=force)
    else:
        statuses = UNSETTLED - {JobStatus.UNINITIALIZED} if force else {JobStatus.BLOCKED, JobStatus.READY}
        reset.start_over(database, workflow_id, COMPLETE | statuses)
    with database.write() as db:
        busy.done(db, workflow_id)


def _process_changed_job_inputs(database: Database, workflow_id: int) -> None:
    fingerprints = Fingerprints(workflow_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            changed = {job.job_id for job in fingerprints.changed(db, first_id, last_id)}
            resting = reset.ids_with(
                db, workflow_id, first_id, last_id, COMPLETE | {JobStatus.BLOCKED, JobStatus.READY}
            )
            reset.jobs(db, workflow_id, [job_id for job_id in resting if job_id in changed], decide=True)
    with database.write() as db:
        busy.done(db, workflow_id)


VERBS: dict[str, Callable[..., None]] = {
    "initialize": _initialize,
    "initialize_jobs": _initialize_jobs,
    reinitialization.VERB: reinitialization.go_on,
    "cancel": _cancel,
    "reset_job_status": _reset_job_status,
    "process_changed_job_inputs": _process_changed_job_inputs,
}


def resume_busy(database: Database) -> int:
    """Finish the verbs that a crash interrupted; how many."""
    return busy.resume(database, VERBS)


def _finish(database: Database, workflow_id: int) -> None:
    busy.finish(database, workflow_id, VERBS)
