"""Long lists of names made short: ``work_1`` to ``work_5`` become ``work_{1..5}``, as a shell would expand it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SHORTEST_RUN = 4
"""Fewer consecutive numbers are listed one by one."""

DIGITS = "0123456789"

LONGEST_NUMBER = 18
"""Of a longer row of digits only so many at the end count; Python refuses to read thousands of them."""


class Range(NamedTuple):
    """A name, or a run of names with consecutive numbers."""

    text: str
    size: int = 1


def compress(names: Sequence[str]) -> list[Range]:
    """``names`` with runs of consecutive numbers folded, each prefix where its first name stands.

    A number that is missing ends a run, and so does a change in the width of zero-padded numbers.
    """
    found: dict[str, list[str]] = {}  # the digits of each prefix; a name without digits stands for itself
    for name in names:
        split = max(len(name.rstrip(DIGITS)), len(name) - LONGEST_NUMBER)
        found.setdefault(name[:split], []).append(name[split:])
    return [each for prefix, digits in found.items() for each in _fold(prefix, digits)]


def _fold(prefix: str, numbers: list[str]) -> Iterable[Range]:
    run: list[str] = []
    for digits in sorted(numbers, key=lambda digits: (int(digits or -1), digits)):
        if run and not _continues(run, digits):
            yield from _written(prefix, run)
            run = []
        run.append(digits)
    yield from _written(prefix, run)


def _continues(run: list[str], digits: str) -> bool:
    """Whether the next number that a shell would make of ``run`` is written as ``digits``."""
    first, last = run[0], run[-1]
    if not last or int(digits) != int(last) + 1:
        return False
    is_padded = len(first) > 1 and first.startswith("0")
    return len(digits) == len(first) if is_padded else not digits.startswith("0")


def _written(prefix: str, run: list[str]) -> Iterable[Range]:
    if len(run) < SHORTEST_RUN:
        return (Range(prefix + digits) for digits in run)
    return (Range(f"{prefix}{{{run[0]}..{run[-1]}}}", len(run)),)
