"""Tables in boxes. What the cells say is not decided here."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple
from unicodedata import category, east_asian_width

Paint = Callable[[str, str], str]
"""Gets a cell and one line of it with its padding; returns the line as a terminal shall show it."""

NOT_PAINTED: Mapping[int, Paint] = {}


class Frame(NamedTuple):
    """The characters of a box; three for each horizontal line: at the left, where columns meet, at the right."""

    top: str
    middle: str
    bottom: str
    side: str
    dash: str


ROUNDED = Frame("╭┬╮", "├┼┤", "╰┴╯", "│", "─")
ASCII = Frame("+++", "+++", "+++", "|", "-")


def box(
    headings: Sequence[str], rows: Sequence[Sequence[str]], paint: Mapping[int, Paint] = NOT_PAINTED
) -> Iterator[str]:
    """The lines of a table with a heading. ``paint`` has the columns, from 0, whose cells are coloured."""
    frame = _frame()
    widths = [max(map(width_of, column)) for column in zip(headings, *rows, strict=True)]
    yield _rule(frame.top, frame.dash, widths)
    yield from _lines(headings, widths, frame.side, NOT_PAINTED)
    yield _rule(frame.middle, frame.dash, widths)
    for row in rows:
        yield from _lines(row, widths, frame.side, paint)
    yield _rule(frame.bottom, frame.dash, widths)


def width_of(cell: str) -> int:
    """How many columns of a terminal the widest line of a cell takes."""
    if "\n" in cell:
        return max(map(width_of, cell.split("\n")))
    return len(cell) if cell.isascii() else sum(map(_columns, cell))


def _columns(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf"):  # accents and joiners
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _frame() -> Frame:
    return ROUNDED if can_show("".join(ROUNDED)) else ASCII


def can_show(text: str) -> bool:
    """Not every terminal knows the characters of boxes."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _rule(corners: str, dash: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join(dash * (width + 2) for width in widths) + corners[2]


def _lines(cells: Sequence[str], widths: Sequence[int], side: str, paint: Mapping[int, Paint]) -> Iterator[str]:
    """One row; a cell of several lines makes it higher."""
    for parts in zip_longest(*(cell.split("\n") for cell in cells), fillvalue=""):
        padded = [part + " " * (width - width_of(part)) for part, width in zip(parts, widths, strict=True)]
        for at, painted in paint.items():
            padded[at] = painted(cells[at], padded[at])
        yield f"{side} {f' {side} '.join(padded)} {side}"
