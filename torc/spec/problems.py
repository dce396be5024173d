"""What is wrong with a specification: collected with its place in the text, and reported all at once."""

import difflib
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from torc.errors import InvalidSpec

Path = tuple[str | int, ...]
"""Where in the document: ("jobs", 3, "depends_on", 0)."""

MAX_REPORTED = 50
MAX_REPORTED_PER_PLACE = 3  # one template can be wrong in each of 100,000 jobs
CUTOFF = 0.6  # similarity of a typo, from 0 to 1
MAX_CANDIDATES = 5000  # comparing a typo with every one of 100,000 names takes seconds


def place(path: Path) -> str:
    """The path as people write it: ``jobs[3].depends_on[0]``."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")


def printable(text: str) -> str:
    """``text`` on one line, with control characters from quoted input shown as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A question to append to a sentence about an unknown name, or nothing."""
    # Texts whose lengths differ more than this are never similar enough.
    nearby = (known for known in candidates if min(len(known), len(name)) * 2 >= CUTOFF * (len(known) + len(name)))
    close = difflib.get_close_matches(name, islice(nearby, MAX_CANDIDATES), n=1, cutoff=CUTOFF)
    return f'; did you mean "{close[0]}"?' if close else ""


class Problems:
    """What was found in one document: mistakes, which make it unusable, and warnings."""

    def __init__(self, text: str, source: str, *, skip_checks: bool = False) -> None:
        self.text = text
        self.source = source
        self.skip_checks = skip_checks
        self.mistakes = Findings()
        self.concerns = Findings()
        self.closed: set[Path] = set()

    def close(self, entry: Path) -> None:
        """Note no more mistakes in an entry: they would only follow from those it has."""
        self.closed.add(entry)

    def add(self, path: Path, sentence: str, *, unknown: str | None = None, known: Iterable[str] = ()) -> None:
        """Note a mistake. ``unknown`` is compared with the names in ``known`` for a suggestion."""
        if path[:2] not in self.closed and self.mistakes.has_room_at(path):
            hint = did_you_mean(unknown, known) if unknown is not None else ""
            self.mistakes.noted.append((path, sentence + hint))

    def warn(self, path: Path, sentence: str) -> None:
        """Note something that can be meant, but often is not."""
        if self.concerns.has_room_at(path):
            self.concerns.noted.append((path, sentence))

    def tolerates(self, path: Path, sentence: str) -> bool:
        """Note a mistake that ``skip_checks`` turns into a warning; whether it has."""
        (self.warn if self.skip_checks else self.add)(path, sentence)
        return self.skip_checks

    def either(self, path: Path, spec: object, name: str, alias: str) -> Any:
        """The value of the field ``name`` of ``spec``, which may be called ``alias`` too."""
        value, other = getattr(spec, name), getattr(spec, alias)
        if value is not None and other is not None:
            self.add((*path, alias), f"is another name of {name}, which is given too; remove one of them")
        return other if value is None else value

    def raise_if_any(self) -> None:
        """Raise InvalidSpec with one line per mistake."""
        if self.mistakes.noted:
            raise InvalidSpec("\n".join(self.lines(self.mistakes)))

    def warnings(self) -> list[str]:
        """One line per warning."""
        return self.lines(self.concerns) if self.concerns.noted else []

    def lines(self, findings: "Findings") -> list[str]:
        """Findings with their places, in the order of the text."""
        from torc.spec.formats.locator import Locator  # with the readers of all formats; not for what has no mistakes

        locator = Locator(self.text, self.source)
        located = [(locator.position(path), path, sentence) for path, sentence in findings.noted]
        located.sort(key=lambda finding: finding[0] or (0, 0))
        lines = [
            ":".join(map(str, (self.source, *(position or ()))))
            + printable(f": {place(path) or 'document'}: {sentence}")
            for position, path, sentence in located
        ]
        hidden = findings.per_place.total() - len(findings.noted)
        if hidden:
            lines.append(f"{self.source}: {hidden} more like these are not shown")
        return lines


class Findings:
    """Sentences by place, as many as anyone reads."""

    def __init__(self) -> None:
        self.noted: list[tuple[Path, str]] = []
        self.per_place: Counter[Path] = Counter()

    def has_room_at(self, path: Path) -> bool:
        """Count one more at ``path``; whether it is to be noted too."""
        self.per_place[path] += 1
        return self.per_place[path] <= MAX_REPORTED_PER_PLACE and len(self.noted) < MAX_REPORTED
