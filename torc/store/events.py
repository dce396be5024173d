"""What happened, in commit order. Server events are typed columns; the contract's ``data`` is built when read."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, get_args

import msgspec

from torc.errors import InvalidRequest, NotFound, Unprocessable
from torc.models.event import Event, Level
from torc.models.queries import Paging
from torc.models.record import Page
from torc.store import workflows
from torc.store.database import Database
from torc.store.rows import insert_many, to_json
from torc.store.table import envelope

POSTED = "posted"  # by a client, data as it came
STARTED = "job_started"
COMPLETED = "job_completed"
RETRIED = "job_retried"
NOTED = "noted"  # a verb, a cascade or a node; data holds the details

FIRST_IDS = 100
"""An event about many jobs names so many of them."""

SORTABLE = {"id": "e.id", "timestamp": "e.timestamp_ms", "workflow_id": "e.workflow_id"}


class JobEvent(NamedTuple):
    """One line about one job."""

    kind: str
    job_id: int
    run_id: int | None
    attempt_id: int | None
    compute_node_id: int | None
    status: str | None = None
    details: dict[str, Any] | None = None


def add_job_events(db: sqlite3.Connection, workflow_id: int, happened: Iterable[JobEvent]) -> None:
    """Write one event per job, in the caller's transaction."""
    now = now_ms(db)
    insert_many(
        db,
        "event",
        ("workflow_id", "timestamp_ms", *JobEvent._fields[:-1], "data"),
        [
            (
                workflow_id,
                now,
                *event[:-1],
                to_json(event.details) if event.details else None,
            )
            for event in happened
        ],
    )


def note(
    db: sqlite3.Connection,
    workflow_id: int,
    category: str,
    kind: str,
    message: str,
    *,
    job_ids: Sequence[int] | None = None,
    count: int | None = None,
    **details: Any,
) -> None:
    """Write one event about a workflow, a node or many jobs.

    Of ``job_ids`` the first are kept, and how many they are: ``count``, if only the first are given.
    """
    data: dict[str, Any] = {"category": category, "type": kind, "message": message}
    data.update((key, value) for key, value in details.items() if value is not None)
    if job_ids is not None:
        data.update(count=count or len(job_ids), job_ids=list(job_ids[:FIRST_IDS]))
    db.execute(
        "INSERT INTO event (workflow_id, timestamp_ms, kind, data) VALUES (?, ?, ?, ?)",
        (workflow_id, now_ms(db), NOTED, to_json(data)),
    )


