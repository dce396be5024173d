"""The one call of our own runners: report, renew, reconcile and claim in one round trip."""

from typing import Literal

from torc.models.action import ActionType, WorkflowAction
from torc.models.record import Record, always
from torc.models.status import Cause, JobStatus

PROTOCOL = 2
"""Version of this exchange; the server also takes the one before."""


class OutputFile(Record, kw_only=True):
    """What a finished job left on disk."""

    file_id: int
    st_mtime: float  # seconds since the epoch
    size: int  # bytes


class FinishedJob(Record, kw_only=True, forbid_unknown_fields=True):
    """The end of one attempt."""

    job_id: int
    run_id: int
    attempt_id: int
    status: JobStatus  # completed, failed or terminated
    return_code: int
    cause: Cause | None = None
    signal: int | None = None
    exec_time_minutes: float
    completion_time: str
    peak_memory_bytes: int | None = None
    avg_memory_bytes: int | None = None
    peak_cpu_percent: float | None = None
    avg_cpu_percent: float | None = None
    gpu_ids: list[str] | None = None
    output_files: list[OutputFile] = []
    missing_files: list[str] = []  # declared outputs that are not there, for the event


class StartedJob(Record, kw_only=True, forbid_unknown_fields=True):
    """A child was spawned."""

    job_id: int
    attempt_id: int
    start_time: float  # seconds since the epoch


class ActionReport(Record, kw_only=True, forbid_unknown_fields=True):
    """How far an action is that this node was given."""

    action_id: int
    state: Literal["running", "done", "failed"]
    output_tail: str | None = None  # of a failed one


class Offer(Record, kw_only=True, forbid_unknown_fields=True):
    """What is free on a node now."""

    num_cpus: int
    memory_bytes: int
    num_gpus: int = always(0)
    num_nodes: int = always(1)
    time_left_s: float | None = None  # None is unlimited
    scheduler_config_id: int | None = None


class SyncRequest(Record, kw_only=True, forbid_unknown_fields=True):
    """Everything a runner has to say. Sections are applied in the order of the fields below."""

    protocol: int
    seq: int  # 1, 2, ... per node; a new one for every send
    database_id: str
    generation: int
    finished: list[FinishedJob] = []
    started: list[StartedJob] = []
    released: list[tuple[int, int]] = []  # [job id, attempt id]: never started, given back
    holding: list[tuple[int, int]]  # [job id, attempt id]: given to this runner, result not acknowledged
    closing: bool = False  # this node is gone
    actions: list[ActionReport] = []
    holding_actions: list[int] = []  # given to this runner, outcome not acknowledged
    runs_actions: list[ActionType] = []  # what it can carry out; empty while it is busy with one
    leaving: bool = False  # this node starts no more jobs: what is left are the actions of its end
    offer: Offer | None = None  # what is free; neither this nor slots: no claim
    slots: int | None = None  # claim by number instead of by need; of the offer only time and scheduler count then
    limit: int | None = None  # at most so many new jobs
    prefetch: int = 0  # jobs beyond what fits now


class SyncJob(Record, kw_only=True):
    """A claimed job, complete enough to start without another request."""

    id: int
    name: str
    command: str  # ${user_data...} resolved
    invocation_script: str | None = None
    run_id: int
    attempt_id: int
    num_cpus: int
    num_gpus: int
    num_nodes: int
    memory_bytes: int
    runtime_s: int
    memory_is_default: bool = False  # nobody has said how much it needs
    runtime_is_default: bool = False
    supports_termination: bool = always(False)
    output_files: list[tuple[int, str, str]] = []  # [file id, name, path]
    recover: bool = False  # run the recovery script before this attempt
    recovery_script: str | None = None
    last_return_code: int | None = None  # of the attempt that the recovery script is to look at


class StopJob(Record, kw_only=True):
    """A job that must end."""

    job_id: int
    attempt_id: int
    how: Literal["terminate", "kill"]
    reason: str


class SyncWorkflow(Record, kw_only=True):
    """What the loop needs to decide whether to go on."""

    run_id: int
    is_complete: bool
    is_canceled: bool
    jobs_uninitialized: bool = False  # there are jobs that nobody initialized
    waiting_until_s: float | None = None  # seconds until a job that backs off may start
    is_preparing: bool = False  # no jobs are given out before the actions of the start have run
    nothing_for_node: bool = False  # all that is left is bound to the allocations of other schedulers


class Misfit(Record, kw_only=True):
    """A ready job that no active node can ever take."""

    job_id: int
    job_name: str
    need: str  # in words, such as "4 CPUs"
    offer: str  # the nearest active node's total, in words


class SyncAnswer(Record, kw_only=True):
    """What the server made of it, and what comes next."""

    jobs: list[SyncJob]
    stop: list[StopJob] = []
    lost: list[tuple[int, int]] = []  # [job id, attempt id]: no longer this node's
    actions: list[WorkflowAction] = []  # to be carried out by this node, one at a time
    workflow: SyncWorkflow
    lease_s: float
    retry_after_s: float | None = None  # ask again this soon: work elsewhere is about to be released
    misfit: Misfit | None = None  # seen twice, 10 s apart: nothing can start what is ready


class RenewAnswer(Record, kw_only=True):
    """The lease is good for so long from now."""

    lease_s: float
