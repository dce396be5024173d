"""A decoded specification becomes a document for the server: expanded, checked, every reference an index."""

from collections.abc import Callable
from typing import Any

import msgspec

from torc.models.draft import DraftDocument, DraftFile, DraftUserData
from torc.models.workflow import Workflow
from torc.spec.actions import build_actions
from torc.spec.circles import find_circle
from torc.spec.dependencies import Dependencies
from torc.spec.document import FileSpec, MonitorSpec, Specification, UserDataSpec
from torc.spec.entry import Entry
from torc.spec.failure_handlers import build_failure_handlers
from torc.spec.jobs import JobEntry, JobSeries, Known
from torc.spec.names import Names
from torc.spec.parameters import Combination, parse_pool
from torc.spec.problems import Path, Problems
from torc.spec.references import References
from torc.spec.requirements import Requirements
from torc.spec.schedulers import build_schedulers
from torc.spec.values import Value

Pool = dict[str, list[Value]]


class Expansion:
    """The way from a specification to a document. The names are there to be counted even when it fails."""

    def __init__(self, spec: Specification, user: str, problems: Problems) -> None:
        self.spec = spec
        self.user = user
        self.problems = problems
        self.jobs = Names("job", problems)
        self.files = Names("file", problems)
        self.user_data = Names("user data record", problems)
        self.schedulers = Names("Slurm scheduler", problems)
        self.failure_handlers = Names("failure handler", problems)
        self.requirements = Requirements(spec.resource_requirements or [], problems)

    def document(self) -> DraftDocument:
        """The document. Raises InvalidSpec with everything that is wrong."""
        spec = self.spec
        pool = parse_pool(spec.parameters or {}, ("parameters",), self.problems)
        document = DraftDocument(
            workflow=workflow_of(spec, self.user, self.problems),
            files=expand_files(spec.files or [], pool, self.files),
            user_data=expand_user_data(spec.user_data or [], pool, self.user_data),
            slurm_schedulers=build_schedulers(spec.slurm_schedulers or [], self.schedulers),
            failure_handlers=build_failure_handlers(spec.failure_handlers or [], self.failure_handlers),
        )
        dependencies = Dependencies(self.jobs, self.problems)
        known = Known(
            jobs=self.jobs,
            files=self.files,
            user_data=self.user_data,
            requirements=self.requirements,
            schedulers=self.schedulers,
            failure_handlers=self.failure_handlers,
            references=References(self.files, [file.path for file in document.files], self.user_data, self.problems),
            dependencies=dependencies,
            problems=self.problems,
        )
        series = self.expand_jobs(pool, known)
        document.groups = dependencies.link()
        document.jobs = list(series) if len(series) <= KEPT_JOBS else checked(series)
        document.resource_requirements = self.requirements.records
        document.actions = build_actions(spec.actions or [], self.jobs, self.schedulers)
        self.problems.raise_if_any()
        refuse_circles(document, self.jobs)
        return document

    def expand_jobs(self, pool: Pool, known: Known) -> JobSeries:
        """All jobs. Every name is known before the first reference to one is looked up."""
        entries = []
        for position, job_spec in enumerate(self.spec.jobs):
            entry = Entry(job_spec, job_spec.name, ("jobs", position), pool, self.problems)
            entries.append((job_spec, entry, len(self.jobs.all)))
            for combination in entry.combinations():
                self.jobs.add(entry.name.fill(combination), entry.path)
        series = JobSeries([JobEntry(job_spec, entry, first, known) for job_spec, entry, first in entries], known)
        for job_entry in series.entries:
            job_entry.note_waits()
        return series


KEPT_JOBS = 200_000
"""Up to so many jobs are kept in memory rather than made three times: to be checked, searched for circles and sent."""


def checked(series: JobSeries) -> JobSeries:
    """The same, after every job was made once so that its mistakes are known."""
    for _ in series:
        pass
    return series


