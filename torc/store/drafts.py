"""Workflows under construction: batches that nobody sees until finalize makes the whole visible at once."""

import hashlib
import hmac
import sqlite3
import threading
import time

import msgspec

from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.draft import DraftAnswer, DraftBatch, DraftCounts, DraftRequest
from torc.models.workflow import Workflow
from torc.store import busy, deletion, draft_history, draft_records, graph, groups, implied, readiness, workflows
from torc.store.database import Database
from torc.store.draft_positions import TABLES, Draft
from torc.store.rows import to_json
from torc.store.table import reserve_ids

IDLE_S = 3600.0

SHORT_WRITE_S = 0.05
"""About how long counting many groups keeps other writers waiting."""

# When each draft was last written to, on the monotonic clock; a restart starts the hour again.
_last_used: dict[int, float] = {}
_last_used_guard = threading.Lock()


def create(database: Database, request: DraftRequest, owner: str | None) -> DraftAnswer:
    """Begin a draft and reserve the ids of everything it will hold, so that references are arithmetic."""
    counts = {kind: getattr(request.counts, kind) for kind in DraftCounts.__struct_fields__}
    for kind, count in counts.items():
        if not 0 <= count < 2**31:
            raise Unprocessable(f"counts.{kind}: {count} is not a possible number of records")
    token = workflows.new_token()
    with database.write() as db:
        workflow_id = workflows.insert_row(db, request.workflow, owner, hidden="draft")
        if request.status is not None:
            draft_history.restore_status(db, workflow_id, request.status)
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


def _open(db: sqlite3.Connection, workflow_id: int, token: str | None) -> Draft:
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
    return Draft(workflow_id, row[1], counts, bases, sent, row[5])


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
        draft_records.insert(db, draft, batch)
        db.execute(
            "UPDATE draft SET last_batch = ?, sent = ? WHERE workflow_id = ?",
            (batch.batch, to_json(draft.sent), workflow_id),
        )


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
    implied.add(database, workflow_id, count=False)
    _count(database, workflow_id)
    draft_history.settle(database, workflow_id)
    with database.write() as db:
        _open(db, workflow_id, token)
        db.execute("UPDATE workflow SET hidden = NULL WHERE id = ?", (workflow_id,))
        return workflows.fetch(db, workflow_id)


def _count(database: Database, workflow_id: int) -> None:
    """Set the counters of groups and jobs."""
    with database.read() as db:
        ids = db.execute("SELECT id FROM dependency_group WHERE workflow_id = ?", (workflow_id,)).fetchall()
    while ids:
        with database.write() as db:
            until = time.monotonic() + SHORT_WRITE_S
            while ids and time.monotonic() < until:
                groups.recount_group(db, *ids.pop())
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
