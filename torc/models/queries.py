"""The query strings of the API: one Struct per kind of question. Which filters a list knows is said here alone."""

from typing import Annotated

from msgspec import Meta

from torc.models.action import TriggerType
from torc.models.event import Level
from torc.models.record import NotNegative, Record
from torc.models.status import JobStatus
from torc.models.workflow import SortMethod

MAX_LIMIT = 10_000
MAX_RELATIONSHIPS = 100_000
CLAIM_LIMIT = 10
"""Jobs handed out by a claim that names no limit."""

Offset = NotNegative


class Paging(Record, kw_only=True):
    """Which part of a list, in which order."""

    offset: Offset = 0
    limit: Annotated[int, Meta(ge=0, le=MAX_LIMIT)] = MAX_LIMIT
    sort_by: str | None = None  # a field of the record; id breaks ties
    reverse_sort: bool = False


class ListQuery(Paging, kw_only=True):
    """A list of the records of one workflow."""

    workflow_id: int


class WorkflowsQuery(Paging, kw_only=True):
    """``GET /workflows``."""

    name: str | None = None
    user: str | None = None
    description: str | None = None  # a part of it, upper and lower case alike
    is_archived: bool | None = None


class JobsQuery(ListQuery, kw_only=True):
    """``GET /jobs``."""

    status: JobStatus | None = None
    needs_file_id: int | None = None  # jobs that read this file
    upstream_job_id: int | None = None  # jobs that depend on this job
    include_relationships: bool = False


class FilesQuery(ListQuery, kw_only=True):
    """``GET /files``."""

    produced_by_job_id: int | None = None
    name: str | None = None
    path: str | None = None
    is_output: bool | None = None  # whether any job writes it


class UserDataQuery(ListQuery, kw_only=True):
    """``GET /user_data``."""

    consumer_job_id: int | None = None
    producer_job_id: int | None = None
    name: str | None = None  # a part of it, upper and lower case alike
    is_ephemeral: bool | None = None


class RequirementsQuery(ListQuery, kw_only=True):
    """``GET /resource_requirements``."""

    job_id: int | None = None  # what this job needs
    name: str | None = None
    memory: str | None = None
    num_cpus: int | None = None
    num_gpus: int | None = None
    num_nodes: int | None = None
    runtime: str | None = None


class ComputeNodesQuery(ListQuery, kw_only=True):
    """``GET /compute_nodes``."""

    hostname: str | None = None
    is_active: bool | None = None


class ScheduledNodesQuery(ListQuery, kw_only=True):
    """``GET /scheduled_compute_nodes``."""

    scheduler_id: int | None = None
    scheduler_config_id: int | None = None
    status: str | None = None
    name: str | None = None


class LocalSchedulersQuery(ListQuery, kw_only=True):
    """``GET /local_schedulers``."""

    memory: str | None = None
    num_cpus: int | None = None


class SlurmSchedulersQuery(ListQuery, kw_only=True):
    """``GET /slurm_schedulers``."""

    name: str | None = None
    account: str | None = None
    gres: str | None = None
    mem: str | None = None
    nodes: int | None = None
    partition: str | None = None
    qos: str | None = None
    tmp: str | None = None
    walltime: str | None = None


class ResultsQuery(ListQuery, kw_only=True):
    """``GET /results``."""

    job_id: int | None = None
    run_id: int | None = None
    return_code: int | None = None
    status: JobStatus | None = None
    all_runs: bool = False  # every attempt of every run, not only the current result of each job
    all_attempts: bool = False  # every attempt of the run that each job is in, or was last


class EventsFilter(Paging, kw_only=True):
    """Which events of a workflow."""

    category: str | None = None
    after_timestamp: int | None = None  # milliseconds since the epoch
    after_id: int | None = None  # the replay cursor: id of the last event seen
    level: Level | None = None  # at least so severe


class EventsQuery(EventsFilter, kw_only=True):
    """``GET /events``."""

    workflow_id: int


class StreamQuery(Record, kw_only=True):
    """``GET /workflows/{id}/events/stream``."""

    after_id: int | None = None  # None: only what happens from now on; the Last-Event-ID header wins
    level: Level | None = None


class RelationshipsQuery(Record, kw_only=True):
    """A page of the relationships in a workflow, in a fixed order."""

    offset: Offset = 0
    limit: Annotated[int, Meta(ge=0)] = MAX_RELATIONSHIPS  # more is lowered to that, as existing clients expect


class OfWorkflow(Record, kw_only=True):
    """Which workflow's records are meant."""

    workflow_id: int


class DeleteQuery(Record, kw_only=True):
    """Delete one record."""

    force: bool = False  # although other records would be lost or cut loose


class DeleteAllQuery(DeleteQuery, kw_only=True):
    """Delete all records of a workflow."""

    workflow_id: int


class UserDataLinks(Record, kw_only=True):
    """``POST /user_data``: jobs the new record is linked to at once."""

    consumer_job_id: int | None = None
    producer_job_id: int | None = None


class ClaimNextQuery(Record, kw_only=True):
    """``claim_next_jobs``; ``num_jobs`` is another name for ``limit``."""

    limit: NotNegative | None = None
    num_jobs: NotNegative | None = None


class ClaimQuery(Record, kw_only=True):
    """``claim_jobs_based_on_resources``."""

    sort_method: SortMethod | None = None  # None: the workflow's own


class InitializeJobsQuery(Record, kw_only=True):
    """``initialize_jobs``."""

    only_uninitialized: bool = False
    clear_ephemeral_user_data: bool = False


class ForceQuery(Record, kw_only=True):
    """``reset_status``."""

    force: bool = False  # although jobs are pending or running


class ResetJobsQuery(Record, kw_only=True):
    """``reset_job_status``."""

    failed_only: bool = False
    force: bool = False  # although jobs are pending or running
    with_flags: bool = False  # also do what reset_status does


class ChangedInputsQuery(Record, kw_only=True):
    """``process_changed_job_inputs``."""

    dry_run: bool = False


class PendingActionsQuery(Record, kw_only=True):
    """``actions/pending``; the parameter may be repeated."""

    trigger_type: list[TriggerType] = []


class ReadyRequirementsQuery(Record, kw_only=True):
    """``ready_job_requirements``."""

    scheduler_config_id: int | None = None


class ExportQuery(Record, kw_only=True):
    """``GET /workflows/{id}/export``."""

    include_results: bool = False  # what has run, and how it ended
    include_events: bool = False
