"""Workflows under construction: batches that nobody sees until finalize makes the whole visible at once."""

import hashlib
import hmac
import sqlite3
import threading
import time
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.draft import DraftAnswer, DraftBatch, DraftCounts, DraftJob, DraftRequest
from torc.models.workflow import Workflow
from torc.store import actions, busy, deletion, graph, groups, implied, readiness, requirements, workflows
from torc.store.database import Database
from torc.store.rows import insert_many, to_json
from torc.store.table import reserve_ids

IDLE_S = 3600.0
TABLES = {
    "files": "file",
    "user_data": "user_data",
    "resource_requirements": "resource_requirements",
    "jobs": "job",
    "groups": "dependency_group",
}
"""Where each kind of record of a document is stored."""

# When each draft was last written to, on the monotonic clock; a restart starts the hour again.
_last_used: dict[int, float] = {}
_last_used_guard = threading.Lock()


class _Draft(msgspec.Struct):
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


def create(database: Database, request: DraftRequest, owner: str | None) -> DraftAnswer:
    """Begin a draft and reserve the ids of everything it will hold, so that references are arithmetic."""
    counts = {kind: getattr(request.counts, kind) for kind in DraftCounts.__struct_fields__}
    for kind, count in counts.items():
        if not 0 <= count < 2**31:
            raise Unprocessable(f"counts.{kind}: {count} is not a possible number of records")
    token = workflows.new_token()
    with database.write() as db:
        workflow_id = workflows.insert_row(db, request.workflow, owner, hidden="draft")
        bases = {kind: reserve_ids(db, TABLES[kind], count) for kind, count in counts.items()}
        db.execute(
            "INSERT INTO draft (workflow_id, token_hash, counts, bases, sent) VALUES (?, ?, ?, ?, ?)",
            (workflow_id, _hash(token), to_json(counts), to_json(bases), to_json(dict.fromkeys(counts, 0))),
        )
    _touch(workflow_id)
    return DraftAnswer(workflow_id=workflow_id, token=token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _touch(workflow_id: int) -> None:
    with _last_used_guard:
        _last_used[workflow_id] = time.monotonic()


def _open(db: sqlite3.Connection, workflow_id: int, token: str | None) -> _Draft:
    """The draft, for who has its token; to everyone else it does not exist."""
    row = db.execute(
        """
        SELECT d.token_hash, d.last_batch, d.counts, d.bases, d.sent, w.hidden
          FROM draft AS d JOIN workflow AS w ON w.id = d.workflow_id
         WHERE d.workflow_id = ? AND w.hidden IS NOT 'deleted'
        """,
        (workflow_id,),
    ).fetchone()
    if row is None or not hmac.compare_digest(row[0], _hash(token or "")):
        raise NotFound(f"Draft not found with ID: {workflow_id}")
    _touch(workflow_id)
    counts, bases, sent = (msgspec.json.decode(text) for text in row[2:5])
    return _Draft(workflow_id, row[1], counts, bases, sent, row[5])


def add(database: Database, workflow_id: int, token: str | None, batch: DraftBatch) -> None:
    """Store the next records. The last batch again is acknowledged without effect; a gap is refused."""
    with database.write() as db:
        draft = _open(db, workflow_id, token)
        if draft.hidden is None:
            raise Conflict(f"draft {workflow_id} is finished; nothing can be added")
        if batch.batch == draft.last_batch > 0:
            return
        if batch.batch != draft.last_batch + 1:
            raise Conflict(f"batch {batch.batch} of draft {workflow_id} does not follow batch {draft.last_batch}")
        _insert(db, draft, batch)
        db.execute(
            "UPDATE draft SET last_batch = ?, sent = ? WHERE workflow_id = ?",
            (batch.batch, to_json(draft.sent), workflow_id),
        )


def _insert(db: sqlite3.Connection, draft: _Draft, batch: DraftBatch) -> None:
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
        actions.check(action)
        job_ids = None if action.job_ids is None else draft.ids("jobs", action.job_ids, "actions.job_ids")
        actions.insert_row(db, workflow_id, action, job_ids)


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
)


