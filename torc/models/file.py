"""A file that jobs read or write."""

from torc.models.record import Record


class File(Record, kw_only=True):
    """A path that jobs read or write. A job that reads one depends on the job that writes it."""

    id: int | None = None
    workflow_id: int
    name: str
    path: str
    st_mtime: float | None = None  # seconds since the epoch; None while the file is missing
    size: int | None = None  # bytes
