"""Jobs as records: created, read and changed. Their statuses are moved by readiness.py and attempts.py."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from torc.errors import InvalidRequest, NotFound, Unprocessable
from torc.models.job import Job
from torc.models.queries import Paging
from torc.models.record import Page
from torc.models.status import JobStatus
from torc.store import groups, outcomes, workflows
from torc.store.database import Database
from torc.store.effective import EffectiveDependencies, listed
from torc.store.readiness import Change, change_status, recount
from torc.store.rows import columns, json_ids, reader
from torc.store.table import envelope, order_by, reserve_ids

DEPENDS_ON = "depends_on_job_ids"
OUTPUT_LINKS = {
    "output_file_ids": ("job_output_file", "file_id"),
    "output_user_data_ids": ("job_output_user_data", "user_data_id"),
}
LINKS = {
    "input_file_ids": ("job_input_file", "file_id"),
    "input_user_data_ids": ("job_input_user_data", "user_data_id"),
    **OUTPUT_LINKS,
}
"""Which table and column hold each list of a job."""

NAMES = columns(Job, ("schedule_compute_nodes", DEPENDS_ON, *LINKS))
WRITABLE = (
    "name",
    "command",
    "invocation_script",
    "cancel_on_blocking_job_failure",
    "supports_termination",
    "resource_requirements_id",
    "scheduler_id",
    "failure_handler_id",
)
MAX_BATCH = 10_001  # the existing Python client's batches are one longer than it says
MAX_PAGE_IDS = 1_000_000


def create_many(database: Database, jobs: Sequence[Job]) -> list[Job]:
    """Store jobs of one workflow with all their links; the answer has the same length and order."""
    if not jobs:
        return []
    if len(jobs) > MAX_BATCH:
        raise Unprocessable(f"Too many jobs in batch: {len(jobs)}. Recommended maximum is 10,000")
    workflow_id = jobs[0].workflow_id
    for job in jobs:
        if job.workflow_id != workflow_id:
            raise Unprocessable(
                "All jobs in a batch must have the same workflow_id. "
                f"Found workflow_ids: {workflow_id} and {job.workflow_id}"
            )
    with database.write() as db:
        workflows.require(db, workflow_id)
        ids = _insert(db, workflow_id, jobs)
        workflows.touch(db, workflow_id)
        return list(select(db, ids))


def _insert(db: sqlite3.Connection, workflow_id: int, jobs: Sequence[Job]) -> range:
    """Add rows and links; each reference is checked once for all jobs. A job may depend on one before it."""
    rows = _values(db, workflow_id, jobs)
    first_id = reserve_ids(db, "job", len(jobs))
    ids = range(first_id, first_id + len(jobs))
    db.executemany(
        f"INSERT INTO job (id, workflow_id, {', '.join(WRITABLE)}) VALUES (?, ?, {', '.join('?' * len(WRITABLE))})",
        [(job_id, workflow_id, *row) for job_id, row in zip(ids, rows, strict=True)],
    )
    for field, (table, column) in LINKS.items():
        linked = [(job_id, other) for job_id, job in zip(ids, jobs, strict=True) for other in _listed(job, field)]
        _require_members(db, workflow_id, jobs, field, column.removesuffix("_id"))
        db.executemany(f"INSERT INTO {table} (job_id, {column}) VALUES (?, ?)", linked)
    _require_members(db, workflow_id, jobs, DEPENDS_ON, "job")
    edges = [(job_id, other) for job_id, job in zip(ids, jobs, strict=True) for other in _listed(job, DEPENDS_ON)]
    for job_id, other in edges:
        if other >= job_id:
            raise Unprocessable(
                f"{DEPENDS_ON} of job '{jobs[job_id - first_id].name}': job {other} does not come before it"
            )
    db.executemany("INSERT INTO job_depends_on (job_id, depends_on_job_id) VALUES (?, ?)", edges)
    recount(db, {job_id for job_id, _ in edges})
    return ids


def _listed(job: Job, field: str) -> list[int]:
    return sorted(set(getattr(job, field) or ()))


def _values(db: sqlite3.Connection, workflow_id: int, jobs: Sequence[Job]) -> list[list[Any]]:
    """The WRITABLE columns of jobs, whose references are checked."""
    for job in jobs:
        if not job.name.strip():
            raise Unprocessable("name: a job needs a name")
    for field in ("resource_requirements_id", "scheduler_id", "failure_handler_id"):
        table = "slurm_scheduler" if field == "scheduler_id" else field.removesuffix("_id")
        _require_members(db, workflow_id, jobs, field, table)
    default_id = workflows.default_requirements(db, workflow_id)
    if not default_id and any(not job.resource_requirements_id for job in jobs):
        raise Unprocessable(
            f"workflow {workflow_id} has no requirements named '{workflows.DEFAULT_REQUIREMENTS}'; "
            "give the job resource_requirements_id"
        )
    return [
        [
            job.name,
            job.command,
            job.invocation_script or None,  # existing clients send "" and 0 for "unset"
            job.cancel_on_blocking_job_failure,
            job.supports_termination,
            job.resource_requirements_id or default_id,
            job.scheduler_id or 0,
            job.failure_handler_id or None,
        ]
        for job in jobs
    ]


def _require_members(db: sqlite3.Connection, workflow_id: int, jobs: Sequence[Job], field: str, table: str) -> None:
    """Raise Unprocessable, naming the job, unless what ``field`` refers to is in the workflow."""
    named = {id(job): _referred(job, field) for job in jobs}
    wanted = set().union(*named.values())
    if not wanted:
        return
    missing = wanted - {
        found
        for (found,) in db.execute(
            f"SELECT id FROM {table} WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))",
            (workflow_id, json_ids(wanted)),
        )
    }
    for job in jobs if missing else ():
        if missing & named[id(job)]:
            what, which = table.replace("_", " "), sorted(missing & named[id(job)])[:5]
            raise Unprocessable(f"{field} of job '{job.name}': no such {what} in workflow {workflow_id}: {which}")


def _referred(job: Job, field: str) -> set[int]:
    value = getattr(job, field)
    return set(value or ()) if isinstance(value, list) else {value} - {None, 0}


def set_dependencies(db: sqlite3.Connection, workflow_id: int, job_id: int, depends_on: Iterable[int]) -> None:
    """Make exactly these jobs the plain dependencies of a job; it leaves all its groups."""
    wanted = sorted(set(depends_on))
    if job_id in wanted:
        raise Unprocessable(f"{DEPENDS_ON}: job {job_id} cannot depend on itself")
    (found,) = db.execute(
        "SELECT count(*) FROM job WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))",
        (workflow_id, json_ids(wanted)),
    ).fetchone()
    if found != len(wanted):
        raise Unprocessable(f"{DEPENDS_ON}: no such job in workflow {workflow_id} among {wanted[:5]}")
    db.execute("DELETE FROM job_depends_on_group WHERE job_id = ?", (job_id,))
    db.execute("DELETE FROM job_depends_on WHERE job_id = ?", (job_id,))
    db.executemany(
        "INSERT INTO job_depends_on (job_id, depends_on_job_id) VALUES (?, ?)", [(job_id, other) for other in wanted]
    )
    recount(db, [job_id])


def get(database: Database, job_id: int) -> Job:
    """One job with its relations, or NotFound."""
    with database.read() as db:
        return fetch(db, job_id)


def fetch(db: sqlite3.Connection, job_id: int) -> Job:
    """One job with its relations in the caller's transaction."""
    found = list(select(db, [job_id]))
    if not found:
        raise NotFound(f"Job not found with ID: {job_id}")
    return found[0]


