"""Everything that is stored twice for speed, computed afresh and compared, and every reference followed."""

import sqlite3

from torc.models.status import JobStatus
from torc.store.database import Database
from torc.store.readiness import BAD_COUNT, FAILED, REMAINING, UNMET
from torc.store.triggers import JOB_TRIGGERS

FIRST = 20
"""So many problems of a kind are spelled out."""


def problems(database: Database) -> list[str]:
    """What is wrong with the database, one sentence each; an empty list is a clean bill."""
    with database.read() as db:
        found = _damaged_pages(db)
        if found:
            return found  # what is read from such a file proves nothing
        for sentence, sql in CHECKS:
            rows = db.execute(sql).fetchall()
            found += [sentence.format(*row) for row in rows[:FIRST]]
            if len(rows) > FIRST:
                found.append(f"... and {len(rows) - FIRST} more of this kind")
        found += [
            f"foreign key: row {row[1]} of {row[0]} lacks its {row[2]}"
            for row in db.execute("PRAGMA foreign_key_check")
        ]
    return found


def _damaged_pages(db: sqlite3.Connection) -> list[str]:
    try:
        return [f"SQLite: {text}" for (text,) in db.execute("PRAGMA integrity_check") if text != "ok"]
    except sqlite3.DatabaseError as error:
        return [f"SQLite: {error}"]


def _statuses(names: frozenset[str] | set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


VISIBLE = "workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)"

CHECKS = (
    (
        "workflow {0} has no status",
        "SELECT id FROM workflow WHERE id NOT IN (SELECT id FROM workflow_status)",
    ),
    (
        "job {0} has the unknown status '{1}'",
        f"SELECT id, status FROM job WHERE status NOT IN ({_statuses(frozenset(JobStatus))})",
    ),
    (
        "job {0} has resource requirements {1}, which do not exist",
        f"""
        SELECT id, resource_requirements_id FROM job
         WHERE {VISIBLE} AND resource_requirements_id NOT IN (SELECT id FROM resource_requirements)
        """,
    ),
    (
        "job {0} depends on job {1}, which does not exist",
        f"""
        SELECT d.job_id, d.depends_on_job_id FROM job_depends_on AS d JOIN job ON job.id = d.job_id
         WHERE {VISIBLE} AND NOT EXISTS (SELECT 1 FROM job AS u WHERE u.id = d.depends_on_job_id)
        """,
    ),
    (
        "dependency group {0} has member {1}, which does not exist",
        f"""
        SELECT g.id, m.job_id FROM dependency_group_member AS m JOIN dependency_group AS g ON g.id = m.group_id
         WHERE {VISIBLE} AND NOT EXISTS (SELECT 1 FROM job AS u WHERE u.id = m.job_id)
        """,
    ),
    (
        "job {0} counts {1} unmet dependencies, {2} are",
        f"SELECT id, unmet, {'(' + UNMET + ')'} AS truth FROM job WHERE {VISIBLE} AND unmet <> truth",
    ),
    (
        "job {0} counts {1} bad dependencies, {2} are",
        f"SELECT id, bad, ({BAD_COUNT}) AS truth FROM job WHERE {VISIBLE} AND bad <> truth",
    ),
    (
        "dependency group {0} counts {1} remaining members, {2} are",
        f"SELECT id, remaining, ({REMAINING}) AS truth FROM dependency_group WHERE {VISIBLE} AND remaining <> truth",
    ),
    (
        "dependency group {0} counts {1} failed members, {2} are",
        f"SELECT id, failed, ({FAILED}) AS truth FROM dependency_group WHERE {VISIBLE} AND failed <> truth",
    ),
    (
        "job {0} is ready with {1} unmet dependencies",
        f"SELECT id, unmet FROM job WHERE {VISIBLE} AND status = 'ready' AND unmet > 0",
    ),
    (
        "job {0} is blocked although nothing is unmet",
        f"""
        SELECT id FROM job
         WHERE {VISIBLE} AND status = 'blocked' AND unmet = 0
           AND workflow_id IN (SELECT id FROM workflow_status WHERE busy IS NULL)
        """,
    ),
    (
        "job {0} is {1} although a dependency failed and its flag says cancel",
        f"""
        SELECT id, status FROM job
         WHERE {VISIBLE} AND status IN ('blocked', 'ready') AND bad > 0 AND cancel_on_blocking_job_failure
           AND workflow_id IN (SELECT id FROM workflow_status WHERE busy IS NULL)
        """,
    ),
    (
        "job {0} is {1} without an attempt",
        f"""
        SELECT id, status FROM job
         WHERE {VISIBLE} AND status IN ('pending', 'running') AND (run_id IS NULL OR attempt_id IS NULL)
        """,
    ),
    (
        "job {0} is {1} on compute node {2}, which is not active",
        """
        SELECT job.id, job.status, n.id FROM job JOIN compute_node AS n ON n.id = job.active_compute_node_id
         WHERE job.status IN ('pending', 'running') AND NOT n.is_active AND n.last_seq > 0
        """,
    ),
    (
        "job {0} is {1} on compute node {2}, which does not exist",
        """
        SELECT id, status, active_compute_node_id FROM job
         WHERE status IN ('pending', 'running') AND active_compute_node_id IS NOT NULL
           AND active_compute_node_id NOT IN (SELECT id FROM compute_node)
        """,
    ),
    (
        "action {0} is {1} on compute node {2}, which is not active",
        """
        SELECT a.id, a.state, n.id FROM workflow_action AS a JOIN compute_node AS n ON n.id = a.executed_by
         WHERE a.state IN ('claimed', 'running') AND NOT n.is_active AND n.last_seq > 0
         UNION ALL
        SELECT t.action_id, t.state, n.id
          FROM workflow_action_node AS t JOIN compute_node AS n ON n.id = t.compute_node_id
         WHERE t.state IN ('claimed', 'running') AND NOT n.is_active AND n.last_seq > 0
        """,
    ),
    (
        "job {0} has current result {1}, which does not exist or is another job's",
        """
        SELECT id, current_result_id FROM job
         WHERE current_result_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM result AS r WHERE r.id = current_result_id AND r.job_id = job.id)
        """,
    ),
    (
        "action {0} counts {1} triggers, {2} are",
        " UNION ALL ".join(
            f"""
            SELECT a.id, a.trigger_count, (
                SELECT count(*) FROM workflow_action_job AS j JOIN job ON job.id = j.job_id
                 WHERE j.action_id = a.id AND job.status IN ({_statuses(statuses)})
            ) AS truth
              FROM workflow_action AS a JOIN workflow_status AS s ON s.id = a.workflow_id
             WHERE a.trigger_type = '{trigger}' AND s.busy IS NULL AND a.trigger_count <> truth
            """
            for trigger, statuses in JOB_TRIGGERS.items()
        ),
    ),
)
"""Sentence and SELECT; a row of the SELECT is a problem and fills the sentence."""
