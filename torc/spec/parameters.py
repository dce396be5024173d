"""One entry with parameters becomes many: which combinations there are, and templates filled in with them.

The combinations of an entry are points on axes: one axis per parameter, or a single axis for all of them in
zip mode. A combination is a tuple with one index per axis. Every template is taken apart once; each value is
turned into text once per placeholder.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

from torc.spec.problems import Path, Problems
from torc.spec.values import Value, parse_values, plain_text

Combination = Sequence[int]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
UNFILLED = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_-]*)(?::[^{}]*)?\}")
LONG_NUMBER = re.compile(r"[0-9]{4}")


class Template:
    """A text with placeholders."""

    def __init__(self, text: str, fields: Sequence[tuple[int, list[str]]] = ()) -> None:
        """``text`` is a %-format when there are ``fields``: for each, the axis and the texts along it."""
        self.text = text
        self.fields = fields
        self.axes = frozenset(axis for axis, _ in fields)

    def fill(self, combination: Combination) -> str:
        """The text for one combination."""
        if not self.fields:
            return self.text
        return self.text % tuple([texts[combination[axis]] for axis, texts in self.fields])


class Sweep:
    """The parameters of one entry. Without any there is exactly one combination."""

    def __init__(self, parameters: dict[str, list[Value]], *, zipped: bool = False) -> None:
        """Axes follow the order of ``parameters``. With ``zipped`` all lists have the same length."""
        lists = list(parameters.values())
        self.lengths = [len(lists[0])] if zipped else [len(values) for values in lists]
        self.columns = {name: (0 if zipped else at, values) for at, (name, values) in enumerate(parameters.items())}
        names = "|".join(re.escape(name) for name in parameters)
        # ${i} is left alone: it belongs to the shell.
        self.placeholder = re.compile(rf"(?<!\$)\{{({names})(?::([^{{}}]*))?\}}")
        self.texts: dict[tuple[str, str, bool], list[str]] = {}

    def template(self, text: str, *, regex: bool = False) -> Template:
        """Take ``text`` apart. In a ``regex`` values match themselves. Raises ValueError for a bad format."""
        if not self.columns or "{" not in text:
            return Template(text)
        literals, fields, end = [], [], 0
        for match in self.placeholder.finditer(text):
            axis, _ = self.columns[match[1]]
            fields.append((axis, self.column(match[1], match[2] or "", regex)))
            literals.append(text[end : match.start()].replace("%", "%%"))
            end = match.end()
        if not fields:
            return Template(text)
        literals.append(text[end:].replace("%", "%%"))
        return Template("%s".join(literals), fields)

    def column(self, name: str, spec: str, regex: bool) -> list[str]:
        """Every value of a parameter as text, in the format of one placeholder."""
        key = (name, spec, regex)
        if key not in self.texts:
            texts = [formatted(value, name, spec) for value in self.columns[name][1]]
            self.texts[key] = [re.escape(text) for text in texts] if regex else texts
        return self.texts[key]

    def unshown(self) -> list[str]:
        """The parameters that were in no template so far."""
        shown = {name for name, _, _ in self.texts}
        return [name for name in self.columns if name not in shown]

    def size(self, axes: frozenset[int]) -> int:
        """How many combinations there are along ``axes``."""
        return prod(self.lengths[axis] for axis in axes)

    def combinations(self, axes: frozenset[int], at: Combination | None = None) -> Iterator[tuple[int, ...]]:
        """All combinations along ``axes``, the last fastest; the other axes stay where ``at`` is, or at 0."""
        fixed = at if at is not None else [0] * len(self.lengths)
        return product(*(range(length) if axis in axes else (fixed[axis],) for axis, length in enumerate(self.lengths)))


NO_SWEEP = Sweep({})


def unfilled_names(text: str) -> set[str]:
    """What stands in braces in a text and could be the name of a parameter."""
    return set(UNFILLED.findall(text)) if "{" in text else set()


def formatted(value: Value, name: str, spec: str) -> str:
    """A value in Python's format mini-language."""
    if not spec:
        return plain_text(value)
    if LONG_NUMBER.search(spec):
        raise ValueError(f"the format in {{{name}:{spec}}} is wider than 999 characters")
    try:
        text = format(value, spec)
        text.encode()  # {i:c} can make half a character
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"the format in {{{name}:{spec}}} does not fit the value {plain_text(value)} ({error})"
        ) from error
    return text


def parse_pool(parameters: dict[str, Any], path: Path, problems: Problems) -> dict[str, list[Value]]:
    """The values of every parameter in a ``parameters`` mapping at ``path``.

    A bad parameter is reported and stands for one value, so that what uses it is not reported as well.
    """
    pool: dict[str, list[Value]] = {}
    for name, raw in parameters.items():
        if not NAME.fullmatch(name):
            problems.add(
                (*path, name), f'"{name}" cannot be used as {{{name}}}; use letters, digits, _ and -, a letter first'
            )
            continue
        try:
            pool[name] = parse_values(raw)
        except ValueError as error:
            problems.add((*path, name), f'parameter "{name}" {error}')
            pool[name] = [0]
    return pool


def sweep_of(
    own: dict[str, Any] | None,
    shared: Sequence[str] | None,
    mode: str | None,
    pool: dict[str, list[Value]],
    path: Path,
    problems: Problems,
) -> Sweep:
    """The sweep of an entry at ``path``: the ``shared`` parameters it names, overridden by its ``own``."""
    if not own and not shared:
        return NO_SWEEP
    chosen: dict[str, list[Value]] = {}
    for position, name in enumerate(shared or ()):
        if name in pool:
            chosen[name] = pool[name]
        elif name not in (own or {}):
            problems.add(
                (*path, "use_parameters", position),
                f'no parameter of the workflow is named "{name}"; correct it or declare it there',
                unknown=name,
                known=pool,
            )
    chosen.update(parse_pool(own or {}, (*path, "parameters"), problems))
    lengths = {name: len(values) for name, values in chosen.items()}
    if mode == "zip" and len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        problems.add((*path, "parameter_mode"), f"zip needs lists of one length, but {counts}; even them out")
        chosen = {name: values[:1] for name, values in chosen.items()}
    return Sweep(chosen, zipped=mode == "zip" and bool(chosen))
