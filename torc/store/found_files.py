"""What a client found on its disk, compared with what is known of the files of a workflow."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from torc.models.workflow import FoundFile

SAME_S = 0.01
"""Times of one file that differ by less are the same: not every file system and format keeps all digits."""


@dataclass
class Differences:
    """The files that are not as they were known; ids ascending."""

    changed: list[int] = field(default_factory=list)  # another time or size, appeared or vanished
    missing: list[int] = field(default_factory=list)  # not there now, whether they ever were or not
    there: list[int] = field(default_factory=list)
    to_store: list[FoundFile] = field(default_factory=list)


def compare(db: sqlite3.Connection, workflow_id: int, found: Iterable[FoundFile]) -> Differences:
    """How the files of the workflow differ from what is stored. Other files in ``found`` are nobody's concern."""
    known = {
        file_id: (st_mtime, size)
        for file_id, st_mtime, size in db.execute(
            "SELECT id, st_mtime, size FROM file WHERE workflow_id = ?", (workflow_id,)
        )
    }
    made = Differences()
    for file_id, st_mtime, size in sorted(found):
        if file_id not in known:
            continue
        (made.missing if st_mtime is None else made.there).append(file_id)
        old_mtime, old_size = known[file_id]
        size_is_known = size is not None and old_size is not None
        if _is_other_time(old_mtime, st_mtime) or (size_is_known and size != old_size):
            made.changed.append(file_id)
            made.to_store.append((file_id, st_mtime, size))
        elif size is not None and old_size is None:
            made.to_store.append((file_id, st_mtime, size))  # learned, and no change
    return made


def _is_other_time(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(before - now) > SAME_S


def store(db: sqlite3.Connection, files: Sequence[FoundFile]) -> None:
    """Remember times and sizes, in the caller's transaction."""
    db.executemany(
        "UPDATE file SET st_mtime = ?, size = ? WHERE id = ?",
        [(st_mtime, size, file_id) for file_id, st_mtime, size in files],
    )
