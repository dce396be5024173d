"""Events: what happened to a workflow."""

from datetime import datetime
from typing import Any

import msgspec

from torc.models.event import Event
from torc.views.column import Column


def as_local_time(timestamp: int | None) -> str:
    """Milliseconds since the epoch as ``2026-01-31 23:59:59.123``, in the time zone of whoever reads it."""
    if timestamp is None:
        return ""
    try:
        return datetime.fromtimestamp(timestamp / 1000).isoformat(sep=" ", timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{timestamp} ms since 1970"  # no calendar has a year for it


def compact(data: Any) -> str:
    """JSON in one line."""
    return msgspec.json.encode(data).decode()


def pretty(data: Any) -> str:
    """JSON in several lines, indented as the lines of a record are."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode().replace("\n", "\n  ")


def line(event: Event) -> str:
    """What a monitor prints."""
    return f"[{as_local_time(event.timestamp)}] Event ID {event.id}: {compact(event.data)}"


def message(event: Event) -> str:
    """What an event says to people; events of clients may be any JSON."""
    data = event.data
    return str(data["message"]) if isinstance(data, dict) and data.get("message") else compact(data)


TABLE = (Column("ID", "id"), Column("Timestamp", "timestamp", as_local_time), Column("Data", "data", compact))
DETAILS = (
    Column("ID", "id"),
    Column("Workflow ID", "workflow_id"),
    Column("Timestamp", "timestamp", as_local_time),
    Column("Data", "data", pretty),
)
