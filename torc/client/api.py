"""One method per operation of the server."""

from typing import Any, TypeVar

from torc.client.connection import WHOLE_WORKFLOW_S, Connection
from torc.client.resources import Collection
from torc.client.workflows import Workflows
from torc.errors import TorcError
from torc.models.action import WorkflowAction
from torc.models.catalogue import (
    COMPUTE_NODES,
    EVENTS,
    FILES,
    LOCAL_SCHEDULERS,
    REQUIREMENTS,
    RESULTS,
    SCHEDULED_NODES,
    SLURM_SCHEDULERS,
    USER_DATA,
)
from torc.models.compute_node import ComputeNode
from torc.models.draft import TOKEN_HEADER, DraftAnswer, DraftBatch, DraftRequest
from torc.models.event import Event
from torc.models.explanation import Explanation
from torc.models.file import File
from torc.models.job import BoundJobs, ChosenJobs, DeletedJobs, Job, JobsModel, JobVerb
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.scheduler import CheckTurn, CheckTurnAnswer, LocalScheduler, ScheduledComputeNode, SlurmScheduler
from torc.models.service import DoctorAnswer, Health
from torc.models.status import JobStatus
from torc.models.sync import RenewAnswer, SyncAnswer, SyncRequest
from torc.models.user_data import UserData
from torc.models.workflow import JobIds, Workflow

T = TypeVar("T")


class Jobs(Collection[Job]):
    """``/jobs``, and the commands of runners that do not sync."""

    def create_many(self, jobs: list[Job]) -> list[Job]:
        """Store jobs of one workflow in one transaction; the answer has the same order."""
        return self._connection.send("POST", "/bulk_jobs", JobsModel, body=JobsModel(jobs=jobs)).jobs

    def delete_several(self, job_ids: list[int], *, force: bool = False) -> list[Job]:
        """Delete jobs and return them as they were: all, or none if one is refused."""
        body = DeletedJobs(job_ids=job_ids, force=force)
        return self._connection.send("POST", "/bulk_jobs/delete", JobsModel, body=body).jobs

    def explain(self, job_id: int) -> Explanation:
        """Why a job is not running, or what came of it."""
        return self._connection.send("GET", f"/jobs/{job_id}/explain", Explanation)

    def start(self, job_id: int, *, run_id: int, compute_node_id: int) -> Job:
        """Say that a claimed job runs now."""
        return self._connection.send("PUT", f"/jobs/{job_id}/start_job/{run_id}/{compute_node_id}", Job)

    def complete(self, job_id: int, *, status: JobStatus, run_id: int, result: Result) -> Job:
        """Say how a job ended."""
        return self._connection.send("POST", f"/jobs/{job_id}/complete_job/{status}/{run_id}", Job, body=result)

    def command(self, verb: JobVerb, job_ids: list[int], *, user: str | None = None) -> list[Job]:
        """Cancel, terminate, retry, disable or enable jobs: all, or none if one is refused.

        ``user`` is for the event, where the server does not know who asks.
        """
        body = ChosenJobs(job_ids=job_ids, user=user)
        return self._connection.send("POST", f"/bulk_jobs/{verb}", JobsModel, body=body).jobs

    def bind(self, job_ids: list[int], *, scheduler_id: int) -> list[int]:
        """Keep jobs for the allocations of a Slurm scheduler; which of them, as what a runner has stays as it is."""
        body = BoundJobs(job_ids=job_ids, scheduler_id=scheduler_id)
        return self._connection.send("POST", "/bulk_jobs/bind", JobIds, body=body).job_ids

    def set_status(self, job_id: int, *, status: JobStatus, run_id: int) -> Job:
        """Set the status of a job by hand."""
        return self._connection.send("PUT", f"/jobs/{job_id}/manage_status_change/{status}/{run_id}", Job)


class UserDataRecords(Collection[UserData]):
    """``/user_data``."""

    def create(
        self, record: UserData, *, consumer_job_id: int | None = None, producer_job_id: int | None = None
    ) -> UserData:
        """Store a record, at once as what a job reads or writes; the answer has its id."""
        links = {"consumer_job_id": consumer_job_id, "producer_job_id": producer_job_id}
        return self._connection.send("POST", self._path, UserData, body=record, query=links)


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
        self.user_data = UserDataRecords(connection, f"/{USER_DATA.path}", UserData)
        self.resource_requirements: Collection[ResourceRequirements] = Collection(
            connection, f"/{REQUIREMENTS.path}", ResourceRequirements
        )
        self.compute_nodes: Collection[ComputeNode] = Collection(connection, f"/{COMPUTE_NODES.path}", ComputeNode)
        self.scheduled_compute_nodes: Collection[ScheduledComputeNode] = Collection(
            connection, f"/{SCHEDULED_NODES.path}", ScheduledComputeNode
        )
        self.local_schedulers: Collection[LocalScheduler] = Collection(
            connection, f"/{LOCAL_SCHEDULERS.path}", LocalScheduler
        )
        self.slurm_schedulers: Collection[SlurmScheduler] = Collection(
            connection, f"/{SLURM_SCHEDULERS.path}", SlurmScheduler
        )
        self.results: Collection[Result] = Collection(connection, f"/{RESULTS.path}", Result)
        self.events: Collection[Event] = Collection(connection, f"/{EVENTS.path}", Event)

    def sync(self, node_id: int, request: SyncRequest) -> SyncAnswer:
        """Report, reconcile and claim. Never repeated here: every send needs its own ``seq``."""
        return self._connection.send("POST", f"/compute_nodes/{node_id}/sync", SyncAnswer, body=request)

    def renew(self, node_id: int) -> RenewAnswer:
        """Keep the lease of a node."""
        return self._connection.send("PUT", f"/compute_nodes/{node_id}/renew", RenewAnswer)

    def release(self, node_id: int) -> ComputeNode:
        """Say that a node without a lease is gone: its jobs are ready for others."""
        return self._connection.send("PUT", f"/compute_nodes/{node_id}/release", ComputeNode)

    def claim_allocation_check(self, user: str, interval_s: float) -> CheckTurnAnswer:
        """Ask for the turn to look after all allocations of a user; granted to one client in ``interval_s``."""
        body = CheckTurn(user=user, interval_s=interval_s)
        return self._connection.send("POST", "/scheduled_compute_nodes/claim_check", CheckTurnAnswer, body=body)

    def rerun_action(self, action_id: int) -> WorkflowAction:
        """Let an action that has ended be carried out again; Conflict while it is still to be done."""
        return self._connection.send("POST", f"/actions/{action_id}/rerun", WorkflowAction)

    def health(self) -> Health:
        """Whether the server can read its database."""
        return self._connection.send("GET", "/health", Health)

    def version(self) -> str:
        """The version of torc the server runs."""
        return self._connection.send("GET", "/version", str)

    def doctor(self) -> list[str]:
        """What is wrong in the database, a sentence each; nothing, if all is well."""
        return self._connection.send("GET", "/doctor", DoctorAnswer, timeout_s=WHOLE_WORKFLOW_S).problems

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the server."""
        return self._connection.send("GET", "/openapi.json", dict[str, Any])

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