def select(
    db: sqlite3.Connection,
    job_ids: Sequence[int],
    *,
    links: dict[str, tuple[str, str]] = LINKS,
    dependencies: bool = True,
) -> list[Job]:
    """The visible jobs among these ids, in the order given, with the relations asked for."""
    jobs = {
        row[0]: _to_job(row)
        for row in db.execute(
            f"""
            SELECT {", ".join(f"job.{name}" for name in NAMES)}
              FROM job JOIN workflow AS w ON w.id = job.workflow_id
             WHERE job.id IN (SELECT value FROM json_each(?)) AND w.hidden IS NULL
            """,
            (json_ids(job_ids),),
        )
    }
    _relate(db, jobs, links=links, dependencies=dependencies and links is LINKS)
    return [jobs[job_id] for job_id in job_ids if job_id in jobs]


def _relate(
    db: sqlite3.Connection,
    jobs: dict[int, Job],
    *,
    links: dict[str, tuple[str, str]] = LINKS,
    dependencies: bool = True,
) -> None:
    """Fill in the relations of jobs, which come by id."""
    ids = json_ids(jobs)
    for field, (table, column) in links.items():
        for job_id, other in db.execute(
            f"""
            SELECT job_id, {column} FROM {table}
             WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY job_id, {column}
            """,
            (ids,),
        ):
            _append(jobs[job_id], field, other)
    if dependencies:
        for job_id, others in EffectiveDependencies().ids(db, listed(jobs)).items():
            jobs[job_id].depends_on_job_ids = others


