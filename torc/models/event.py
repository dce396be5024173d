"""What happened to a workflow, in order."""

from typing import Any

from torc.models.record import Record


class Event(Record, kw_only=True):
    """One thing that happened. ``id`` grows in commit order and serves as a replay cursor."""

    id: int | None = None
    workflow_id: int
    timestamp: int | None = None  # milliseconds since the epoch, the server's clock
    data: Any = None
