"""Deleting a workflow: hidden at once, its rows removed in chunks."""

from torc.models.workflow import Workflow
from torc.store import busy, workflows
from torc.store.database import Database
from torc.store.rows import json_ids

CHUNK_ROWS = 5000

BY_JOB = (
    "job_depends_on",
    "job_depends_on_group",
    "dependency_group_member",
    "job_input_file",
    "job_output_file",
    "job_input_user_data",
    "job_output_user_data",
    "workflow_action_job",
)
BY_WORKFLOW = (
    "result",
    "event",
    "file",
    "user_data",
    "dependency_group",
    "workflow_action",
    "compute_node",
    "scheduled_compute_node",
    "local_scheduler",
    "slurm_scheduler",
    "failure_handler",
    "resource_requirements",
)


def delete(database: Database, workflow_id: int) -> Workflow:
    """Hide a workflow, so that its runners lose every job at their next sync, and remove it. As it was."""
    with database.write() as db:
        workflow = workflows.fetch(db, workflow_id)
        busy.refuse(db, workflow_id)
        db.execute("UPDATE workflow SET hidden = 'deleted' WHERE id = ?", (workflow_id,))
    purge(database, workflow_id)
    return workflow


def purge(database: Database, workflow_id: int) -> None:
    """Remove the rows of a hidden workflow. No counter is kept: nobody can see them any more."""
    while True:
        with database.write() as db:
            ids = json_ids(
                job_id
                for (job_id,) in db.execute(
                    "SELECT id FROM job WHERE workflow_id = ? ORDER BY id LIMIT ?", (workflow_id, CHUNK_ROWS)
                )
            )
            if ids == "[]":
                break
            for table in BY_JOB:
                db.execute(f"DELETE FROM {table} WHERE job_id IN (SELECT value FROM json_each(?))", (ids,))
            db.execute("DELETE FROM job WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    with database.write() as db:
        db.execute(
            """
            DELETE FROM workflow_action_node
             WHERE action_id IN (SELECT id FROM workflow_action WHERE workflow_id = ?)
            """,
            (workflow_id,),
        )
    for table in BY_WORKFLOW:
        rows = CHUNK_ROWS
        while rows == CHUNK_ROWS:
            with database.write() as db:
                rows = db.execute(
                    f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE workflow_id = ? LIMIT ?)",
                    (workflow_id, CHUNK_ROWS),
                ).rowcount
    with database.write() as db:
        for table, column in (("draft", "workflow_id"), ("workflow_status", "id"), ("workflow", "id")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", (workflow_id,))


def purge_hidden(database: Database) -> int:
    """Finish the deletions that a crash interrupted; how many."""
    with database.read() as db:
        ids = db.execute("SELECT id FROM workflow WHERE hidden = 'deleted'").fetchall()
    for (workflow_id,) in ids:
        purge(database, workflow_id)
    return len(ids)
