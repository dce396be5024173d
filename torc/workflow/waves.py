"""Which jobs of a document become ready together, and in which stage: sets of jobs are never multiplied out."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument, DraftJob
from torc.spec.circles import find_circle

SMALL_SET = 20
"""A set of at most so many jobs is dissolved into its members wherever it is waited for."""


@dataclass
class JobSet:
    """More than SMALL_SET jobs that are waited for as a whole, ascending."""

    members: Sequence[int]
    stage: int = 0  # of the last member

    def __contains__(self, job: int) -> bool:
        position = bisect_left(self.members, job)
        return position < len(self.members) and self.members[position] == job


@dataclass
class Wave:
    """The jobs that wait for exactly the same: ``singles`` and all of ``sets`` (by number), which do not overlap."""

    singles: tuple[int, ...]
    sets: tuple[int, ...]
    jobs: list[int] = field(default_factory=list)
    stage: int = 1


class Needs(NamedTuple):
    """What a job waits for as its document says it: lists of positions."""

    jobs: tuple[int, ...]
    links: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # groups, files, user data
    itself: int | None  # the job, when it reads what it writes: it does not wait for that


class Waves:
    """All waves of a document. The first one waits for nothing; it is there even when it is empty.

    Raises InvalidSpec when jobs wait for each other in a circle.
    """

    def __init__(self, document: DraftDocument) -> None:
        self.names: list[str] = []
        self.sets: list[JobSet] = []
        self.waves = [Wave((), ())]
        self.wave_of: list[int] = []
        self._members: tuple[dict[int, list[int]], ...] = (
            {number: group.members for number, group in enumerate(document.groups)},
            defaultdict(list),  # writers of a file
            defaultdict(list),  # writers of a user data record
        )
        self._set_at: dict[tuple[int, int], int] = {}
        self._set_numbers: dict[tuple[int, ...], int] = {}
        self._fill(*self._read(document))
        self._find_stages(document)

    def _read(self, document: DraftDocument) -> tuple[list[Needs], list[int]]:
        """What jobs wait for, everything once, and for each job which of it. The only pass over the jobs."""
        numbers: dict[Needs, int] = {}
        need_of = []
        for position, job in enumerate(document.jobs):
            self.names.append(job.name)
            for output in job.output_files:
                self._members[1][output].append(position)
            for output in job.output_user_data:
                self._members[2][output].append(position)
            links = (tuple(job.depends_on_groups), tuple(job.input_files), tuple(job.input_user_data))
            needs = Needs(tuple(job.depends_on), links, position if _reads_its_own(job) else None)
            need_of.append(numbers.setdefault(needs, len(numbers)))
        return list(numbers), need_of

    def _fill(self, every_need: list[Needs], need_of: list[int]) -> None:
        numbers: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {((), ()): 0}
        wave_at = []
        for needs in every_need:
            waits = self._resolve(needs)
            number = numbers.setdefault(waits, len(self.waves))
            if number == len(self.waves):
                self.waves.append(Wave(*waits))
            wave_at.append(number)
        for job, need in enumerate(need_of):
            self.wave_of.append(wave_at[need])
            self.waves[wave_at[need]].jobs.append(job)

    def _resolve(self, needs: Needs) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The single jobs and the numbers of the sets that are waited for."""
        singles = set(needs.jobs)
        sets = set()
        for kind, indexes in enumerate(needs.links):
            for index in indexes:
                members = self._members[kind].get(index, [])
                if needs.itself is not None and needs.itself in members:
                    singles.update(member for member in members if member != needs.itself)
                elif len(members) <= SMALL_SET:
                    singles.update(members)
                else:
                    sets.add(self._number(kind, index))
        if sets:
            singles = {job for job in singles if not any(job in self.sets[number] for number in sets)}
        return tuple(sorted(singles)), tuple(sorted(sets))

    def _number(self, kind: int, index: int) -> int:
        """The number of the set that a group, file or user data record stands for; equal sets share one."""
        known = self._set_at.get((kind, index))
        if known is None:  # hashing a large set for each of its dependents would take long
            members = tuple(self._members[kind][index])
            known = self._set_numbers.setdefault(members, len(self.sets))
            if known == len(self.sets):
                self.sets.append(JobSet(members))
            self._set_at[kind, index] = known
        return known

    def stage_of(self, job: int) -> int:
        """The number of the stage in which a job becomes ready."""
        return self.waves[self.wave_of[job]].stage

    def waits_for(self, wave: Wave, job: int) -> bool:
        """Whether the jobs of ``wave`` wait for ``job`` itself, and not only for something that does."""
        return job in wave.singles or any(job in self.sets[number] for number in wave.sets)

    def waves_before(self, singles: Sequence[int]) -> set[int]:
        """The waves in which the given jobs become ready."""
        return {self.wave_of[job] for job in singles}

    def _find_stages(self, document: DraftDocument) -> None:
        """Walk waves and sets in an order in which everything comes after what it waits for."""
        nodes: list[Wave | JobSet] = [*self.waves, *self.sets]
        first_set = len(self.waves)
        before = [self.waves_before(wave.singles) | {first_set + number for number in wave.sets} for wave in self.waves]
        before += [self.waves_before(each.members) for each in self.sets]
        after: list[list[int]] = [[] for _ in nodes]
        for node, earlier in enumerate(before):
            for each in earlier:
                after[each].append(node)
        waits = [len(earlier) for earlier in before]
        walk = [0]
        for node in walk:  # grows while it is walked
            stage = nodes[node].stage
            for then in after[node]:
                nodes[then].stage = max(nodes[then].stage, stage + 1 if then < first_set else stage)
                waits[then] -= 1
                if not waits[then]:
                    walk.append(then)
        if len(walk) < len(nodes):
            self._refuse_circle(document)

    def _refuse_circle(self, document: DraftDocument) -> None:
        circle = find_circle(document)
        assert circle is not None  # something waits that nothing frees
        raise InvalidSpec(
            f"jobs of the workflow {document.workflow.name!r} wait for each other and can never run:"
            f" {circle.described(self.names)}; remove one of these dependencies."
        )

    def count_parts(self) -> int:
        """How many parts of at least two jobs there are without any link between the parts."""
        first_set = len(self.waves)
        first_job = first_set + len(self.sets)
        # Jobs of one wave hang together, except those that wait for nothing.
        place_of = [wave or first_job + job for job, wave in enumerate(self.wave_of)]
        parts = Parts(first_job + len(self.wave_of))
        for number in {number for wave in self.waves for number in wave.sets}:
            for job in self.sets[number].members:
                parts.unite(place_of[job], first_set + number)
        for number, wave in enumerate(self.waves):
            for job in wave.singles:
                parts.unite(place_of[job], number)
            for each in wave.sets:
                parts.unite(first_set + each, number)
        return len({parts.find(number) for number in range(1, len(self.waves))})


class Parts:
    """Numbered things that hang together, directly or through others."""

    def __init__(self, count: int) -> None:
        self.above = list(range(count))

    def find(self, thing: int) -> int:
        """The one that stands for all that hang together with ``thing``."""
        while (above := self.above[thing]) != thing:
            self.above[thing] = self.above[above]  # the next search is shorter
            thing = above
        return thing

    def unite(self, one: int, other: int) -> None:
        """Note that two things hang together."""
        self.above[self.find(one)] = self.find(other)


def _reads_its_own(job: DraftJob) -> bool:
    reads = bool(job.input_files) and not set(job.input_files).isdisjoint(job.output_files)
    return reads or (bool(job.input_user_data) and not set(job.input_user_data).isdisjoint(job.output_user_data))
