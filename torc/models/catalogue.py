"""The plain resources: what needs only create, get, list, update and delete, one line each."""

from dataclasses import dataclass

from torc.models.compute_node import ComputeNode
from torc.models.event import Event
from torc.models.file import File
from torc.models.record import Record
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.user_data import UserData


@dataclass(frozen=True)
class Resource:
    """Where a plain resource lives in the API, in the database and in Python."""

    path: str  # in the URL, and the key of a list in JSON output
    table: str
    model: type[Record]
    noun: str  # as errors name it
    filters: tuple[str, ...]  # columns a list can be filtered by, exactly


FILES = Resource("files", "file", File, "File", ("name", "path"))
USER_DATA = Resource("user_data", "user_data", UserData, "User data", ("is_ephemeral",))
REQUIREMENTS = Resource(
    "resource_requirements",
    "resource_requirements",
    ResourceRequirements,
    "Resource requirements",
    ("name", "memory", "num_cpus", "num_gpus", "num_nodes", "runtime"),
)
COMPUTE_NODES = Resource("compute_nodes", "compute_node", ComputeNode, "Compute node", ("hostname", "is_active"))
RESULTS = Resource("results", "result", Result, "Result", ("job_id", "run_id", "return_code", "status"))
EVENTS = Resource("events", "event", Event, "Event", ())

PLAIN = (FILES, USER_DATA, REQUIREMENTS, COMPUTE_NODES, RESULTS, EVENTS)
