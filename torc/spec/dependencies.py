"""Who waits for whom: sets of jobs become edges or groups."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from torc.models.draft import DraftGroup, DraftJob
from torc.spec.locator import Path
from torc.spec.names import Names
from torc.spec.problems import Problems

Members = tuple[int, ...]
"""Jobs that one entry of a dependency list stands for, ascending."""


class Dependencies:
    """What each job waits for, as numbers of member sets; the same set has the same number."""

    def __init__(self, names: Names, problems: Problems) -> None:
        self.names = names
        self.problems = problems
        self.members: list[Members] = []
        self.numbers: dict[Members, int] = {}
        self.by_identity: dict[int, int] = {}
        self.needs: dict[int, list[int]] = {}
        self.matched_itself: dict[str, int] = {}
        self.complained: set[str] = set()

    def number(self, members: Members) -> int:
        """The number of a member set."""
        # Hashing a tuple of 10,000 jobs once for each of 10,000 dependents would take a second.
        if (known := self.by_identity.get(id(members))) is not None:
            return known
        number = self.numbers.setdefault(members, len(self.members))
        if number == len(self.members):
            self.members.append(members)
            self.by_identity[id(members)] = number  # the list keeps it alive, so the id stays its own
        return number

    def without(self, job: int, pattern: str, members: Members, path: Path) -> Members:
        """What ``pattern`` means for ``job``: a regex never names the job that waits for it.

        Two such jobs wait for each other. That is said here and now: leaving each of n jobs out of its own set
        would make n sets of n - 1.
        """
        position = bisect_left(members, job)
        if position == len(members) or members[position] != job:
            return members
        other = self.matched_itself.setdefault(pattern, job)
        if other != job:
            self.complain_once(other, job, pattern, path)
            return ()
        if len(members) == 1:
            self.problems.add(path, f'"{pattern}" matches only the job that waits for it; correct or remove it')
        return members[:position] + members[position + 1 :]

    def complain_once(self, other: int, job: int, pattern: str, path: Path) -> None:
        """Say that two jobs use a pattern that matches both. One pair is enough: the cure is the same for all."""
        if pattern not in self.complained:
            self.complained.add(pattern)
            first, second = self.names.all[other], self.names.all[job]
            self.problems.add(
                path,
                f"jobs wait for each other: {first} -> {second} -> {first}, since both use the pattern"
                f' "{pattern}" and match it; narrow it',
            )

    def link(self, jobs: Sequence[DraftJob]) -> list[DraftGroup]:
        """Write the dependencies into ``jobs``, and return the groups they point at.

        A set that many jobs wait for becomes a group, so that all-to-all costs n + m rows and not n x m.
        """
        dependents = Counter(number for numbers in self.needs.values() for number in set(numbers))
        group_of: dict[int, int] = {}
        groups: list[DraftGroup] = []
        for number, members in enumerate(self.members):
            if is_worth_a_group(len(members), dependents[number]):
                group_of[number] = len(groups)
                groups.append(DraftGroup(members=list(members)))
        sets = {group: frozenset(groups[group].members) for group in group_of.values()}
        for job, numbers in self.needs.items():
            mine = sorted({group_of[number] for number in numbers if number in group_of})
            single = {member for number in numbers if number not in group_of for member in self.members[number]}
            jobs[job].depends_on_groups = mine
            jobs[job].depends_on = sorted(m for m in single if not any(m in sets[group] for group in mine))
        return groups


def is_worth_a_group(members: int, dependents: int) -> bool:
    """Whether a group needs less than half as many rows as an edge for every pair."""
    return members * dependents > 2 * (members + dependents)
