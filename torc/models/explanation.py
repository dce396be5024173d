"""Why a job is not running, or what came of it."""

from enum import StrEnum

from torc.models.record import Record
from torc.models.status import JobStatus


class ReasonKind(StrEnum):
    """What keeps a job from running, or has ended it."""

    WORKFLOW_CANCELED = "workflow_canceled"
    WORKFLOW_BUSY = "workflow_busy"
    WORKFLOW_ARCHIVED = "workflow_archived"
    UNINITIALIZED = "uninitialized"
    DISABLED = "disabled"
    DEPENDENCIES = "dependencies"
    DEPENDENCY_GROUP = "dependency_group"
    CANCELED = "canceled"
    CAUSE = "cause"
    ENDED = "ended"
    CLAIMED = "claimed"
    RUNNING = "running"
    STOPPING = "stopping"
    BACK_OFF = "back_off"
    ACTIONS = "actions"
    NO_RUNNER = "no_runner"
    SCHEDULER = "scheduler"
    RESOURCES = "resources"
    TIME_LEFT = "time_left"
    QUEUE = "queue"


class NamedJob(Record, kw_only=True):
    """Another job that a reason is about."""

    id: int
    name: str
    status: JobStatus


class Reason(Record, kw_only=True):
    """One of the things to know; what does not belong to its kind is left out."""

    kind: ReasonKind
    says: str  # a sentence for people, with the cure if there is one
    jobs: list[NamedJob] | None = None  # the first of them; those of a chain from the nearest to the first cause
    count: int | None = None  # how many there are
    group_id: int | None = None
    compute_node_ids: list[int] | None = None  # the first of them
    action_ids: list[int] | None = None
    scheduler_id: int | None = None
    until: str | None = None  # ISO 8601
    since: str | None = None  # ISO 8601
    need: str | None = None
    offer: str | None = None  # the best that an active runner has in all
    jobs_ahead: int | None = None  # ready, and served before it; no more than 10,000 are counted
    free_slots: int | None = None  # jobs with the same needs that find room now; no more than 10,000 are counted


class Explanation(Record, kw_only=True):
    """Answer of ``GET /jobs/{job_id}/explain``."""

    job_id: int
    job_name: str
    workflow_id: int
    status: JobStatus
    reasons: list[Reason]
