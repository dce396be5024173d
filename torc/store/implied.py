"""Dependencies that follow from files and user data: who reads waits for who writes."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from torc.models.draft import is_worth_a_group
from torc.store import groups
from torc.store.database import Database
from torc.store.readiness import recount
from torc.store.rows import json_ids

CHUNK_LINKS = 5000
KINDS = ("file", "user_data")


@dataclass
class Alike:
    """Records that the same jobs read, so that whoever waits for the writer of one waits for the writers of all."""

    readers: int
    writers: int = 0  # at most: one job may write several of the records
    records: list[int] = field(default_factory=list)


def add(database: Database, workflow_id: int, *, count: bool = True) -> None:
    """Write the implied edges of a workflow, in chunks; again is without effect.

    Where many write what the same many read, the writers become a group. With ``count`` the readers are counted
    afresh, each once: with its edges.
    """
    for kind in KINDS:
        group_of = _groups(database, workflow_id, kind)
        for first_id, last_id in _reader_ranges(database, workflow_id, kind):
            with database.write() as db:
                readers = _add_edges(db, workflow_id, kind, group_of, first_id, last_id)
                if count:
                    recount(db, readers)


def _groups(database: Database, workflow_id: int, kind: str) -> dict[int, int]:
    """The group of writers to wait for, by record, for the records where edges would be too many; made if need be."""
    with database.read() as db:
        worthy = [alike for alike in _alike(db, workflow_id, kind) if is_worth_a_group(alike.writers, alike.readers)]
    group_of: dict[int, int] = {}
    while worthy:
        with database.write() as db:
            room = CHUNK_LINKS
            while worthy and room > 0:
                alike = worthy.pop()
                room -= alike.writers
                writers = _writers(db, kind, alike.records)
                if is_worth_a_group(len(writers), alike.readers):
                    group_of.update(dict.fromkeys(alike.records, groups.ensure(db, workflow_id, writers)))
    return group_of


def shared(db: sqlite3.Connection, workflow_id: int, kind: str) -> Iterator[tuple[list[int], list[int]]]:
    """The writers that become groups, ascending, each with the records for which they do."""
    for alike in _alike(db, workflow_id, kind):
        if is_worth_a_group(alike.writers, alike.readers):
            writers = _writers(db, kind, alike.records)
            if is_worth_a_group(len(writers), alike.readers):
                yield writers, alike.records


def _alike(db: sqlite3.Connection, workflow_id: int, kind: str) -> list[Alike]:
    """The records with several readers, together with those that have the same ones."""
    by_readers: dict[str, Alike] = {}
    # The ids come in the order of the index. In another order a set would be taken for two, which costs only rows.
    for record_id, readers, count, writers in db.execute(
        f"""
        SELECT {kind}_id, group_concat(job_id), count(*),
               (SELECT count(*) FROM job_output_{kind} AS o WHERE o.{kind}_id = i.{kind}_id)
          FROM job_input_{kind} AS i
         WHERE {kind}_id IN (SELECT id FROM {kind} WHERE workflow_id = ?)
         GROUP BY {kind}_id HAVING count(*) > 1
        """,
        (workflow_id,),
    ):
        if writers:
            alike = by_readers.setdefault(readers, Alike(count))
            alike.writers += writers
            alike.records.append(record_id)
    return list(by_readers.values())


def _writers(db: sqlite3.Connection, kind: str, record_ids: list[int]) -> list[int]:
    sql = f"SELECT DISTINCT job_id FROM job_output_{kind} WHERE {kind}_id IN (SELECT value FROM json_each(?))"
    return sorted(job_id for (job_id,) in db.execute(sql, (json_ids(record_ids),)))


def _reader_ranges(database: Database, workflow_id: int, kind: str) -> Iterator[tuple[int, int]]:
    """Ranges of ids that hold all readers of the workflow, with CHUNK_LINKS links each; a job is never split."""
    last_id = 0
    while True:
        with database.read() as db:
            (first_id, last_id) = db.execute(
                f"""
                SELECT min(job_id), max(job_id) FROM (
                    SELECT i.job_id FROM job_input_{kind} AS i CROSS JOIN job ON job.id = i.job_id
                     WHERE job.workflow_id = :workflow AND i.job_id > :last
                       AND i.job_id >= (SELECT min(id) FROM job WHERE workflow_id = :workflow)
                       AND i.job_id <= (SELECT max(id) FROM job WHERE workflow_id = :workflow)
                     ORDER BY i.job_id LIMIT {CHUNK_LINKS}
                )
                """,
                {"workflow": workflow_id, "last": last_id},
            ).fetchone()
        if first_id is None:
            return
        yield first_id, last_id


def _add_edges(
    db: sqlite3.Connection, workflow_id: int, kind: str, group_of: dict[int, int], first_id: int, last_id: int
) -> list[int]:
    """Let the readers in a range of ids wait; who they are."""
    # CROSS, since SQLite would begin with all records of the workflow, for each range again.
    links = db.execute(
        f"""
        SELECT i.job_id, r.id FROM job_input_{kind} AS i CROSS JOIN {kind} AS r ON r.id = i.{kind}_id
         WHERE i.job_id BETWEEN ? AND ? AND r.workflow_id = ?
        """,
        (first_id, last_id, workflow_id),
    ).fetchall()
    waiting = {(job_id, group_of[record_id]) for job_id, record_id in links if record_id in group_of}
    db.executemany("INSERT OR IGNORE INTO job_depends_on_group (job_id, group_id) VALUES (?, ?)", waiting)
    db.execute(
        f"""
        INSERT OR IGNORE INTO job_depends_on (job_id, depends_on_job_id)
        SELECT i.job_id, o.job_id
          FROM job_input_{kind} AS i
         CROSS JOIN {kind} AS r ON r.id = i.{kind}_id
         CROSS JOIN job_output_{kind} AS o ON o.{kind}_id = r.id
         WHERE i.job_id BETWEEN ? AND ? AND r.workflow_id = ? AND i.job_id <> o.job_id
           AND r.id NOT IN (SELECT value FROM json_each(?))
        """,
        (first_id, last_id, workflow_id, json_ids({record_id for _, record_id in links if record_id in group_of})),
    )
    return list(dict.fromkeys(job_id for job_id, _ in links))
