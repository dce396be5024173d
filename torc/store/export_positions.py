"""Where the records of a workflow stand in its document, dependency groups that are not stored yet included."""

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from torc.store import groups, implied


class Positions:
    """The place of each id in an ascending row of ids. 8 bytes for each, where a dict would take a hundred."""

    def __init__(self, ids: "array[int]") -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def of(self, record_id: int | None) -> int | None:
        """The position of an id; None for None, and for what is not of this workflow."""
        if record_id is None:
            return None
        position = bisect_left(self._ids, record_id)
        return position if position < len(self._ids) and self._ids[position] == record_id else None

    def all_of(self, record_ids: Iterable[int]) -> list[int]:
        """The positions of the ids that are of this workflow, ascending."""
        return sorted(position for record_id in record_ids if (position := self.of(record_id)) is not None)


class Groups:
    """The dependency groups of a workflow, and those that its files and user data imply.

    A workflow that was not made by a draft gets the latter when it is initialized; its document has them already, as
    the workflow that is made of it will.
    """

    def __init__(self, db: sqlite3.Connection, workflow_id: int, positions: Mapping[str, Positions]) -> None:
        self._db = db
        self._workflow_id = workflow_id
        self._positions = positions
        self.implied: dict[tuple[str, int], int] = {}
        """Position of the group that stands for who writes a record, by kind and id; known after ``members``."""

    def members(self) -> Iterator[list[int]]:
        """The members of each group, as positions."""
        known: dict[str, int] = {}
        rows = self._db.execute(
            "SELECT id FROM dependency_group WHERE workflow_id = ? ORDER BY id", (self._workflow_id,)
        )
        for position, (group_id,) in enumerate(rows):
            member_ids = self._db.execute("SELECT job_id FROM dependency_group_member WHERE group_id = ?", (group_id,))
            members = self._positions["jobs"].all_of(job_id for (job_id,) in member_ids)
            # The stored hash is that of the members it was made with, some of which may have been deleted.
            known.setdefault(groups.members_hash(members), position)
            yield members
        count = len(self._positions["groups"])
        for kind in implied.KINDS:
            for writers, record_ids in implied.shared(self._db, self._workflow_id, kind):
                members = self._positions["jobs"].all_of(writers)
                digest = groups.members_hash(members)
                if digest not in known:
                    known[digest] = count
                    count += 1
                    yield members
                self.implied.update(((kind, record_id), known[digest]) for record_id in record_ids)
