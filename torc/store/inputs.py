"""What must be there before a workflow can start: files on disk and user data that no job will make."""

import sqlite3
from collections.abc import Iterable, Sequence

from torc.errors import Unprocessable
from torc.store import workflows
from torc.store.database import Database
from torc.store.rows import json_ids

NAMED = 10
"""So many missing records are named in a refusal."""


def required_existing_files(database: Database, workflow_id: int) -> list[int]:
    """Ids of files that jobs read and none writes, and of outputs of completed jobs; ascending."""
    with database.read() as db:
        return _needed(db, "file", "file_id", workflow_id, "")


def missing_user_data(database: Database, workflow_id: int) -> list[int]:
    """Ids of records without data that jobs read and none writes, or that completed jobs should have written."""
    with database.read() as db:
        return _needed(db, "user_data", "user_data_id", workflow_id, "AND r.data IS NULL")


def refuse_missing_user_data(database: Database, workflow_id: int) -> None:
    """Raise Unprocessable, with the names, unless all user data is there."""
    missing = missing_user_data(database, workflow_id)
    if not missing:
        return
    with database.read() as db:
        names = name_records(db, "name", "user_data", missing)
    raise Unprocessable(
        f"workflow {workflow_id} lacks user data that jobs need: {names}; store it with PUT /user_data/ID, "
        "or send ignore_missing_data true",
        user_data=missing,
    )


def name_records(db: sqlite3.Connection, column: str, table: str, record_ids: Sequence[int]) -> str:
    """The names, or paths, of the first of these records for a message."""
    rows = db.execute(
        f"SELECT {column} FROM {table} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json_ids(record_ids[:NAMED]),),
    ).fetchall()
    more = f" and {len(record_ids) - NAMED} more" if len(record_ids) > NAMED else ""
    return ", ".join(f"'{name}'" for (name,) in rows) + more


def without_data(db: sqlite3.Connection, workflow_id: int) -> list[int]:
    """Ids of user data that nobody has written yet."""
    rows = db.execute("SELECT id FROM user_data WHERE workflow_id = ? AND data IS NULL", (workflow_id,))
    return [record_id for (record_id,) in rows]


def needed_by(db: sqlite3.Connection, table: str, job_ids: Iterable[int], *, among: Iterable[int]) -> list[int]:
    """Those records ``among`` some that one of these jobs reads and none writes; ascending."""
    # The + keeps SQLite from looking up every job with every record.
    rows = db.execute(
        f"""
        SELECT DISTINCT {table}_id FROM job_input_{table} AS i
         WHERE {table}_id IN (SELECT value FROM json_each(?)) AND +job_id IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM job_output_{table} AS o WHERE o.{table}_id = i.{table}_id)
         ORDER BY {table}_id
        """,
        (json_ids(among), json_ids(job_ids)),
    )
    return [record_id for (record_id,) in rows]


def _needed(db: sqlite3.Connection, table: str, column: str, workflow_id: int, condition: str) -> list[int]:
    workflows.require(db, workflow_id)
    rows = db.execute(
        f"""
        SELECT r.id FROM {table} AS r
         WHERE r.workflow_id = ? {condition}
           AND (
               (EXISTS (SELECT 1 FROM job_input_{table} WHERE {column} = r.id)
                AND NOT EXISTS (SELECT 1 FROM job_output_{table} WHERE {column} = r.id))
               OR EXISTS (
                   SELECT 1 FROM job_output_{table} AS o JOIN job ON job.id = o.job_id
                    WHERE o.{column} = r.id AND job.status = 'completed'
               )
           )
         ORDER BY r.id
        """,
        (workflow_id,),
    )
    return [record_id for (record_id,) in rows]
