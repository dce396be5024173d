"""Jobs, how runners without sync claim them, and their links to each other, to files and to user data."""

from typing import ClassVar

from torc.models.job import ClaimAnswer, Job
from torc.models.job import ComputeNodesResources as Resources
from torc.models.record import Page, Record
from torc.models.relationship import JobDependency, JobFileRelationship, JobUserDataRelationship
from torc.models.workflow import ReadyJobRequirements, ReinitializedJobs
from torc.openapi_client.model import Model


class ComputeNodeSchedule(Model, Record, kw_only=True):
    """How many nodes to ask for; a job may carry it, no server stores it."""

    num_jobs: int
    scheduler_id: int
    max_parallel_jobs: int | None = None
    start_one_worker_per_node: bool = False


class JobModel(Model, Job, kw_only=True):
    """A shell command with its needs and dependencies."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset(
        {
            "id",
            "schedule_compute_nodes",
            "run_id",
            "attempt_id",
            "active_compute_node_id",
            "retries",
            "cause",
            "cause_job_id",
        }
    )
    NOT_IN_LISTS: ClassVar[frozenset[str]] = frozenset(
        {
            "depends_on_job_ids",
            "input_file_ids",
            "output_file_ids",
            "input_user_data_ids",
            "output_user_data_ids",
        }
    )


class ListJobsResponse(Model, Page[JobModel], kw_only=True):
    """One page of jobs."""


class JobsModel(Model, Record, kw_only=True):
    """Jobs of one workflow, to be stored in one transaction."""

    jobs: list[JobModel]


class CreateJobsResponse(JobsModel, kw_only=True):
    """The jobs as stored, in the order they were sent."""


class ClaimJobsBasedOnResourcesResponse(Model, ClaimAnswer, kw_only=True):
    """Jobs that now belong to the caller, or why there are none."""

    jobs: list[JobModel]  # type: ignore[assignment]  # narrower than the Struct's; a client only reads it


class ClaimNextJobsResponse(ClaimJobsBasedOnResourcesResponse, kw_only=True):
    """Jobs that now belong to the caller."""


class ComputeNodesResources(Model, Resources, kw_only=True):
    """What a runner has free."""


class JobDependencyModel(Model, JobDependency, kw_only=True):
    """One job waits for another."""


class ListJobDependenciesResponse(Model, Page[JobDependencyModel], kw_only=True):
    """One page of dependencies."""


class JobFileRelationshipModel(Model, JobFileRelationship, kw_only=True):
    """One job writes a file that another reads."""


class ListJobFileRelationshipsResponse(Model, Page[JobFileRelationshipModel], kw_only=True):
    """One page of links through files."""


class JobUserDataRelationshipModel(Model, JobUserDataRelationship, kw_only=True):
    """One job writes user data that another reads."""


class ListJobUserDataRelationshipsResponse(Model, Page[JobUserDataRelationshipModel], kw_only=True):
    """One page of links through user data."""


class ProcessChangedJobInputsResponse(Model, ReinitializedJobs, kw_only=True):
    """Names of the jobs whose inputs have changed since they were initialized."""


class GetReadyJobRequirementsResponse(Model, ReadyJobRequirements, kw_only=True):
    """What all ready jobs need together."""
