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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torc.errors import Conflict
from torc.models.status import BAD, MAY_FOLLOW, SETTLED, Cause, JobStatus
from torc.store import triggers
from torc.store.fingerprints import remember_readers
from torc.store.rows import json_ids, to_json


class Change(NamedTuple):
    """A job gets a status, and why."""

    job_id: int
    status: JobStatus
    cause: Cause | None = None
    cause_job_id: int | None = None


class Fate(NamedTuple):
    """What became of many jobs.

    Their ids stay the text that SQLite makes and reads again: with an object per job, a cascade over 100,000 jobs
    takes 1.0 s instead of 0.5 s.
    """

    status: JobStatus
    cause: Cause | None
    cause_job_id: int | None
    ids: str  # separated by commas

    @property
    def job_ids(self) -> list[int]:
        """The ids as numbers."""
        return [int(job_id) for job_id in self.ids.split(",")]


@dataclass
class Applied:
    """What a change of status led to."""

    changed: list[Fate] = field(default_factory=list)  # all, in order; followers after what caused them
    canceled: list[Fate] = field(default_factory=list)  # jobs that a failure canceled


class Step(NamedTuple):
    """By how much changed jobs, or groups, move the counters of each that waits for them."""

    unsettled: int
    bad: int
    blame: int | None  # a job, if ``bad`` grows; None: each changed job is itself to blame


Steps = dict[Step, list[str]]
"""The ids of what takes each step."""


def change_status(
    db: sqlite3.Connection,
    workflow_id: int,
    changes: Iterable[Change],
    *,
    before: Mapping[int, JobStatus] | None = None,
    end_attempt: bool = False,
    decide: bool = True,
) -> Applied:
    """Give jobs of one workflow new statuses and let the others follow, in the caller's transaction.

    ``end_attempt`` takes the jobs away from their node: a report of the attempt will only be history. With
    ``decide`` False the counters move but nobody follows and no action counts it, as when a workflow is canceled as a
    whole. ``before`` are the present statuses, if the caller has just read them. Raises Conflict, before anything is
    written, when a status may not follow the present one.
    """
    wanted = list(changes)
    if before is None:
        before = _statuses(db, [change.job_id for change in wanted])
    real = [change for change in wanted if before[change.job_id] != change.status]
    for change in real:
        if change.status not in MAY_FOLLOW[before[change.job_id]]:
            raise Conflict(f"job {change.job_id} is {before[change.job_id]} and cannot become {change.status}")
    for fate in _alike(wanted if end_attempt else real):
        _write(db, fate.ids, _FATE, *fate[:3], ends=end_attempt or _must_wait(fate.status))
    applied = Applied(_alike(real))
    steps = _steps(before, real)
    while steps:
        wave = _follow(db, steps, decide=decide)
        canceled = [fate for fate in wave if fate.status == JobStatus.CANCELED]
        applied.changed += wave
        applied.canceled += canceled
        steps = defaultdict(list)  # between blocked and ready nothing moves
        for fate in canceled:
            steps[Step(-1, 1, fate.cause_job_id)].append(fate.ids)
    if decide:
        ready = ",".join(fate.ids for fate in applied.changed if fate.status == JobStatus.READY)
        remember_readers(db, workflow_id, ready)
        triggers.count_jobs(db, workflow_id, applied.changed)
    return applied


def _statuses(db: sqlite3.Connection, job_ids: Sequence[int]) -> dict[int, JobStatus]:
    rows = db.execute("SELECT id, status FROM job WHERE id IN (SELECT value FROM json_each(?))", (json_ids(job_ids),))
    return {job_id: JobStatus(status) for job_id, status in rows}


def _alike(changes: Iterable[Change]) -> list[Fate]:
    alike: dict[tuple[JobStatus, Cause | None, int | None], list[str]] = defaultdict(list)
    for change in changes:
        alike[change[1:]].append(str(change.job_id))
    return [Fate(*fate, ",".join(ids)) for fate, ids in alike.items()]


