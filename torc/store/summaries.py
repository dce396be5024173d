"""Short answers about a whole workflow."""

from torc.models.workflow import JobIds, LatestEventTimestamp, ReadyJobRequirements
from torc.store import workflows
from torc.store.database import Database
from torc.store.shapes import memory_bytes, runtime_s
from torc.units import GIB

NO_TIME = "P0DT0M"


def job_ids(database: Database, workflow_id: int) -> JobIds:
    """The ids of all jobs, ascending; none for an unknown workflow."""
    with database.read() as db:
        rows = db.execute(
            """
            SELECT id FROM job
             WHERE workflow_id = ? AND workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL) ORDER BY id
            """,
            (workflow_id,),
        ).fetchall()
    return JobIds(job_ids=[job_id for (job_id,) in rows], count=len(rows))


def ready_job_requirements(
    database: Database, workflow_id: int, scheduler_config_id: int | None = None
) -> ReadyJobRequirements:
    """What all ready jobs need together, or those bound to one scheduler."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        shapes = db.execute(
            """
            SELECT count(*), r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime
              FROM job JOIN resource_requirements AS r ON r.id = job.resource_requirements_id
             WHERE job.workflow_id = :workflow AND job.status = 'ready'
               AND (:scheduler IS NULL OR job.scheduler_id = :scheduler)
             GROUP BY r.id ORDER BY r.id
            """,
            {"workflow": workflow_id, "scheduler": scheduler_config_id},
        ).fetchall()
    return ReadyJobRequirements(
        num_jobs=sum(jobs for jobs, *_ in shapes),
        num_cpus=sum(jobs * cpus for jobs, cpus, *_ in shapes),
        num_gpus=sum(jobs * gpus for jobs, _, gpus, *_ in shapes),
        memory_gb=sum(jobs * memory_bytes(memory) for jobs, *_, memory, _ in shapes) / GIB,
        max_num_nodes=max((nodes for _, _, _, nodes, *_ in shapes), default=0),
        max_runtime=max((runtime for *_, runtime in shapes), key=runtime_s, default=NO_TIME),
    )


def latest_event_timestamp(database: Database, workflow_id: int) -> LatestEventTimestamp:
    """When the last event of a workflow happened."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        row = db.execute(
            "SELECT timestamp_ms FROM event WHERE workflow_id = ? ORDER BY id DESC LIMIT 1", (workflow_id,)
        ).fetchone()
    return LatestEventTimestamp(timestamp=row[0] if row else None)
