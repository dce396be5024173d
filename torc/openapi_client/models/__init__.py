"""Every model by name. ``torc.openapi_client.models.job_model`` and its like are names of the modules they stand in."""

import re
import sys

from torc.models.status import JobStatus as JobStatus
from torc.openapi_client.models.jobs import (
    ClaimJobsBasedOnResourcesResponse,
    ClaimNextJobsResponse,
    ComputeNodeSchedule,
    ComputeNodesResources,
    CreateJobsResponse,
    GetReadyJobRequirementsResponse,
    JobDependencyModel,
    JobFileRelationshipModel,
    JobModel,
    JobsModel,
    JobUserDataRelationshipModel,
    ListJobDependenciesResponse,
    ListJobFileRelationshipsResponse,
    ListJobsResponse,
    ListJobUserDataRelationshipsResponse,
    ProcessChangedJobInputsResponse,
)
from torc.openapi_client.models.nodes import (
    ComputeNodeModel,
    ListComputeNodesResponse,
    ListLocalSchedulersResponse,
    ListScheduledComputeNodesResponse,
    ListSlurmSchedulersResponse,
    LocalSchedulerModel,
    ScheduledComputeNodesModel,
    SlurmSchedulerModel,
)
from torc.openapi_client.models.records import (
    ClaimAction200Response,
    ClaimActionRequest,
    EventModel,
    FileModel,
    ListEventsResponse,
    ListFilesResponse,
    ListResourceRequirementsResponse,
    ListResultsResponse,
    ListUserDataResponse,
    ResourceRequirementsModel,
    ResultModel,
    UserDataBatch,
    UserDataModel,
    WorkflowActionModel,
)
from torc.openapi_client.models.refusals import DefaultErrorResponse, NotFoundErrorResponse
from torc.openapi_client.models.workflows import (
    IsCompleteResponse,
    IsUninitializedResponse,
    JobsSortMethod,
    ListMissingUserDataResponse,
    ListRequiredExistingFilesResponse,
    ListWorkflowsResponse,
    WorkflowModel,
    WorkflowStatusModel,
)

__all__ = [
    "ClaimAction200Response",
    "ClaimActionRequest",
    "ClaimJobsBasedOnResourcesResponse",
    "ClaimNextJobsResponse",
    "ComputeNodeModel",
    "ComputeNodeSchedule",
    "ComputeNodesResources",
    "CreateJobsResponse",
    "DefaultErrorResponse",
    "EventModel",
    "FileModel",
    "GetReadyJobRequirementsResponse",
    "IsCompleteResponse",
    "IsUninitializedResponse",
    "JobDependencyModel",
    "JobFileRelationshipModel",
    "JobModel",
    "JobStatus",
    "JobUserDataRelationshipModel",
    "JobsModel",
    "JobsSortMethod",
    "ListComputeNodesResponse",
    "ListEventsResponse",
    "ListFilesResponse",
    "ListJobDependenciesResponse",
    "ListJobFileRelationshipsResponse",
    "ListJobUserDataRelationshipsResponse",
    "ListJobsResponse",
    "ListLocalSchedulersResponse",
    "ListMissingUserDataResponse",
    "ListRequiredExistingFilesResponse",
    "ListResourceRequirementsResponse",
    "ListResultsResponse",
    "ListScheduledComputeNodesResponse",
    "ListSlurmSchedulersResponse",
    "ListUserDataResponse",
    "ListWorkflowsResponse",
    "LocalSchedulerModel",
    "NotFoundErrorResponse",
    "ProcessChangedJobInputsResponse",
    "ResourceRequirementsModel",
    "ResultModel",
    "ScheduledComputeNodesModel",
    "SlurmSchedulerModel",
    "UserDataBatch",
    "UserDataModel",
    "WorkflowActionModel",
    "WorkflowModel",
    "WorkflowStatusModel",
]


def _name_modules() -> None:
    """One module name per model, as scripts written for the existing client import them."""
    for model in __all__:
        words = re.findall(r"[A-Z][a-z]*|\d+", model)
        name = "_".join(words).lower().replace("_200", "200")  # claim_action200_response
        globals()[name] = sys.modules[f"{__name__}.{name}"] = sys.modules[globals()[model].__module__]


_name_modules()
