"""Pages of the pairs in a workflow: dependent and dependency, producer and consumer.

A group or a shared file stands for a product of jobs that may have 10^8 pairs. No product is built: how many pairs
each job or file stands for is counted, sums tell where a page begins, and only its rows are made.
"""

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

from torc.models.queries import MAX_RELATIONSHIPS
from torc.models.record import Page
from torc.models.relationship import JobDependency, JobFileRelationship, JobUserDataRelationship
from torc.store import workflows
from torc.store.database import Database
from torc.store.effective import EffectiveDependencies, listed
from torc.store.rows import json_ids

T = TypeVar("T")


class Part(NamedTuple):
    """The rows ``first`` up to, but not including, ``end`` of those that ``key`` stands for."""

    key: int
    first: int
    end: int


class Pair(NamedTuple):
    """A record, a job that writes it and a job that reads it."""

    record_id: int
    producer_id: int | None
    consumer_id: int | None


def job_dependencies(
    database: Database, workflow_id: int, *, offset: int = 0, limit: int = MAX_RELATIONSHIPS
) -> Page[JobDependency]:
    """Every pair of a job and one it depends on, by their ids; a pair with several reasons stands there once."""
    with database.read() as db:
        effective = EffectiveDependencies()
        sizes = _dependency_counts(db, workflow_id, effective)
        parts = cut(sizes, offset, limit)
        waits = effective.of(db, listed(part.key for part in parts))
        pairs = [(part.key, other) for part in parts for other in waits[part.key].ordered()[part.first : part.end]]
        names = _names(db, {job_id for pair in pairs for job_id in pair})
    items = [
        JobDependency(
            job_id=job_id,
            job_name=names[job_id],
            depends_on_job_id=other,
            depends_on_job_name=names[other],
            workflow_id=workflow_id,
        )
        for job_id, other in pairs
    ]
    return _envelope(items, sizes, offset)


def _dependency_counts(
    db: sqlite3.Connection, workflow_id: int, effective: EffectiveDependencies
) -> list[tuple[int, int]]:
    """The jobs that wait for something, ascending, and for how many jobs."""
    if not workflows.is_visible(db, workflow_id):
        return []
    sizes: dict[int, int] = dict(
        db.execute(
            """
            SELECT job.id, count(*) FROM job CROSS JOIN job_depends_on AS d ON d.job_id = job.id
             WHERE job.workflow_id = ? GROUP BY job.id
            """,
            (workflow_id,),
        ).fetchall()
    )
    in_groups = db.execute(
        """
        SELECT DISTINCT dg.job_id
          FROM dependency_group AS g CROSS JOIN job_depends_on_group AS dg ON dg.group_id = g.id
         WHERE g.workflow_id = ?
        """,
        (workflow_id,),
    ).fetchall()
    waits = effective.of(db, listed(job_id for (job_id,) in in_groups))
    sizes.update((job_id, one.size()) for job_id, one in waits.items())
    return sorted(sizes.items())


def job_file_relationships(
    database: Database, workflow_id: int, *, offset: int = 0, limit: int = MAX_RELATIONSHIPS
) -> Page[JobFileRelationship]:
    """Every writer with every reader of each file, by their ids; files that no job is linked to are left out."""
    with database.read() as db:
        sizes = _pair_counts(db, "file", workflow_id)
        pairs = list(_pairs(db, "file", cut(sizes, offset, limit)))
        names = _job_names(db, pairs)
        files = {
            file_id: (name, path)
            for file_id, name, path in db.execute(
                "SELECT id, name, path FROM file WHERE id IN (SELECT value FROM json_each(?))",
                (json_ids({pair.record_id for pair in pairs}),),
            )
        }
    items = [
        JobFileRelationship(
            file_id=file_id,
            file_name=files[file_id][0],
            file_path=files[file_id][1],
            producer_job_id=producer,
            producer_job_name=names[producer],
            consumer_job_id=consumer,
            consumer_job_name=names[consumer],
            workflow_id=workflow_id,
        )
        for file_id, producer, consumer in pairs
    ]
    return _envelope(items, sizes, offset)


