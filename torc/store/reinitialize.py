"""Begin a new run of what has not succeeded, has changed or depends on such. Which jobs those are: stale.py."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torc.errors import Conflict, Unprocessable
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.models.workflow import ReinitializeAnswer, ReinitializeRequest
from torc.store import busy, escalation, events, found_files, graph, inputs, reset, stale, workflows
from torc.store.database import Database
from torc.store.found_files import Differences
from torc.store.rows import json_ids
from torc.store.stale import Plan, Standing

VERB = "reinitialize"

ARCHIVED = "Cannot reset archived workflow status. Unarchive the workflow first."


@dataclass
class Survey:
    """All that was looked at before anything is changed."""

    revision: int  # of the workflow then
    jobs: dict[int, Standing]
    plan: Plan
    files: Differences
    answer: ReinitializeAnswer


def begin(database: Database, workflow_id: int, request: ReinitializeRequest) -> ReinitializeAnswer:
    """Check, and say in one transaction what is to be done; with ``dry_run`` only tell. A refusal changes nothing."""
    while True:
        survey = _look(database, workflow_id, request)
        if request.dry_run:
            return survey.answer
        _refuse_missing(database, workflow_id, request, survey.answer)
        with database.write() as db:
            if _check(db, workflow_id, request) == survey.revision:  # else the jobs may have changed: look again
                _begin(db, workflow_id, request, survey)
                return survey.answer


def _look(database: Database, workflow_id: int, request: ReinitializeRequest) -> Survey:
    with database.read() as db:
        revision = _check(db, workflow_id, request)
        escalation.check(db, workflow_id, request.raised or ())
        edges = graph.refuse_cycles(db, workflow_id)
        files = found_files.compare(db, workflow_id, request.files)
        jobs = stale.standings(db, workflow_id)
    plan = stale.plan(edges, jobs, stale.reasons(database, workflow_id, request, jobs, files))
    with database.read() as db:
        answer = ReinitializeAnswer(
            run_id=workflows.fetch_status(db, workflow_id).run_id + 1,
            dry_run=request.dry_run,
            jobs=stale.told(db, plan.again, jobs),
            jobs_ready=plan.ready,
            jobs_waiting=len(plan.runs) - len(plan.again),
            missing_files=inputs.needed_by(db, "file", plan.runs, among=files.missing),
            missing_user_data=inputs.needed_by(db, "user_data", plan.runs, among=inputs.without_data(db, workflow_id)),
            existing_outputs=_written_by(db, plan.again.keys(), files.there),
        )
    return Survey(revision, jobs, plan, files, answer)


def _check(db: sqlite3.Connection, workflow_id: int, request: ReinitializeRequest) -> int:
    """Raise if the workflow cannot be reinitialized now; its revision."""
    revision = workflows.fetch(db, workflow_id).revision
    status = workflows.fetch_status(db, workflow_id)
    if status.is_archived:
        raise Unprocessable(ARCHIVED)
    busy.refuse(db, workflow_id)
    if request.from_run_id not in (None, status.run_id):
        raise Conflict(
            f"workflow {workflow_id} is in run {status.run_id} and no longer in run {request.from_run_id}: somebody "
            f"has begun another run; see: torc workflows status {workflow_id}"
        )
    if not request.although_running:
        _refuse_running(db, workflow_id)
    assert revision is not None
    return revision


def _refuse_running(db: sqlite3.Connection, workflow_id: int) -> None:
    """What is pending without a living node was lost, and starts over."""
    row = db.execute(
        """
        SELECT job.id, job.name, job.status FROM job LEFT JOIN compute_node AS n ON n.id = job.active_compute_node_id
         WHERE job.workflow_id = ? AND job.status IN ('pending', 'running')
           AND (job.status = 'running' OR n.is_active)
         LIMIT 1
        """,
        (workflow_id,),
    ).fetchone()
    if row is not None:
        raise Unprocessable(
            f"workflow {workflow_id} cannot be reinitialized while jobs run: job {row[0]} '{row[1]}' is {row[2]}; wait "
            f"until it has ended, or cancel it with: torc workflows cancel {workflow_id}"
        )


def _refuse_missing(
    database: Database, workflow_id: int, request: ReinitializeRequest, found: ReinitializeAnswer
) -> None:
    with database.read() as db:
        if found.missing_user_data:
            names = inputs.name_records(db, "name", "user_data", found.missing_user_data)
            raise Unprocessable(
                f"workflow {workflow_id} lacks user data that jobs read and no job writes: {names}; store it with "
                "PUT /user_data/ID",
                user_data=found.missing_user_data,
            )
        if found.missing_files and not request.ignore_missing:
            paths = inputs.name_records(db, "path", "file", found.missing_files)
            raise Unprocessable(
                f"workflow {workflow_id} reads files that are not there: {paths}. Put them in place, or go on without "
                "them with --force.",
                files=found.missing_files,
            )


def _written_by(db: sqlite3.Connection, job_ids: Iterable[int], file_ids: Iterable[int]) -> list[int]:
    # The + keeps SQLite from looking up every job with every file.
    rows = db.execute(
        """
        SELECT DISTINCT file_id FROM job_output_file
         WHERE file_id IN (SELECT value FROM json_each(?)) AND +job_id IN (SELECT value FROM json_each(?))
         ORDER BY file_id
        """,
        (json_ids(file_ids), json_ids(job_ids)),
    )
    return [file_id for (file_id,) in rows]


def _begin(db: sqlite3.Connection, workflow_id: int, request: ReinitializeRequest, survey: Survey) -> None:
    db.execute(
        """
        UPDATE workflow_status
           SET run_id = run_id + 1, is_canceled = 0, has_detected_need_to_run_completion_script = 0
         WHERE id = ?
        """,
        (workflow_id,),
    )
    found_files.store(db, survey.files.to_store)
    now_canceled = {
        job_id for job_id in survey.plan.canceled if survey.jobs[job_id].status in COMPLETE - {JobStatus.CANCELED}
    }
    busy.begin(
        db,
        workflow_id,
        VERB,
        job_ids=sorted(survey.plan.again.keys() | now_canceled),
        again=len(survey.plan.again),
        user=request.user,
        hostname=request.hostname,
        raised=request.raised,
    )


def go_on(
    database: Database,
    workflow_id: int,
    job_ids: list[int],
    again: int,
    user: str | None,
    hostname: str | None,
    raised: list[dict[str, Any]] | None = None,
) -> None:
    """Do what ``begin`` has said, or go on doing it after a crash."""
    keep_raised = raised is not None
    reset.start_over(database, workflow_id, COMPLETE | HANDED_OUT, only=frozenset(job_ids), keep_raised=keep_raised)
    unsettled = frozenset({JobStatus.BLOCKED, JobStatus.READY})
    reset.start_over(database, workflow_id, unsettled, keep_raised=keep_raised)
    escalation.give_all(database, raised or ())
    reset.clear_ephemeral(database, workflow_id, only_rewritten=True)
    reset.decide_all(database, workflow_id)
    with database.write() as db:
        run_id = workflows.fetch_status(db, workflow_id).run_id
        events.note(
            db,
            workflow_id,
            "workflow",
            VERB,
            f"Started run {run_id} of workflow {workflow_id}; {again} job(s) run again.",
            run_id=run_id,
            user=user,
            hostname=hostname,
            job_ids=job_ids[: events.FIRST_IDS],
            count=again,
        )
        reset.open_for_runners(db, workflow_id)
