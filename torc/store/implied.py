"""Dependencies that follow from files and user data: who reads waits for who writes."""

import sqlite3
from collections.abc import Iterator

from torc.store import groups
from torc.store.database import Database
from torc.store.readiness import recount

CHUNK_RECORDS = 5000
KINDS = (("file", "file_id"), ("user_data", "user_data_id"))


def add(database: Database, workflow_id: int) -> None:
    """Write the implied edges of a workflow, in chunks; again is without effect.

    A record with several writers and several readers becomes a group. The readers are counted afresh.
    """
    for table, column in KINDS:
        for first_id, last_id in _record_ranges(database, table, workflow_id):
            with database.write() as db:
                db.execute(
                    f"""
                    INSERT OR IGNORE INTO job_depends_on (job_id, depends_on_job_id)
                    SELECT i.job_id, o.job_id
                      FROM {table} AS r
                      JOIN job_input_{table} AS i ON i.{column} = r.id
                      JOIN job_output_{table} AS o ON o.{column} = r.id
                     WHERE r.workflow_id = ? AND r.id BETWEEN ? AND ? AND i.job_id <> o.job_id
                       AND ((SELECT count(*) FROM job_output_{table} WHERE {column} = r.id) = 1
                            OR (SELECT count(*) FROM job_input_{table} WHERE {column} = r.id) = 1)
                    """,
                    (workflow_id, first_id, last_id),
                )
                shared = db.execute(
                    f"""
                    SELECT r.id FROM {table} AS r
                     WHERE r.workflow_id = ? AND r.id BETWEEN ? AND ?
                       AND (SELECT count(*) FROM job_output_{table} WHERE {column} = r.id) > 1
                       AND (SELECT count(*) FROM job_input_{table} WHERE {column} = r.id) > 1
                    """,
                    (workflow_id, first_id, last_id),
                ).fetchall()
                for (record_id,) in shared:
                    writers = _jobs(db, f"SELECT job_id FROM job_output_{table} WHERE {column} = ?", record_id)
                    readers = _jobs(db, f"SELECT job_id FROM job_input_{table} WHERE {column} = ?", record_id)
                    groups.depend(db, readers, groups.ensure(db, workflow_id, writers))
                every_reader = f"SELECT DISTINCT job_id FROM job_input_{table} WHERE {column} BETWEEN ? AND ?"
                recount(db, [job_id for (job_id,) in db.execute(every_reader, (first_id, last_id))])


def _jobs(db: sqlite3.Connection, sql: str, record_id: int) -> list[int]:
    return sorted(job_id for (job_id,) in db.execute(sql, (record_id,)))


def _record_ranges(database: Database, table: str, workflow_id: int) -> Iterator[tuple[int, int]]:
    with database.read() as db:
        ids = [
            record_id
            for (record_id,) in db.execute(f"SELECT id FROM {table} WHERE workflow_id = ? ORDER BY id", (workflow_id,))
        ]
    for start in range(0, len(ids), CHUNK_RECORDS):
        part = ids[start : start + CHUNK_RECORDS]
        yield part[0], part[-1]
