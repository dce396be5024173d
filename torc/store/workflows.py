"""Workflows as a whole: their records, their status, whether they are complete."""

import secrets
import sqlite3
from typing import Any

from torc.errors import NotFound, Unprocessable
from torc.models.record import Page
from torc.models.status import UNSETTLED
from torc.models.workflow import IsComplete, Workflow, WorkflowStatus
from torc.store.database import Database
from torc.store.rows import columns, exists, to_record, to_row
from torc.units import utc_now_iso

NAMES = columns(Workflow, ("status_id",))
STATUS_NAMES = columns(WorkflowStatus)
DEFAULT_REQUIREMENTS = "default"
"""Name of the requirements that jobs without any get: 1 CPU, 1 MB, 1 minute."""
MOST_RUNS = 2**31 - 1  # counted on from here, a run is still an integer of SQLite's


def create(database: Database, workflow: Workflow, owner: str | None) -> Workflow:
    """Store a workflow with its status and its default requirements, visible at once."""
    with database.write() as db:
        return fetch(db, insert_row(db, workflow, owner))


def insert_row(db: sqlite3.Connection, workflow: Workflow, owner: str | None, *, hidden: str | None = None) -> int:
    """Add the rows every workflow has, in the caller's transaction."""
    names = [name for name in NAMES if name not in ("id", "owner", "timestamp", "revision")]
    cursor = db.execute(
        f"""
        INSERT INTO workflow ({", ".join(names)}, owner, timestamp, hidden)
        VALUES ({", ".join("?" * len(names))}, ?, ?, ?)
        """,
        [*to_row(workflow, names), owner, utc_now_iso(), hidden],
    )
    workflow_id = cursor.lastrowid
    assert workflow_id is not None
    db.execute("INSERT INTO workflow_status (id) VALUES (?)", (workflow_id,))
    db.execute(
        "INSERT INTO resource_requirements (workflow_id, name) VALUES (?, ?)", (workflow_id, DEFAULT_REQUIREMENTS)
    )
    return workflow_id


def default_requirements(db: sqlite3.Connection, workflow_id: int) -> int:
    """The first record named ``default``, which every workflow has; 0 for a workflow that does not exist."""
    (found,) = db.execute(
        "SELECT min(id) FROM resource_requirements WHERE workflow_id = ? AND name = ?",
        (workflow_id, DEFAULT_REQUIREMENTS),
    ).fetchone()
    return found or 0


def get(database: Database, workflow_id: int) -> Workflow:
    """One workflow, or NotFound."""
    with database.read() as db:
        return fetch(db, workflow_id)


def fetch(db: sqlite3.Connection, workflow_id: int) -> Workflow:
    """One visible workflow in the caller's transaction."""
    row = db.execute(
        f"SELECT {', '.join(NAMES)} FROM workflow WHERE id = ? AND hidden IS NULL", (workflow_id,)
    ).fetchone()
    if row is None:
        raise _unknown(workflow_id)
    return with_status_id(to_record(Workflow, NAMES, row))


def with_status_id(workflow: Workflow) -> Workflow:
    """The contract's status id, which always equals the workflow's."""
    workflow.status_id = workflow.id
    return workflow


def require(db: sqlite3.Connection, workflow_id: int) -> None:
    """Raise NotFound unless the workflow exists and is visible."""
    if not is_visible(db, workflow_id):
        raise _unknown(workflow_id)


def is_visible(db: sqlite3.Connection, workflow_id: int) -> bool:
    """Whether the workflow exists and is neither a draft nor being deleted."""
    return exists(db, "SELECT 1 FROM workflow WHERE id = ? AND hidden IS NULL", (workflow_id,))


def require_member(db: sqlite3.Connection, workflow_id: int, field: str, table: str, record_id: int) -> None:
    """Raise Unprocessable unless what ``field`` refers to is a record of the workflow."""
    if not exists(db, f"SELECT 1 FROM {table} WHERE id = ? AND workflow_id = ?", (record_id, workflow_id)):
        raise Unprocessable(f"{field}: no {table.replace('_', ' ')} {record_id} in workflow {workflow_id}")


def _unknown(workflow_id: int) -> NotFound:
    return NotFound(f"Workflow not found with ID: {workflow_id}")


def page(
    database: Database,
    paging: Any,
    name: str | None = None,
    user: str | None = None,
    description: str | None = None,
    is_archived: bool | None = None,
) -> Page[Workflow]:
    """One page of the visible workflows. ``description`` matches as a part, upper and lower case alike."""
    from torc.store.table import select_page  # table.py needs this module

    where, arguments = ["hidden IS NULL"], list[Any]()
    for column, value in (("name", name), ("user", user)):
        if value is not None:
            where.append(f"{column} = ?")
            arguments.append(value)
    if description is not None:
        where.append("instr(lower(description), lower(?)) > 0")
        arguments.append(description)
    if is_archived is not None:
        where.append("id IN (SELECT id FROM workflow_status WHERE is_archived = ?)")
        arguments.append(is_archived)
    with database.read() as db:
        found = select_page(db, Workflow, "workflow", NAMES, " AND ".join(where), arguments, paging)
    for workflow in found.items:
        with_status_id(workflow)
    return found


