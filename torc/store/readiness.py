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
from typing import Any, NamedTuple

from torc.errors import Conflict
from torc.models.status import BAD, MAY_FOLLOW, SETTLED, Cause, JobStatus
from torc.store import actions
from torc.store.fingerprints import remember_readers
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
    wanted = list(changes)
    before = _statuses(db, [change.job_id for change in wanted])
    real = [change for change in wanted if before[change.job_id] != change.status]
    for change in real:
        if change.status not in MAY_FOLLOW[before[change.job_id]]:
            raise Conflict(f"job {change.job_id} is {before[change.job_id]} and cannot become {change.status}")
    _write_statuses(db, wanted if end_attempt else real, end_attempt=end_attempt)
    applied.changed += real
    steps = _steps((before[change.job_id], change) for change in real)
    if not decide:
        _write_counters(db, _dependents(db, steps))
        return applied
    while steps:
        wave = _follow(db, _dependents(db, steps))
        steps = {}
        for fate in wave:
            applied.changed += (changes := fate.changes())
            if fate.status == JobStatus.CANCELED:
                applied.canceled += changes
            steps |= fate.steps()
    remember_readers(db, workflow_id, [change.job_id for change in applied.changed if change.status == JobStatus.READY])
    actions.count_jobs(db, workflow_id, applied.changed)
    return applied


def _statuses(db: sqlite3.Connection, job_ids: Sequence[int]) -> dict[int, JobStatus]:
    rows = db.execute("SELECT id, status FROM job WHERE id IN (SELECT value FROM json_each(?))", (json_ids(job_ids),))
    return {job_id: JobStatus(status) for job_id, status in rows}


def _write_statuses(db: sqlite3.Connection, changes: Sequence[Change], *, end_attempt: bool) -> None:
    alike: dict[tuple[JobStatus, Cause | None, int | None], list[int]] = defaultdict(list)
    for change in changes:
        alike[change.status, change.cause, change.cause_job_id].append(change.job_id)
    for (status, cause, cause_job_id), job_ids in alike.items():
        # A job that must wait again may have been lost by a node that still runs it, on what its upstream made before.
        ends = end_attempt or status == JobStatus.BLOCKED
        _write(db, job_ids, "status = ?, cause = ?, cause_job_id = ?", status, cause, cause_job_id, ends=ends)


def _write(db: sqlite3.Connection, job_ids: Sequence[int], assign: str, *values: Any, ends: bool = False) -> None:
    taken_away = ", active_compute_node_id = NULL, start_time = NULL" if ends else ""
    db.execute(
        f"UPDATE job SET {assign}{taken_away} WHERE id IN (SELECT value FROM json_each(?))",
        (*values, json_ids(job_ids)),
    )


class Delta(NamedTuple):
    """By how much a job's or a group's counters move, and a job to blame if ``bad`` grows."""

    unsettled: int
    bad: int
    blame: int | None

    def plus(self, other: "Delta") -> "Delta":
        """Both moves as one."""
        return Delta(
            self.unsettled + other.unsettled, self.bad + other.bad, other.blame if other.bad > 0 else self.blame
        )


def _effect(old: JobStatus, new: JobStatus, blame: int) -> Delta | None:
    """What a change moves for those that wait for the job."""
    unsettled, bad = (old in SETTLED) - (new in SETTLED), (new in BAD) - (old in BAD)
    return Delta(unsettled, bad, blame if bad > 0 else None) if unsettled or bad else None


def _steps(changes: Iterable[tuple[JobStatus, Change]]) -> dict[int, Delta]:
    """What each job moves, from its changes and the statuses before."""
    effects = (
        (change.job_id, _effect(old, change.status, change.cause_job_id or change.job_id)) for old, change in changes
    )
    return {job_id: effect for job_id, effect in effects if effect is not None}


class Fate(NamedTuple):
    """What becomes of jobs that waited alike; many thousands may share one."""

    old: JobStatus
    status: JobStatus
    cause: Cause | None
    cause_job_id: int | None
    job_ids: list[int]

    def changes(self) -> list[Change]:
        """One for each job."""
        _, status, cause, cause_job_id, job_ids = self
        return [Change(job_id, status, cause, cause_job_id) for job_id in job_ids]

    def steps(self) -> dict[int, Delta]:
        """What each job moves for those that wait for it."""
        if self.cause_job_id is None:  # each is to blame itself
            return _steps((self.old, change) for change in self.changes())
        effect = _effect(self.old, self.status, self.cause_job_id)
        return dict.fromkeys(self.job_ids, effect) if effect is not None else {}