def now_ms(db: sqlite3.Connection) -> int:
    """The clock, but never earlier than the last event."""
    last = db.execute("SELECT timestamp_ms FROM event ORDER BY id DESC LIMIT 1").fetchone()
    return max(time.time_ns() // 1_000_000, last[0] if last else 0)


def create(database: Database, event: Event) -> Event:
    """Store a client's event; the time is the server's."""
    _require_data(event.data)
    with database.write() as db:
        workflows.require(db, event.workflow_id)
        cursor = db.execute(
            "INSERT INTO event (workflow_id, timestamp_ms, kind, data) VALUES (?, ?, ?, ?)",
            (event.workflow_id, now_ms(db), POSTED, to_json(event.data)),
        )
        workflows.touch(db, event.workflow_id)
        assert cursor.lastrowid is not None
        return _fetch(db, cursor.lastrowid)


def _require_data(data: Any) -> None:
    if data is None:
        raise InvalidRequest('data: an event needs data, such as {"category": "note", "message": "..."}')


def check_data(kind: str, data: Any, place: str) -> None:
    """Raise Unprocessable unless ``data`` is what an event of this kind has."""
    if kind in (POSTED, NOTED) and data is None:
        raise Unprocessable(f"{place}: an event of kind '{kind}' needs data")
    if kind not in (POSTED, NOTED) and not isinstance(data, dict | None):
        raise Unprocessable(f"{place}: the details of an event of kind '{kind}' are an object")


def get(database: Database, event_id: int) -> Event:
    """One event, or NotFound."""
    with database.read() as db:
        return _fetch(db, event_id)


def _fetch(db: sqlite3.Connection, event_id: int) -> Event:
    rows = db.execute(f"{_SELECT} AND e.id = ?", (event_id,)).fetchall()
    if not rows:
        raise NotFound(f"Event not found with ID: {event_id}")
    return _to_event(rows[0])


def page(
    database: Database,
    workflow_id: int,
    paging: Paging,
    *,
    category: str | None = None,
    after_timestamp: int | None = None,
    after_id: int | None = None,
    level: Level | None = None,
) -> Page[Event]:
    """One page of a workflow's events, those at least as severe as ``level``.

    ``after_id`` is the replay cursor: nothing is skipped, nothing repeated.
    """
    where, arguments = list[str](), list[Any]()
    where.append("e.workflow_id = ? AND e.workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)")
    arguments.append(workflow_id)
    for condition, value in (
        (f"({_CATEGORY}) = ?", category),
        ("e.timestamp_ms > ?", after_timestamp),
        ("e.id > ?", after_id),
        (f"{_SEVERITY} >= ?", None if level is None else LEVELS.index(level)),
    ):
        if value is not None:
            where.append(condition)
            arguments.append(value)
    sort_by = paging.sort_by or "id"
    if sort_by not in SORTABLE:
        raise InvalidRequest(f"sort_by: no column '{sort_by}'; choose one of {', '.join(SORTABLE)}")
    direction = "DESC" if paging.reverse_sort else "ASC"
    condition = " AND ".join(where)
    with database.read() as db:
        rows = db.execute(
            f"{_SELECT} AND {condition} ORDER BY {SORTABLE[sort_by]} {direction}, e.id {direction} LIMIT ? OFFSET ?",
            [*arguments, paging.limit, paging.offset],
        ).fetchall()
        (total,) = db.execute(f"SELECT count(*) FROM event AS e WHERE {condition}", arguments).fetchone()
    return envelope([_to_event(row) for row in rows], total, paging)


def last_id(database: Database, workflow_id: int) -> int:
    """The replay cursor of somebody who wants only what happens from now on. Raises NotFound."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        row = db.execute("SELECT max(id) FROM event WHERE workflow_id = ?", (workflow_id,)).fetchone()
        return int(row[0] or 0)


LEVELS: tuple[Level, ...] = get_args(Level)

_LEVEL = f"""
    CASE WHEN e.kind = '{RETRIED}' THEN 'warning'
         WHEN e.kind = '{COMPLETED}' AND e.status = 'failed' THEN 'error'
         WHEN e.kind = '{COMPLETED}' AND e.status IN ('canceled', 'terminated') THEN 'warning'
         WHEN e.kind IN ('{POSTED}', '{NOTED}') AND json_extract(e.data, '$.level') IN {LEVELS!r}
         THEN json_extract(e.data, '$.level')
         ELSE 'info' END
"""
_SEVERITY = f"CASE {_LEVEL} {' '.join(f'WHEN {level!r} THEN {n}' for n, level in enumerate(LEVELS))} END"

_SELECT = f"""
    SELECT e.id, e.workflow_id, e.timestamp_ms, e.kind, e.run_id, e.job_id, e.attempt_id, e.compute_node_id, e.status,
           e.data, job.name, {_LEVEL}
      FROM event AS e JOIN workflow AS w ON w.id = e.workflow_id LEFT JOIN job ON job.id = e.job_id
     WHERE w.hidden IS NULL
"""

_CATEGORY = f"""
    CASE e.kind WHEN '{STARTED}' THEN 'job' WHEN '{RETRIED}' THEN 'job' WHEN '{COMPLETED}' THEN 'job_completion'
                ELSE json_extract(e.data, '$.category') END
"""


def _to_event(row: Sequence[Any]) -> Event:
    event_id, workflow_id, timestamp_ms, kind, run_id, job_id, attempt_id, node_id, status, data, name, level = row
    if kind in (POSTED, NOTED):
        kept = msgspec.Raw(data.encode())
        return Event(id=event_id, workflow_id=workflow_id, timestamp=timestamp_ms, level=level, data=kept)
    label = f"Job with name = {name}"
    messages = {
        STARTED: ("job", f"{label} started on compute node {node_id}." if node_id else f"{label} started by hand."),
        RETRIED: ("job", f"{label} will be tried again."),
        COMPLETED: ("job_completion", f"{label} completed with status = {status}."),
    }
    category, message = messages[kind]
    built = {
        "category": category,
        "type": kind,
        "job_id": job_id,
        "compute_node_id": node_id,
        "run_id": run_id,
        "attempt_id": attempt_id,
        "status": status,
        "message": message,
    }
    details = msgspec.json.decode(data) if data else {}
    return Event(
        id=event_id,
        workflow_id=workflow_id,
        timestamp=timestamp_ms,
        level=level,
        data={key: value for key, value in (built | details).items() if value is not None},
    )


def update(database: Database, event_id: int, data: Any) -> Event:
    """Replace the data of an event; it becomes a client's event."""
    _require_data(data)
    with database.write() as db:
        _fetch(db, event_id)
        db.execute("UPDATE event SET kind = ?, data = ? WHERE id = ?", (POSTED, to_json(data), event_id))
        return _fetch(db, event_id)


def delete(database: Database, event_id: int) -> Event:
    """Remove an event and return it as it was."""
    with database.write() as db:
        event = _fetch(db, event_id)
        db.execute("DELETE FROM event WHERE id = ?", (event_id,))
        return event


def delete_all(database: Database, workflow_id: int) -> int:
    """Remove all events of a workflow; how many there were."""
    with database.write() as db:
        if not workflows.is_visible(db, workflow_id):
            return 0
        return db.execute("DELETE FROM event WHERE workflow_id = ?", (workflow_id,)).rowcount