def update(database: Database, workflow_id: int, workflow: Workflow, given: frozenset[str]) -> Workflow:
    """Write the ``given`` fields that a user may change."""
    names = [name for name in NAMES if name in given and name not in ("id", "owner", "timestamp", "revision")]
    with database.write() as db:
        require(db, workflow_id)
        db.execute(
            f"UPDATE workflow SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            [*to_row(workflow, names), workflow_id],
        )
        touch(db, workflow_id)
        return fetch(db, workflow_id)


def touch(db: sqlite3.Connection, workflow_id: int) -> None:
    """Note that something of the workflow changed."""
    db.execute("UPDATE workflow SET revision = revision + 1 WHERE id = ?", (workflow_id,))


def status(database: Database, workflow_id: int) -> WorkflowStatus:
    """The run a workflow is in, or NotFound."""
    with database.read() as db:
        return fetch_status(db, workflow_id)


def fetch_status(db: sqlite3.Connection, workflow_id: int) -> WorkflowStatus:
    """The status in the caller's transaction."""
    row = db.execute(
        f"""
        SELECT {", ".join(f"s.{name}" for name in STATUS_NAMES)}
          FROM workflow_status AS s JOIN workflow AS w USING (id)
         WHERE s.id = ? AND w.hidden IS NULL
        """,
        (workflow_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"Workflow status not found with ID: {workflow_id}")
    return to_record(WorkflowStatus, STATUS_NAMES, row)


def update_status(
    database: Database, workflow_id: int, wanted: WorkflowStatus, given: frozenset[str]
) -> WorkflowStatus:
    """Write the ``given`` ones of run and flags. Existing clients bump the run this way; it changes no job."""
    if not 0 <= wanted.run_id <= MOST_RUNS:
        raise Unprocessable(f"run_id must be between 0 and {MOST_RUNS}, got {wanted.run_id}")
    names = [name for name in STATUS_NAMES if name in given and name not in ("id", "busy")]
    with database.write() as db:
        fetch_status(db, workflow_id)
        db.execute(
            f"UPDATE workflow_status SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            [*to_row(wanted, names), workflow_id],
        )
        touch(db, workflow_id)
        return fetch_status(db, workflow_id)


def archive(database: Database, workflow_id: int, is_archived: bool) -> WorkflowStatus:
    """Put a workflow away, or take it out again; nothing else of it changes."""
    with database.write() as db:
        fetch_status(db, workflow_id)
        db.execute("UPDATE workflow_status SET is_archived = ? WHERE id = ?", (is_archived, workflow_id))
        touch(db, workflow_id)
        return fetch_status(db, workflow_id)


def is_complete(database: Database, workflow_id: int) -> IsComplete:
    """Whether nothing is left to do. A canceled workflow is complete."""
    with database.read() as db:
        found = fetch_status(db, workflow_id)
        return IsComplete(
            is_canceled=found.is_canceled,
            is_complete=found.is_canceled or not has_unsettled(db, workflow_id),
            needs_to_run_completion_script=found.has_detected_need_to_run_completion_script,
        )


def has_unsettled(db: sqlite3.Connection, workflow_id: int) -> bool:
    """Whether a job is not settled: one look into the index per status until one is found, never a count."""
    return bool(db.execute(_HAS_UNSETTLED, {"workflow": workflow_id}).fetchone()[0])


_HAS_UNSETTLED = "SELECT " + " OR ".join(
    f"EXISTS (SELECT 1 FROM job WHERE workflow_id = :workflow AND status = '{status}')" for status in sorted(UNSETTLED)
)


def has_unsettled_for(db: sqlite3.Connection, workflow_id: int, scheduler_id: int) -> bool:
    """Whether a job is not settled that the allocations of this scheduler may have."""
    return bool(db.execute(_HAS_UNSETTLED_FOR, {"workflow": workflow_id, "scheduler": scheduler_id}).fetchone()[0])


_HAS_UNSETTLED_FOR = _HAS_UNSETTLED.replace("WHERE", "WHERE scheduler_id IN (0, :scheduler) AND")


def has_jobs(db: sqlite3.Connection, workflow_id: int, job_status: str) -> bool:
    """Whether a job has this status."""
    return exists(db, "SELECT 1 FROM job WHERE workflow_id = ? AND status = ?", (workflow_id, job_status))


def is_uninitialized(database: Database, workflow_id: int) -> bool:
    """Whether every job is uninitialized or disabled; true for none."""
    with database.read() as db:
        require(db, workflow_id)
        return nothing_initialized(db, workflow_id)


def nothing_initialized(db: sqlite3.Connection, workflow_id: int) -> bool:
    """The same in the caller's transaction."""
    return not exists(
        db,
        "SELECT 1 FROM job WHERE workflow_id = ? AND status NOT IN ('uninitialized', 'disabled')",
        (workflow_id,),
    )


def job_counts(database: Database, workflow_id: int) -> dict[str, int]:
    """How many jobs have each status that occurs."""
    with database.read() as db:
        require(db, workflow_id)
        return dict(
            db.execute("SELECT status, count(*) FROM job WHERE workflow_id = ? GROUP BY status", (workflow_id,))
        )


def new_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)