def _insert_jobs(db: sqlite3.Connection, draft: _Draft, jobs: Sequence[DraftJob], first_id: int) -> None:
    default_id = workflows.default_requirements(db, draft.workflow_id)
    first_index = first_id - draft.bases["jobs"]
    rows: list[tuple[Any, ...]] = []
    for job_id, job in enumerate(jobs, first_id):
        needs = default_id
        if job.resource_requirements is not None:
            place = f"jobs[{first_index + job_id - first_id}].resource_requirements"
            (needs,) = draft.ids("resource_requirements", [job.resource_requirements], place)
        rows.append(
            (
                job_id,
                draft.workflow_id,
                job.name,
                job.command,
                job.invocation_script,
                job.cancel_on_blocking_job_failure,
                job.supports_termination,
                needs,
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


def finalize(database: Database, workflow_id: int, token: str | None) -> Workflow:
    """Check the whole and make it visible. Again is the same answer.

    The checks and the counters need no lock over all: nobody else can change a draft. Only the flip does.
    """
    with database.read() as db:
        draft = _open(db, workflow_id, token)
        if draft.hidden is None:
            return workflows.fetch(db, workflow_id)
        for kind, count in draft.counts.items():
            if draft.sent[kind] != count:
                raise Conflict(f"draft {workflow_id} has {draft.sent[kind]} of {count} announced {kind}; send the rest")
        graph.refuse_cycles(db, workflow_id)
    implied.add(database, workflow_id)
    _count(database, workflow_id)
    with database.write() as db:
        _open(db, workflow_id, token)
        db.execute("UPDATE workflow SET hidden = NULL WHERE id = ?", (workflow_id,))
        return workflows.fetch(db, workflow_id)


def _count(database: Database, workflow_id: int) -> None:
    """Set the counters of groups and jobs."""
    with database.read() as db:
        ids = db.execute("SELECT id FROM dependency_group WHERE workflow_id = ?", (workflow_id,)).fetchall()
    for (group_id,) in ids:
        with database.write() as db:
            groups.recount_group(db, group_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            waiting = db.execute(
                """
                SELECT job_id FROM job_depends_on WHERE job_id BETWEEN :first AND :last
                 UNION
                SELECT job_id FROM job_depends_on_group WHERE job_id BETWEEN :first AND :last
                """,
                {"first": first_id, "last": last_id},
            ).fetchall()
            readiness.recount(db, [job_id for (job_id,) in waiting])


def discard(database: Database, workflow_id: int, token: str | None) -> None:
    """Throw a draft away; a finished one is a workflow and stays."""
    with database.write() as db:
        if _open(db, workflow_id, token).hidden is None:
            raise Conflict(f"draft {workflow_id} is finished; delete the workflow instead")
        db.execute("UPDATE workflow SET hidden = 'deleted' WHERE id = ?", (workflow_id,))
    deletion.purge(database, workflow_id)


def delete_idle(database: Database) -> int:
    """Remove drafts that nobody wrote to for an hour, and the tokens of finished ones; how many drafts."""
    with database.read() as db:
        rows = db.execute("SELECT workflow_id, hidden FROM draft JOIN workflow AS w ON w.id = workflow_id").fetchall()
    now = time.monotonic()
    removed = 0
    for workflow_id, hidden in rows:
        with _last_used_guard:
            if now - _last_used.setdefault(workflow_id, now) < IDLE_S:
                continue
            del _last_used[workflow_id]
        with database.write() as db:
            db.execute("DELETE FROM draft WHERE workflow_id = ?", (workflow_id,))
            db.execute("UPDATE workflow SET hidden = 'deleted' WHERE id = ? AND hidden = 'draft'", (workflow_id,))
        if hidden == "draft":
            deletion.purge(database, workflow_id)
            removed += 1
    return removed
