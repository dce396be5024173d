"""How one attempt of a job ended."""

from torc.models.record import Record
from torc.models.status import Cause, JobStatus

NO_NODE = 0
"""The ``compute_node_id`` of a result that no node measured. Existing clients insist on the key."""


class Result(Record, kw_only=True):
    """One attempt of a job, unique by job, run and attempt."""

    id: int | None = None
    job_id: int
    workflow_id: int
    run_id: int
    attempt_id: int | None = None
    compute_node_id: int
    return_code: int  # negative: killed by that signal
    exit_code: int | None = None  # the same in the words of the users' book; follows return_code
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
    # what a client that ran the job by hand posted: the end of it, and not in lists
    stdout: str | None = None
    stderr: str | None = None


class NewResult(Result, kw_only=True):
    """A result to be stored: ``exit_code`` may stand for ``return_code``, and what is left out is filled in.

    The stored record has every field that is only here allowed to be absent.
    """

    run_id: int | None = None  # type: ignore[assignment]  # the job's run, else the workflow's
    compute_node_id: int | None = None  # type: ignore[assignment]  # the job's node, if it has one
    return_code: int | None = None  # type: ignore[assignment]  # exit_code may say it
    exec_time_minutes: float = 0.0
    completion_time: str | None = None  # type: ignore[assignment]  # now
    status: JobStatus | None = None  # type: ignore[assignment]  # completed if the code is 0, else failed
