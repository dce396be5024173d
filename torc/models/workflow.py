"""A workflow, and where it stands."""

from typing import Literal

from torc.models.record import NotNegative, Record, always
from torc.models.status import JobStatus

SortMethod = Literal["gpus_runtime_memory", "gpus_memory_runtime", "none"]


class Workflow(Record, kw_only=True):
    """A set of jobs that belong together, and how runners treat them."""

    id: int | None = None
    name: str
    user: str
    owner: str | None = None  # the authenticated user who created it; set by the server
    description: str | None = None
    timestamp: str | None = None  # creation, ISO 8601 UTC; set by the server
    compute_node_expiration_buffer_seconds: NotNegative = always(60)
    compute_node_wait_for_new_jobs_seconds: NotNegative = always(60)
    compute_node_ignore_workflow_completion: bool = always(False)
    compute_node_wait_for_healthy_database_minutes: NotNegative = always(20)
    jobs_sort_method: SortMethod = always("gpus_runtime_memory")
    resource_monitor_config: str | None = None  # JSON text, opaque to the server
    status_id: int | None = None  # equal to id
    revision: int | None = None  # grows with every change; a cheap "anything new?"


class WorkflowStatus(Record, kw_only=True):
    """The run a workflow is in. ``id`` is the workflow's."""

    id: int | None = None
    run_id: int
    is_canceled: bool
    is_archived: bool = always(False)
    has_detected_need_to_run_completion_script: bool = always(False)
    busy: str | None = None  # a verb over the whole workflow that is under way


class IsComplete(Record, kw_only=True):
    """Answer of ``is_complete``."""

    is_canceled: bool
    is_complete: bool
    needs_to_run_completion_script: bool


class IsUninitialized(Record, kw_only=True):
    """Answer of ``is_uninitialized``."""

    is_uninitialized: bool


FoundFile = tuple[int, float | None, int | None]
"""What a client found on its disk: file id, st_mtime in seconds since the epoch, size in bytes. No time: no file."""


class InitializeRequest(Record, kw_only=True):
    """Start a new run of the whole workflow, all or nothing."""

    files: list[FoundFile] = []
    user: str | None = None
    hostname: str | None = None


class InitializeAnswer(Record, kw_only=True):
    """The run that has begun."""

    run_id: int
    jobs_ready: int
    message: str = always("Initialized job status")


class RaisedNeeds(Record, kw_only=True):
    """More memory or time for a job that ran out of it; None: as much as it had."""

    job_id: int
    memory: str | None = None  # text such as 2g
    runtime: str | None = None  # ISO 8601


class ReinitializeRequest(Record, kw_only=True):
    """Start a new run of what has not succeeded, has changed or depends on such, all or nothing."""

    files: list[FoundFile] = []  # what is left out counts as unchanged
    from_run_id: int | None = None  # the run the client knows of; 409 if another has begun, so a repeat does no harm
    reset_all: bool = False  # every job runs again
    keep_failed: bool = False  # jobs that failed stay as they are
    leave: list[int] = []  # as do these jobs, however they ended
    raised: list[RaisedNeeds] | None = None  # what was raised before stays; None: all need what they asked for again
    ignore_missing: bool = False  # although input files are not there
    although_running: bool = False  # take jobs away from the runners that have them
    dry_run: bool = False  # change nothing
    user: str | None = None
    hostname: str | None = None


RerunReason = Literal[
    "failed",
    "terminated",
    "canceled",
    "lost",
    "taken_away",
    "reset",
    "changed",
    "changed_file",
    "missing_output",
    "upstream",
]


class RerunJob(Record, kw_only=True):
    """A job that runs again."""

    job_id: int
    name: str
    status: JobStatus  # until now
    reason: RerunReason
    detail: str | None = None  # the path of the file, or the name of the job upstream


class ReinitializeAnswer(Record, kw_only=True):
    """What runs again in the run that has begun, or would begin."""

    run_id: int
    dry_run: bool
    jobs: list[RerunJob]
    jobs_ready: int
    jobs_waiting: int  # have not run yet, so they do not run again
    missing_files: list[int]  # no job writes them, a job that runs reads them, and they are not there
    missing_user_data: list[int]  # the same, of records without data
    existing_outputs: list[int]  # files that the jobs write again, and that are there


class ArchiveRequest(Record, kw_only=True):
    """Whether a workflow is put away."""

    is_archived: bool


class InitializeJobsRequest(Record, kw_only=True):
    """Body of ``initialize_jobs``."""

    reinitialize: bool = False  # start over only what changed, and what lies behind it
    ignore_missing_data: bool | None = None  # false refuses when user data is missing; None does not look


class Told(Record, kw_only=True):
    """A sentence saying what was done."""

    message: str


class ResetJobsAnswer(Record, kw_only=True):
    """Answer of ``reset_job_status``."""

    workflow_id: int
    updated_count: int
    status: str = always("uninitialized")
    reset_type: str | None = None


class JobCounts(Record, kw_only=True):
    """Answer of ``job_counts``."""

    workflow_id: int
    total: int
    counts: dict[str, int]  # by status; statuses without jobs are left out


class FileIds(Record, kw_only=True):
    """Answer of ``required_existing_files``."""

    files: list[int]


class UserDataIds(Record, kw_only=True):
    """Answer of ``missing_user_data``."""

    user_data: list[int]


class JobIds(Record, kw_only=True):
    """Answer of ``job_ids``."""

    job_ids: list[int]  # ascending
    count: int


class ReadyJobRequirements(Record, kw_only=True):
    """What the ready jobs of a workflow need together."""

    num_jobs: int
    num_cpus: int
    num_gpus: int
    memory_gb: float  # GiB
    max_num_nodes: int
    max_runtime: str  # ISO 8601 duration, as the longest of them says it


class LatestEventTimestamp(Record, kw_only=True):
    """Answer of ``latest_event_timestamp``."""

    timestamp: int | None = None  # milliseconds since the epoch; left out while nothing has happened


class DotGraph(Record, kw_only=True):
    """A picture of a workflow's structure."""

    graph: str  # in the DOT language


class ReinitializedJobs(Record, kw_only=True):
    """Answer of ``process_changed_job_inputs``."""

    reinitialized_jobs: list[str]  # names, in the order of ids
