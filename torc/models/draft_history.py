"""What has happened to a workflow already, for drafts that are made from an export.

What a server does at the moment does not travel: jobs that wait or run are still to come, and nobody is at work.
"""

from typing import Any, Literal

from torc.models.compute_node import MemoryGb
from torc.models.record import NotNegative, Positive, Record
from torc.models.status import Cause, JobStatus


class DraftStatus(Record, kw_only=True, forbid_unknown_fields=True):
    """The run the workflow is in."""

    run_id: NotNegative
    is_canceled: bool = False
    is_archived: bool = False
    has_detected_need_to_run_completion_script: bool = False
    is_announced: bool = False  # on_workflow_complete has fired in this run


class DraftJobState(Record, kw_only=True, forbid_unknown_fields=True):
    """How far a job got."""

    status: JobStatus | None = None  # a settled one; None is still to come
    run_id: NotNegative | None = None  # of the last attempt
    attempt_id: NotNegative | None = None
    retries: NotNegative = 0  # handled failures in that run
    cause: Cause | None = None
    cause_job: int | None = None  # a job of the document
    compute_node: int | None = None  # of the document
    inputs_changed: bool | None = None  # since it became ready with them; None: it never did


class DraftActionState(Record, kw_only=True, forbid_unknown_fields=True):
    """What became of an action."""

    state: Literal["waiting", "pending", "done", "failed"]
    executed_at: str | None = None
    executed_by: int | None = None  # a compute node of the document
    output_tail: str | None = None


class DraftComputeNode(Record, kw_only=True):
    """A runner that was. Nobody hears from it any more."""

    hostname: str
    pid: int
    start_time: str
    duration_seconds: float | None = None
    num_cpus: NotNegative
    memory_gb: MemoryGb
    num_gpus: NotNegative
    num_nodes: Positive
    time_limit: str | None = None
    scheduler_config: int | None = None  # a Slurm scheduler of the document
    compute_node_type: str
    scheduler: Any = None


class DraftScheduledNode(Record, kw_only=True):
    """An allocation that is over."""

    scheduler_id: int  # the batch system's job number
    scheduler_config: int | None = None  # a Slurm scheduler of the document, or a local one where that is the type
    scheduler_type: str
    status: str
    name: str | None = None
    reason: str | None = None
    submitted_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None


class DraftResult(Record, kw_only=True):
    """How one attempt of a job ended."""

    job: int
    run_id: int
    attempt_id: int
    compute_node: int | None = None  # None: no node measured it
    return_code: int
    exec_time_minutes: float
    completion_time: str
    peak_memory_bytes: int | None = None
    avg_memory_bytes: int | None = None
    peak_cpu_percent: float | None = None
    avg_cpu_percent: float | None = None
    status: JobStatus
    cause: Cause | None = None
    signal: int | None = None
    gpu_ids: list[str] | None = None
    stdout: str | None = None
    stderr: str | None = None
    is_current: bool = False  # the job's result, not only its history


class DraftEvent(Record, kw_only=True):
    """Something that happened. Ids inside ``data`` are those of the workflow it happened to."""

    timestamp: int  # milliseconds since the epoch
    kind: Literal["posted", "noted", "job_started", "job_completed", "job_retried"]
    run_id: int | None = None
    job: int | None = None
    attempt_id: int | None = None
    compute_node: int | None = None
    status: JobStatus | None = None
    data: Any = None
