"""The parts that verbs over a whole workflow share: jobs start over, are decided, and runners may come again.

Each works in chunks that may be repeated; how, is in busy.py.
"""

import sqlite3
from collections.abc import Collection, Sequence

from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.store import busy, escalation, groups, implied, outcomes, readiness, triggers
from torc.store.database import Database
from torc.store.fingerprints import Fingerprints
from torc.store.readiness import Change, change_status
from torc.store.rows import json_ids


def ids_with(
    db: sqlite3.Connection, workflow_id: int, first_id: int, last_id: int, statuses: frozenset[JobStatus]
) -> list[int]:
    """The jobs in a range of ids that have one of these statuses."""
    named = ", ".join(f"'{status}'" for status in sorted(statuses))
    rows = db.execute(
        f"SELECT id FROM job WHERE workflow_id = ? AND id BETWEEN ? AND ? AND status IN ({named})",
        (workflow_id, first_id, last_id),
    )
    return [job_id for (job_id,) in rows]


def start_over(
    database: Database,
    workflow_id: int,
    statuses: frozenset[JobStatus],
    *,
    only: Collection[int] | None = None,
    forget: bool = True,
    keep_raised: bool = False,
    decide: bool = False,
) -> None:
    """Make the jobs with these statuses uninitialized; ``forget`` their results and retries too.

    With these goes what was raised for another try, unless that is to be kept.
    """
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            found = ids_with(db, workflow_id, first_id, last_id, statuses)
            chosen = found if only is None else [job_id for job_id in found if job_id in only]
            jobs(db, workflow_id, chosen, forget=forget, keep_raised=keep_raised, decide=decide)


def jobs(
    db: sqlite3.Connection,
    workflow_id: int,
    job_ids: Sequence[int],
    *,
    forget: bool = True,
    keep_raised: bool = False,
    decide: bool = False,
) -> None:
    """Make jobs uninitialized, in the caller's transaction; whoever has one has it no more."""
    if not job_ids:
        return
    changes = [Change(job_id, JobStatus.UNINITIALIZED) for job_id in job_ids]
    applied = change_status(db, workflow_id, changes, end_attempt=True, decide=decide)
    triggers.count_jobs(db, workflow_id, applied.changed)
    if forget:
        db.execute(
            """
            UPDATE job SET current_result_id = NULL, retries = 0, lost_nodes = 0, not_before = NULL
             WHERE id IN (SELECT value FROM json_each(?))
            """,
            (json_ids(job_ids),),
        )
        if not keep_raised:
            escalation.restore(db, job_ids)


def downstream(database: Database, workflow_id: int, *, decide: bool = False, although_running: bool = False) -> None:
    """Start over every complete job that lies, at any depth, behind an uninitialized one.

    Does not look past pending and running jobs: what they lead to is theirs. Unless ``although_running``: then they
    start over as well.
    """
    with database.read() as db:
        behind = groups.downstream(
            db,
            [
                job_id
                for (job_id,) in db.execute(
                    "SELECT id FROM job WHERE workflow_id = ? AND status = 'uninitialized'", (workflow_id,)
                )
            ],
            past_handed_out=although_running,
        )
    start_over(
        database, workflow_id, COMPLETE | (HANDED_OUT if although_running else set()), only=behind, decide=decide
    )


def decide_all(database: Database, workflow_id: int) -> None:
    """Complete the graph with what files and user data imply, and decide every uninitialized job."""
    implied.add(database, workflow_id)
    fingerprints = Fingerprints(workflow_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            uninitialized = fingerprints.range(first_id, last_id, f"status = '{JobStatus.UNINITIALIZED}'")
            readiness.decide_uninitialized(db, workflow_id, fingerprints.take(db, uninitialized))


def clear_ephemeral(database: Database, workflow_id: int, *, only_rewritten: bool = False) -> None:
    """Ephemeral user data lasts one run; what no job writes is input and stays.

    ``only_rewritten`` clears what uninitialized jobs write, in a run for which the others do not write theirs again.
    """
    writers = "SELECT user_data_id FROM job_output_user_data AS o"
    if only_rewritten:
        writers += " JOIN job ON job.id = o.job_id WHERE job.status = 'uninitialized'"
    with database.write() as db:
        db.execute(
            f"UPDATE user_data SET data = NULL WHERE workflow_id = ? AND is_ephemeral AND id IN ({writers})",
            (workflow_id,),
        )


def open_for_runners(db: sqlite3.Connection, workflow_id: int) -> None:
    """The last step: the jobs are decided, and runners may have them. The actions are set back once per run."""
    begins = db.execute(
        """
        UPDATE workflow_status SET started_run_id = run_id, completed_run_id = NULL
         WHERE id = ? AND started_run_id IS NOT run_id
        """,
        (workflow_id,),
    ).rowcount
    if begins:
        triggers.restart(db, workflow_id)
    else:
        triggers.go_on(db, workflow_id)
    busy.done(db, workflow_id)
    outcomes.announce_completion(db, workflow_id)
