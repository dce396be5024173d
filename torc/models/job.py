"""A job, and what runners say about it with the contract's own endpoints."""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from torc.models.record import Record, always
from torc.models.status import Cause, JobStatus


class Job(Record, kw_only=True):
    """A shell command with its needs and dependencies."""

    id: int | None = None
    workflow_id: int
    name: str
    command: str
    invocation_script: str | None = None  # put before the command
    status: JobStatus = always(JobStatus.UNINITIALIZED)
    schedule_compute_nodes: Any = None  # accepted for existing clients, never stored
    cancel_on_blocking_job_failure: bool = always(True)
    supports_termination: bool = always(False)
    # None: not asked for, or none
    depends_on_job_ids: list[int] | None = None
    input_file_ids: list[int] | None = None
    output_file_ids: list[int] | None = None
    input_user_data_ids: list[int] | None = None
    output_user_data_ids: list[int] | None = None
    resource_requirements_id: int | None = None
    scheduler_id: int | None = None  # only runners of this Slurm configuration may claim the job
    failure_handler_id: int | None = None
    # set by the server
    run_id: int | None = None
    attempt_id: int | None = None
    active_compute_node_id: int | None = None
    retries: int | None = None
    cause: Cause | None = None
    cause_job_id: int | None = None


class JobsModel(Record, kw_only=True):
    """Body and answer of ``bulk_jobs``."""

    jobs: list[Job]


class ClaimAnswer(Record, kw_only=True):
    """Answer of both claims of the contract."""

    jobs: list[Job]
    reason: str = always("")


class ComputeNodesResources(Record, kw_only=True):
    """What a runner has free: body of ``claim_jobs_based_on_resources``."""

    id: int | None = None
    num_cpus: int
    memory_gb: float  # GiB
    num_gpus: int
    num_nodes: int
    time_limit: str | None = None  # ISO 8601 duration left; None is unlimited
    scheduler_config_id: int | None = None


class DependencyGroup(Record, kw_only=True):
    """All of ``member_job_ids`` come before each of ``dependent_job_ids``."""

    id: int | None = None
    workflow_id: int | None = None
    member_job_ids: list[int]
    dependent_job_ids: list[int]
    remaining: int | None = None  # members not settled yet; set by the server
    failed: int | None = None  # members settled without success; set by the server


class JobVerb(StrEnum):
    """What a person may want to become of a job."""

    CANCEL = "cancel"
    TERMINATE = "terminate"
    RETRY = "retry"
    DISABLE = "disable"
    ENABLE = "enable"


class ChosenJobs(Record, kw_only=True):
    """Body of a command on several jobs: all of them, or none if one is refused."""

    job_ids: Annotated[list[int], Meta(min_length=1)]
    user: str | None = None  # who asks, unless there was a login


class BoundJobs(Record, kw_only=True):
    """Body of a request to keep jobs for the allocations of a Slurm scheduler."""

    job_ids: Annotated[list[int], Meta(min_length=1)]
    scheduler_id: int


class DeletedJobs(Record, kw_only=True):
    """Body of a request to delete several jobs: all of them, or none if one is refused."""

    job_ids: Annotated[list[int], Meta(min_length=1)]
    force: bool = False  # although results or dependents would be lost


class StatusChange(Record, kw_only=True):
    """Body of ``manage_status_change`` without a status in its path."""

    target_status: JobStatus
    run_id: int | None = None  # the present run
