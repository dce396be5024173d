"""How one attempt of a job ended."""

from torc.models.record import Record
from torc.models.status import Cause, JobStatus


class Result(Record, kw_only=True):
    """One attempt of a job, unique by job, run and attempt."""

    id: int | None = None
    job_id: int
    workflow_id: int
    run_id: int
    attempt_id: int | None = None
    compute_node_id: int
    return_code: int  # negative: killed by that signal
    exec_time_minutes: float
    completion_time: str  # ISO 8601, as the runner wrote it
    peak_memory_bytes: int | None = None
    avg_memory_bytes: int | None = None
    peak_cpu_percent: float | None = None
    avg_cpu_percent: float | None = None
    status: JobStatus
    cause: Cause | None = None
    signal: int | None = None
    gpu_ids: list[str] | None = None  # granted devices
