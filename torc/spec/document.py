"""A specification as written, before any expansion: every key there is, and what may stand behind it.

Editors show these docstrings too. What each key means stands in ``torc.spec.descriptions``.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from torc.models.action import ActionType, TriggerType
from torc.models.workflow import SortMethod

SCALARS = ["number", "string", "boolean"]
PARAMETER_VALUE: dict[str, Any] = {
    "anyOf": [{"type": SCALARS}, {"type": "array", "minItems": 1, "items": {"type": SCALARS}}]
}
"""What ``torc.spec.values`` makes of a value is too much for a type; this is what an editor can check."""

Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]
NotNegative = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[float, Meta(ge=0)]
Factor = Annotated[float, Meta(ge=1)]
ExitCode = Annotated[int, Meta(ge=1, le=255)]  # 0 is no failure, and a process has no others
ParameterValue = Annotated[Any, Meta(extra_json_schema=PARAMETER_VALUE)]
FailureCause = Literal["exit", "signal", "oom", "timeout", "time_up", "lost_node", "missing_output", "spawn_failed"]


class InlineRequirements(Struct, kw_only=True, forbid_unknown_fields=True):
    """What this job needs."""

    num_cpus: Positive | None = None
    num_gpus: NotNegative | None = None
    num_nodes: Positive | None = None
    memory: str | None = None
    runtime: str | None = None


class RequirementsSpec(InlineRequirements, kw_only=True, forbid_unknown_fields=True):
    """What every job that names it needs."""

    name: str


class Parameterized(Struct, kw_only=True, forbid_unknown_fields=True):
    """An entry that may stand for many."""

    parameters: dict[str, ParameterValue] | None = None
    parameter_mode: Literal["product", "zip"] | None = None
    use_parameters: list[str] | None = None


class FileSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A file that jobs read or write; many files when it has parameters."""

    name: str
    path: str
    st_mtime: float | None = None


class UserDataSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A JSON value that jobs read or write; many of them when it has parameters."""

    name: str
    is_ephemeral: bool | None = None
    data: Any = None


class JobSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A command to run; many jobs when it has parameters."""

    name: str
    command: str
    invocation_script: str | None = None
    cancel_on_blocking_job_failure: bool | None = None
    supports_termination: bool | None = None
    resource_requirements: str | InlineRequirements | None = None
    depends_on: list[str] | None = None
    depends_on_regexes: list[str] | None = None
    input_files: list[str] | None = None
    output_files: list[str] | None = None
    input_user_data: list[str] | None = None
    output_user_data: list[str] | None = None
    input_file_regexes: list[str] | None = None
    output_file_regexes: list[str] | None = None
    input_user_data_regexes: list[str] | None = None
    output_user_data_regexes: list[str] | None = None
    scheduler: str | None = None
    slurm_scheduler: str | None = None
    failure_handler: str | None = None


class SchedulerSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A kind of Slurm allocation."""

    name: str
    account: str
    nodes: Positive | None = None
    num_nodes: Positive | None = None
    walltime: str | None = None
    partition: str | None = None
    qos: str | None = None
    gres: str | None = None
    mem: str | None = None
    tmp: str | None = None
    ntasks_per_node: Positive | None = None
    extra: str | None = None


class ActionSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens when something else has happened."""

    trigger_type: TriggerType
    action_type: ActionType
    jobs: list[str] | None = None
    job_name_regexes: list[str] | None = None
    commands: list[str] | None = None
    scheduler: str | None = None
    scheduler_type: Literal["slurm"] | None = None
    num_allocations: Positive | None = None
    start_one_worker_per_node: bool | None = None
    max_parallel_jobs: Positive | None = None
    persistent: bool | None = None


class RuleSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which failures are tried again, and how."""

    exit_codes: list[ExitCode] | None = None
    match_all_exit_codes: bool | None = None
    signals: list[str | int] | None = None
    causes: list[FailureCause] | None = None
    recovery_script: str | None = None
    max_retries: NotNegative | None = None
    backoff_s: Seconds | None = None
    memory_factor: Factor | None = None
    runtime_factor: Factor | None = None


class FailureHandlerSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is done about failures of the jobs that name it."""

    name: str
    rules: list[RuleSpec]


class MonitorSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """How closely jobs are watched."""

    enabled: bool | None = None
    granularity: Literal["summary", "time_series"] | None = None
    sample_interval_seconds: Positive | None = None
    generate_plots: bool | None = None


class Specification(Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole workflow: jobs, and what they need, read and write."""

    name: str
    user: str | None = None
    description: str | None = None
    parameters: dict[str, ParameterValue] | None = None
    compute_node_expiration_buffer_seconds: NotNegative | None = None
    compute_node_wait_for_new_jobs_seconds: NotNegative | None = None
    compute_node_ignore_workflow_completion: bool | None = None
    compute_node_wait_for_healthy_database_minutes: NotNegative | None = None
    jobs_sort_method: SortMethod | None = None
    job_sort_method: SortMethod | None = None
    jobs: list[JobSpec]
    files: list[FileSpec] | None = None
    user_data: list[UserDataSpec] | None = None
    resource_requirements: list[RequirementsSpec] | None = None
    slurm_schedulers: list[SchedulerSpec] | None = None
    failure_handlers: list[FailureHandlerSpec] | None = None
    resource_monitor: MonitorSpec | None = None
    actions: list[ActionSpec] | None = None
