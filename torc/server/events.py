"""``/events``: what happened to a workflow, in order."""

from torc.models.catalogue import EVENTS
from torc.models.event import Event
from torc.models.queries import DeleteAllQuery, DeleteQuery, EventsFilter, EventsQuery
from torc.models.record import DeletedCount, Page
from torc.server.codec import Json
from torc.server.plain import Plain
from torc.store import events
from torc.store.database import Database


class Events(Plain):
    """As any resource, but the server's own events are columns, and lists have a replay cursor."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, EVENTS)

    def create(self, body: Event) -> Event:
        """Store an event; the time is the server's."""
        return events.create(self.database, body)

    def page(self, query: EventsQuery) -> Page[Event]:
        """One page of a workflow's events."""
        return self.page_of(query.workflow_id, query)

    def page_of(self, workflow_id: int, query: EventsFilter) -> Page[Event]:
        """One page of a workflow's events; go on with ``after_id``, the id of the last one seen."""
        return events.page(
            self.database,
            workflow_id,
            query,
            category=query.category,
            after_timestamp=query.after_timestamp,
            after_id=query.after_id,
            level=query.level,
        )

    def get(self, record_id: int) -> Event:
        """Read one event."""
        return events.get(self.database, record_id)

    def update(self, record_id: int, body: Json) -> Event:  # type: ignore[override]  # nothing to keep: data is all there is
        """Replace the data of an event a client stored: the body's ``data``, or the whole body."""
        # An existing server stores the whole body; clients send an event.
        data = body["data"] if isinstance(body, dict) and "data" in body else body
        return events.update(self.database, record_id, data)

    def delete(self, record_id: int, query: DeleteQuery) -> Event:
        """Delete an event and return it as it was."""
        return events.delete(self.database, record_id)

    def delete_all(self, query: DeleteAllQuery) -> DeletedCount:
        """Delete all events of a workflow."""
        return DeletedCount(count=events.delete_all(self.database, query.workflow_id))
