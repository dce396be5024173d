"""``/resource_requirements``: plain records whose memory and time are checked."""

from torc.models.catalogue import REQUIREMENTS
from torc.models.queries import DeleteAllQuery, DeleteQuery
from torc.models.record import DeletedCount, Record
from torc.models.resource_requirements import ResourceRequirements
from torc.server.plain import Plain
from torc.store import requirements
from torc.store.database import Database


class Requirements(Plain):
    """Create and replace check what a job may need."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, REQUIREMENTS)

    def create(self, body: ResourceRequirements) -> Record:
        """Store requirements; the name ``default`` is the server's own."""
        return requirements.create(self.database, body)

    def update(self, record_id: int, body: ResourceRequirements, given: frozenset[str]) -> Record:
        """Write over requirements: fields that are left out stay."""
        return requirements.update(self.database, record_id, body, given)

    def delete(self, record_id: int, query: DeleteQuery) -> Record:
        """Delete requirements; 409 while jobs use them, unless forced: those then use ``default``."""
        return requirements.delete(self.database, record_id, force=query.force)

    def delete_all(self, query: DeleteAllQuery) -> DeletedCount:
        """Delete all requirements of a workflow but its ``default``; 409 while jobs use them, unless forced."""
        return DeletedCount(count=requirements.delete_all(self.database, query.workflow_id, force=query.force))
