"""The records that belong to a workflow beside its jobs: files, user data, needs, results, events and actions."""

from typing import ClassVar

from torc.models.action import ClaimActionAnswer, WorkflowAction
from torc.models.action import ClaimActionRequest as ClaimRequest
from torc.models.event import Event
from torc.models.file import File
from torc.models.record import Page, Record
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.user_data import UserData
from torc.openapi_client.model import Model


class FileModel(Model, File, kw_only=True):
    """A path that jobs read or write."""


class ListFilesResponse(Model, Page[FileModel], kw_only=True):
    """One page of files."""


class UserDataModel(Model, UserData, kw_only=True):
    """A JSON value that jobs read or write. Any JSON will do."""


class UserDataBatch(Model, Record, kw_only=True):
    """User data of one workflow, to be stored in one transaction; and the answer, in the same order."""

    user_data: list[UserDataModel]


class ListUserDataResponse(Model, Page[UserDataModel], kw_only=True):
    """One page of user data."""


class ResourceRequirementsModel(Model, ResourceRequirements, kw_only=True):
    """What a job needs from the machine that runs it."""


class ListResourceRequirementsResponse(Model, Page[ResourceRequirementsModel], kw_only=True):
    """One page of resource requirements."""


class ResultModel(Model, Result, kw_only=True):
    """How one attempt of a job ended."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset({"id", "attempt_id", "exit_code"})
    NOT_IN_LISTS: ClassVar[frozenset[str]] = frozenset({"stdout", "stderr"})


class ListResultsResponse(Model, Page[ResultModel], kw_only=True):
    """One page of results."""


class EventModel(Model, Event, kw_only=True):
    """One thing that happened to a workflow."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset({"id", "level"})


class ListEventsResponse(Model, Page[EventModel], kw_only=True):
    """One page of events."""


class WorkflowActionModel(Model, WorkflowAction, kw_only=True):
    """What to do when something happens to a workflow."""


class ClaimActionRequest(Model, ClaimRequest, kw_only=True):
    """Which node claims an action; None on a login node."""


class ClaimAction200Response(Model, ClaimActionAnswer, kw_only=True):
    """The action is the caller's."""
