"""An entry of a list in the specification that stands for one or more records."""

from collections.abc import Iterator

from torc.spec.document import Parameterized
from torc.spec.parameters import UNFILLED, Combination, Template, sweep_of, unfilled_names
from torc.spec.problems import Path, Problems
from torc.spec.values import MAX_VALUES, Value


class Entry:
    """The parameters and the name of an entry.

    It becomes one record for each combination of the parameters its name shows (``key``); along the others it
    stays one record, whose lists are the union over them.
    """

    def __init__(
        self, spec: Parameterized, name: str, path: Path, pool: dict[str, list[Value]], problems: Problems
    ) -> None:
        self.path = path
        self.problems = problems
        self.shared = pool.keys()
        self.sweep = sweep_of(spec.parameters, spec.use_parameters, spec.parameter_mode, pool, path, problems)
        self.name = self.template(name, (*path, "name"))
        self.key = self.name.axes
        if unfilled := UNFILLED.search(self.name.text):
            problems.add(
                (*path, "name"),
                f"{unfilled[0]} in the name stands for no parameter of this entry; declare it under parameters or"
                " use_parameters",
            )
        if self.is_too_many(self.key, (*path, "name")):
            self.key = frozenset()

    def template(self, text: str, path: Path, *, regex: bool = False) -> Template:
        """Take a text of the entry apart."""
        try:
            template = self.sweep.template(text, regex=regex)
        except ValueError as error:
            self.problems.add(path, str(error))
            return Template(text.replace("{", "("))  # reads as filled in, so that the mistake is reported once
        if "\0" in text:
            self.problems.add(path, "holds a NUL character, which no program accepts; remove it")
        for name in sorted(unfilled_names(text) & self.shared - self.sweep.columns.keys()):
            self.problems.warn(
                path, f"{{{name}}} stays as it is; list {name} under use_parameters if the parameter is meant"
            )
        return template

    def scalar(self, text: str, path: Path) -> Template:
        """Take a text apart that each record has one of, so that it may vary only where the name does."""
        template = self.template(text, path)
        loose = [name for name, (axis, _) in self.sweep.columns.items() if axis in template.axes - self.key]
        if any(self.sweep.lengths[self.sweep.columns[name][0]] > 1 for name in loose):
            self.problems.add(
                path,
                f"varies with {{{loose[0]}}}, but the name does not, so there is one record for all values;"
                f" put {{{loose[0]}}} into the name",
            )
        return template

    def warn_of_unshown(self) -> None:
        """Name the parameters that no text of the entry shows, once all were taken apart."""
        for name in self.sweep.unshown():
            self.problems.warn(
                self.path,
                f'the parameter "{name}" changes nothing here; write {{{name}}} where it belongs, or remove it',
            )

    def combinations(self) -> Iterator[tuple[int, ...]]:
        """One combination for each record, in order."""
        return self.sweep.combinations(self.key)

    def spread(self, template: Template, combination: Combination) -> list[str]:
        """What a list item of the record at ``combination`` stands for: one text, or several in a union."""
        beyond = template.axes - self.key
        if not beyond:
            return [template.fill(combination)]
        if self.is_too_many(beyond, self.path):
            return []
        return [template.fill(inner) for inner in self.sweep.combinations(beyond, combination)]

    def is_too_many(self, axes: frozenset[int], path: Path) -> bool:
        """Whether the combinations along ``axes`` are more than anyone can mean, which is then reported."""
        size = self.sweep.size(axes)
        if size > MAX_VALUES:
            self.problems.add(path, f"expands to {size:,} combinations, more than {MAX_VALUES:,}; use fewer values")
        return size > MAX_VALUES