_FATE = "status = ?, cause = ?, cause_job_id = ?, stop_requested = 0"
_COUNTERS = "unmet = unmet + ?, bad = bad + ?"
_AMONG = "WHERE id IN (SELECT value FROM json_each(?))"


def _write(db: sqlite3.Connection, ids: str, assign: str, *values: Any, ends: bool = False) -> None:
    taken_away = ", active_compute_node_id = NULL, start_time = NULL" if ends else ""
    db.execute(f"UPDATE job SET {assign}{taken_away} {_AMONG}", (*values, f"[{ids}]"))


def _must_wait(status: JobStatus) -> bool:
    """Whether the attempt ends: a node that was lost may still run it, on what the upstream made before."""
    return status == JobStatus.BLOCKED


def _steps(before: Mapping[int, JobStatus], changes: Iterable[Change]) -> Steps:
    """What the changes move for those that wait for the jobs."""
    steps: Steps = defaultdict(list)
    for job_id, new, _, cause_job_id in changes:
        old = before[job_id]
        unsettled, bad = (old in SETTLED) - (new in SETTLED), (new in BAD) - (old in BAD)
        if unsettled or bad:
            steps[Step(unsettled, bad, cause_job_id if bad > 0 else None)].append(str(job_id))
    return steps


def _verdict(unmet: str = "job.unmet", bad: str = "job.bad") -> str:
    """SQL for what a job that nobody has handed out should be, from its counters and its flag."""
    return f"""
        CASE WHEN {bad} > 0 AND job.cancel_on_blocking_job_failure THEN '{JobStatus.CANCELED}'
             WHEN {unmet} > 0 THEN '{JobStatus.BLOCKED}' ELSE '{JobStatus.READY}' END
    """


_MOVERS = "step CROSS JOIN json_each(step.ids) AS changed"
_BLAME = "CASE WHEN step.bad > 0 THEN coalesce(step.blame, changed.value) END"

_MOVES = f"""
    SELECT d.job_id, step.unsettled, step.bad, {_BLAME} AS blame
      FROM {_MOVERS} CROSS JOIN job_depends_on AS d ON d.depends_on_job_id = changed.value
"""
_NOTHING_TO_SUM = ":is_one AND NOT EXISTS (SELECT 1 FROM moved_group)"

_WAVE = f"""
    WITH step AS MATERIALIZED (
        SELECT value ->> 0 AS unsettled, value ->> 1 AS bad, value ->> 2 AS blame, value ->> 3 AS ids
          FROM json_each(:steps)
    ), moved_group AS MATERIALIZED (
        SELECT g.id, g.remaining, g.failed, sum(step.unsettled) AS unsettled, sum(step.bad) AS bad,
               min({_BLAME}) AS blame
          FROM {_MOVERS} CROSS JOIN dependency_group_member AS m ON m.job_id = changed.value
               CROSS JOIN dependency_group AS g ON g.id = m.group_id
         GROUP BY g.id
    ), crossing AS (
        SELECT id, (remaining + unsettled > 0) - (remaining > 0) AS unsettled,
               (failed + bad > 0) - (failed > 0) AS bad, blame
          FROM moved_group
    ), moved AS (
        {_MOVES} WHERE {_NOTHING_TO_SUM}
         UNION ALL
        SELECT job_id, sum(unsettled), sum(bad), min(blame) FROM (
            {_MOVES} WHERE NOT ({_NOTHING_TO_SUM})
             UNION ALL
            SELECT d.job_id, c.unsettled, c.bad, CASE WHEN c.bad > 0 THEN c.blame END
              FROM crossing AS c CROSS JOIN job_depends_on_group AS d ON d.group_id = c.id
             WHERE c.unsettled <> 0 OR c.bad <> 0
        ) GROUP BY job_id
    )
    SELECT moved.unsettled, moved.bad, moved.blame,
           CASE WHEN :decide AND job.status IN ('{JobStatus.BLOCKED}', '{JobStatus.READY}')
                THEN nullif({_verdict("job.unmet + moved.unsettled", "job.bad + moved.bad")}, job.status) END,
           group_concat(job.id)
      FROM moved CROSS JOIN job ON job.id = moved.job_id
     GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT unsettled, bad, NULL, 'group', group_concat(id) FROM moved_group GROUP BY 1, 2
"""
"""SQL for one wave: the jobs that move alike and get the same status, NULL if they keep theirs; then the groups.

One statement, so that a job that nobody waits for costs 20 us. What waits for several of the changed jobs moves by
their sum; behind one job that is in no group there is nothing to sum, which saves 0.08 of the 0.5 s that a cascade
over 100,000 direct followers takes.
"""


