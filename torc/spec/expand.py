"""A decoded specification becomes a document for the server: expanded, checked, every reference an index."""

from typing import Any

import msgspec

from torc.models.draft import DraftDocument, DraftFile, DraftJob, DraftUserData
from torc.models.workflow import Workflow
from torc.spec.circles import find_circle
from torc.spec.dependencies import Dependencies
from torc.spec.document import FileSpec, MonitorSpec, Specification, UserDataSpec
from torc.spec.entry import Entry
from torc.spec.jobs import Known, build_jobs
from torc.spec.locator import Path
from torc.spec.names import Names
from torc.spec.parameters import Combination, parse_pool
from torc.spec.problems import Problems
from torc.spec.references import References
from torc.spec.requirements import Requirements
from torc.spec.values import Value

Pool = dict[str, list[Value]]


def expand(spec: Specification, user: str, problems: Problems) -> DraftDocument:
    """The document that ``spec`` describes. Raises InvalidSpec with everything that is wrong with it."""
    pool = parse_pool(spec.parameters or {}, ("parameters",), problems)
    file_names, user_data_names = Names("file", problems), Names("user data record", problems)
    document = DraftDocument(
        workflow=workflow_of(spec, user, problems),
        files=expand_files(spec.files or [], pool, file_names),
        user_data=expand_user_data(spec.user_data or [], pool, user_data_names),
    )
    jobs = Names("job", problems)
    known = Known(
        jobs=jobs,
        files=file_names,
        user_data=user_data_names,
        requirements=Requirements(spec.resource_requirements or [], problems),
        references=References(file_names, [file.path for file in document.files], user_data_names, problems),
        dependencies=Dependencies(jobs, problems),
        problems=problems,
    )
    document.jobs = expand_jobs(spec, pool, known)
    document.resource_requirements = known.requirements.records
    problems.raise_if_any()
    document.groups = known.dependencies.link(document.jobs)
    refuse_circles(document, known)
    return document


def expand_jobs(spec: Specification, pool: Pool, known: Known) -> list[DraftJob]:
    """All jobs. Every name is known before the first reference to one is looked up."""
    entries = []
    for position, job_spec in enumerate(spec.jobs):
        entry = Entry(job_spec, job_spec.name, ("jobs", position), pool, known.problems)
        entries.append((job_spec, entry, len(known.jobs.all)))
        for combination in entry.combinations():
            known.jobs.add(entry.name.fill(combination), entry.path)
    return [job for job_spec, entry, first in entries for job in build_jobs(job_spec, entry, first, known)]


def expand_files(specs: list[FileSpec], pool: Pool, names: Names) -> list[DraftFile]:
    """All files."""
    files = []
    for position, spec in enumerate(specs):
        entry = Entry(spec, spec.name, ("files", position), pool, names.problems)
        template = entry.scalar(spec.path, (*entry.path, "path"))
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
        for combination in entry.combinations():
            name = entry.name.fill(combination)
            names.add(name, entry.path)
            data = fill_data(spec.data, entry, combination) if entry.sweep.columns else spec.data
            records.append(DraftUserData(name=name, is_ephemeral=spec.is_ephemeral is True, data=data))
    return records


def fill_data(data: Any, entry: Entry, combination: Combination) -> Any:
    """A copy of JSON data with the templates in its texts filled in."""
    if isinstance(data, str):
        return entry.scalar(data, (*entry.path, "data")).fill(combination)
    if isinstance(data, list):
        return [fill_data(item, entry, combination) for item in data]
    if isinstance(data, dict):
        return {key: fill_data(value, entry, combination) for key, value in data.items()}
    return data


def workflow_of(spec: Specification, user: str, problems: Problems) -> Workflow:
    """The record of the workflow itself."""
    for field in ("name", "user"):
        value = getattr(spec, field)
        if value is not None and not value.strip():
            problems.add((field,), f"the {field} is empty; write one" + (" or leave it out" if field == "user" else ""))
    if spec.jobs_sort_method and spec.job_sort_method:
        problems.add(
            ("job_sort_method",), "is another name of jobs_sort_method, which is given too; remove one of them"
        )
    settings = {
        "compute_node_expiration_buffer_seconds": spec.compute_node_expiration_buffer_seconds,
        "compute_node_wait_for_new_jobs_seconds": spec.compute_node_wait_for_new_jobs_seconds,
        "compute_node_ignore_workflow_completion": spec.compute_node_ignore_workflow_completion,
        "compute_node_wait_for_healthy_database_minutes": spec.compute_node_wait_for_healthy_database_minutes,
        "jobs_sort_method": spec.jobs_sort_method or spec.job_sort_method,
    }
    given = {field: value for field, value in settings.items() if value is not None}
    return Workflow(
        name=spec.name,
        user=spec.user or user,
        description=spec.description,
        resource_monitor_config=monitor_config(spec.resource_monitor or MonitorSpec()),
        **given,  # type: ignore[arg-type]  # each value has the type of its field above
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


def refuse_circles(document: DraftDocument, known: Known) -> None:
    """Raise InvalidSpec when jobs wait for each other in a circle."""
    circle = find_circle(document)
    if circle is None:
        return
    names = [document.jobs[job].name for job in [*circle.jobs, circle.jobs[0]]]
    if len(names) > MAX_NAMES_SHOWN:
        names[MAX_NAMES_SHOWN // 2 : -MAX_NAMES_SHOWN // 2] = [f"... {len(names) - MAX_NAMES_SHOWN} more ..."]
    through = f" (through {', '.join(circle.through[:MAX_NAMES_SHOWN])})" if circle.through else ""
    what = "job waits for itself" if len(circle.jobs) == 1 else "jobs wait for each other"
    path: Path = known.jobs.paths[circle.jobs[0]]
    known.problems.add(path, f"{what}: {' -> '.join(names)}{through}; remove one of these dependencies")
    known.problems.raise_if_any()


MAX_NAMES_SHOWN = 12
"""Most jobs named of one circle."""
