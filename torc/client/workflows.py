"""``/workflows`` and what hangs below one of them."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from torc.client.connection import WHOLE_WORKFLOW_S, Connection
from torc.client.resources import PAGE_ROWS, Collection, records
from torc.models.action import ClaimActionAnswer, ClaimActionRequest, TriggerType, WorkflowAction
from torc.models.draft import DraftDocument
from torc.models.event import Event, Level
from torc.models.export import Export
from torc.models.job import ClaimAnswer, ComputeNodesResources, DependencyGroup
from torc.models.record import Page
from torc.models.relationship import JobDependency, JobFileRelationship, JobUserDataRelationship
from torc.models.workflow import (
    ArchiveRequest,
    DotGraph,
    FileIds,
    InitializeAnswer,
    InitializeRequest,
    IsComplete,
    IsUninitialized,
    JobCounts,
    JobIds,
    LatestEventTimestamp,
    ReadyJobRequirements,
    ReinitializeAnswer,
    ReinitializedJobs,
    ReinitializeRequest,
    ResetJobsAnswer,
    SortMethod,
    Told,
    UserDataIds,
    Workflow,
    WorkflowStatus,
)

T = TypeVar("T")

# Named, because inside Workflows ``list`` is a method.
Ids = list[int]
Names = list[str]
Actions = list[WorkflowAction]


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

    def change(self, workflow_id: int, changes: Mapping[str, Any]) -> Workflow:
        """Write these fields of a workflow; the others stay."""
        return self._collection.change(workflow_id, changes)

    def delete(self, workflow_id: int) -> Workflow:
        """Delete a workflow with everything in it."""
        return self._send("DELETE", workflow_id, "", Workflow, timeout_s=WHOLE_WORKFLOW_S)

    def status(self, workflow_id: int) -> WorkflowStatus:
        """The run it is in, canceled or archived."""
        return self._send("GET", workflow_id, "/status", WorkflowStatus)

    def update_status(self, workflow_id: int, status: WorkflowStatus) -> WorkflowStatus:
        """Write the status as a whole."""
        return self._send("PUT", workflow_id, "/status", WorkflowStatus, body=status)

    def archive(self, workflow_id: int, is_archived: bool) -> WorkflowStatus:
        """Put it away, or take it out again."""
        body = ArchiveRequest(is_archived=is_archived)
        return self._send("POST", workflow_id, "/archive", WorkflowStatus, body=body)

    def is_complete(self, workflow_id: int) -> IsComplete:
        """Whether every job has an outcome."""
        return self._send("GET", workflow_id, "/is_complete", IsComplete)

    def is_uninitialized(self, workflow_id: int) -> bool:
        """Whether no job has ever been made ready in this run; true for a workflow without jobs."""
        return self._send("GET", workflow_id, "/is_uninitialized", IsUninitialized).is_uninitialized

    def initialize(self, workflow_id: int, request: InitializeRequest) -> InitializeAnswer:
        """Start a new run of all jobs. Checks of files on disk are the caller's."""
        return self._verb(workflow_id, "/initialize", InitializeAnswer, body=request)

    def reinitialize(self, workflow_id: int, request: ReinitializeRequest) -> ReinitializeAnswer:
        """Start a new run of what failed, has changed or depends on such. Checks of files on disk are the caller's."""
        return self._verb(workflow_id, "/reinitialize", ReinitializeAnswer, body=request)

    def initialize_jobs(self, workflow_id: int, *, only_uninitialized: bool = False) -> None:
        """Decide which jobs are ready, without beginning a new run."""
        self._verb(workflow_id, "/initialize_jobs", Told, query={"only_uninitialized": only_uninitialized or None})

    def process_changed_job_inputs(self, workflow_id: int, *, dry_run: bool = False) -> Names:
        """Make jobs uninitialized whose inputs changed; their names. With ``dry_run`` only say which."""
        query = {"dry_run": dry_run or None}
        return self._verb(workflow_id, "/process_changed_job_inputs", ReinitializedJobs, query=query).reinitialized_jobs

    def reset_status(self, workflow_id: int, *, force: bool = False) -> WorkflowStatus:
        """Clear the flags; the run and the jobs stay. ``force`` although jobs are pending or running."""
        return self._send("POST", workflow_id, "/reset_status", WorkflowStatus, query={"force": force or None})

    def reset_job_status(
        self, workflow_id: int, *, failed_only: bool = False, force: bool = False, with_flags: bool = False
    ) -> int:
        """Make jobs uninitialized: all, or those that failed with what lies behind them; how many.

        ``force`` takes them away from runners. ``with_flags`` also does what ``reset_status`` does: both or nothing.
        """
        query = {"failed_only": failed_only or None, "force": force or None, "with_flags": with_flags or None}
        return self._verb(workflow_id, "/reset_job_status", ResetJobsAnswer, query=query).updated_count

    def cancel(self, workflow_id: int) -> WorkflowStatus:
        """Cancel what has not ended."""
        return self._send("PUT", workflow_id, "/cancel", WorkflowStatus, timeout_s=WHOLE_WORKFLOW_S)

    def required_existing_files(self, workflow_id: int) -> Ids:
        """Ids of the files that have to be on disk before the workflow can start."""
        return self._send("GET", workflow_id, "/required_existing_files", FileIds).files

    def missing_user_data(self, workflow_id: int) -> Ids:
        """Ids of the user data that jobs read, nobody writes and that has no value."""
        return self._send("GET", workflow_id, "/missing_user_data", UserDataIds).user_data

    def job_counts(self, workflow_id: int) -> dict[str, int]:
        """How many jobs are in each status; statuses without jobs may be left out."""
        return self._send("GET", workflow_id, "/job_counts", JobCounts).counts

    def job_ids(self, workflow_id: int) -> Ids:
        """The ids of all jobs, ascending."""
        return self._send("GET", workflow_id, "/job_ids", JobIds).job_ids

    def ready_job_requirements(
        self, workflow_id: int, *, scheduler_config_id: int | None = None
    ) -> ReadyJobRequirements:
        """What all ready jobs need together, or those of one Slurm configuration."""
        query = {"scheduler_config_id": scheduler_config_id}
        return self._send("GET", workflow_id, "/ready_job_requirements", ReadyJobRequirements, query=query)

    def latest_event_timestamp(self, workflow_id: int) -> int | None:
        """When the last event happened, in milliseconds since the epoch; None while there is none."""
        return self._send("GET", workflow_id, "/latest_event_timestamp", LatestEventTimestamp).timestamp

    def events(self, workflow_id: int, *, after_id: int = 0, level: Level | None = None) -> Iterator[Event]:
        """The events after the one with ``after_id``, at least as severe as ``level``, page by page."""
        while True:
            query = {"after_id": after_id, "level": level, "limit": PAGE_ROWS}
            page = self._send("GET", workflow_id, "/events", Page[Event], query=query)
            yield from page.items
            if not page.has_more or page.items[-1].id is None:
                return
            after_id = page.items[-1].id

    def stream(self, workflow_id: int, *, after_id: int | None = None, level: Level | None = None) -> Iterator[Event]:
        """The events as they happen, from now on or after ``after_id``; ends when the server ends or drops it."""
        query = {"after_id": after_id, "level": level}
        return self._connection.stream(f"/workflows/{workflow_id}/events/stream", Event, query=query)

    def job_dependencies(self, workflow_id: int) -> Iterator[JobDependency]:
        """Which job waits for which."""
        return self._relationships(workflow_id, "/job_dependencies", JobDependency)

    def job_file_relationships(self, workflow_id: int) -> Iterator[JobFileRelationship]:
        """Which job writes and which job reads each file."""
        return self._relationships(workflow_id, "/job_file_relationships", JobFileRelationship)

    def job_user_data_relationships(self, workflow_id: int) -> Iterator[JobUserDataRelationship]:
        """Which job writes and which job reads each user data record."""
        return self._relationships(workflow_id, "/job_user_data_relationships", JobUserDataRelationship)

    def job_dependencies_page(self, workflow_id: int, *, offset: int, limit: int) -> Page[JobDependency]:
        """One page of ``job_dependencies``."""
        return self._relationships_page(workflow_id, "/job_dependencies", JobDependency, offset, limit)

    def job_file_relationships_page(self, workflow_id: int, *, offset: int, limit: int) -> Page[JobFileRelationship]:
        """One page of ``job_file_relationships``."""
        return self._relationships_page(workflow_id, "/job_file_relationships", JobFileRelationship, offset, limit)

    def job_user_data_relationships_page(
        self, workflow_id: int, *, offset: int, limit: int
    ) -> Page[JobUserDataRelationship]:
        """One page of ``job_user_data_relationships``."""
        rest = "/job_user_data_relationships"
        return self._relationships_page(workflow_id, rest, JobUserDataRelationship, offset, limit)

    def dot_graph(self, workflow_id: int, name: str) -> str:
        """A graph of the workflow in the DOT language."""
        return self._send("GET", workflow_id, f"/dot_graph/{quote(name, safe='')}", DotGraph).graph

    def export(self, workflow_id: int) -> DraftDocument:
        """The definition of a workflow, as it was or could be created; nothing of what has run."""
        return self._send("GET", workflow_id, "/export", Export, timeout_s=WHOLE_WORKFLOW_S).document()

    def export_to(
        self, workflow_id: int, out: BinaryIO, *, include_results: bool = False, include_events: bool = False
    ) -> int:
        """Copy the document of a workflow to ``out`` without looking into it; how many bytes."""
        query = {"include_results": include_results or None, "include_events": include_events or None}
        return self._connection.download(f"/workflows/{workflow_id}/export", out, query=query)

    def dependency_groups(self, workflow_id: int) -> Iterator[DependencyGroup]:
        """All groups, with members and dependents."""
        return self._relationships(workflow_id, "/dependency_groups", DependencyGroup)

    def create_dependency_group(self, workflow_id: int, group: DependencyGroup) -> DependencyGroup:
        """Let all of one set of jobs wait for all of another."""
        return self._send("POST", workflow_id, "/dependency_groups", DependencyGroup, body=group)

    def claim_next_jobs(self, workflow_id: int, *, limit: int) -> ClaimAnswer:
        """Claim ready jobs, whatever they need, without a node."""
        return self._send("POST", workflow_id, "/claim_next_jobs", ClaimAnswer, query={"limit": limit})

    def claim_jobs_based_on_resources(
        self,
        workflow_id: int,
        offer: ComputeNodesResources,
        *,
        limit: int,
        sort_method: SortMethod | None = None,
    ) -> ClaimAnswer:
        """Claim ready jobs that fit together in what is free, without a node."""
        path, query = f"/claim_jobs_based_on_resources/{limit}", {"sort_method": sort_method}
        return self._send("POST", workflow_id, path, ClaimAnswer, body=offer, query=query)

    def actions(self, workflow_id: int) -> Actions:
        """All actions."""
        return self._send("GET", workflow_id, "/actions", Actions)

    def pending_actions(self, workflow_id: int, *trigger_types: TriggerType) -> Actions:
        """The actions that wait for somebody to claim them, of all or some trigger types."""
        query = {"trigger_type": list(trigger_types) or None}
        return self._send("GET", workflow_id, "/actions/pending", Actions, query=query)

    def create_action(self, workflow_id: int, action: WorkflowAction) -> WorkflowAction:
        """Add an action."""
        return self._send("POST", workflow_id, "/actions", WorkflowAction, body=action)

    def claim_action(self, workflow_id: int, action_id: int, *, compute_node_id: int | None) -> ClaimActionAnswer:
        """Take an action for a node; Conflict when another has it."""
        body = ClaimActionRequest(compute_node_id=compute_node_id)
        return self._send("POST", workflow_id, f"/actions/{action_id}/claim", ClaimActionAnswer, body=body)

    def _relationships(self, workflow_id: int, rest: str, kind: type[T]) -> Iterator[T]:
        return records(lambda offset, rows: self._relationships_page(workflow_id, rest, kind, offset, rows))

    def _relationships_page(self, workflow_id: int, rest: str, kind: type[T], offset: int, limit: int) -> Page[T]:
        page_kind: type[Page[T]] = Page[kind]  # type: ignore[valid-type]  # known at run time only
        return self._send("GET", workflow_id, rest, page_kind, query={"offset": offset, "limit": limit})

    def _verb(self, workflow_id: int, rest: str, kind: type[T], **options: Any) -> T:
        return self._send("POST", workflow_id, rest, kind, timeout_s=WHOLE_WORKFLOW_S, **options)

    def _send(self, method: str, workflow_id: int, rest: str, kind: type[T], **options: Any) -> T:
        return self._connection.send(method, f"/workflows/{workflow_id}{rest}", kind, **options)
