"""Workflows and their status, and what is asked about a workflow as a whole."""

from enum import StrEnum
from typing import ClassVar

from torc.models.record import Page, always
from torc.models.workflow import FileIds, IsComplete, IsUninitialized, UserDataIds, Workflow, WorkflowStatus
from torc.openapi_client.model import Model


class JobsSortMethod(StrEnum):
    """Which of the ready jobs a runner gets first."""

    GPUS_RUNTIME_MEMORY = "gpus_runtime_memory"
    GPUS_MEMORY_RUNTIME = "gpus_memory_runtime"
    NONE = "none"


class WorkflowModel(Model, Workflow, kw_only=True):
    """A set of jobs that belong together."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset({"id", "owner", "timestamp", "status_id", "revision"})

    # an enum whose members are the texts of the Struct, as existing scripts compare with either
    jobs_sort_method: JobsSortMethod = always(JobsSortMethod.GPUS_RUNTIME_MEMORY)  # type: ignore[assignment]


class ListWorkflowsResponse(Model, Page[WorkflowModel], kw_only=True):
    """One page of workflows."""


class WorkflowStatusModel(Model, WorkflowStatus, kw_only=True):
    """The run a workflow is in, and whether it is canceled or archived."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset({"id", "busy"})


class IsCompleteResponse(Model, IsComplete, kw_only=True):
    """Whether every job of a workflow has an outcome."""


class IsUninitializedResponse(Model, IsUninitialized, kw_only=True):
    """Whether no job of a workflow has been made ready yet."""


class ListRequiredExistingFilesResponse(Model, FileIds, kw_only=True):
    """Ids of the files that must be there before a workflow starts."""


class ListMissingUserDataResponse(Model, UserDataIds, kw_only=True):
    """Ids of the user data that must have a value before a workflow starts."""
