"""Create, get, list, update and delete for any plain resource."""

import sqlite3
from typing import Any

from torc.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from torc.models.catalogue import Resource
from torc.models.queries import MAX_LIMIT, Paging
from torc.models.record import Page, Record
from torc.models.status import JobStatus
from torc.store import workflows
from torc.store.database import Database
from torc.store.rows import columns, reader, to_record, to_row

NOT_COLUMNS = ("lease_s", "database_id", "generation")
"""Fields of a node that the server fills in but does not keep."""


def order_by(table: str, paging: Paging, sortable: tuple[str, ...]) -> str:
    """ORDER BY terms; ties are broken by id, else pages could overlap."""
    direction = "DESC" if paging.reverse_sort else "ASC"
    if not paging.sort_by or paging.sort_by == "id":  # existing clients send an empty one
        return f"id {direction}"
    if paging.sort_by not in sortable:
        raise InvalidRequest(f"sort_by: no column '{paging.sort_by}'; choose one of {', '.join(sortable)}")
    term = ORDERS.get((table, paging.sort_by), paging.sort_by)
    return f"{term} {direction}, id {direction}"


STATUS_ORDER = f"CASE status {' '.join(f'WHEN {status.value!r} THEN {n}' for n, status in enumerate(JobStatus))} END"
ORDERS = {("job", "status"): STATUS_ORDER, ("result", "status"): STATUS_ORDER}
"""What does not sort as it is stored: statuses of jobs and results go in the order of a job's life."""

FILTERS = {
    ("file", "produced_by_job_id"): "id IN (SELECT file_id FROM job_output_file WHERE job_id = ?)",
    ("file", "is_output"): "(id IN (SELECT file_id FROM job_output_file)) = ?",
    ("user_data", "consumer_job_id"): "id IN (SELECT user_data_id FROM job_input_user_data WHERE job_id = ?)",
    ("user_data", "producer_job_id"): "id IN (SELECT user_data_id FROM job_output_user_data WHERE job_id = ?)",
    ("user_data", "name"): "instr(lower(name), lower(?)) > 0",
    ("resource_requirements", "job_id"): "id = (SELECT resource_requirements_id FROM job WHERE id = ?)",
}
"""The filters that are more than ``column = ?``."""

COMPUTED = {
    ("compute_node", "memory"): "rtrim(rtrim(printf('%.6f', memory_gb), '0'), '.') || 'g'",
    ("result", "exit_code"): "return_code",
}
"""The fields that say what a column holds once more, in the words of the users' book."""


