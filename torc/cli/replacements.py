"""Command templates such as ``gzip {}`` and the values behind ``:::``, read as GNU parallel reads them."""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product

from torc.errors import UsageError

PRODUCT, LINKED = (":::", "::::"), (":::+", "::::+")
SEPARATORS = (*PRODUCT, *LINKED)
"""Four colons name files whose lines are the values; a plus links the values with those of the source before."""

Row = tuple[str, ...]

FORMS: dict[str, Callable[[str], str]] = {
    "": lambda value: value,
    ".": lambda value: os.path.splitext(value)[0],
    "/": os.path.basename,
    "//": lambda value: os.path.dirname(value) or ".",
    "/.": lambda value: os.path.splitext(os.path.basename(value))[0],
}
PLACE = re.compile(r"\{(?:(#)|(\d*)(//|/\.|/|\.|))\}")


def split_sources(words: Sequence[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The words before the first separator, and each separator with the words behind it."""
    sources: list[tuple[str, list[str]]] = []
    before: list[str] = []
    for word in words:
        if word in SEPARATORS:
            sources.append((word, []))
        else:
            (sources[-1][1] if sources else before).append(word)
    return before, sources


def combine(sources: Iterable[tuple[str, list[str]]]) -> Iterator[Row]:
    """Every combination of the values, the last source changing fastest; linked ones go in step.

    Raises UsageError when linked sources are of different length, or the first has nothing to be linked with.
    """
    groups: list[list[Row]] = []
    for separator, values in sources:
        if separator in PRODUCT:
            groups.append([(value,) for value in values])
        elif not groups:
            raise UsageError(f"{separator} links values with those before it, and there are none; begin with ':::'.")
        elif len(groups[-1]) != len(values):
            raise UsageError(
                f"{separator} links {len(values)} values with {len(groups[-1])}; both need the same number."
            )
        else:
            groups[-1] = [(*row, value) for row, value in zip(groups[-1], values, strict=True)]
    for rows in product(*groups):
        yield tuple(value for row in rows for value in row)


def fill(template: str, rows: Iterable[Row]) -> Iterator[str]:
    """A command for each row. Values are quoted for the shell; a template without a place gets them at its end."""
    if not PLACE.search(template):
        template += " {}"
    for number, row in enumerate(rows, start=1):
        yield PLACE.sub(lambda match, row=row, number=number: _value(match, row, number), template)  # type: ignore[misc]


def _value(match: re.Match[str], row: Row, number: int) -> str:
    if match[1]:
        return str(number)
    form = FORMS[match[3]]
    if not match[2]:
        return " ".join(shlex.quote(form(value)) for value in row)
    place = int(match[2])
    if not 1 <= place <= len(row):
        raise UsageError(f"{match[0]} asks for value {place}, and each command gets {len(row)}.")
    return shlex.quote(form(row[place - 1]))
