"""One method per endpoint of the server."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from torc.client.connection import Connection
from torc.client.resources import Collection
from torc.errors import TorcError
from torc.models.catalogue import COMPUTE_NODES, EVENTS, FILES, REQUIREMENTS, RESULTS, USER_DATA
from torc.models.compute_node import ComputeNode
from torc.models.draft import TOKEN_HEADER, DraftAnswer, DraftBatch, DraftRequest
from torc.models.event import Event
from torc.models.file import File
from torc.models.job import Job, JobsModel
from torc.models.record import Page
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.models.sync import RenewAnswer, SyncAnswer, SyncRequest
from torc.models.user_data import UserData
from torc.models.workflow import (
    InitializeAnswer,
    InitializeRequest,
    IsComplete,
    IsUninitialized,
    Workflow,
    WorkflowStatus,
)

T = TypeVar("T")
Ids = list[int]
"""Named, because inside Workflows ``list`` is a method."""

WHOLE_WORKFLOW_S = 600.0
"""How long a verb over a whole workflow may take; a million jobs need more than an ordinary request."""


class _FileIds(msgspec.Struct):
    files: list[int]


class _UserDataIds(msgspec.Struct):
    user_data: list[int]


class _JobCounts(msgspec.Struct):
    counts: dict[str, int]


class Workflows:
    """``/workflows`` and what hangs below one of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._collection = Collection(connection, "/workflows", Workflow)

    def create(self, workflow: Workflow) -> Workflow:
        """Store an empty workflow."""
        return self._collection.create(workflow)

    def get(self, workflow_id: int) -> Workflow:
        """One workflow; NotFound when there is none."""
        return self._collection.get(workflow_id)

    def page(self, **query: Any) -> Page[Workflow]:
        """One page of the workflows of everybody, or of those that match name, user, description, is_archived."""
        return self._collection.page(None, **query)

    def list(self, **query: Any) -> Iterator[Workflow]:
        """As ``page``, but all of them."""
        return self._collection.list(None, **query)

    def update(self, workflow_id: int, workflow: Workflow) -> Workflow:
        """Write the workflow's own fields."""
        return self._collection.update(workflow_id, workflow)

    def delete(self, workflow_id: int) -> Workflow:
        """Delete a workflow with everything in it."""
        return self._send("DELETE", workflow_id, "", Workflow, timeout_s=WHOLE_WORKFLOW_S)

    def status(self, workflow_id: int) -> WorkflowStatus:
        """The run it is in, canceled or archived."""
        return self._send("GET", workflow_id, "/status", WorkflowStatus)

    def update_status(self, workflow_id: int, status: WorkflowStatus) -> WorkflowStatus:
        """Write the status as a whole."""
        return self._send("PUT", workflow_id, "/status", WorkflowStatus, body=status)

    def is_complete(self, workflow_id: int) -> IsComplete:
        """Whether every job has an outcome."""
        return self._send("GET", workflow_id, "/is_complete", IsComplete)

    def is_uninitialized(self, workflow_id: int) -> bool:
        """Whether no job has ever been made ready in this run; true for a workflow without jobs."""
        return self._send("GET", workflow_id, "/is_uninitialized", IsUninitialized).is_uninitialized

    def initialize(self, workflow_id: int, request: InitializeRequest) -> InitializeAnswer:
        """Start a new run of all jobs. Checks of files on disk are the caller's."""
        return self._send(
            "POST", workflow_id, "/initialize", InitializeAnswer, body=request, timeout_s=WHOLE_WORKFLOW_S
        )

    def cancel(self, workflow_id: int) -> WorkflowStatus:
        """Cancel what has not ended."""
        return self._send("PUT", workflow_id, "/cancel", WorkflowStatus, timeout_s=WHOLE_WORKFLOW_S)

    def required_existing_files(self, workflow_id: int) -> Ids:
        """Ids of the files that have to be on disk before the workflow can start."""
        return self._send("GET", workflow_id, "/required_existing_files", _FileIds).files

    def missing_user_data(self, workflow_id: int) -> Ids:
        """Ids of the user data that jobs read, nobody writes and that has no value."""
        return self._send("GET", workflow_id, "/missing_user_data", _UserDataIds).user_data

    def job_counts(self, workflow_id: int) -> dict[str, int]:
        """How many jobs are in each status; statuses without jobs may be left out."""
        return self._send("GET", workflow_id, "/job_counts", _JobCounts).counts

    def _send(self, method: str, workflow_id: int, rest: str, kind: type[T], **options: Any) -> T:
        return self._connection.send(method, f"/workflows/{workflow_id}{rest}", kind, **options)


