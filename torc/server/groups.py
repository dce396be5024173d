"""``/workflows/{id}/dependency_groups``."""

from torc.models.job import DependencyGroup
from torc.models.queries import Paging
from torc.models.record import Page
from torc.store import groups
from torc.store.database import Database


class Groups:
    """Sets of jobs that others wait for as a whole."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, workflow_id: int, body: DependencyGroup) -> DependencyGroup:
        """Let all of one set of jobs wait for all of another."""
        return groups.create(self.database, workflow_id, body)

    def page(self, workflow_id: int, query: Paging) -> Page[DependencyGroup]:
        """One page of a workflow's dependency groups, with members and dependents."""
        return groups.page(self.database, workflow_id, query)