def _terms(table: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{COMPUTED[table, name]} AS {name}" if (table, name) in COMPUTED else name for name in names)


def insert(database: Database, resource: Resource, record: Record) -> Record:
    """Store ``record`` and return it as stored. Its workflow must exist."""
    with database.write() as db:
        workflows.require(db, workflow_of(record))
        record_id = insert_row(db, resource, record)
        workflows.touch(db, workflow_of(record))
        return fetch(db, resource, record_id)


def insert_row(db: sqlite3.Connection, resource: Resource, record: Record) -> int:
    """Add one row in the caller's transaction; the id of ``record`` is ignored."""
    names = [
        name for name in columns(resource.model, NOT_COLUMNS) if name != "id" and (resource.table, name) not in COMPUTED
    ]
    values = to_row(record, names)
    given = [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    cursor = db.execute(
        f"INSERT INTO {resource.table} ({', '.join(name for name, _ in given)}) VALUES ({', '.join('?' * len(given))})",
        [value for _, value in given],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def reserve_ids(db: sqlite3.Connection, table: str, count: int) -> int:
    """Take ``count`` ids of a table out of circulation; the first of them."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    if row is None:
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, count))
        return 1
    db.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?", (count, table))
    return int(row[0]) + 1


def get(database: Database, resource: Resource, record_id: int) -> Record:
    """One record, or NotFound."""
    with database.read() as db:
        return fetch(db, resource, record_id)


def fetch(db: sqlite3.Connection, resource: Resource, record_id: int) -> Record:
    """One record in the caller's transaction. Records of drafts and deleted workflows do not exist."""
    names = columns(resource.model, NOT_COLUMNS)
    row = db.execute(
        f"""
        SELECT {_terms(resource.table, names)}
          FROM {resource.table}
         WHERE id = ? AND workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)
        """,
        (record_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"{resource.noun} not found with ID: {record_id}")
    return to_record(resource.model, names, row)


def page(
    database: Database, resource: Resource, workflow_id: int, paging: Paging, filters: dict[str, Any]
) -> Page[Record]:
    """One page of a workflow's records; an unknown workflow has none. ``filters`` are fields of its query."""
    names = columns(resource.model, NOT_COLUMNS)
    wanted = {name: value for name, value in filters.items() if value is not None}
    assert wanted.keys() <= set(resource.query.__struct_fields__)
    where = " AND ".join(
        ["workflow_id = ?", "workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)"]
        + [FILTERS.get((resource.table, name), f"{name} = ?") for name in wanted]
    )
    with database.read() as db:
        return select_page(db, resource.model, resource.table, names, where, [workflow_id, *wanted.values()], paging)


def select_page(
    db: sqlite3.Connection,
    model: type[Record],
    table: str,
    names: tuple[str, ...],
    where: str,
    arguments: list[Any],
    paging: Paging,
) -> Page[Any]:
    """A page of ``table`` in the contract's envelope. ``where`` is SQL of ours with bound arguments."""
    sortable = tuple(name for name in names if (table, name) not in COMPUTED)
    rows = db.execute(
        f"""
        SELECT {_terms(table, names)} FROM {table}
         WHERE {where} ORDER BY {order_by(table, paging, sortable)} LIMIT ? OFFSET ?
        """,
        [*arguments, paging.limit, paging.offset],
    ).fetchall()
    total = len(rows)
    if paging.offset or len(rows) == paging.limit:  # else the page holds everything
        (total,) = db.execute(f"SELECT count(*) FROM {table} WHERE {where}", arguments).fetchone()
    return envelope(list(map(reader(model, names), rows)), total, paging)


def envelope(items: list[Any], total: int, paging: Paging) -> Page[Any]:
    """The contract's frame around the items of one page."""
    return Page(
        items=items,
        offset=paging.offset,
        max_limit=MAX_LIMIT,
        count=len(items),
        total_count=total,
        has_more=paging.offset + len(items) < total,
    )


FIXED = {
    "result": ("job_id", "run_id", "attempt_id", "compute_node_id"),
    "resource_requirements": ("raised_from",),
}
"""What identifies a record beside its id and its workflow: it may be left out of an update, but not changed."""

ALWAYS_WRITTEN = {"file": frozenset({"st_mtime"})}
"""Fields that an update clears when it leaves them out, as existing clients expect."""


def update(database: Database, resource: Resource, record_id: int, record: Record, given: frozenset[str]) -> Record:
    """Write the ``given`` fields of ``record`` over a stored one, None included; id and workflow stay."""
    with database.write() as db:
        return update_row(db, resource, record_id, record, given)


def update_row(
    db: sqlite3.Connection, resource: Resource, record_id: int, record: Record, given: frozenset[str]
) -> Record:
    """As update, in the caller's transaction."""
    fixed = ("workflow_id", *FIXED.get(resource.table, ()))
    wanted = given | ALWAYS_WRITTEN.get(resource.table, frozenset())
    names = [
        name
        for name in columns(resource.model, NOT_COLUMNS)
        if name in wanted and name not in ("id", "last_seq", *fixed) and (resource.table, name) not in COMPUTED
    ]
    stored = fetch(db, resource, record_id)
    for name in fixed:
        if getattr(record, name) not in (None, getattr(stored, name)):
            raise Unprocessable(
                f"{name} of {resource.noun.lower()} {record_id} is {getattr(stored, name)} and cannot be changed"
            )
    if names:
        db.execute(
            f"UPDATE {resource.table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            [*to_row(record, names), record_id],
        )
    workflows.touch(db, workflow_of(stored))
    return fetch(db, resource, record_id)


def delete(database: Database, resource: Resource, record_id: int, *, force: bool = False) -> Record:
    """Remove a record and return it as it was. Refused when others refer to it, unless forced."""
    with database.write() as db:
        record = fetch(db, resource, record_id)
        if not force:
            refuse_if_used(db, resource, "id = ?", record_id)
        unlink(db, resource, "id = ?", record_id)
        db.execute(f"DELETE FROM {resource.table} WHERE id = ?", (record_id,))
        workflows.touch(db, workflow_of(record))
        return record


def delete_all(database: Database, resource: Resource, workflow_id: int, *, force: bool = False) -> int:
    """Remove all records of a workflow; how many there were. Refused when others refer to one, unless forced."""
    with database.write() as db:
        if not workflows.is_visible(db, workflow_id):  # a draft's records are its creator's
            return 0
        if not force:
            refuse_if_used(db, resource, "workflow_id = ?", workflow_id)
        unlink(db, resource, "workflow_id = ?", workflow_id)
        workflows.touch(db, workflow_id)
        return db.execute(f"DELETE FROM {resource.table} WHERE workflow_id = ?", (workflow_id,)).rowcount


def workflow_of(record: Record) -> int:
    """The workflow a plain record belongs to."""
    workflow_id: int = record.workflow_id  # type: ignore[attr-defined]  # every plain resource has it
    return workflow_id


USERS = {
    "resource_requirements": (("job", "resource_requirements_id", "jobs use it"),),
    "compute_node": (
        ("result", "compute_node_id", "results were measured on it"),
        ("handed_out", "active_compute_node_id", "jobs are pending or running on it"),
    ),
    "slurm_scheduler": (("job", "scheduler_id", "jobs are bound to it"),),
}
"""Deleting one of these would destroy or orphan rows of the named tables."""

LINKS = {
    "file": ("job_input_file", "job_output_file"),
    "user_data": ("job_input_user_data", "job_output_user_data"),
}


def refuse_if_used(db: sqlite3.Connection, resource: Resource, where: str, value: int) -> None:
    """409 when other records would lose what they refer to."""
    for table, column, why in USERS.get(resource.table, ()):
        row = db.execute(
            f"""
            WITH handed_out AS (SELECT * FROM job WHERE status IN ('pending', 'running'))
            SELECT doomed.id, count(*)
              FROM (SELECT id, workflow_id FROM {resource.table} WHERE {where}) AS doomed
              JOIN {table} AS user ON user.workflow_id = doomed.workflow_id AND user.{column} = doomed.id
             GROUP BY doomed.id LIMIT 1
            """,
            (value,),
        ).fetchone()
        if row is not None:
            raise Conflict(f"{resource.noun} {row[0]} cannot be deleted: {row[1]} {why}; delete those first, or force")


def unlink(db: sqlite3.Connection, resource: Resource, where: str, value: int) -> None:
    """Remove the links between jobs and the records about to go; results stop being current, jobs bound."""
    for link in LINKS.get(resource.table, ()):
        db.execute(
            f"DELETE FROM {link} WHERE {resource.table}_id IN (SELECT id FROM {resource.table} WHERE {where})", (value,)
        )
    if resource.table == "result":
        db.execute(
            f"""
            UPDATE job SET current_result_id = NULL
             WHERE current_result_id IN (SELECT id FROM result WHERE {where})
               AND id IN (SELECT job_id FROM result WHERE {where})
            """,
            (value, value),
        )
    if resource.table == "slurm_scheduler":
        db.execute(
            f"""
            UPDATE job SET scheduler_id = 0
             WHERE workflow_id IN (SELECT workflow_id FROM slurm_scheduler WHERE {where})
               AND scheduler_id IN (SELECT id FROM slurm_scheduler WHERE {where})
            """,
            (value, value),
        )
