"""An attempt: claimed by a node, started, and perhaps lost or given back. How attempts end is in outcomes.py.

The claim takes the attempt: it sets node, run and attempt on the job. Whoever reports must name all three.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from torc.models.status import HANDED_OUT, JobStatus
from torc.store.rows import PAIRS, json_ids, to_json

NEXT = """
    1 + max(CASE WHEN job.run_id = :run THEN coalesce(job.attempt_id, 0) ELSE 0 END,
            (SELECT coalesce(max(r.attempt_id), 0) FROM result AS r WHERE r.job_id = job.id AND r.run_id = :run))
"""
"""SQL for the number of a job's next attempt in a run. Results count too: clients may store some by hand, and may set
the run back."""


def hand_out(db: sqlite3.Connection, chosen: Sequence[tuple[int, int | None]], *, run_id: int) -> None:
    """Make ready jobs pending: (job id, node id). The attempt counts from 1 in every run."""
    db.execute(
        f"""
        UPDATE job
           SET status = 'pending', active_compute_node_id = claim.b, start_time = NULL, attempt_id = {NEXT},
               stop_requested = 0,
               retries = CASE WHEN run_id = :run THEN retries ELSE 0 END,
               lost_nodes = CASE WHEN run_id = :run THEN lost_nodes ELSE 0 END,
               run_id = :run, cause = NULL, cause_job_id = NULL
          FROM {PAIRS.replace("?", ":chosen")} AS claim
         WHERE job.id = claim.a AND status = 'ready'
        """,
        {"run": run_id, "chosen": to_json(chosen)},
    )


def start(db: sqlite3.Connection, started: Iterable[tuple[int, float]]) -> None:
    """Make pending jobs running: (job id, seconds since the epoch)."""
    db.executemany(
        "UPDATE job SET status = 'running', start_time = ? WHERE id = ? AND status = 'pending'",
        [(start_time, job_id) for job_id, start_time in started],
    )


def resume(db: sqlite3.Connection, job_ids: Sequence[int]) -> None:
    """The node whose lease had expired is back before anyone else took these jobs: it never lost them."""
    db.execute(
        """
        UPDATE job
           SET status = CASE WHEN start_time IS NULL THEN 'pending' ELSE 'running' END, cause = NULL,
               lost_nodes = CASE WHEN start_time IS NULL THEN lost_nodes ELSE max(lost_nodes - 1, 0) END
         WHERE id IN (SELECT value FROM json_each(?)) AND status = 'ready'
        """,
        (json_ids(job_ids),),
    )


def lose(db: sqlite3.Connection, node_id: int, *, end_attempt: bool, only: Sequence[int] | None = None) -> list[int]:
    """Make the jobs of a node ready for others; their ids.

    Without ``end_attempt`` the attempt stays open: the node may come back with it as long as nobody claimed the job.
    A job that ran is charged one lost node.
    """
    job_ids = [
        job_id
        for (job_id,) in db.execute(
            "SELECT id FROM job WHERE active_compute_node_id = ? AND status IN ('pending', 'running')", (node_id,)
        )
        if only is None or job_id in only
    ]
    if job_ids:
        db.execute(
            f"""
            UPDATE job
               SET lost_nodes = lost_nodes + (status = 'running'), status = 'ready', cause = 'lost_node'
                   {", active_compute_node_id = NULL, start_time = NULL" if end_attempt else ""}
             WHERE id IN (SELECT value FROM json_each(?))
            """,
            (json_ids(job_ids),),
        )
    return job_ids


def give_back(db: sqlite3.Connection, job_ids: Sequence[int]) -> None:
    """Make pending jobs ready again; the holder vouches that they never ran, so the attempt did not happen."""
    db.execute(
        """
        UPDATE job SET status = 'ready', active_compute_node_id = NULL, attempt_id = attempt_id - 1
         WHERE id IN (SELECT value FROM json_each(?)) AND status = 'pending'
        """,
        (json_ids(job_ids),),
    )


def handed_out(db: sqlite3.Connection, node_ids: Iterable[int]) -> dict[int, dict[int, tuple[JobStatus, int]]]:
    """The pending and running jobs of each node, with their attempts."""
    found: dict[int, dict[int, tuple[JobStatus, int]]] = {node_id: {} for node_id in node_ids}
    for node_id, job_id, status, attempt_id in db.execute(
        """
        SELECT active_compute_node_id, id, status, attempt_id FROM job
         WHERE active_compute_node_id IN (SELECT value FROM json_each(?)) AND status IN ('pending', 'running')
        """,
        (json_ids(found),),
    ):
        found[node_id][job_id] = JobStatus(status), attempt_id
    return found


OPEN = HANDED_OUT | {JobStatus.READY}
"""Statuses in which an attempt that is still the node's counts; ready: its lease expired, nobody took the job."""
