"""When actions fire: what their triggers count.

A trigger counts distinct jobs: each (action, job) row says whether the job has got there, so repeats, cascades and
resets keep the count true. Nothing is ever incremented blindly.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from torc.models.status import COMPLETE, JobStatus
from torc.store.rows import json_ids

JOB_TRIGGERS = {
    "on_jobs_ready": frozenset(JobStatus) - {JobStatus.UNINITIALIZED, JobStatus.BLOCKED},
    "on_jobs_complete": COMPLETE | {JobStatus.DISABLED},
}
"""The statuses in which a job has got where the trigger waits for it."""

WORKER_TRIGGERS = ("on_worker_start", "on_worker_complete")


class StatusChange(Protocol):
    """What count_jobs needs to know of a change of many jobs."""

    @property
    def job_ids(self) -> list[int]: ...
    @property
    def status(self) -> JobStatus: ...


def count_jobs(db: sqlite3.Connection, workflow_id: int, changes: Sequence[StatusChange], *, fire: bool = True) -> None:
    """Bring the triggers that watch these jobs up to date, in the transaction that changed them.

    Without ``fire`` the counts are kept true but no action becomes pending, as when a workflow is canceled.
    """
    if not _watches_jobs(db, workflow_id):
        return
    status = {job_id: change.status for change in changes for job_id in change.job_ids}
    watched = db.execute(
        """
        SELECT aj.action_id, aj.job_id, aj.satisfied, a.trigger_type
          FROM workflow_action AS a JOIN workflow_action_job AS aj ON aj.action_id = a.id
         WHERE a.workflow_id = ? AND aj.job_id IN (SELECT value FROM json_each(?))
        """,
        (workflow_id, json_ids(status)),
    ).fetchall()
    moves: dict[int, int] = defaultdict(int)
    written: list[tuple[bool, int, int]] = []
    for action_id, job_id, satisfied, trigger_type in watched:
        now = status[job_id] in JOB_TRIGGERS[trigger_type] if trigger_type in JOB_TRIGGERS else False
        if now != bool(satisfied):
            written.append((now, action_id, job_id))
            moves[action_id] += now - satisfied
    db.executemany("UPDATE workflow_action_job SET satisfied = ? WHERE action_id = ? AND job_id = ?", written)
    for action_id, move in moves.items():
        db.execute("UPDATE workflow_action SET trigger_count = trigger_count + ? WHERE id = ?", (move, action_id))
        if fire:
            _settle_state(db, action_id)


def drop_jobs(db: sqlite3.Connection, job_ids: Sequence[int]) -> None:
    """Jobs that are about to be deleted leave the triggers that wait for them."""
    ids = json_ids(job_ids)
    watching = db.execute(
        "SELECT DISTINCT action_id FROM workflow_action_job WHERE job_id IN (SELECT value FROM json_each(?))", (ids,)
    ).fetchall()
    db.execute("DELETE FROM workflow_action_job WHERE job_id IN (SELECT value FROM json_each(?))", (ids,))
    for (action_id,) in watching:
        db.execute(
            """
            UPDATE workflow_action
               SET required_triggers = (SELECT count(*) FROM workflow_action_job AS j WHERE j.action_id = id)
             WHERE id = ?
            """,
            (action_id,),
        )
        recount_action(db, action_id)


def _watches_jobs(db: sqlite3.Connection, workflow_id: int) -> bool:
    return (
        db.execute(
            "SELECT 1 FROM workflow_action WHERE workflow_id = ? AND has_jobs LIMIT 1", (workflow_id,)
        ).fetchone()
        is not None
    )


def recount(db: sqlite3.Connection, workflow_id: int) -> None:
    """Compute every job trigger afresh. What is pending without reason waits; what waits is for a change to fire."""
    for action_id, trigger_type in db.execute(
        "SELECT id, trigger_type FROM workflow_action WHERE workflow_id = ?", (workflow_id,)
    ).fetchall():
        if trigger_type in JOB_TRIGGERS:
            _count(db, action_id, trigger_type)
    db.execute(
        """
        UPDATE workflow_action SET state = 'waiting'
         WHERE workflow_id = ? AND state = 'pending' AND trigger_count < required_triggers
        """,
        (workflow_id,),
    )


def recount_action(db: sqlite3.Connection, action_id: int) -> None:
    """Compute a job trigger afresh from the statuses of its jobs, and let it fire."""
    (trigger_type,) = db.execute("SELECT trigger_type FROM workflow_action WHERE id = ?", (action_id,)).fetchone()
    if trigger_type in JOB_TRIGGERS:
        _count(db, action_id, trigger_type)
        _settle_state(db, action_id)


def _count(db: sqlite3.Connection, action_id: int, trigger_type: str) -> None:
    there = ", ".join(f"'{status}'" for status in sorted(JOB_TRIGGERS[trigger_type]))
    # A job of a draft may still be to come.
    db.execute(
        f"""
        UPDATE workflow_action_job
           SET satisfied = coalesce((SELECT status IN ({there}) FROM job WHERE id = job_id), 0)
         WHERE action_id = ?
        """,
        (action_id,),
    )
    db.execute(
        """
        UPDATE workflow_action
           SET trigger_count = (SELECT coalesce(sum(satisfied), 0) FROM workflow_action_job AS j WHERE j.action_id = id)
         WHERE id = ?
        """,
        (action_id,),
    )


def _settle_state(db: sqlite3.Connection, action_id: int) -> None:
    """waiting <-> pending; an action that was handed out keeps its state."""
    db.execute(
        """
        UPDATE workflow_action
           SET state = CASE WHEN trigger_count >= required_triggers THEN 'pending' ELSE 'waiting' END
         WHERE id = ? AND state IN ('waiting', 'pending')
        """,
        (action_id,),
    )


def restart(db: sqlite3.Connection, workflow_id: int) -> None:
    """Set every action back for a new run, and fire what a start fires.

    What a worker is still at belongs to the run it was begun in: its report changes no action, or, of a persistent
    one, the row of that run.
    """
    db.execute(
        """
        DELETE FROM workflow_action_node
         WHERE action_id IN (SELECT id FROM workflow_action WHERE workflow_id = :workflow)
           AND (state = 'claimed' OR run_id = (SELECT run_id FROM workflow_status WHERE id = :workflow))
        """,
        {"workflow": workflow_id},
    )
    db.execute(
        """
        UPDATE workflow_action
           SET state = 'waiting', trigger_count = 0, executed_at = NULL, executed_by = NULL, output_tail = NULL
         WHERE workflow_id = ?
        """,
        (workflow_id,),
    )
    go_on(db, workflow_id)


def go_on(db: sqlite3.Connection, workflow_id: int) -> None:
    """Count afresh in the middle of a run, and fire what has not fired yet; what was handed out keeps its state."""
    for (action_id,) in db.execute("SELECT id FROM workflow_action WHERE workflow_id = ?", (workflow_id,)).fetchall():
        recount_action(db, action_id)
    fire(db, workflow_id, "on_workflow_start", *WORKER_TRIGGERS)


def fire(db: sqlite3.Connection, workflow_id: int, *trigger_types: str) -> None:
    """Make the actions of these triggers pending."""
    for trigger_type in trigger_types:
        db.execute(
            """
            UPDATE workflow_action SET state = 'pending', trigger_count = required_triggers
             WHERE workflow_id = ? AND trigger_type = ? AND state = 'waiting'
            """,
            (workflow_id, trigger_type),
        )
