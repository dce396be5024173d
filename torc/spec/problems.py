"""What is wrong with a specification: collected with its place in the text, and reported all at once."""

import difflib
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from torc.errors import InvalidSpec
from torc.spec.locator import Locator, Path

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
    """The mistakes found so far in one document."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.found: list[tuple[Path, str]] = []
        self.per_place: Counter[Path] = Counter()

    def add(self, path: Path, sentence: str, *, unknown: str | None = None, known: Iterable[str] = ()) -> None:
        """Note a mistake. ``unknown`` is compared with the names in ``known`` for a suggestion."""
        self.per_place[path] += 1
        if self.per_place[path] <= MAX_REPORTED_PER_PLACE and len(self.found) < MAX_REPORTED:
            hint = did_you_mean(unknown, known) if unknown is not None else ""
            self.found.append((path, sentence + hint))

    def raise_if_any(self) -> None:
        """Raise InvalidSpec with one line per mistake."""
        if not self.found:
            return
        locator = Locator(self.text)
        located = [(locator.position(path), path, sentence) for path, sentence in self.found]
        located.sort(key=lambda problem: problem[0] or (0, 0))
        lines = [
            ":".join(map(str, (self.source, *(position or ()))))
            + printable(f": {place(path) or 'document'}: {sentence}")
            for position, path, sentence in located
        ]
        hidden = self.per_place.total() - len(self.found)
        if hidden:
            lines.append(f"{self.source}: {hidden} more problems like these are not shown; cure these first")
        raise InvalidSpec("\n".join(lines))
