"""The records of a draft become rows: positions in the document are ids by addition."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from torc.errors import Unprocessable
from torc.models.action import WorkflowAction
from torc.models.draft import (
    DraftAction,
    DraftBatch,
    DraftFailureHandler,
    DraftFile,
    DraftJob,
    DraftLocalScheduler,
    DraftRequirements,
    DraftScheduler,
    DraftUserData,
)
from torc.models.record import Record
from torc.store import actions, draft_history, groups, requirements, workflows
from torc.store.draft_positions import TABLES, UNCOUNTED, Draft, schedulers_of
from torc.store.rows import columns, insert_many, to_row

PLAIN: dict[str, type[Record]] = {
    "files": DraftFile,
    "user_data": DraftUserData,
    "resource_requirements": DraftRequirements,
    "slurm_schedulers": DraftScheduler,
    "local_schedulers": DraftLocalScheduler,
    "failure_handlers": DraftFailureHandler,
}
"""The kinds whose fields are the columns of their table, as they are."""


def insert(db: sqlite3.Connection, draft: Draft, batch: DraftBatch) -> None:
    """Store the records of the next batch, in the caller's transaction."""
    workflow_id = draft.workflow_id
    at = {kind: draft.sent.get(kind, 0) for kind in (*TABLES, *UNCOUNTED)}
    first = {kind: draft.bases[kind] + at[kind] for kind in TABLES}
    for kind in at:
        draft.sent[kind] = at[kind] + len(getattr(batch, kind))
        if kind in draft.counts and draft.sent[kind] > draft.counts[kind]:
            raise Unprocessable(f"{kind}: more records than the {draft.counts[kind]} that were announced")
    for needs in batch.resource_requirements:
        requirements.check(needs)
    for kind, model in PLAIN.items():
        names = columns(model)
        rows = [
            (record_id, workflow_id, *to_row(record, names))
            for record_id, record in enumerate(getattr(batch, kind), first[kind])
        ]
        insert_many(db, TABLES[kind], ("id", "workflow_id", *names), rows)
    for group_id, group in enumerate(batch.groups, first["groups"]):
        at_group = group_id - draft.bases["groups"]
        members = draft.ids("jobs", sorted(set(group.members)), "groups", at_group, "members")
        db.execute(
            "INSERT INTO dependency_group (id, workflow_id, members_hash) VALUES (?, ?, ?)",
            (group_id, workflow_id, groups.members_hash(members)),
        )
        db.executemany(
            "INSERT INTO dependency_group_member (group_id, job_id) VALUES (?, ?)",
            [(group_id, member) for member in members],
        )
    _insert_jobs(db, draft, batch.jobs, first["jobs"])  # after the groups they wait for
    for index, action in enumerate(batch.actions, at["actions"]):
        _insert_action(db, draft, action, index)
    draft_history.insert(db, draft, batch, at)


def _insert_action(db: sqlite3.Connection, draft: Draft, action: DraftAction, at: int) -> None:
    config = action.action_config
    if action.scheduler is not None:
        kind = schedulers_of(config.get("scheduler_type"))
        scheduler_id = draft.id(kind, action.scheduler, "actions", at, "scheduler")
        config = {"scheduler_id": scheduler_id, **config}
    job_ids = None if action.jobs is None else draft.ids("jobs", action.jobs, "actions", at, "jobs")
    whole = WorkflowAction(
        trigger_type=action.trigger_type,
        action_type=action.action_type,
        action_config=config,
        persistent=action.persistent,
    )
    actions.check(whole)
    action_id = actions.insert_row(db, draft.workflow_id, whole, job_ids)
    if action.state is not None:
        draft_history.restore_action(db, draft, action_id, action.state, at)


LINKS = (
    ("depends_on", "jobs", "job_depends_on", "depends_on_job_id"),
    ("depends_on_groups", "groups", "job_depends_on_group", "group_id"),
    ("input_files", "files", "job_input_file", "file_id"),
    ("output_files", "files", "job_output_file", "file_id"),
    ("input_user_data", "user_data", "job_input_user_data", "user_data_id"),
    ("output_user_data", "user_data", "job_output_user_data", "user_data_id"),
)
"""Field of a draft job, the kind its indexes count, the table and column that hold them."""

JOB_COLUMNS = (
    "id",
    "workflow_id",
    "name",
    "command",
    "invocation_script",
    "cancel_on_blocking_job_failure",
    "supports_termination",
    "resource_requirements_id",
    "scheduler_id",
    "failure_handler_id",
)


def _insert_jobs(db: sqlite3.Connection, draft: Draft, jobs: Sequence[DraftJob], first_id: int) -> None:
    default_id = workflows.default_requirements(db, draft.workflow_id)
    first_index = first_id - draft.bases["jobs"]
    have_run = any(job.state is not None for job in jobs)
    rows: list[tuple[Any, ...]] = []
    for job_id, job in enumerate(jobs, first_id):
        at = first_index + job_id - first_id
        needs = draft.one_id("resource_requirements", job.resource_requirements, "jobs", at, "resource_requirements")
        scheduler = draft.one_id("slurm_schedulers", job.scheduler, "jobs", at, "scheduler")
        handler = draft.one_id("failure_handlers", job.failure_handler, "jobs", at, "failure_handler")
        rows.append(
            (
                job_id,
                draft.workflow_id,
                job.name,
                job.command,
                job.invocation_script,
                job.cancel_on_blocking_job_failure,
                job.supports_termination,
                needs or default_id,
                scheduler or 0,
                handler,
                *(draft_history.job_state(draft, job.state, at) if have_run else ()),
            )
        )
    insert_many(db, "job", (*JOB_COLUMNS, *(draft_history.STATE_COLUMNS if have_run else ())), rows)
    for field, kind, table, column in LINKS:
        linked = [(index, others) for index, others in enumerate(map(attrgetter(field), jobs)) if others]
        _insert_links(
            db,
            table,
            column,
            [
                (first_id + index, other)
                for index, others in linked
                for other in draft.ids(kind, others, "jobs", first_index + index, field)
            ],
        )


def _insert_links(db: sqlite3.Connection, table: str, column: str, rows: list[tuple[int, int]]) -> None:
    try:
        insert_many(db, table, ("job_id", column), rows)
    except sqlite3.IntegrityError as error:
        raise Unprocessable(
            f"{column}: a job names the same one twice, or itself, or a group that was not sent yet"
        ) from error