def _dependents(db: sqlite3.Connection, steps: dict[int, Delta]) -> dict[int, Delta]:
    """The jobs that wait for those in ``steps``, directly or through a group, and how their counters move."""
    if not steps:
        return {}
    changed = json_ids(steps)
    edges = db.execute(
        """
        SELECT job_id, depends_on_job_id FROM job_depends_on
         WHERE depends_on_job_id IN (SELECT value FROM json_each(?))
        """,
        (changed,),
    )
    deltas = _sums(edges, steps)
    crossings = _move_groups(db, steps, changed)
    if crossings:
        waiting = db.execute(
            "SELECT job_id, group_id FROM job_depends_on_group WHERE group_id IN (SELECT value FROM json_each(?))",
            (json_ids(crossings),),
        )
        deltas = _sums(waiting, crossings, deltas)
    return deltas


def _sums(
    pairs: Iterable[tuple[int, int]], steps: dict[int, Delta], sums: dict[int, Delta] | None = None
) -> dict[int, Delta]:
    """The steps added up: a pair is who is moved and by which step."""
    sums = sums or {}
    for moved, mover in pairs:
        step, known = steps[mover], sums.get(moved)
        sums[moved] = step if known is None else known.plus(step)
    return sums


def _move_groups(db: sqlite3.Connection, steps: dict[int, Delta], changed: str) -> dict[int, Delta]:
    """Update the groups the jobs are members of; those whose counters became or left zero, with the step that is."""
    members = db.execute(
        "SELECT group_id, job_id FROM dependency_group_member WHERE job_id IN (SELECT value FROM json_each(?))",
        (changed,),
    )
    moves = _sums(members, steps)
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


_COUNTERS = "unmet = unmet + ?, bad = bad + ?"


def _write_counters(db: sqlite3.Connection, deltas: dict[int, Delta]) -> None:
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for job_id, (unsettled, bad, _) in deltas.items():
        alike[unsettled, bad].append(job_id)
    for move, job_ids in alike.items():
        _write(db, job_ids, _COUNTERS, *move)


def _follow(db: sqlite3.Connection, deltas: dict[int, Delta]) -> list[Fate]:
    """Write the counters of the touched jobs and what becomes of them.

    Only blocked and ready jobs are decided; the others keep their status. A job's row is written once.
    """
    if not deltas:
        return []
    alike: dict[tuple[Delta, str, int, int, int], list[int]] = defaultdict(list)
    for job_id, status, unmet, bad, cancels in db.execute(
        """
        SELECT id, status, unmet, bad, cancel_on_blocking_job_failure FROM job
         WHERE id IN (SELECT value FROM json_each(?)) AND status IN ('blocked', 'ready')
        """,
        (json_ids(deltas),),
    ):
        alike[deltas[job_id], status, unmet, bad, cancels].append(job_id)
    followers: dict[tuple[int, int, JobStatus, JobStatus, int | None], list[int]] = defaultdict(list)
    for (move, status, unmet, bad, cancels), job_ids in alike.items():
        wanted = verdict(unmet + move.unsettled, bad + move.bad, cancels)
        if wanted != status:
            blame = move.blame if wanted == JobStatus.CANCELED else None
            followers[move.unsettled, move.bad, JobStatus(status), wanted, blame] += job_ids
    followed = {job_id for job_ids in followers.values() for job_id in job_ids}
    _write_counters(db, {job_id: move for job_id, move in deltas.items() if job_id not in followed})
    fates: list[Fate] = []
    for (unsettled, bad, old, wanted, blame), job_ids in followers.items():
        cause = Cause.DEPENDENCY if wanted == JobStatus.CANCELED else None
        assign = f"{_COUNTERS}, status = ?, cause = ?, cause_job_id = ?"
        ends = wanted == JobStatus.BLOCKED  # as in _write_statuses
        _write(db, job_ids, assign, unsettled, bad, wanted, cause, blame, ends=ends)
        fates.append(Fate(old, wanted, cause, blame, job_ids))
    return fates


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
