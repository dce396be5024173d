"""Dependency groups: "all of A before all of B" as n + m rows, and what lies behind jobs."""

import hashlib
import sqlite3
from array import array
from collections.abc import Iterable, Sequence

from torc.errors import Unprocessable
from torc.models.job import DependencyGroup
from torc.models.queries import Paging
from torc.models.record import Page
from torc.store import graph, workflows
from torc.store.database import Database
from torc.store.readiness import FAILED, REMAINING, recount
from torc.store.rows import json_ids
from torc.store.table import envelope, order_by

MAX_PLAIN_EDGES = 10_000
SORTABLE = ("id", "workflow_id", "remaining", "failed")

DEPENDENTS = """
    SELECT job_id FROM job_depends_on WHERE depends_on_job_id = ?
     UNION
    SELECT dg.job_id FROM dependency_group_member AS m JOIN job_depends_on_group AS dg ON dg.group_id = m.group_id
     WHERE m.job_id = ?
"""
"""SQL for the jobs that depend on a job, which is bound twice."""


def members_hash(members: Sequence[int]) -> str:
    """What identifies a member set; ``members`` ascending."""
    return hashlib.sha256(array("q", members).tobytes()).hexdigest()


def ensure(db: sqlite3.Connection, workflow_id: int, members: Sequence[int]) -> int:
    """The group of exactly these members (ascending), made if there is none; its id."""
    digest = members_hash(members)
    row = db.execute(
        "SELECT id FROM dependency_group WHERE workflow_id = ? AND members_hash = ?", (workflow_id, digest)
    ).fetchone()
    if row is not None:
        return int(row[0])
    cursor = db.execute("INSERT INTO dependency_group (workflow_id, members_hash) VALUES (?, ?)", (workflow_id, digest))
    group_id = cursor.lastrowid
    assert group_id is not None
    db.executemany(
        "INSERT INTO dependency_group_member (group_id, job_id) VALUES (?, ?)", [(group_id, job) for job in members]
    )
    recount_group(db, group_id)
    return group_id


def recount_group(db: sqlite3.Connection, group_id: int) -> None:
    """Compute a group's counters afresh, after its members were added."""
    db.execute(f"UPDATE dependency_group SET remaining = ({REMAINING}), failed = ({FAILED}) WHERE id = ?", (group_id,))


def depend(db: sqlite3.Connection, job_ids: Sequence[int], group_id: int) -> None:
    """Let jobs wait for a group; those that do already are left alone. Counters are the caller's to recount."""
    db.executemany(
        "INSERT OR IGNORE INTO job_depends_on_group (job_id, group_id) VALUES (?, ?)",
        [(job_id, group_id) for job_id in job_ids],
    )


def create(database: Database, workflow_id: int, group: DependencyGroup) -> DependencyGroup:
    """Let all of one set wait for all of another. Only for jobs that are not initialized yet."""
    members, dependents = sorted(set(group.member_job_ids)), sorted(set(group.dependent_job_ids))
    if not members or not dependents:
        raise Unprocessable("a dependency group needs member_job_ids and dependent_job_ids")
    with database.write() as db:
        workflows.require(db, workflow_id)
        rows = db.execute(
            "SELECT id, status FROM job WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))",
            (workflow_id, json_ids({*members, *dependents})),
        ).fetchall()
        if len(rows) != len({*members, *dependents}):
            raise Unprocessable(f"a dependency group may only hold jobs of workflow {workflow_id}")
        started = sorted(job_id for job_id, status in rows if status != "uninitialized" and job_id in dependents)
        if started:
            raise Unprocessable(f"dependencies can only be added to uninitialized jobs; job {started[0]} is not")
        group_id = ensure(db, workflow_id, members)
        depend(db, dependents, group_id)
        graph.refuse_cycles(db, workflow_id)
        recount(db, dependents)
        workflows.touch(db, workflow_id)
        return _select(db, "id = ?", [group_id])[0]


