"""Who waits for whom: sets of jobs become edges or groups."""

from bisect import bisect_left
from collections import Counter

from torc.models.draft import DraftGroup, is_worth_a_group
from torc.spec.names import Names
from torc.spec.problems import Path, Problems

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
        self.group_of: dict[int, int] = {}
        self.group_members: list[frozenset[int]] = []

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

    def link(self) -> list[DraftGroup]:
        """Decide which sets become groups, and return these.

        A set that many jobs wait for becomes a group, so that all-to-all costs n + m rows and not n x m.
        """
        dependents = Counter(number for numbers in self.needs.values() for number in set(numbers))
        groups: list[DraftGroup] = []
        for number, members in enumerate(self.members):
            if is_worth_a_group(len(members), dependents[number]):
                self.group_of[number] = len(groups)
                self.group_members.append(frozenset(members))
                groups.append(DraftGroup(members=list(members)))
        return groups

    def of(self, job: int) -> tuple[list[int], list[int]]:
        """The jobs and the groups that ``job`` waits for, once the groups are decided."""
        numbers = self.needs[job]
        groups = sorted({self.group_of[number] for number in numbers if number in self.group_of})
        single = {member for number in numbers if number not in self.group_of for member in self.members[number]}
        return sorted(m for m in single if not any(m in self.group_members[group] for group in groups)), groups
