"""A column of a table or a line of a record, and the wordings that several of them share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from torc.models.status import Cause, JobStatus


def plain(value: Any) -> str:
    """Text as it is; nothing for None."""
    return "" if value is None else str(value)


class Column(NamedTuple):
    """A heading, and where its value comes from: a field's name, or a function of the record.

    ``is_status`` when the first word of a cell is a status; front ends show those in colour.
    """

    heading: str
    source: str | Callable[[Any], Any]
    wording: Callable[[Any], str] = plain
    is_status: bool = False

    def value(self, record: Any) -> Any:
        """What the record has for this column, not yet worded."""
        return getattr(record, self.source) if isinstance(self.source, str) else self.source(record)

    def text(self, record: Any) -> str:
        """The cell."""
        return self.wording(self.value(record))


COLOURS = {
    "completed": "green",
    "complete": "green",
    "failed": "red",
    "terminated": "red",
    "canceled": "magenta",
    "running": "cyan",
    "active": "cyan",
    "pending": "blue",
    "ready": "blue",
    "blocked": "yellow",
}
"""Of statuses. What nobody has to look at has none."""


def colour_of(cell: str) -> str | None:
    """The colour of a cell that begins with a status, such as ``Failed (oom)``."""
    return COLOURS.get(cell.partition(" ")[0].lower())


def as_yes_no(value: bool | None) -> str:
    """Yes, No or Unknown."""
    return "Unknown" if value is None else "Yes" if value else "No"


def as_outcome(status: JobStatus, cause: Cause | None) -> str:
    """``failed``, ``failed (oom)``. A return code tells enough of itself."""
    return str(status) if cause in (None, Cause.EXIT) else f"{status} ({cause})"


def as_id_list(ids: list[int] | None) -> str:
    """``[1, 2]`` or ``None``."""
    return str(ids) if ids else "None"


def as_memory(memory_bytes: int | None) -> str:
    """Megabytes below 1024 of them, else gigabytes."""
    if memory_bytes is None or memory_bytes < 0:
        return "-"
    megabytes = memory_bytes / 1024**2
    return f"{megabytes:.1f}MB" if megabytes < 1024 else f"{megabytes / 1024:.2f}GB"


def as_percent(percent: float | None) -> str:
    """``12.3%``."""
    return "-" if percent is None or percent < 0 else f"{percent:.1f}%"


def as_time(seconds: float) -> str:
    """``2h 45m 0s``, ``5m 3s`` or ``12.3s``."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}h {minute}m {second}s" if hours else f"{minute}m {second}s"


def as_moment(seconds: float | None) -> str:
    """Seconds since the epoch as ``2026-01-31 23:59:59 UTC``."""
    if seconds is None:
        return "N/A"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s since 1970"  # no calendar has a year for it


def if_known(wording: Callable[[Any], str]) -> Callable[[Any], str]:
    """The wording for the lines of a record, where nothing is said of what is not known."""
    return lambda value: "" if value is None else wording(value)
