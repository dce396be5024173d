"""``/workflows``, and the verbs over one whole workflow."""

from falcon import Request

from torc.models.queries import (
    ForceQuery,
    InitializeJobsQuery,
    ResetJobsQuery,
    WorkflowsQuery,
)
from torc.models.record import Page
from torc.models.workflow import (
    ArchiveRequest,
    FileIds,
    InitializeAnswer,
    InitializeJobsRequest,
    InitializeRequest,
    IsComplete,
    IsUninitialized,
    JobCounts,
    ReinitializeAnswer,
    ReinitializeRequest,
    ResetJobsAnswer,
    Told,
    UserDataIds,
    Workflow,
    WorkflowStatus,
)
from torc.server.security import user_of
from torc.store import deletion, inputs, lifecycle, workflows
from torc.store.database import Database


class Workflows:
    """The workflows of everybody, and one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, req: Request, body: Workflow) -> Workflow:
        """Store an empty workflow, visible at once."""
        return workflows.create(self.database, body, user_of(req))

    def page(self, query: WorkflowsQuery) -> Page[Workflow]:
        """One page of the workflows of everybody."""
        return workflows.page(self.database, query, query.name, query.user, query.description, query.is_archived)

    def get(self, workflow_id: int) -> Workflow:
        """Read one workflow."""
        return workflows.get(self.database, workflow_id)

    def update(self, workflow_id: int, body: Workflow, given: frozenset[str]) -> Workflow:
        """Write over a workflow: fields that are left out stay, null clears."""
        return workflows.update(self.database, workflow_id, body, given)

    def delete(self, workflow_id: int) -> Workflow:
        """Delete a workflow with everything in it."""
        return deletion.delete(self.database, workflow_id)


class Status:
    """Where one workflow stands."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, workflow_id: int) -> WorkflowStatus:
        """The run a workflow is in and its flags."""
        return workflows.status(self.database, workflow_id)

    def update(self, workflow_id: int, body: WorkflowStatus, given: frozenset[str]) -> WorkflowStatus:
        """Write over run and flags: what is left out stays."""
        return workflows.update_status(self.database, workflow_id, body, given)

    def archive(self, workflow_id: int, body: ArchiveRequest) -> WorkflowStatus:
        """Put a workflow away, or take it out again: lists leave archived ones out."""
        return workflows.archive(self.database, workflow_id, body.is_archived)

    def is_complete(self, workflow_id: int) -> IsComplete:
        """Whether nothing is left to do."""
        return workflows.is_complete(self.database, workflow_id)

    def is_uninitialized(self, workflow_id: int) -> IsUninitialized:
        """Whether every job is uninitialized or disabled; true for none."""
        return IsUninitialized(is_uninitialized=workflows.is_uninitialized(self.database, workflow_id))

    def counts(self, workflow_id: int) -> JobCounts:
        """How many jobs have each status that occurs."""
        counts = workflows.job_counts(self.database, workflow_id)
        return JobCounts(workflow_id=workflow_id, total=sum(counts.values()), counts=counts)


class Lifecycle:
    """Initialize, cancel and reset; and what must be there before the first."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def initialize(self, workflow_id: int, body: InitializeRequest | None) -> InitializeAnswer:
        """Begin a new run: every job that is not disabled starts over. A refusal changes nothing."""
        return lifecycle.initialize(self.database, workflow_id, body or InitializeRequest())

    def reinitialize(self, workflow_id: int, body: ReinitializeRequest | None) -> ReinitializeAnswer:
        """Begin a new run of what has not succeeded, has changed or depends on such. A refusal changes nothing."""
        return lifecycle.reinitialize(self.database, workflow_id, body or ReinitializeRequest())

    def initialize_jobs(self, workflow_id: int, query: InitializeJobsQuery, body: InitializeJobsRequest | None) -> Told:
        """Decide which jobs are ready, without beginning a new run."""
        wish = body or InitializeJobsRequest()
        if wish.ignore_missing_data is False:
            inputs.refuse_missing_user_data(self.database, workflow_id)
        if wish.reinitialize:
            lifecycle.process_changed_job_inputs(self.database, workflow_id)
        lifecycle.initialize_jobs(
            self.database,
            workflow_id,
            only_uninitialized=query.only_uninitialized or wish.reinitialize,
            clear_ephemeral=query.clear_ephemeral_user_data,
        )
        return Told(message="Initialized job status")

    def cancel(self, workflow_id: int) -> WorkflowStatus:
        """Stop a workflow: everything unsettled becomes canceled."""
        return lifecycle.cancel(self.database, workflow_id)

    def reset_status(self, workflow_id: int, query: ForceQuery) -> WorkflowStatus:
        """Clear the flags of a workflow; the run and the jobs stay."""
        return lifecycle.reset_status(self.database, workflow_id, force=query.force)

    def reset_jobs(self, workflow_id: int, query: ResetJobsQuery) -> ResetJobsAnswer:
        """Make jobs uninitialized: all but disabled ones, or those that failed with what lies behind them."""
        count = lifecycle.reset_job_status(
            self.database,
            workflow_id,
            failed_only=query.failed_only,
            force=query.force,
            with_flags=query.with_flags,
        )
        return ResetJobsAnswer(
            workflow_id=workflow_id,
            updated_count=count,
            reset_type="failed_only" if query.failed_only else None,
        )

    def required_files(self, workflow_id: int) -> FileIds:
        """Ids of the files that must be on disk: what no job writes, and what completed jobs wrote."""
        return FileIds(files=inputs.required_existing_files(self.database, workflow_id))

    def missing_data(self, workflow_id: int) -> UserDataIds:
        """Ids of the user data that jobs read, nobody writes and that has no value."""
        return UserDataIds(user_data=inputs.missing_user_data(self.database, workflow_id))
