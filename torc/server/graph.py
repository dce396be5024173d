"""What belongs to what in a workflow, and short answers about all its jobs."""

from torc.models.queries import ChangedInputsQuery, ReadyRequirementsQuery, RelationshipsQuery
from torc.models.record import Page
from torc.models.relationship import JobDependency, JobFileRelationship, JobUserDataRelationship
from torc.models.workflow import DotGraph, JobIds, LatestEventTimestamp, ReadyJobRequirements, ReinitializedJobs
from torc.store import dot, lifecycle, relationships, summaries
from torc.store.database import Database


class Graph:
    """The jobs of one workflow and what joins them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def dependencies(self, workflow_id: int, query: RelationshipsQuery) -> Page[JobDependency]:
        """Which job waits for which; groups are listed pair by pair."""
        return relationships.job_dependencies(self.database, workflow_id, offset=query.offset, limit=query.limit)

    def files(self, workflow_id: int, query: RelationshipsQuery) -> Page[JobFileRelationship]:
        """Which job writes and which job reads each file."""
        return relationships.job_file_relationships(self.database, workflow_id, offset=query.offset, limit=query.limit)

    def user_data(self, workflow_id: int, query: RelationshipsQuery) -> Page[JobUserDataRelationship]:
        """Which job writes and which job reads each user data record."""
        return relationships.job_user_data_relationships(
            self.database, workflow_id, offset=query.offset, limit=query.limit
        )

    def drawing(self, workflow_id: int, name: str) -> DotGraph:
        """A graph of the workflow in the DOT language."""
        return dot.dot_graph(self.database, workflow_id, name)

    def job_ids(self, workflow_id: int) -> JobIds:
        """The ids of all jobs, ascending."""
        return summaries.job_ids(self.database, workflow_id)

    def ready_requirements(self, workflow_id: int, query: ReadyRequirementsQuery) -> ReadyJobRequirements:
        """What all ready jobs need together."""
        return summaries.ready_job_requirements(self.database, workflow_id, query.scheduler_config_id)

    def changed_inputs(self, workflow_id: int, query: ChangedInputsQuery) -> ReinitializedJobs:
        """Make jobs uninitialized whose command, links or input data changed; what lies behind them stays."""
        names = lifecycle.process_changed_job_inputs(self.database, workflow_id, dry_run=query.dry_run)
        return ReinitializedJobs(reinitialized_jobs=names)

    def latest_event(self, workflow_id: int) -> LatestEventTimestamp:
        """When the last event of a workflow happened."""
        return summaries.latest_event_timestamp(self.database, workflow_id)
