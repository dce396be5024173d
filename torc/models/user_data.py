"""JSON data that jobs pass to each other through the server."""

from typing import Any

from torc.models.record import Record, always


class UserData(Record, kw_only=True):
    """A JSON value that jobs read or write. A job that reads one depends on the job that writes it."""

    id: int | None = None
    workflow_id: int
    name: str
    is_ephemeral: bool = always(False)  # cleared between runs
    data: Any = None


class UserDataBatch(Record, kw_only=True):
    """Body and answer of ``bulk_user_data``."""

    user_data: list[UserData]
