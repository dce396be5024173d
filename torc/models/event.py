"""What happened to a workflow, in order."""

from typing import Any, Literal

from torc.models.record import Record

Level = Literal["debug", "info", "warning", "error"]


class Event(Record, kw_only=True):
    """One thing that happened. ``id`` grows in commit order and serves as a replay cursor."""

    id: int | None = None
    workflow_id: int
    timestamp: int | None = None  # milliseconds since the epoch, the server's clock
    level: Level | None = None  # how much it matters; set by the server, from ``data.level`` where a client gave one
    data: Any = None