def expand_files(specs: list[FileSpec], pool: Pool, names: Names) -> list[DraftFile]:
    """All files."""
    files = []
    for position, spec in enumerate(specs):
        entry = Entry(spec, spec.name, ("files", position), pool, names.problems)
        template = entry.scalar(spec.path, (*entry.path, "path"))
        entry.warn_of_unshown()
        for combination in entry.combinations():
            file = DraftFile(name=entry.name.fill(combination), path=template.fill(combination), st_mtime=spec.st_mtime)
            names.add(file.name, entry.path)
            if not file.path.strip():
                names.problems.add((*entry.path, "path"), f'the path of file "{file.name}" is empty; write where it is')
            files.append(file)
    return files


def expand_user_data(specs: list[UserDataSpec], pool: Pool, names: Names) -> list[DraftUserData]:
    """All user data. Parameters are filled in within the texts of ``data``, at any depth."""
    records = []
    for position, spec in enumerate(specs):
        entry = Entry(spec, spec.name, ("user_data", position), pool, names.problems)
        data_at = filler_of(spec.data, entry) if entry.sweep.columns else None
        entry.warn_of_unshown()
        for combination in entry.combinations():
            name = entry.name.fill(combination)
            names.add(name, entry.path)
            data = data_at(combination) if data_at else spec.data
            records.append(DraftUserData(name=name, is_ephemeral=spec.is_ephemeral is True, data=data))
    return records


def filler_of(data: Any, entry: Entry) -> Callable[[Combination], Any]:
    """How to copy JSON data with the templates in its texts filled in; they are taken apart once."""
    if isinstance(data, str):
        return entry.scalar(data, (*entry.path, "data")).fill
    if isinstance(data, list):
        items = [filler_of(item, entry) for item in data]
        return lambda combination: [fill(combination) for fill in items]
    if isinstance(data, dict):
        values = {key: filler_of(value, entry) for key, value in data.items()}
        return lambda combination: {key: fill(combination) for key, fill in values.items()}
    return lambda combination: data


def workflow_of(spec: Specification, user: str, problems: Problems) -> Workflow:
    """The record of the workflow itself."""
    for field in ("name", "user"):
        value = getattr(spec, field)
        if value is not None and not value.strip():
            problems.add((field,), f"the {field} is empty; write one" + (" or leave it out" if field == "user" else ""))
    settings = {
        "compute_node_expiration_buffer_seconds": spec.compute_node_expiration_buffer_seconds,
        "compute_node_wait_for_new_jobs_seconds": spec.compute_node_wait_for_new_jobs_seconds,
        "compute_node_ignore_workflow_completion": spec.compute_node_ignore_workflow_completion,
        "compute_node_wait_for_healthy_database_minutes": spec.compute_node_wait_for_healthy_database_minutes,
        "jobs_sort_method": problems.either((), spec, "jobs_sort_method", "job_sort_method"),
    }
    given = {field: value for field, value in settings.items() if value is not None}
    return Workflow(
        name=spec.name,
        user=spec.user or user,
        description=spec.description,
        resource_monitor_config=monitor_config(spec.resource_monitor or MonitorSpec()),
        **given,
    )


def monitor_config(monitor: MonitorSpec) -> str:
    """The JSON text that runners read. Jobs are watched unless the specification says otherwise."""
    config = {
        "enabled": monitor.enabled is not False,
        "granularity": monitor.granularity or "summary",
        "sample_interval_seconds": monitor.sample_interval_seconds or 5,
        "generate_plots": monitor.generate_plots is True,
    }
    return msgspec.json.encode(config).decode()


def refuse_circles(document: DraftDocument, jobs: Names) -> None:
    """Raise InvalidSpec when jobs wait for each other in a circle."""
    circle = find_circle(document)
    if circle is None:
        return
    what = "job waits for itself" if len(circle.jobs) == 1 else "jobs wait for each other"
    path: Path = jobs.paths[circle.jobs[0]]
    jobs.problems.add(path, f"{what}: {circle.described(jobs.all)}; remove one of these dependencies")
    jobs.problems.raise_if_any()
