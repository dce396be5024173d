"""The events of an execution plan: waves with an id, a trigger and links to the events before and after them."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from torc.models.plan import JobsComplete, PlanEvent, TriggerJobs, WorkflowStart
from torc.workflow.waves import Wave, Waves

START_DESCRIPTION = "Workflow Start"

JOBS_NAMED = 3
"""A trigger of more jobs is described by their number."""

SHORTEST_PREFIX = 3
"""Jobs whose names have less in common give an event no name."""


class Events:
    """One event for each wave, and one for each set of jobs that would otherwise be written again and again.

    The latter are the sets that several waves wait for among other things: those waves depend on the set's event, so
    that n waves which wait for m jobs take n + m names and not n x m.
    """

    def __init__(self, waves: Waves) -> None:
        self.waves = waves
        self.in_order = sorted(range(len(waves.waves)), key=lambda number: _rank(waves.waves[number]))
        uses = Counter(number for wave in waves.waves if _is_mixed(wave) for number in wave.sets)
        self._shared = {number for number, count in uses.items() if count > 1}
        self._ends: dict[int, tuple[str, str]] = {}
        self._totals: dict[tuple[int, ...], int] = {(): 0}
        self._ids: dict[str, int] = {}
        made = {number: self._of_wave(waves.waves[number]) for number in self.in_order}
        self.of_wave = [made[number] for number in range(len(made))]
        self.of_set = {number: self._of_set(number) for number in sorted(self._shared)}
        self._connect()

    def by_stage(self) -> list[list[PlanEvent]]:
        """The events of each stage in order, the first stage first."""
        stages: list[list[PlanEvent]] = [[] for _ in range(max(wave.stage for wave in self.waves.waves))]
        for number, event in self.of_set.items():
            stages[self.waves.sets[number].stage].append(event)  # a stage later than its last member
        for number in self.in_order:
            stages[self.waves.waves[number].stage - 1].append(self.of_wave[number])
        return stages

    def names(self, jobs: Iterable[int]) -> list[str]:
        """The names of jobs."""
        return [self.waves.names[job] for job in jobs]

    def _of_wave(self, wave: Wave) -> PlanEvent:
        ready = self.names(wave.jobs)
        if wave.stage == 1:
            return _event("start", WorkflowStart(), START_DESCRIPTION, ready)
        return self._after(wave.singles, wave.sets, self._listed(wave), ready)

    def _of_set(self, number: int) -> PlanEvent:
        return self._after((), (number,), self.waves.sets[number].members, [])

    def _after(
        self, singles: tuple[int, ...], sets: tuple[int, ...], listed: Sequence[int], ready: list[str]
    ) -> PlanEvent:
        """The event in which the last of ``singles`` and ``sets`` has completed; its trigger lists only some jobs."""
        total = len(singles) + self._total(sets)
        names = self.names(listed)
        ends = [self.waves.names[job] for job in singles]
        ends += [end for number in sets for end in self._ends_of(number)]
        event_id = self._unique(_id_after(min(ends), max(ends), total))
        return _event(event_id, JobsComplete(data=TriggerJobs(jobs=names)), describe(names, total), ready)

    def _listed(self, wave: Wave) -> Sequence[int]:
        """The jobs that the trigger of a wave lists: all, except those of shared sets."""
        sets = [number for number in wave.sets if not (_is_mixed(wave) and number in self._shared)]
        if not sets:
            return wave.singles
        return sorted({*wave.singles, *(job for number in sets for job in self.waves.sets[number].members)})

    def _total(self, sets: tuple[int, ...]) -> int:
        """How many jobs several sets have together; worked out once for all waves that wait for the same sets."""
        if sets not in self._totals:
            self._totals[sets] = len(set().union(*(self.waves.sets[number].members for number in sets)))
        return self._totals[sets]

    def _ends_of(self, number: int) -> tuple[str, str]:
        """The first and the last name in a set, in the order of the alphabet."""
        if number not in self._ends:
            names = self.names(self.waves.sets[number].members)
            self._ends[number] = min(names), max(names)
        return self._ends[number]

    def _unique(self, wanted: str) -> str:
        """An id for an event: the one that is wanted, with a number behind it if that is taken."""
        found = wanted
        while found in self._ids:
            self._ids[wanted] += 1
            found = f"{wanted}_{self._ids[wanted]}"
        self._ids[found] = 1
        return found

    def _connect(self) -> None:
        """Say of each event which ones it depends on, and which ones it unlocks."""
        for number, event in self.of_set.items():
            self._link(event, self.waves.sets[number].members, ())
        for number in self.in_order[1:]:
            wave = self.waves.waves[number]
            shared = [each for each in wave.sets if _is_mixed(wave) and each in self.of_set]
            self._link(self.of_wave[number], self._listed(wave), shared)

    def _link(self, event: PlanEvent, jobs: Sequence[int], sets: Sequence[int]) -> None:
        before = [self.of_wave[number] for number in sorted(self.waves.waves_before(jobs))]
        for earlier in [*before, *(self.of_set[number] for number in sets)]:
            event.depends_on_events.append(earlier.id)
            earlier.unlocks_events.append(event.id)


def describe(names: Sequence[str], total: int) -> str:
    """A trigger in words; ``names`` are all ``total`` jobs, or some of many."""
    if total > JOBS_NAMED:
        return f"When {total} jobs complete"
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"When job {quoted} completes" if total == 1 else f"When jobs {quoted} complete"


def _event(event_id: str, trigger: WorkflowStart | JobsComplete, description: str, ready: list[str]) -> PlanEvent:
    return PlanEvent(
        id=event_id,
        trigger=trigger,
        trigger_description=description,
        scheduler_allocations=[],
        jobs_becoming_ready=ready,
        depends_on_events=[],
        unlocks_events=[],
    )


def _id_after(first: str, last: str, total: int) -> str:
    """What existing plans call the event after ``total`` jobs, of whose names ``first`` and ``last`` are the ends."""
    if total == 1:
        return f"after_{first}"
    prefix = os.path.commonprefix([first, last]).rstrip("_0123456789")
    return f"after_{prefix}_jobs" if len(prefix) >= SHORTEST_PREFIX else f"after_{first}_and_{total - 1}_more"


def _is_mixed(wave: Wave) -> bool:
    """Whether it waits for a set and for something else."""
    return bool(wave.sets) and len(wave.sets) + len(wave.singles) > 1


def _rank(wave: Wave) -> tuple[int, int]:
    """Where a wave stands in the plan: the earlier stage first, then as in the document."""
    return wave.stage, wave.jobs[0] if wave.jobs else -1
