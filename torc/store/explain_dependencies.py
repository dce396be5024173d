"""The part of an explanation that is about other jobs: which are waited for, and whose failure canceled a job."""

import sqlite3
from collections.abc import Iterator

from torc.models.explanation import NamedJob, Reason, ReasonKind
from torc.models.status import BAD, SETTLED, JobStatus

SHOWN = 5
"""Jobs, or groups of them, that are named; the others are counted."""

LOOKED_AT = 1000
"""Members at each end of a group among which unfinished or failed ones are looked for."""

LONGEST_CHAIN = 20

_SETTLED = ", ".join(f"'{status}'" for status in sorted(SETTLED))
_BAD = ", ".join(f"'{status}'" for status in sorted(BAD))
UNFINISHED = f"status NOT IN ({_SETTLED})"


def unfinished(db: sqlite3.Connection, job_id: int) -> Iterator[Reason]:
    """What a blocked job waits for."""
    edges = f"""
        FROM job_depends_on AS d JOIN job AS u ON u.id = d.depends_on_job_id WHERE d.job_id = ? AND u.{UNFINISHED}
    """
    (count,) = db.execute(f"SELECT count(*) {edges}", (job_id,)).fetchone()
    if count:
        rows = db.execute(f"SELECT u.id, u.name, u.status {edges} ORDER BY u.id LIMIT {SHOWN}", (job_id,)).fetchall()
        yield Reason(
            kind=ReasonKind.DEPENDENCIES,
            says=f"it waits for {_so_many(count)} not ended",
            jobs=_named(rows),
            count=count,
        )
    for group_id, remaining in db.execute(
        f"""
        SELECT g.id, g.remaining FROM job_depends_on_group AS d JOIN dependency_group AS g ON g.id = d.group_id
         WHERE d.job_id = ? AND g.remaining > 0 ORDER BY g.id LIMIT {SHOWN}
        """,
        (job_id,),
    ).fetchall():
        yield Reason(
            kind=ReasonKind.DEPENDENCY_GROUP,
            says=f"it waits for {_so_many(remaining)} not ended, of dependency group {group_id}",
            jobs=_members(db, group_id, UNFINISHED) or None,
            count=remaining,
            group_id=group_id,
        )


def _so_many(count: int) -> str:
    return "1 job that has" if count == 1 else f"{count} jobs that have"


def _named(rows: list[tuple[int, str, str]]) -> list[NamedJob]:
    return [NamedJob(id=job_id, name=name, status=JobStatus(status)) for job_id, name, status in rows]


def _members(db: sqlite3.Connection, group_id: int, condition: str) -> list[NamedJob]:
    """Some members for which the condition holds, from one of the ends of the group."""
    for order in ("ASC", "DESC"):
        rows = db.execute(
            f"""
            SELECT id, name, status FROM job
             WHERE {condition} AND id IN (
                       SELECT job_id FROM dependency_group_member WHERE group_id = ? ORDER BY job_id {order}
                        LIMIT {LOOKED_AT}
                   )
             ORDER BY id LIMIT {SHOWN}
            """,
            (group_id,),
        ).fetchall()
        if rows:
            return _named(rows)
    return []


def first_cause(db: sqlite3.Connection, job_id: int, cause_job_id: int | None) -> Reason:
    """Whose failure canceled a job, and through which others it came."""
    again = f"; run it again with: torc jobs retry {cause_job_id or job_id}"
    row = db.execute("SELECT id, name, status FROM job WHERE id = ?", (cause_job_id,)).fetchone()
    if row is None:
        gone = (
            "a job before it did not succeed" if cause_job_id is None else f"job {cause_job_id}, since deleted, failed"
        )
        return Reason(kind=ReasonKind.CAUSE, says=f"it was canceled because {gone}; torc jobs retry {job_id}")
    (cause,) = _named([row])
    chain = _chain(db, job_id, cause)
    through = f", through {len(chain) - 1} other(s)" if len(chain) > 1 else ""
    return Reason(
        kind=ReasonKind.CAUSE,
        says=f"it was canceled because job {cause.id} '{cause.name}' {_has_become(cause.status)}"
        f"{ending(db, cause.id)}{through}{again}",
        jobs=chain,
        count=len(chain),
    )


def _has_become(status: str) -> str:
    return status if status == JobStatus.FAILED else f"was {status}"


def _chain(db: sqlite3.Connection, job_id: int, cause: NamedJob) -> list[NamedJob]:
    """The bad jobs from the nearest dependency to the first cause; only that one where the way is not found."""
    chain: list[NamedJob] = []
    seen = {job_id}
    at = job_id
    while at != cause.id and len(chain) < LONGEST_CHAIN:
        step = _bad_dependency(db, at, cause.id)
        if step is None or step.id in seen:
            return [cause]
        chain.append(step)
        seen.add(step.id)
        at = step.id
    return chain if at == cause.id else [*chain[: LONGEST_CHAIN - 1], cause]


def _bad_dependency(db: sqlite3.Connection, job_id: int, cause_id: int) -> NamedJob | None:
    """The first dependency of a job that is the cause, or was canceled because of it."""
    blamed = f"status IN ({_BAD}) AND (id = {cause_id:d} OR cause_job_id = {cause_id:d})"
    rows = db.execute(
        f"""
        SELECT id, name, status FROM job
         WHERE id IN (SELECT depends_on_job_id FROM job_depends_on WHERE job_id = ?) AND {blamed}
         ORDER BY id <> ?, id LIMIT 1
        """,
        (job_id, cause_id),
    ).fetchall()
    if rows:
        return _named(rows)[0]
    groups = db.execute(
        f"""
        SELECT g.id FROM job_depends_on_group AS d JOIN dependency_group AS g ON g.id = d.group_id
         WHERE d.job_id = ? AND g.failed > 0 ORDER BY g.id LIMIT {SHOWN}
        """,
        (job_id,),
    ).fetchall()
    for (group_id,) in groups:
        row = db.execute(
            """
            SELECT job.id, job.name, job.status FROM dependency_group_member AS m JOIN job ON job.id = m.job_id
             WHERE m.group_id = ? AND m.job_id = ?
            """,
            (group_id, cause_id),
        ).fetchall()
        found = _named(row) or _members(db, group_id, blamed)
        if found:
            return found[0]
    return None


def ending(db: sqlite3.Connection, job_id: int) -> str:
    """How a job's last attempt ended, in brackets; nothing where no result tells it."""
    row = db.execute(
        """
        SELECT r.return_code, coalesce(job.cause, r.cause), r.compute_node_id
          FROM job JOIN result AS r ON r.id = job.current_result_id WHERE job.id = ?
        """,
        (job_id,),
    ).fetchone()
    if row is None:
        return ""
    return_code, cause, node_id = row
    parts = [f"return code {return_code}", *([] if cause in (None, "exit") else [f"cause {cause}"])]
    return f" ({', '.join(parts)}{f', on compute node {node_id}' if node_id else ''})"