def page(database: Database, workflow_id: int, paging: Paging) -> Page[DependencyGroup]:
    """One page of a workflow's groups, with members and dependents."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        (total,) = db.execute("SELECT count(*) FROM dependency_group WHERE workflow_id = ?", (workflow_id,)).fetchone()
        found = _select(db, "workflow_id = ?", [workflow_id], paging)
        return envelope(found, total, paging)


def _select(
    db: sqlite3.Connection, where: str, arguments: list[int], paging: Paging = Paging()
) -> list[DependencyGroup]:
    rows = db.execute(
        f"""
        SELECT id, workflow_id, remaining, failed FROM dependency_group
         WHERE {where} ORDER BY {order_by("dependency_group", paging, SORTABLE)} LIMIT ? OFFSET ?
        """,
        [*arguments, paging.limit, paging.offset],
    ).fetchall()
    return [
        DependencyGroup(
            id=group_id,
            workflow_id=workflow_id,
            member_job_ids=_ids(db, "SELECT job_id FROM dependency_group_member WHERE group_id = ?", group_id),
            dependent_job_ids=_ids(db, "SELECT job_id FROM job_depends_on_group WHERE group_id = ?", group_id),
            remaining=remaining,
            failed=failed,
        )
        for group_id, workflow_id, remaining, failed in rows
    ]


def _ids(db: sqlite3.Connection, sql: str, group_id: int) -> list[int]:
    return sorted(job_id for (job_id,) in db.execute(sql, (group_id,)))


def downstream(db: sqlite3.Connection, job_ids: Iterable[int], *, past_handed_out: bool = False) -> set[int]:
    """These jobs and all that wait for them, at any depth; does not look past pending and running ones.

    Unless ``past_handed_out``: for them too it is over then.

    Every group is opened once, so that n members and m dependents cost n + m.
    """
    found = set(job_ids)
    opened: set[int] = set()
    wave = list(found)
    while wave:
        ids = json_ids(wave)
        group_ids = {
            group_id
            for (group_id,) in db.execute(
                "SELECT group_id FROM dependency_group_member WHERE job_id IN (SELECT value FROM json_each(?))", (ids,)
            )
        } - opened
        opened |= group_ids
        followers = {
            job_id
            for (job_id,) in db.execute(
                """
                SELECT job_id FROM job_depends_on WHERE depends_on_job_id IN (SELECT value FROM json_each(?))
                 UNION
                SELECT job_id FROM job_depends_on_group WHERE group_id IN (SELECT value FROM json_each(?))
                """,
                (ids, json_ids(group_ids)),
            )
        } - found
        found |= followers
        wave = list(followers) if past_handed_out else _not_handed_out(db, followers)
    return found


def _not_handed_out(db: sqlite3.Connection, job_ids: Iterable[int]) -> list[int]:
    rows = db.execute(
        """
        SELECT id FROM job WHERE id IN (SELECT value FROM json_each(?)) AND status NOT IN ('pending', 'running')
        """,
        (json_ids(job_ids),),
    )
    return [job_id for (job_id,) in rows]


def shorten(db: sqlite3.Connection, job_ids: list[int], most: int) -> list[int]:
    """The longest beginning of ``job_ids`` whose effective dependencies are at most ``most`` ids; never empty."""
    sizes: dict[int, int] = {}
    for job_id, size in db.execute(
        """
        SELECT dg.job_id, (SELECT count(*) FROM dependency_group_member AS m WHERE m.group_id = dg.group_id)
          FROM job_depends_on_group AS dg WHERE dg.job_id IN (SELECT value FROM json_each(?))
        """,
        (json_ids(job_ids),),
    ):
        sizes[job_id] = sizes.get(job_id, 0) + size
    total = 0
    for index, job_id in enumerate(job_ids):
        total += sizes.get(job_id, 0)
        if total > most and index:
            return job_ids[:index]
    return job_ids