def _append(job: Job, field: str, other: int) -> None:
    values = getattr(job, field)
    if values is None:
        setattr(job, field, [other])
    else:
        values.append(other)


_READ = reader(Job, NAMES)


def _to_job(row: Sequence[Any]) -> Job:
    job = _READ(row)
    job.scheduler_id = job.scheduler_id or None
    return job


def page(
    database: Database,
    workflow_id: int,
    paging: Paging,
    *,
    status: str | None = None,
    needs_file_id: int | None = None,
    upstream_job_id: int | None = None,
    include_relationships: bool = False,
) -> Page[Job]:
    """One page of a workflow's jobs.

    A page that would expand to more than MAX_PAGE_IDS dependency ids is shortened; ``has_more`` stays true.
    """
    where, arguments = ["workflow_id = ?", "workflow_id IN (SELECT id FROM workflow WHERE hidden IS NULL)"], list[Any](
        (workflow_id,)
    )  # fmt: skip
    if status is not None:
        if status not in set(JobStatus):
            raise InvalidRequest(f"status: unknown '{status}'; choose one of {', '.join(JobStatus)}")
        where.append("status = ?")
        arguments.append(status)
    if needs_file_id is not None:
        where.append("id IN (SELECT job_id FROM job_input_file WHERE file_id = ?)")
        arguments.append(needs_file_id)
    if upstream_job_id is not None:
        where.append(f"id IN ({groups.DEPENDENTS})")
        arguments += [upstream_job_id, upstream_job_id]
    condition = " AND ".join(where)
    with database.read() as db:
        rows = db.execute(
            f"""
            SELECT {", ".join(NAMES)} FROM job
             WHERE {condition} ORDER BY {order_by("job", paging, NAMES)} LIMIT ? OFFSET ?
            """,
            [*arguments, paging.limit, paging.offset],
        ).fetchall()
        total = len(rows)
        if paging.offset or len(rows) == paging.limit:
            (total,) = db.execute(f"SELECT count(*) FROM job WHERE {condition}", arguments).fetchone()
        if include_relationships:
            rows = rows[: len(groups.shorten(db, [row[0] for row in rows], MAX_PAGE_IDS))]
        jobs = {row[0]: _to_job(row) for row in rows}
        if include_relationships:
            _relate(db, jobs)
    return envelope(list(jobs.values()), total, paging)


def update(database: Database, job_id: int, wanted: Job, given: frozenset[str]) -> Job:
    """Change the ``given`` fields of an uninitialized job. Checks and texts: contract rest-api.md 3.5."""
    with database.write() as db:
        stored = fetch(db, job_id)
        _check_update(stored, wanted, given)
        if wanted.workflow_id != stored.workflow_id:
            raise Unprocessable(f"workflow_id of job {job_id} is {stored.workflow_id} and cannot be changed")
        kept = {name: getattr(stored, name) for name in WRITABLE if name not in given}
        db.execute(
            f"UPDATE job SET {', '.join(f'{name} = ?' for name in WRITABLE)} WHERE id = ?",
            [*_values(db, stored.workflow_id, [structs.replace(wanted, **kept)])[0], job_id],
        )
        depends_on = wanted.depends_on_job_ids or []
        if DEPENDS_ON in given and sorted(set(depends_on)) != (stored.depends_on_job_ids or []):
            if len(set(depends_on)) > groups.MAX_PLAIN_EDGES:
                raise Unprocessable(
                    f"{DEPENDS_ON}: {len(set(depends_on))} jobs are too many for plain dependencies "
                    f"(at most {groups.MAX_PLAIN_EDGES}); make a dependency group"
                )
            set_dependencies(db, stored.workflow_id, job_id, depends_on)
        if wanted.status == JobStatus.DISABLED:
            change_status(db, stored.workflow_id, [Change(job_id, JobStatus.DISABLED)], end_attempt=True)
            outcomes.announce_completion(db, stored.workflow_id)
        workflows.touch(db, stored.workflow_id)
        return fetch(db, job_id)


def _check_update(stored: Job, wanted: Job, given: frozenset[str]) -> None:
    if stored.status != JobStatus.UNINITIALIZED:
        raise Unprocessable(
            f"Cannot update job when status is '{stored.status}' - updates are only allowed when status is "
            "'uninitialized'"
        )
    if wanted.status not in (JobStatus.UNINITIALIZED, JobStatus.DISABLED):
        raise Unprocessable(
            "Cannot update job status - this field is immutable after job creation (except to Disabled)"
        )
    for field in LINKS:
        if field in given and sorted(set(getattr(wanted, field) or [])) != (getattr(stored, field) or []):
            raise Unprocessable(f"Cannot modify {field} - this field is immutable after job creation")
