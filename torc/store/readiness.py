"""Which jobs may run now. The only place that settles a job, or unsettles one.

Dependencies are counted. At every commit, for every job whatever its status::

    unmet     = edges to unsettled jobs + groups with remaining > 0
    bad       = edges to bad jobs       + groups with failed > 0
    remaining = unsettled members of a group,   failed = its bad members

``change_status`` applies the difference a change makes, up or down, and then decides the blocked and ready jobs it
touched, until nothing changes any more. No timer is involved. The steps between ready, pending and running move no
counter; attempts.py takes them set-wise.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torc.errors import Conflict
from torc.models.status import BAD, MAY_FOLLOW, SETTLED, Cause, JobStatus
from torc.store import actions
from torc.store.rows import json_ids


class Change(NamedTuple):
    """A job gets a status, and why."""

    job_id: int
    status: JobStatus
    cause: Cause | None = None
    cause_job_id: int | None = None


@dataclass
class Applied:
    """What a change of status led to."""

    changed: list[Change] = field(default_factory=list)  # all, in order; followers after what caused them
    canceled: list[Change] = field(default_factory=list)  # jobs that a failure canceled


def change_status(
    db: sqlite3.Connection,
    workflow_id: int,
    changes: Iterable[Change],
    *,
    end_attempt: bool = False,
    decide: bool = True,
) -> Applied:
    """Give jobs of one workflow new statuses and let the others follow, in the caller's transaction.

    ``end_attempt`` takes the jobs away from their node: a report of the attempt will only be history. With
    ``decide`` False the counters move but nobody follows and no action counts it, as when a workflow is canceled as a
    whole. Raises Conflict, before anything is written, when a status may not follow the present one.
    """
    applied = Applied()
    wave = list(changes)
    while wave:
        wave, deltas = _apply(db, wave, end_attempt=end_attempt)
        applied.changed += wave
        end_attempt = False
        if not decide:
            break
        actions.count_jobs(db, workflow_id, wave)
        wave = _decide(db, deltas)
        applied.canceled += [change for change in wave if change.status == JobStatus.CANCELED]
    return applied


@dataclass
class Delta:
    """By how much a job's or a group's counters move, and a job to blame if ``bad`` grows."""

    unsettled: int = 0
    bad: int = 0
    blame: int | None = None

    def add(self, unsettled: int, bad: int, blame: int | None) -> None:
        """Count one more change."""
        self.unsettled += unsettled
        self.bad += bad
        if bad > 0:
            self.blame = blame


def _apply(
    db: sqlite3.Connection, changes: Sequence[Change], *, end_attempt: bool
) -> tuple[list[Change], dict[int, Delta]]:
    """Write the statuses and the counters that depend on them. The changes that were real, and who is touched."""
    before = _statuses(db, [change.job_id for change in changes])
    real = [change for change in changes if before[change.job_id] != change.status]
    for change in real:
        if change.status not in MAY_FOLLOW[before[change.job_id]]:
            raise Conflict(f"job {change.job_id} is {before[change.job_id]} and cannot become {change.status}")
    _write(db, changes if end_attempt else real, end_attempt=end_attempt)

    steps: dict[int, Delta] = {}  # what each job changes for those that wait for it
    for change in real:
        old, new = before[change.job_id], change.status
        unsettled, bad = (old in SETTLED) - (new in SETTLED), (new in BAD) - (old in BAD)
        if unsettled or bad:
            steps[change.job_id] = Delta(unsettled, bad, change.cause_job_id or change.job_id)
    if not steps:
        return real, {}
    deltas = _dependents(db, steps)
    _write_counters(db, deltas)
    return real, deltas


def _statuses(db: sqlite3.Connection, job_ids: Sequence[int]) -> dict[int, JobStatus]:
    rows = db.execute("SELECT id, status FROM job WHERE id IN (SELECT value FROM json_each(?))", (json_ids(job_ids),))
    return {job_id: JobStatus(status) for job_id, status in rows}


def _write(db: sqlite3.Connection, changes: Sequence[Change], *, end_attempt: bool) -> None:
    alike: dict[tuple[str, str | None, int | None], list[int]] = defaultdict(list)
    for change in changes:
        alike[change.status, change.cause, change.cause_job_id].append(change.job_id)
    for (status, cause, cause_job_id), job_ids in alike.items():
        # A job that must wait again may have been lost by a node that still runs it, on what its upstream made before.
        ends = end_attempt or status == JobStatus.BLOCKED
        db.execute(
            f"""
            UPDATE job
               SET status = ?, cause = ?, cause_job_id = ?
                   {", active_compute_node_id = NULL, start_time = NULL" if ends else ""}
             WHERE id IN (SELECT value FROM json_each(?))
            """,
            (status, cause, cause_job_id, json_ids(job_ids)),
        )


def _dependents(db: sqlite3.Connection, steps: dict[int, Delta]) -> dict[int, Delta]:
    """The jobs that wait for those in ``steps``, directly or through a group, and how their counters move."""
    changed = json_ids(steps)
    deltas: dict[int, Delta] = defaultdict(Delta)
    for job_id, depends_on in db.execute(
        """
        SELECT job_id, depends_on_job_id FROM job_depends_on
         WHERE depends_on_job_id IN (SELECT value FROM json_each(?))
        """,
        (changed,),
    ):
        step = steps[depends_on]
        deltas[job_id].add(step.unsettled, step.bad, step.blame)
    crossings = _move_groups(db, steps, changed)
    if not crossings:
        return deltas
    for job_id, group_id in db.execute(
        "SELECT job_id, group_id FROM job_depends_on_group WHERE group_id IN (SELECT value FROM json_each(?))",
        (json_ids(crossings),),
    ):
        crossing = crossings[group_id]
        deltas[job_id].add(crossing.unsettled, crossing.bad, crossing.blame)
    return deltas


def _move_groups(db: sqlite3.Connection, steps: dict[int, Delta], changed: str) -> dict[int, Delta]:
    """Update the groups the jobs are members of; those whose counters became or left zero, with the step that is."""
    moves: dict[int, Delta] = defaultdict(Delta)
    for group_id, job_id in db.execute(
        "SELECT group_id, job_id FROM dependency_group_member WHERE job_id IN (SELECT value FROM json_each(?))",
        (changed,),
    ):
        step = steps[job_id]
        moves[group_id].add(step.unsettled, step.bad, step.blame)
    if not moves:
        return {}
    crossings: dict[int, Delta] = {}
    written: list[tuple[int, int, int]] = []
    for group_id, remaining, failed in db.execute(
        "SELECT id, remaining, failed FROM dependency_group WHERE id IN (SELECT value FROM json_each(?))",
        (json_ids(moves),),
    ):
        move = moves[group_id]
        still_remaining, now_failed = remaining + move.unsettled, failed + move.bad
        written.append((still_remaining, now_failed, group_id))
        crossing = Delta(
            (still_remaining > 0) - (remaining > 0),
            (now_failed > 0) - (failed > 0),
            move.blame,
        )
        if crossing.unsettled or crossing.bad:
            crossings[group_id] = crossing
    db.executemany("UPDATE dependency_group SET remaining = ?, failed = ? WHERE id = ?", written)
    return crossings


def _write_counters(db: sqlite3.Connection, deltas: dict[int, Delta]) -> None:
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for job_id, delta in deltas.items():
        alike[delta.unsettled, delta.bad].append(job_id)
    for (unsettled, bad), job_ids in alike.items():
        db.execute(
            "UPDATE job SET unmet = unmet + ?, bad = bad + ? WHERE id IN (SELECT value FROM json_each(?))",
            (unsettled, bad, json_ids(job_ids)),
        )


def _decide(db: sqlite3.Connection, deltas: dict[int, Delta]) -> list[Change]:
    """What the touched jobs become. Only blocked and ready jobs are decided; the others keep their status."""
    if not deltas:
        return []
    decisions: list[Change] = []
    for job_id, status, unmet, bad, cancels in db.execute(
        """
        SELECT id, status, unmet, bad, cancel_on_blocking_job_failure FROM job
         WHERE id IN (SELECT value FROM json_each(?)) AND status IN ('blocked', 'ready')
        """,
        (json_ids(deltas),),
    ):
        wanted = verdict(unmet, bad, cancels)
        if wanted == JobStatus.CANCELED:
            decisions.append(Change(job_id, wanted, Cause.DEPENDENCY, deltas[job_id].blame))
        elif wanted != status:
            decisions.append(Change(job_id, wanted))
    return decisions


def verdict(unmet: int, bad: int, cancels: int) -> JobStatus:
    """What a job that nobody has handed out should be, from its counters and its flag."""
    if bad and cancels:
        return JobStatus.CANCELED
    return JobStatus.BLOCKED if unmet else JobStatus.READY


def decide_range(db: sqlite3.Connection, workflow_id: int, first_id: int, last_id: int) -> int:
    """Decide the uninitialized jobs with ids in a range; how many there were.

    Blocked and ready are both unsettled, so those two need no counting and are written set-wise.
    """
    span = (workflow_id, first_id, last_id)
    doomed = db.execute(
        """
        SELECT id FROM job
         WHERE workflow_id = ? AND id BETWEEN ? AND ? AND status = 'uninitialized'
           AND bad > 0 AND cancel_on_blocking_job_failure
        """,
        span,
    ).fetchall()
    decided = db.execute(
        """
        UPDATE job SET status = CASE WHEN unmet = 0 THEN 'ready' ELSE 'blocked' END, cause = NULL, cause_job_id = NULL
         WHERE workflow_id = ? AND id BETWEEN ? AND ? AND status = 'uninitialized'
           AND NOT (bad > 0 AND cancel_on_blocking_job_failure)
        """,
        span,
    ).rowcount
    change_status(db, workflow_id, cancellations(db, [job_id for (job_id,) in doomed]))
    return decided + len(doomed)


def cancellations(db: sqlite3.Connection, doomed: Sequence[int]) -> list[Change]:
    """The changes that cancel jobs with bad dependencies; each blames the first of them, or what that one blames."""
    jobs = json_ids(doomed)
    blame: dict[int, int] = dict(
        db.execute(
            f"""
            SELECT d.job_id, min(u.id) FROM job_depends_on AS d JOIN job AS u ON u.id = d.depends_on_job_id
             WHERE d.job_id IN (SELECT value FROM json_each(?)) AND u.status IN ({_BAD}) GROUP BY d.job_id
            """,
            (jobs,),
        ).fetchall()
    )
    members: dict[int, int] = dict(
        db.execute(
            f"""
            SELECT m.group_id, min(u.id) FROM dependency_group_member AS m JOIN job AS u ON u.id = m.job_id
             WHERE m.group_id IN (
                       SELECT group_id FROM job_depends_on_group WHERE job_id IN (SELECT value FROM json_each(?))
                   ) AND u.status IN ({_BAD})
             GROUP BY m.group_id
            """,
            (jobs,),
        ).fetchall()
    )
    for job_id, group_id in db.execute(
        "SELECT job_id, group_id FROM job_depends_on_group WHERE job_id IN (SELECT value FROM json_each(?))", (jobs,)
    ):
        if group_id in members:
            blame.setdefault(job_id, members[group_id])
    roots = dict(
        db.execute(
            "SELECT id, coalesce(cause_job_id, id) FROM job WHERE id IN (SELECT value FROM json_each(?))",
            (json_ids(set(blame.values())),),
        ).fetchall()
    )
    return [Change(job_id, JobStatus.CANCELED, Cause.DEPENDENCY, roots[blame[job_id]]) for job_id in doomed]


def recount(db: sqlite3.Connection, job_ids: Iterable[int]) -> None:
    """Compute the counters of jobs afresh, in the transaction that added edges or groups to them."""
    db.execute(
        f"UPDATE job SET unmet = ({UNMET}), bad = ({BAD_COUNT}) WHERE id IN (SELECT value FROM json_each(?))",
        (json_ids(job_ids),),
    )


_SETTLED = ", ".join(f"'{status}'" for status in sorted(SETTLED))
_BAD = ", ".join(f"'{status}'" for status in sorted(BAD))

UNMET = f"""
    SELECT count(*) FROM job_depends_on AS d JOIN job AS u ON u.id = d.depends_on_job_id
     WHERE d.job_id = job.id AND u.status NOT IN ({_SETTLED})
    ) + (
    SELECT count(*) FROM job_depends_on_group AS dg JOIN dependency_group AS g ON g.id = dg.group_id
     WHERE dg.job_id = job.id AND g.remaining > 0
"""
"""SQL for what ``job.unmet`` must be. Also what doctor compares with."""

BAD_COUNT = f"""
    SELECT count(*) FROM job_depends_on AS d JOIN job AS u ON u.id = d.depends_on_job_id
     WHERE d.job_id = job.id AND u.status IN ({_BAD})
    ) + (
    SELECT count(*) FROM job_depends_on_group AS dg JOIN dependency_group AS g ON g.id = dg.group_id
     WHERE dg.job_id = job.id AND g.failed > 0
"""

REMAINING = f"""
    SELECT count(*) FROM dependency_group_member AS m JOIN job AS u ON u.id = m.job_id
     WHERE m.group_id = dependency_group.id AND u.status NOT IN ({_SETTLED})
"""

FAILED = f"""
    SELECT count(*) FROM dependency_group_member AS m JOIN job AS u ON u.id = m.job_id
     WHERE m.group_id = dependency_group.id AND u.status IN ({_BAD})
"""
