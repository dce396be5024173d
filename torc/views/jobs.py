"""Jobs."""

from typing import Any, NamedTuple

from torc.models.job import Job
from torc.models.resource_requirements import ResourceRequirements
from torc.views.column import Column, as_id_list

STATUS = Column("Status", "status", is_status=True)
TABLE = (Column("ID", "id"), Column("Name", "name"), STATUS, Column("Command", "command"))
COUNTS = (STATUS, Column("Count", "count"))

DETAILS = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Command", "command"),
    Column("Workflow ID", "workflow_id"),
    STATUS,
    Column("Cause", "cause"),
    Column("Caused by job ID", "cause_job_id"),
    Column("Attempt", "attempt_id"),
    Column("Blocking job IDs", "depends_on_job_ids", as_id_list),
    Column("Input file IDs", "input_file_ids", as_id_list),
    Column("Output file IDs", "output_file_ids", as_id_list),
)


class Need(NamedTuple):
    """A job and what it needs."""

    job: Job
    requirements: ResourceRequirements


NEEDS = (
    Column("Job ID", lambda need: need.job.id),
    Column("Job Name", lambda need: need.job.name),
    Column("RR Name", lambda need: need.requirements.name),
    Column("CPUs", lambda need: need.requirements.num_cpus),
    Column("GPUs", lambda need: need.requirements.num_gpus),
    Column("Nodes", lambda need: need.requirements.num_nodes),
    Column("Memory", lambda need: need.requirements.memory),
    Column("Runtime", lambda need: need.requirements.runtime),
)


def need_document(need: Need) -> dict[str, Any]:
    """The object that JSON output has for it."""
    job, asked = need
    return {
        "job_id": job.id,
        "job_name": job.name,
        "rr_name": asked.name,
        "workflow_id": job.workflow_id,
        "num_cpus": asked.num_cpus,
        "num_gpus": asked.num_gpus,
        "num_nodes": asked.num_nodes,
        "memory": asked.memory,
        "runtime": asked.runtime,
    }