def job_user_data_relationships(
    database: Database, workflow_id: int, *, offset: int = 0, limit: int = MAX_RELATIONSHIPS
) -> Page[JobUserDataRelationship]:
    """Every writer with every reader of each user data record; records that no job is linked to are left out."""
    with database.read() as db:
        sizes = _pair_counts(db, "user_data", workflow_id)
        pairs = list(_pairs(db, "user_data", cut(sizes, offset, limit)))
        names = _job_names(db, pairs)
        records = dict(
            db.execute(
                "SELECT id, name FROM user_data WHERE id IN (SELECT value FROM json_each(?))",
                (json_ids({pair.record_id for pair in pairs}),),
            ).fetchall()
        )
    items = [
        JobUserDataRelationship(
            user_data_id=record_id,
            user_data_name=records[record_id],
            producer_job_id=producer,
            producer_job_name=names[producer],
            consumer_job_id=consumer,
            consumer_job_name=names[consumer],
            workflow_id=workflow_id,
        )
        for record_id, producer, consumer in pairs
    ]
    return _envelope(items, sizes, offset)


def _pair_counts(db: sqlite3.Connection, table: str, workflow_id: int) -> list[tuple[int, int]]:
    """The records that jobs are linked to, ascending, and how many pairs of jobs each stands for."""
    if not workflows.is_visible(db, workflow_id):
        return []
    rows = db.execute(
        f"""
        SELECT r.id,
               (SELECT count(*) FROM job_output_{table} WHERE {table}_id = r.id),
               (SELECT count(*) FROM job_input_{table} WHERE {table}_id = r.id)
          FROM {table} AS r WHERE r.workflow_id = ? ORDER BY r.id
        """,
        (workflow_id,),
    )
    return [
        (record_id, max(producers, 1) * max(consumers, 1))
        for record_id, producers, consumers in rows
        if producers or consumers
    ]


def _pairs(db: sqlite3.Connection, table: str, parts: Sequence[Part]) -> Iterator[Pair]:
    ids = json_ids(part.key for part in parts)
    writers = _linked(db, f"job_output_{table}", f"{table}_id", ids)
    readers = _linked(db, f"job_input_{table}", f"{table}_id", ids)
    for key, first, end in parts:
        producers, consumers = writers.get(key, NOBODY), readers.get(key, NOBODY)
        for index in range(first, end):
            row, column = divmod(index, len(consumers))
            yield Pair(key, producers[row], consumers[column])


NOBODY: Sequence[int | None] = (None,)


def _linked(db: sqlite3.Connection, table: str, column: str, ids: str) -> dict[int, list[int | None]]:
    """The jobs linked to each record, ascending."""
    found: defaultdict[int, list[int | None]] = defaultdict(list)
    for record_id, job_id in db.execute(
        f"""
        SELECT {column}, job_id FROM {table}
         WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY {column}, job_id
        """,
        (ids,),
    ):
        found[record_id].append(job_id)
    return found


def cut(sizes: Sequence[tuple[int, int]], offset: int, limit: int) -> list[Part]:
    """The page that begins at row ``offset``, when each key in turn stands for so many rows."""
    ends = list(accumulate(size for _, size in sizes))
    parts: list[Part] = []
    left = min(limit, MAX_RELATIONSHIPS)
    for position in range(bisect_right(ends, offset), len(sizes)):
        if left <= 0:
            break
        key, size = sizes[position]
        first = offset - (ends[position] - size)
        parts.append(Part(key, first, min(first + left, size)))
        offset, left = ends[position], left - (size - first)
    return parts


def _envelope(items: list[T], sizes: Iterable[tuple[int, int]], offset: int) -> Page[T]:
    total = sum(size for _, size in sizes)
    return Page(
        items=items,
        offset=offset,
        max_limit=MAX_RELATIONSHIPS,
        count=len(items),
        total_count=total,
        has_more=offset + len(items) < total,
    )


def _job_names(db: sqlite3.Connection, pairs: Iterable[Pair]) -> dict[int | None, str | None]:
    ids = {job_id for pair in pairs for job_id in (pair.producer_id, pair.consumer_id) if job_id is not None}
    return {None: None} | _names(db, ids)


def _names(db: sqlite3.Connection, job_ids: Iterable[int]) -> dict[int, str]:
    return dict(
        db.execute(
            "SELECT id, name FROM job WHERE id IN (SELECT value FROM json_each(?))", (json_ids(job_ids),)
        ).fetchall()
    )
