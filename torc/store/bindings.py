"""Which jobs are kept for the allocations of which Slurm scheduler."""

from torc.errors import NotFound, Unprocessable
from torc.models.job import BoundJobs
from torc.models.status import HANDED_OUT
from torc.models.workflow import JobIds
from torc.store import busy, workflows
from torc.store.database import Database
from torc.store.rows import exists, json_ids


def bind(database: Database, wish: BoundJobs) -> JobIds:
    """Let only runners of a scheduler have these jobs; the jobs for which that is so now.

    What a runner has already stays as it is. Raises NotFound without the scheduler, Unprocessable for jobs of another
    workflow, and then has done nothing.
    """
    ids = json_ids(set(wish.job_ids))
    with database.write() as db:
        row = db.execute("SELECT workflow_id FROM slurm_scheduler WHERE id = ?", (wish.scheduler_id,)).fetchone()
        if row is None:
            raise NotFound(f"Slurm scheduler not found with ID: {wish.scheduler_id}")
        (workflow_id,) = row
        workflows.require(db, workflow_id)
        busy.refuse(db, workflow_id)
        if exists(
            db,
            """
            SELECT 1 FROM json_each(?) AS wanted LEFT JOIN job ON job.id = wanted.value
             WHERE job.workflow_id IS NOT ?
            """,
            (ids, workflow_id),
        ):
            raise Unprocessable(f"job_ids: not every job belongs to workflow {workflow_id}, as the scheduler does")
        taken = ", ".join(f"'{status}'" for status in sorted(HANDED_OUT))
        rows = db.execute(
            f"""
            UPDATE job SET scheduler_id = ?
             WHERE id IN (SELECT value FROM json_each(?)) AND status NOT IN ({taken})
            RETURNING id
            """,
            (wish.scheduler_id, ids),
        ).fetchall()
        workflows.touch(db, workflow_id)
        bound = sorted(job_id for (job_id,) in rows)
        return JobIds(job_ids=bound, count=len(bound))