def _follow(db: sqlite3.Connection, steps: Steps, *, decide: bool) -> list[Fate]:
    """Move the counters of what waits for the changed jobs, and give jobs the statuses that follow.

    A job's row is written once: its counters and its status together.
    """
    # The ids of a step are a JSON text in a JSON text, so that only they are parsed when its turn comes.
    bound = to_json([[*step, f"[{','.join(ids)}]"] for step, ids in steps.items()])
    is_one = sum(ids.count(",") + 1 for parts in steps.values() for ids in parts) == 1
    alike: dict[tuple[int, int, str | None, int | None], list[str]] = defaultdict(list)
    for unsettled, bad, blame, wanted, ids in db.execute(_WAVE, {"steps": bound, "is_one": is_one, "decide": decide}):
        alike[unsettled, bad, wanted, blame if wanted == JobStatus.CANCELED else None].append(ids)
    fates: list[Fate] = []
    for (unsettled, bad, wanted, blame), parts in alike.items():
        ids = ",".join(parts)
        if wanted == "group":
            db.execute(
                f"UPDATE dependency_group SET remaining = remaining + ?, failed = failed + ? {_AMONG}",
                (unsettled, bad, f"[{ids}]"),
            )
        elif wanted is None:
            _write(db, ids, _COUNTERS, unsettled, bad)
        else:
            fate = Fate(JobStatus(wanted), Cause.DEPENDENCY if wanted == JobStatus.CANCELED else None, blame, ids)
            _write(db, ids, f"{_COUNTERS}, {_FATE}", unsettled, bad, *fate[:3], ends=_must_wait(fate.status))
            fates.append(fate)
    return fates


def verdict(db: sqlite3.Connection, job_id: int) -> JobStatus:
    """What a job that nobody has handed out should be."""
    return verdicts(db, [job_id])[job_id]


def verdicts(db: sqlite3.Connection, job_ids: Iterable[int]) -> dict[int, JobStatus]:
    """The same for many jobs."""
    rows = db.execute(f"SELECT id, {_verdict()} FROM job {_AMONG} ORDER BY id", (json_ids(job_ids),))
    return {job_id: JobStatus(status) for job_id, status in rows}


def decide_uninitialized(db: sqlite3.Connection, workflow_id: int, fingerprints: Mapping[int, str]) -> None:
    """Decide uninitialized jobs and store what they are made of now.

    Blocked and ready are both unsettled, so those two need no counting and are written set-wise. A fingerprint is
    written with the status: another pass over 100,000 jobs takes 0.25 s.
    """
    doomed = db.execute(
        f"SELECT id FROM job WHERE id IN (SELECT value FROM json_each(?)) AND {_verdict()} = '{JobStatus.CANCELED}'",
        (json_ids(fingerprints),),
    ).fetchall()
    db.execute(
        f"""
        UPDATE job SET input_hash = taken.value, cause = NULL, cause_job_id = NULL,
               status = coalesce(nullif({_verdict()}, '{JobStatus.CANCELED}'), status)
          FROM json_each(?) AS taken WHERE job.id = taken.key
        """,
        (to_json(fingerprints),),
    )
    change_status(db, workflow_id, cancellations(db, [job_id for (job_id,) in doomed]))


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
