"""Results: how attempts of jobs ended."""

from collections.abc import Callable

from torc.models.result import Result
from torc.views.column import Column, as_memory, as_outcome, as_percent, if_known


def as_minutes(minutes: float) -> str:
    """Two decimals."""
    return f"{minutes:.2f}"


def outcome(result: Result) -> str:
    """``Completed``, ``Failed (oom)``."""
    return as_outcome(result.status, result.cause).capitalize()


def table(job_name: Callable[[int], str], *, attempts: bool = False) -> tuple[Column, ...]:
    """The columns of a list; with ``attempts`` there is one for their numbers.

    ``job_name`` is asked once per row, and only when a table is printed.
    """

    def name_of(result: Result) -> str:
        return job_name(result.job_id)

    return (
        Column("ID", "id"),
        Column("Job ID", "job_id"),
        Column("Job Name", name_of),
        Column("WF ID", "workflow_id"),
        Column("Run ID", "run_id"),
        *((Column("Attempt", "attempt_id"),) if attempts else ()),
        Column("Return Code", "return_code"),
        Column("Exec Time (minutes)", "exec_time_minutes", as_minutes),
        Column("Peak Mem", "peak_memory_bytes", as_memory),
        Column("Peak CPU %", "peak_cpu_percent", as_percent),
        Column("Completion Time", "completion_time"),
        Column("Status", outcome, is_status=True),
    )


DETAILS = (
    Column("ID", "id"),
    Column("Job ID", "job_id"),
    Column("Workflow ID", "workflow_id"),
    Column("Run ID", "run_id"),
    Column("Attempt", "attempt_id"),
    Column("Return Code", "return_code"),
    Column("Execution Time (minutes)", "exec_time_minutes", as_minutes),
    Column("Completion Time", "completion_time"),
    Column("Status", outcome, is_status=True),
    Column("Peak Memory", "peak_memory_bytes", if_known(as_memory)),
    Column("Avg Memory", "avg_memory_bytes", if_known(as_memory)),
    Column("Peak CPU", "peak_cpu_percent", if_known(as_percent)),
    Column("Avg CPU", "avg_cpu_percent", if_known(as_percent)),
    Column("GPU IDs", "gpu_ids", if_known(", ".join)),
    Column("Compute Node ID", lambda result: result.compute_node_id or None),
)
