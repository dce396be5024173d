"""The records of a draft become rows: positions in the document are ids by addition."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from torc.errors import Unprocessable
from torc.models.action import WorkflowAction
from torc.models.draft import DraftAction, DraftBatch, DraftJob, DraftScheduler
from torc.store import actions, groups, requirements, workflows
from torc.store.rows import insert_many, to_json

TABLES = {
    "files": "file",
    "user_data": "user_data",
    "resource_requirements": "resource_requirements",
    "slurm_schedulers": "slurm_scheduler",
    "failure_handlers": "failure_handler",
    "jobs": "job",
    "groups": "dependency_group",
}
"""Where each kind of record of a document is stored."""


class Draft(msgspec.Struct):
    """The bookkeeping row of a draft."""

    workflow_id: int
    last_batch: int
    counts: dict[str, int]
    bases: dict[str, int]
    sent: dict[str, int]
    hidden: str | None

    def ids(self, kind: str, indexes: Sequence[int], place: str) -> list[int]:
        """The ids behind indexes into the document."""
        base, count = self.bases[kind], self.counts[kind]
        for index in indexes:
            if not 0 <= index < count:
                raise Unprocessable(f"{place}: index {index} is outside the {count} {kind} of the document")
        return [base + index for index in indexes]

    def one_id(self, kind: str, index: int | None, job: int, field: str) -> int | None:
        """The id behind a field of the job at index ``job``, which may be left out."""
        return None if index is None else self.ids(kind, [index], f"jobs[{job}].{field}")[0]


def insert(db: sqlite3.Connection, draft: Draft, batch: DraftBatch) -> None:
    """Store the records of the next batch, in the caller's transaction."""
    workflow_id = draft.workflow_id
    first = {kind: draft.bases[kind] + draft.sent[kind] for kind in TABLES}
    for kind in TABLES:
        draft.sent[kind] += len(getattr(batch, kind))
        if draft.sent[kind] > draft.counts[kind]:
            raise Unprocessable(f"{kind}: more records than the {draft.counts[kind]} that were announced")
    db.executemany(
        "INSERT INTO file (id, workflow_id, name, path, st_mtime) VALUES (?, ?, ?, ?, ?)",
        [(n, workflow_id, file.name, file.path, file.st_mtime) for n, file in enumerate(batch.files, first["files"])],
    )
    db.executemany(
        "INSERT INTO user_data (id, workflow_id, name, is_ephemeral, data) VALUES (?, ?, ?, ?, ?)",
        [
            (n, workflow_id, item.name, item.is_ephemeral, None if item.data is None else to_json(item.data))
            for n, item in enumerate(batch.user_data, first["user_data"])
        ],
    )
    for needs in batch.resource_requirements:
        requirements.check(needs)
    db.executemany(
        """
        INSERT INTO resource_requirements
               (id, workflow_id, name, num_cpus, num_gpus, num_nodes, memory, runtime) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            (n, workflow_id, r.name, r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime)
            for n, r in enumerate(batch.resource_requirements, first["resource_requirements"])
        ],
    )
    insert_many(
        db,
        "slurm_scheduler",
        ("id", "workflow_id", *DraftScheduler.__struct_fields__),
        [
            (n, workflow_id, *msgspec.structs.astuple(scheduler))
            for n, scheduler in enumerate(batch.slurm_schedulers, first["slurm_schedulers"])
        ],
    )
    insert_many(
        db,
        "failure_handler",
        ("id", "workflow_id", "name", "rules"),
        [
            (n, workflow_id, handler.name, to_json(handler.rules))
            for n, handler in enumerate(batch.failure_handlers, first["failure_handlers"])
        ],
    )
    for group_id, group in enumerate(batch.groups, first["groups"]):
        members = draft.ids("jobs", sorted(set(group.members)), f"groups[{group_id - draft.bases['groups']}].members")
        db.execute(
            "INSERT INTO dependency_group (id, workflow_id, members_hash) VALUES (?, ?, ?)",
            (group_id, workflow_id, groups.members_hash(members)),
        )
        db.executemany(
            "INSERT INTO dependency_group_member (group_id, job_id) VALUES (?, ?)",
            [(group_id, member) for member in members],
        )
    _insert_jobs(db, draft, batch.jobs, first["jobs"])  # after the groups they wait for
    for action in batch.actions:
        _insert_action(db, draft, action)


def _insert_action(db: sqlite3.Connection, draft: Draft, action: DraftAction) -> None:
    config = action.action_config
    if action.scheduler is not None:
        (scheduler_id,) = draft.ids("slurm_schedulers", [action.scheduler], "actions.scheduler")
        config = {"scheduler_id": scheduler_id, **config}
    job_ids = None if action.jobs is None else draft.ids("jobs", action.jobs, "actions.jobs")
    whole = WorkflowAction(
        trigger_type=action.trigger_type,
        action_type=action.action_type,
        action_config=config,
        persistent=action.persistent,
    )
    actions.check(whole)
    actions.insert_row(db, draft.workflow_id, whole, job_ids)


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
    rows: list[tuple[Any, ...]] = []
    for job_id, job in enumerate(jobs, first_id):
        at = first_index + job_id - first_id
        needs = draft.one_id("resource_requirements", job.resource_requirements, at, "resource_requirements")
        scheduler = draft.one_id("slurm_schedulers", job.scheduler, at, "scheduler")
        handler = draft.one_id("failure_handlers", job.failure_handler, at, "failure_handler")
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
            )
        )
    insert_many(db, "job", JOB_COLUMNS, rows)
    for field, kind, table, column in LINKS:
        linked = [(index, others) for index, others in enumerate(map(attrgetter(field), jobs)) if others]
        _insert_links(
            db,
            table,
            column,
            [
                (first_id + index, other)
                for index, others in linked
                for other in draft.ids(kind, others, f"jobs[{first_index + index}].{field}")
            ],
        )


def _insert_links(db: sqlite3.Connection, table: str, column: str, rows: list[tuple[int, int]]) -> None:
    try:
        insert_many(db, table, ("job_id", column), rows)
    except sqlite3.IntegrityError as error:
        raise Unprocessable(
            f"{column}: a job names the same one twice, or itself, or a group that was not sent yet"
        ) from error
