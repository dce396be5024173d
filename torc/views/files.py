"""Files."""

from torc.units import format_bytes
from torc.views.column import Column, as_moment, if_known


def as_size(size: int | None) -> str:
    """Bytes in the largest unit that fits."""
    return "N/A" if size is None else format_bytes(size)


TABLE = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Path", "path"),
    Column("Size", "size", as_size),
    Column("Modified Time", "st_mtime", as_moment),
)

DETAILS = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Path", "path"),
    Column("Workflow ID", "workflow_id"),
    Column("Size", "size", if_known(as_size)),
    Column("Modified Time", "st_mtime", if_known(as_moment)),
)

REQUIRED = TABLE[:3]
