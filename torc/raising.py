"""How much more a job gets that ran out of memory or time: the same for a handled retry and for `torc recover`."""

import math

from torc.units import BYTES_PER_UNIT, MAX_BYTES, MAX_DURATION_S

FACTOR = 1.5
"""Where nobody names another."""

MOST_TIMES = 4
"""Nobody gets more than so many times what the specification asks for."""

STEPS_PER_DOUBLING = 16
"""Peaks differ from job to job; rounding them up keeps the shapes few, at a price of at most 1 / 16."""


def more_memory(has: int, *, asked: int, peak: int | None, factor: float, most: int = MAX_BYTES) -> int | None:
    """Bytes for a job that has had ``has`` and used ``peak``; None when it has all it can get.

    ``asked`` is what its specification says, ``most`` more than anybody can have.
    """
    now = _rounded(max(peak or 0, has) * factor, min(MOST_TIMES * asked, most, MAX_BYTES))
    return now if now > has else None


def more_time(has_s: int, *, asked_s: int, factor: float) -> int | None:
    """Seconds for a job that was not done in ``has_s``; None when it has all it can get."""
    now = min(math.ceil(has_s * factor), MOST_TIMES * asked_s, MAX_DURATION_S)
    return now if now > has_s else None


def memory_text(size: int) -> str:
    """A size that ``more_memory`` has given as text that says exactly that: ``12g``, ``1.0625g``."""
    unit, least = next((unit, least) for unit, least in reversed(BYTES_PER_UNIT.items()) if size >= least)
    return f"{size / least:.4f}".rstrip("0").rstrip(".") + unit


def _rounded(wanted: float, most: int) -> int:
    """``wanted`` bytes rounded up, or what fits into ``most`` rounded down: a step is a part of the power of two."""
    up = -(-int(wanted) // _step(wanted)) * _step(wanted)
    return up if up <= most else most // _step(most) * _step(most)


def _step(size: float) -> int:
    return max(1, (1 << int(size).bit_length() - 1) // STEPS_PER_DOUBLING) if size >= 1 else 1
