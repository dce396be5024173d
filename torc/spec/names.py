"""The names of all jobs, files, ... of a document after expansion, and finding them by name or regex."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from torc.spec.parameters import UNFILLED
from torc.spec.problems import Path, Problems, place

# What every match of ``^train_1\.`` begins with: plain characters and escaped punctuation.
PREFIX = re.compile(r"\^((?:[\w \-/:,@=]|\\\W)+)")
ESCAPE = re.compile(r"\\(\W)")


class Names:
    """The names of one kind of record, in document order. A name's index is what the server is told."""

    def __init__(self, noun: str, problems: Problems) -> None:
        self.noun = noun
        self.problems = problems
        self.all: list[str] = []
        self.index: dict[str, int] = {}
        self.paths: list[Path] = []
        self.found: dict[str, tuple[int, ...]] = {}
        self.in_order: list[str] = []
        self.used: set[int] = set()  # that something refers to

    def add(self, name: str, path: Path) -> None:
        """Note the next name, made from the entry at ``path``. It takes the next index even when it is no good."""
        position = len(self.all)
        self.all.append(name)
        self.paths.append(path)
        first = self.index.setdefault(name, position)
        if first != position:
            self.problems.add((*path, "name"), self.doubled(name, path, self.paths[first]))
        elif not name.strip():
            self.problems.add((*path, "name"), f"a {self.noun} needs a name that is not empty")

    def doubled(self, name: str, path: Path, first: Path) -> str:
        """The sentence about a name that is taken."""
        if path == first:
            return (
                f'several combinations of parameters make a {self.noun} named "{name}"; show each parameter in the name'
            )
        return f'the {self.noun} name "{name}" is taken by {place(first)}; rename one of them'

    def look_up(self, name: str, path: Path) -> int | None:
        """The index of a name; a problem at ``path`` when there is none."""
        position = self.index.get(name)
        if position is None:
            cure = "no parameter of this entry fills in its braces" if UNFILLED.search(name) else "correct or add it"
            sentence = f'no {self.noun} is named "{name}"; {cure}'
            self.problems.add(path, sentence, unknown=name, known=self.index)
        else:
            self.used.add(position)
        return position

    def match(self, pattern: str, path: Path) -> tuple[int, ...]:
        """What a regex at ``path`` matches; matching nothing is a mistake."""
        try:
            indexes = self.find(pattern)
        except re.error as error:
            self.problems.add(path, f'"{pattern}" is not a regular expression: {error}')
            return ()
        if not indexes:
            self.problems.add(path, f'"{pattern}" matches no {self.noun}; correct or remove it')
        return indexes

    def find(self, pattern: str) -> tuple[int, ...]:
        """The indexes of all names that contain a match, ascending. The same tuple for the same pattern.

        Raises re.error.
        """
        if pattern not in self.found:
            search = re.compile(pattern).search
            self.found[pattern] = tuple(sorted(self.index[name] for name in self.candidates(pattern) if search(name)))
            self.used.update(self.found[pattern])
        return self.found[pattern]

    def candidates(self, pattern: str) -> Iterator[str]:
        """The names that can match at all.

        10,000 jobs with a pattern of their own each, such as ``^train_{i}_``, would otherwise try each pattern
        on each name.
        """
        prefix = literal_prefix(pattern)
        if not prefix:
            yield from self.index
            return
        if not self.in_order:
            self.in_order = sorted(self.index)
        for position in range(bisect_left(self.in_order, prefix), len(self.in_order)):
            if not self.in_order[position].startswith(prefix):
                return
            yield self.in_order[position]


def literal_prefix(pattern: str) -> str:
    """What every match must begin the name with, or nothing when that is not plain to see."""
    match = PREFIX.match(pattern)
    if match is None or "|" in pattern:
        return ""
    literal = ESCAPE.sub(r"\1", match[1])
    return literal[:-1] if pattern[match.end() : match.end() + 1] in ("*", "?", "{") else literal
