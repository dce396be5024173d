"""How everything here is measured: rounds that take turns, medians, and figures beside what they are held against."""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

Rounds = dict[str, list[float]]
"""What each contender took, round by round; position i of all lists is the same round."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``score`` is held against ``limit``, where there is one; the text says what it is."""

    measure: str
    measured: str
    floor: str
    score: float
    limit: float | None
    unit: str = "x"  # of score and limit; x is a ratio to the floor
    at_least: bool = False  # the score has to reach the limit instead of staying under it
    spread: tuple[float, float] | None = None  # lowest and highest score of a single round

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        if self.limit is None:
            return True
        return self.score >= self.limit if self.at_least else self.score <= self.limit


@dataclass(frozen=True)
class Bench:
    """How often and how large to measure, and where."""

    folder: Path
    rounds: int
    quick: bool

    def scaled(self, size: int) -> int:
        """The size to work with; a tenth in a quick run, whose figures only show that everything works."""
        return max(size // 10, 10) if self.quick else size

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """An empty folder, gone afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    def take_turns(self, contenders: dict[str, Callable[[], float]]) -> Rounds:
        """Let each contender measure itself once a round, every other round in reverse: machines drift."""
        taken: Rounds = {name: [] for name in contenders}
        for turn in range(self.rounds):
            names = list(contenders)
            for name in names if turn % 2 == 0 else reversed(names):
                taken[name].append(contenders[name]())
        return taken


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder in memory where there is one: a disk under load is 10 to 30 times slower for minutes."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="torc-benchmark-", dir=parent) as folder:
        yield Path(folder)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratios(taken: Rounds, name: str, floor: str) -> list[float]:
    """The contender's figure to that of the floor, round by round."""
    return [mine / theirs for mine, theirs in zip(taken[name], taken[floor], strict=True)]


def ratio_figure(measure: str, taken: Rounds, name: str, floor: str, *, limit: float, decimals: int = 2) -> Figure:
    """A figure that compares two contenders of the same rounds, both in seconds."""
    each = ratios(taken, name, floor)
    return Figure(
        measure,
        f"{median(taken[name]):.{decimals}f} s",
        f"{floor} {median(taken[floor]):.{decimals}f} s",
        median(each),
        limit,
        spread=(min(each), max(each)),
    )


def percentile(values: list[float], percent: float) -> float:
    """The value that so many per cent of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def batched(count: int, size: int) -> Iterator[int]:
    """``count`` cut into pieces of ``size`` and a rest."""
    yield from itertools.repeat(size, count // size)
    if count % size:
        yield count % size
