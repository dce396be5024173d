"""What ``torc run`` says at the end: a table of the jobs, or of their numbers when there are many."""

from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.output import Message, table
from torc.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_JOBS_FAILED, EXIT_NOTHING_FITS
from torc.models.job import Job
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.views import workflows
from torc.views.column import Column, as_memory, as_outcome
from torc.workflow import stdio

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.runner.run import Outcome

JOBS_SHOWN = 50
"""A workflow of more jobs is summed up, with the first FAILURES_SHOWN of those that did not complete."""

FAILURES_SHOWN = 20
FAILURES = (JobStatus.FAILED, JobStatus.TERMINATED, JobStatus.CANCELED)

KIND_CODES = {"interrupted": EXIT_INTERRUPTED, "nothing_fits": EXIT_NOTHING_FITS}


class JobRow:
    """A job beside its result, if it has one."""

    def __init__(self, job: Job, result: Result | None, output_dir: Path) -> None:
        self.job = job
        self.result = result
        self.stderr = _stderr_path(result, output_dir) if result else None

    def document(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {
            "job_id": self.job.id,
            "name": self.job.name,
            "status": self.job.status,
            "cause": self.job.cause,
        }
        if self.result:
            found |= {
                "return_code": self.result.return_code,
                "exec_time_minutes": self.result.exec_time_minutes,
                "peak_memory_bytes": self.result.peak_memory_bytes,
                "stderr": self.stderr,
            }
        return {key: value for key, value in found.items() if value is not None}


def _of_result(field: str) -> Any:
    return lambda row: getattr(row.result, field) if row.result else None


def _as_seconds(minutes: float | None) -> str:
    return "-" if minutes is None else f"{minutes * 60:.2f}"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


JOB_COLUMNS = (
    Column("Job", lambda row: row.job.name),
    Column("Status", lambda row: as_outcome(row.job.status, row.job.cause), is_status=True),
    Column("Return Code", _of_result("return_code"), _or_dash),
    Column("Seconds", _of_result("exec_time_minutes"), _as_seconds),
    Column("Peak Mem", _of_result("peak_memory_bytes"), as_memory),
)
FAILURE_COLUMNS = (*JOB_COLUMNS[:3], Column("Error output", "stderr", _or_dash))
COUNT_COLUMNS = (Column("Status", lambda pair: pair[0], is_status=True), Column("Jobs", lambda pair: pair[1]))


def report(torc: "Client", workflow_id: int, run_id: int, output_dir: Path, outcome: "Outcome") -> Message:
    """The result of a run and its exit code."""
    counts = torc.workflows.job_counts(workflow_id)
    if sum(counts.values()) <= JOBS_SHOWN:
        results = {result.job_id: result for result in torc.results.list(workflow_id)}
        rows = [JobRow(job, results.get(job.id or 0), output_dir) for job in torc.jobs.list(workflow_id)]
        text = _table(JOB_COLUMNS, rows)
    else:
        rows = [JobRow(job, _result_of(torc, job), output_dir) for job in _failures(torc, workflow_id)]
        text = _table(COUNT_COLUMNS, [(status, counts[status]) for status in JobStatus if counts.get(status)])
        text += f"\n{_failure_title(counts)}\n{_table(FAILURE_COLUMNS, rows)}" if rows else ""
    summary = workflows.summary(outcome.kind == "canceled", counts)
    return Message(
        says=text,
        data={
            "workflow_id": workflow_id,
            "run_id": run_id,
            "status": summary,
            "outcome": outcome.kind,
            "message": outcome.message,
            "job_counts": counts,
            "jobs": [row.document() for row in rows],
        },
        exit_code=exit_code(outcome.kind, counts),
        remark=f"Workflow {workflow_id}: {outcome.message or workflows.counts_text(counts)}",
    )


def exit_code(kind: str, counts: dict[str, int]) -> int:
    """What ``torc run`` ends with, and ``torc watch``."""
    if kind in KIND_CODES:
        return KIND_CODES[kind]
    if any(counts.get(status) for status in FAILURES):
        return EXIT_JOBS_FAILED
    unfinished = set(JobStatus) - {JobStatus.COMPLETED, JobStatus.DISABLED}
    return EXIT_ERROR if any(counts.get(status) for status in unfinished) else 0


def _table(columns: tuple[Column, ...], rows: list[Any]) -> str:
    return table(columns, [[column.text(row) for column in columns] for row in rows])


def _failures(torc: "Client", workflow_id: int) -> list[Job]:
    """The first jobs that did not complete, failed ones before those that were canceled because of them."""
    found = (torc.jobs.list(workflow_id, status=status, limit=FAILURES_SHOWN) for status in FAILURES)
    return list(islice(chain.from_iterable(found), FAILURES_SHOWN))


def _failure_title(counts: dict[str, int]) -> str:
    total = sum(counts.get(status, 0) for status in FAILURES)
    return "Jobs that did not complete" + (
        f", the first {FAILURES_SHOWN} of {total}:" if total > FAILURES_SHOWN else ":"
    )


def _result_of(torc: "Client", job: Job) -> Result | None:
    return next(torc.results.list(job.workflow_id, job_id=job.id, limit=1), None)


def _stderr_path(result: Result, output_dir: Path) -> str | None:
    """Where the runner on this machine has put the job's stderr; None when another has run it elsewhere."""
    name = stdio.file_name(
        workflow_id=result.workflow_id,
        job_id=result.job_id,
        run_id=result.run_id,
        attempt_id=result.attempt_id or 1,
        extension="e",
    )
    path = stdio.folder(output_dir) / name
    return str(path) if path.exists() else None
