"""The plain resources: what needs only create, get, list, update and delete, one line each."""

from typing import NamedTuple

from torc.models.compute_node import ComputeNode
from torc.models.event import Event
from torc.models.file import File
from torc.models.queries import (
    ComputeNodesQuery,
    EventsQuery,
    FilesQuery,
    LocalSchedulersQuery,
    Paging,
    RequirementsQuery,
    ResultsQuery,
    ScheduledNodesQuery,
    SlurmSchedulersQuery,
    UserDataQuery,
)
from torc.models.record import Record
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.scheduler import LocalScheduler, ScheduledComputeNode, SlurmScheduler
from torc.models.user_data import UserData


class Resource(NamedTuple):
    """Where a plain resource lives in the API, in the database and in Python."""

    path: str  # in the URL, and the key of a list in JSON output
    table: str
    model: type[Record]
    noun: str  # as errors name it
    query: type[Paging]  # what a list can be filtered by


FILES = Resource("files", "file", File, "File", FilesQuery)
USER_DATA = Resource("user_data", "user_data", UserData, "User data", UserDataQuery)
REQUIREMENTS = Resource(
    "resource_requirements",
    "resource_requirements",
    ResourceRequirements,
    "Resource requirements",
    RequirementsQuery,
)
COMPUTE_NODES = Resource("compute_nodes", "compute_node", ComputeNode, "Compute node", ComputeNodesQuery)
SCHEDULED_NODES = Resource(
    "scheduled_compute_nodes",
    "scheduled_compute_node",
    ScheduledComputeNode,
    "Scheduled compute node",
    ScheduledNodesQuery,
)
LOCAL_SCHEDULERS = Resource(
    "local_schedulers", "local_scheduler", LocalScheduler, "Local scheduler", LocalSchedulersQuery
)
SLURM_SCHEDULERS = Resource(
    "slurm_schedulers", "slurm_scheduler", SlurmScheduler, "Slurm scheduler", SlurmSchedulersQuery
)
RESULTS = Resource("results", "result", Result, "Result", ResultsQuery)
EVENTS = Resource("events", "event", Event, "Event", EventsQuery)

PLAIN = (
    FILES,
    USER_DATA,
    REQUIREMENTS,
    COMPUTE_NODES,
    SCHEDULED_NODES,
    LOCAL_SCHEDULERS,
    SLURM_SCHEDULERS,
    RESULTS,
    EVENTS,
)
