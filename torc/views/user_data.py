"""User data."""

from typing import Any

import msgspec

from torc.models.user_data import UserData
from torc.views.column import Column, as_yes_no


def as_json_text(data: Any) -> str:
    """Compact JSON; ``null`` for data that is not there yet."""
    return msgspec.json.encode(data).decode()


TABLE = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Data", "data", as_json_text),
    Column("Workflow ID", "workflow_id"),
)

DETAILS = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Workflow ID", "workflow_id"),
    Column("Is Ephemeral", "is_ephemeral", as_yes_no),
    Column("Data", "data", as_json_text),
)


def as_document(record: UserData) -> dict[str, Any]:
    """For JSON: also with the names that nushell scripts read, ``key`` and ``value``, which is JSON text."""
    return {**msgspec.to_builtins(record), "key": record.name, "value": as_json_text(record.data)}
