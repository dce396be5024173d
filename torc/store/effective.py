"""What jobs depend on, edges and group members together, without spelling it out for every job.

Jobs that wait for the same groups share one set, so that n members and m dependents cost n + m.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from torc.store.rows import json_ids


class Selection(NamedTuple):
    """Which jobs are meant: a SELECT of their ids and what is bound in it."""

    sql: str
    arguments: tuple[int | str, ...]


def listed(job_ids: Iterable[int]) -> Selection:
    """These jobs."""
    return Selection("SELECT value FROM json_each(?)", (json_ids(job_ids),))


class Waits(NamedTuple):
    """A set of job ids: a big one that is shared with other jobs, and what it lacks."""

    shared: frozenset[int]
    more: frozenset[int]  # nothing of ``shared``

    def size(self) -> int:
        """How many jobs they are."""
        return len(self.shared) + len(self.more)

    def ordered(self) -> list[int]:
        """The ids, ascending."""
        return sorted(self.shared | self.more) if self.more else sorted(self.shared)

    def plus(self, job_ids: Iterable[int]) -> "Waits":
        """These jobs as well."""
        lacking = frozenset(job_ids) - self.shared
        return self if lacking <= self.more else Waits(self.shared, self.more | lacking)


NOBODY: frozenset[int] = frozenset()


class EffectiveDependencies:
    """Looks up what jobs depend on; reads every group once and takes it to stay as it is."""

    def __init__(self) -> None:
        self._members: dict[int, frozenset[int]] = {}
        self._united: dict[tuple[int, ...], Waits] = {}

    def of(self, db: sqlite3.Connection, jobs: Selection) -> dict[int, Waits]:
        """What each of these jobs waits for. Jobs that wait for nothing are left out."""
        found = {
            job_id: waits
            for job_id, group_ids in _by_job(db, "job_depends_on_group", "group_id", jobs).items()
            if (waits := self._unite(db, tuple(sorted(group_ids)))).shared  # members may have been deleted
        }
        for job_id, others in _by_job(db, "job_depends_on", "depends_on_job_id", jobs).items():
            found[job_id] = found[job_id].plus(others) if job_id in found else Waits(NOBODY, frozenset(others))
        return found

    def ids(self, db: sqlite3.Connection, jobs: Selection) -> dict[int, list[int]]:
        """As ``of``, as ids, ascending. Jobs that wait for the same share one list: most of a wide stage do."""
        found = _by_job(db, "job_depends_on", "depends_on_job_id", jobs)
        for others in found.values():
            others.sort()
        ordered: dict[tuple[int, ...], list[int]] = {}
        for job_id, group_ids in _by_job(db, "job_depends_on_group", "group_id", jobs).items():
            key = tuple(sorted(group_ids))
            waits = self._unite(db, key)
            if job_id in found:
                found[job_id] = waits.plus(found[job_id]).ordered()
            elif waits.shared:
                if key not in ordered:
                    ordered[key] = waits.ordered()
                found[job_id] = ordered[key]
        return found

    def _unite(self, db: sqlite3.Connection, group_ids: tuple[int, ...]) -> Waits:
        if group_ids not in self._united:
            sets = [self._members_of(db, group_id) for group_id in group_ids]
            shared = max(sets, key=len)
            self._united[group_ids] = Waits(shared, NOBODY.union(*(one for one in sets if one is not shared)) - shared)
        return self._united[group_ids]

    def _members_of(self, db: sqlite3.Connection, group_id: int) -> frozenset[int]:
        if group_id not in self._members:
            rows = db.execute("SELECT job_id FROM dependency_group_member WHERE group_id = ?", (group_id,))
            self._members[group_id] = frozenset(job_id for (job_id,) in rows)
        return self._members[group_id]


def _by_job(db: sqlite3.Connection, table: str, column: str, jobs: Selection) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for job_id, other in db.execute(
        f"SELECT job_id, {column} FROM {table} WHERE job_id IN ({jobs.sql})", jobs.arguments
    ):
        found[job_id].append(other)
    return found