class Jobs(Collection[Job]):
    """``/jobs``, and the commands of runners that do not sync."""

    def create_many(self, jobs: list[Job]) -> list[Job]:
        """Store jobs of one workflow in one transaction; the answer has the same order."""
        return self._connection.send("POST", "/bulk_jobs", JobsModel, body=JobsModel(jobs=jobs)).jobs

    def start(self, job_id: int, *, run_id: int, compute_node_id: int) -> Job:
        """Say that a claimed job runs now."""
        return self._connection.send("PUT", f"/jobs/{job_id}/start_job/{run_id}/{compute_node_id}", Job)

    def complete(self, job_id: int, *, status: JobStatus, run_id: int, result: Result) -> Job:
        """Say how a job ended."""
        return self._connection.send("POST", f"/jobs/{job_id}/complete_job/{status}/{run_id}", Job, body=result)


class Drafts:
    """``/drafts``: workflows under construction. Every call but ``create`` may be repeated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, request: DraftRequest) -> DraftAnswer:
        """Begin a draft and reserve the ids of all its records."""
        return self._connection.send("POST", "/drafts", DraftAnswer, body=request)

    def add(self, workflow_id: int, token: str, batch: DraftBatch) -> None:
        """Send the next batch."""
        self._send("POST", workflow_id, "/batches", token, Any, body=batch)

    def finalize(self, workflow_id: int, token: str) -> Workflow:
        """Check the whole and make it visible."""
        return self._send("POST", workflow_id, "/finalize", token, Workflow)

    def discard(self, workflow_id: int, token: str) -> None:
        """Throw the draft away."""
        self._send("DELETE", workflow_id, "", token, Any)

    def _send(self, method: str, workflow_id: int, rest: str, token: str, kind: type[T], **options: Any) -> T:
        return self._connection.send(
            method,
            f"/drafts/{workflow_id}{rest}",
            kind,
            headers={TOKEN_HEADER: token},
            repeatable=True,
            timeout_s=WHOLE_WORKFLOW_S,
            **options,
        )


class Client:
    """A server, as methods. Threads may share one; close it when done."""

    def __init__(
        self, url: str, *, username: str | None = None, password: str | None = None, timeout_s: float = 30.0
    ) -> None:
        connection = Connection(url, username, password, timeout_s)
        self.url = connection.url
        self.username = username
        self.password = password
        self._connection = connection
        self.workflows = Workflows(connection)
        self.jobs = Jobs(connection, "/jobs", Job)
        self.drafts = Drafts(connection)
        self.files: Collection[File] = Collection(connection, f"/{FILES.path}", File)
        self.user_data: Collection[UserData] = Collection(connection, f"/{USER_DATA.path}", UserData)
        self.resource_requirements: Collection[ResourceRequirements] = Collection(
            connection, f"/{REQUIREMENTS.path}", ResourceRequirements
        )
        self.compute_nodes: Collection[ComputeNode] = Collection(connection, f"/{COMPUTE_NODES.path}", ComputeNode)
        self.results: Collection[Result] = Collection(connection, f"/{RESULTS.path}", Result)
        self.events: Collection[Event] = Collection(connection, f"/{EVENTS.path}", Event)

    def sync(self, node_id: int, request: SyncRequest) -> SyncAnswer:
        """Report, reconcile and claim. Never repeated here: every send needs its own ``seq``."""
        return self._connection.send("POST", f"/compute_nodes/{node_id}/sync", SyncAnswer, body=request)

    def renew(self, node_id: int) -> RenewAnswer:
        """Keep the lease of a node."""
        return self._connection.send("PUT", f"/compute_nodes/{node_id}/renew", RenewAnswer)

    def ping(self) -> bool:
        """Whether a server answers."""
        try:
            self._connection.send("GET", "/ping", Any)
        except TorcError:
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
