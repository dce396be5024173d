"""Job entries become jobs: names first, then commands, links and dependencies by index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from torc.models.draft import DraftJob
from torc.spec.dependencies import Dependencies
from torc.spec.document import JobSpec
from torc.spec.entry import Entry
from torc.spec.names import Names
from torc.spec.parameters import Combination
from torc.spec.problems import Path, Problems
from torc.spec.references import References
from torc.spec.requirements import Requirements

LINKS = (
    ("input_files", "input_file_regexes", "files"),
    ("output_files", "output_file_regexes", "files"),
    ("input_user_data", "input_user_data_regexes", "user_data"),
    ("output_user_data", "output_user_data_regexes", "user_data"),
)
"""The lists of a job that name records: exactly, by regex, and of which kind."""


@dataclass(frozen=True)
class Known:
    """What a job can refer to."""

    jobs: Names
    files: Names
    user_data: Names
    requirements: Requirements
    schedulers: Names
    failure_handlers: Names
    references: References
    dependencies: Dependencies
    problems: Problems


class TextList:
    """One list of texts of an entry, such as ``depends_on``: how it reads in each combination."""

    def __init__(self, texts: Sequence[str] | None, field: str, entry: Entry, *, regex: bool = False) -> None:
        self.entry = entry
        self.paths: list[Path] = [(*entry.path, field, position) for position in range(len(texts or ()))]
        self.templates = [
            entry.template(text, path, regex=regex) for text, path in zip(texts or (), self.paths, strict=True)
        ]
        self.varies = any(template.axes & entry.key for template in self.templates)

    def texts(self, combination: Combination) -> Iterator[tuple[str, Path]]:
        """The items in one combination, each with its place."""
        for template, path in zip(self.templates, self.paths, strict=True):
            for text in self.entry.spread(template, combination):
                yield text, path


class NameList:
    """A list of names: the indexes it stands for."""

    def __init__(self, texts: TextList, names: Names) -> None:
        self.texts = texts
        self.names = names
        self.fixed: tuple[int, ...] | None = None

    def at(self, combination: Combination) -> tuple[int, ...]:
        """The indexes in one combination, ascending; the same tuple whenever they cannot differ."""
        if self.fixed is not None:
            return self.fixed
        looked_up = [self.names.look_up(text, path) for text, path in self.texts.texts(combination)]
        indexes = tuple(sorted({index for index in looked_up if index is not None}))
        if not self.texts.varies:
            self.fixed = indexes
        return indexes


class PatternList:
    """A list of regexes: what each of them matches."""

    def __init__(self, texts: TextList, names: Names) -> None:
        self.texts = texts
        self.names = names
        self.fixed: list[tuple[str, tuple[int, ...], Path]] | None = None

    def at(self, combination: Combination) -> list[tuple[str, tuple[int, ...], Path]]:
        """Each pattern in one combination, the indexes it matches, and its place."""
        if self.fixed is not None:
            return self.fixed
        found = [
            (pattern, indexes, path)
            for pattern, path in self.texts.texts(combination)
            if (indexes := self.names.match(pattern, path))
        ]
        if not self.texts.varies:
            self.fixed = found
        return found


class Links:
    """The files or user data that an entry names in one role, by name and by regex."""

    def __init__(self, names: NameList, patterns: PatternList) -> None:
        self.names = names
        self.patterns = patterns
        self.fixed: list[int] | None = None

    def at(self, combination: Combination) -> list[int]:
        """The indexes in one combination. Jobs share the list when it is the same for all of them."""
        if self.fixed is not None:
            return self.fixed
        indexes = set(self.names.at(combination))
        for _, matched, _ in self.patterns.at(combination):
            indexes.update(matched)
        found = sorted(indexes)
        if not self.names.texts.varies and not self.patterns.texts.varies:
            self.fixed = found
        return found


class Waits:
    """The jobs that an entry waits for, by name and by regex."""

    def __init__(self, names: NameList, patterns: PatternList, dependencies: Dependencies) -> None:
        self.names = names
        self.patterns = patterns
        self.dependencies = dependencies

    def at(self, job: int, combination: Combination) -> list[int]:
        """The numbers of the member sets that the job with index ``job`` waits for."""
        sets = []
        if named := self.names.at(combination):
            sets.append(self.dependencies.number(named))
        for pattern, members, path in self.patterns.at(combination):
            if others := self.dependencies.without(job, pattern, members, path):
                sets.append(self.dependencies.number(others))
        return sets


class JobEntry:
    """An entry of ``jobs``: which jobs it stands for, and what they wait for."""

    def __init__(self, spec: JobSpec, entry: Entry, first: int, known: Known) -> None:
        """The first job of the entry has the index ``first``. Every name is known by now."""
        self.spec = spec
        self.entry = entry
        self.first = first
        self.known = known
        path = entry.path
        self.command = entry.scalar(spec.command, (*path, "command"))
        self.script = entry.scalar(spec.invocation_script or "", (*path, "invocation_script"))
        self.requirements = requirements_of(spec, entry, known)
        scheduler = known.problems.either(path, spec, "scheduler", "slurm_scheduler")
        self.scheduler = lookup(scheduler, "scheduler", entry, known.schedulers)
        self.failure_handler = lookup(spec.failure_handler, "failure_handler", entry, known.failure_handlers)
        self.links = links_of(spec, entry, known)
        self.waits = waits_of(spec, entry, known)
        entry.warn_of_unshown()

    def note_waits(self) -> None:
        """Tell the dependencies what each job of the entry waits for."""
        if self.waits:
            for index, combination in enumerate(self.entry.combinations(), self.first):
                if sets := self.waits.at(index, combination):
                    self.known.dependencies.needs[index] = sets

    def jobs(self) -> Iterator[DraftJob]:
        """The jobs, without what they wait for."""
        spec, known = self.spec, self.known
        cancel, terminate = spec.cancel_on_blocking_job_failure is not False, spec.supports_termination is True
        for index, combination in enumerate(self.entry.combinations(), self.first):
            job = DraftJob(
                name=known.jobs.all[index],
                command=self.command.fill(combination),
                invocation_script=self.script.fill(combination) or None,
                cancel_on_blocking_job_failure=cancel,
                supports_termination=terminate,
                resource_requirements=self.requirements(combination),
                scheduler=self.scheduler(combination),
                failure_handler=self.failure_handler(combination),
            )
            for field, indexes in self.links:
                setattr(job, field, indexes.at(combination))
            resolve_references(job, self.entry.path, known)
            yield job


class JobSeries:
    """All jobs of a document, made anew in each iteration: a million of them need a gigabyte, their entries nothing."""

    def __init__(self, entries: Sequence[JobEntry], known: Known) -> None:
        self.entries = entries
        self.known = known

    def __len__(self) -> int:
        return len(self.known.jobs.all)

    def __iter__(self) -> Iterator[DraftJob]:
        dependencies = self.known.dependencies
        for index, job in enumerate(chain.from_iterable(entry.jobs() for entry in self.entries)):
            if index in dependencies.needs:
                job.depends_on, job.depends_on_groups = dependencies.of(index)
            yield job


def lookup(text: str | None, field: str, entry: Entry, names: Names) -> Callable[[Combination], int | None]:
    """How to find the index of what a field of an entry names, in one combination."""
    if text is None:
        return lambda combination: None
    path = (*entry.path, field)
    template = entry.scalar(text, path)
    return lambda combination: names.look_up(template.fill(combination), path)


def requirements_of(spec: JobSpec, entry: Entry, known: Known) -> Callable[[Combination], int | None]:
    """How to find the index of the requirements of a job in one combination."""
    needs = spec.resource_requirements
    if needs is None or isinstance(needs, str):
        return lookup(needs, "resource_requirements", entry, known.requirements.names)
    index = known.requirements.add_unnamed(needs, (*entry.path, "resource_requirements"))
    return lambda combination: index


def links_of(spec: JobSpec, entry: Entry, known: Known) -> list[tuple[str, Links]]:
    """The fields of a job that list files or user data, where the entry has any."""
    links = []
    for field, field_by_regex, kind in LINKS:
        by_name, by_regex = getattr(spec, field), getattr(spec, field_by_regex)
        if by_name or by_regex:
            names = known.files if kind == "files" else known.user_data
            exact = NameList(TextList(by_name, field, entry), names)
            matching = PatternList(TextList(by_regex, field_by_regex, entry, regex=True), names)
            links.append((field, Links(exact, matching)))
    return links


def waits_of(spec: JobSpec, entry: Entry, known: Known) -> Waits | None:
    """What an entry waits for, or None."""
    if not spec.depends_on and not spec.depends_on_regexes:
        return None
    names = NameList(TextList(spec.depends_on, "depends_on", entry), known.jobs)
    patterns = PatternList(TextList(spec.depends_on_regexes, "depends_on_regexes", entry, regex=True), known.jobs)
    return Waits(names, patterns, known.dependencies)


def resolve_references(job: DraftJob, path: Path, known: Known) -> None:
    """Fill in the ``${files...}`` of a job's texts, and add what they name to its links."""
    if not job.command.strip():
        known.problems.add((*path, "command"), f'the command of job "{job.name}" is empty; write what it runs')
    added: dict[str, set[int]] = {}
    if "${" in job.command:
        job.command = known.references.resolve(job.command, (*path, "command"), added)
    if job.invocation_script and "${" in job.invocation_script:
        job.invocation_script = known.references.resolve(job.invocation_script, (*path, "invocation_script"), added)
    for field, indexes in added.items():
        setattr(job, field, sorted(indexes.union(getattr(job, field))))
