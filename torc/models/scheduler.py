"""What runners are started by: Slurm settings, the allocations asked for, and what a local machine offers."""

from typing import Annotated

from msgspec import Meta

from torc.models.record import Positive, Record


class SlurmScheduler(Record, kw_only=True):
    """The options of one kind of Slurm allocation; text as sbatch takes it."""

    id: int | None = None
    workflow_id: int
    name: str | None = None
    account: str
    gres: str | None = None
    mem: str | None = None
    nodes: Positive
    ntasks_per_node: Positive | None = None
    partition: str | None = None
    qos: str | None = None
    tmp: str | None = None
    walltime: str
    extra: str | None = None


LIVE_ALLOCATIONS = ("submitting", "pending", "active")
"""Statuses of allocations that somebody waits for or uses."""

ENDED_ALLOCATIONS = ("complete", "failed", "canceled")


class ScheduledComputeNode(Record, kw_only=True):
    """An allocation that was asked for. Times are ISO 8601; clients of other kinds leave out all that is optional."""

    id: int | None = None
    workflow_id: int
    scheduler_id: int  # the batch system's job number; 0 while it is being submitted
    scheduler_config_id: int  # the SlurmScheduler
    scheduler_type: str
    status: str  # of LIVE_ALLOCATIONS or ENDED_ALLOCATIONS
    name: str | None = None  # of the batch job, like no other one's
    reason: str | None = None  # why it waits, or how it ended, in the batch system's words
    submitted_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None


class CheckTurn(Record, kw_only=True):
    """Who wants to ask the batch system about all allocations of a user."""

    user: str
    interval_s: Annotated[float, Meta(ge=0, le=86400)] = 60.0  # nobody else is to have asked for so long


class CheckTurnAnswer(Record, kw_only=True):
    """Whether it is this caller's turn."""

    granted: bool
    retry_after_s: float  # 0 when granted


class LocalScheduler(Record, kw_only=True):
    """What a machine without a batch system offers."""

    id: int | None = None
    workflow_id: int
    name: str | None = None
    memory: str | None = None
    num_cpus: Positive | None = None
