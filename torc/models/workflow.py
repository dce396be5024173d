"""A workflow, and where it stands."""

from typing import Literal

from torc.models.record import NotNegative, Record, always

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


class InitializeRequest(Record, kw_only=True):
    """Start a new run of the whole workflow, all or nothing."""

    file_mtimes: list[tuple[int, float | None]] = []  # [file id, seconds since the epoch or null if missing]
    user: str | None = None
    hostname: str | None = None


class InitializeAnswer(Record, kw_only=True):
    """The run that has begun."""

    run_id: int
    jobs_ready: int
    message: str = always("Initialized job status")


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
