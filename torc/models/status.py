"""The statuses of a job and which may follow which. Nothing else decides that."""

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands. The order is the one lists sort by."""

    UNINITIALIZED = "uninitialized"
    BLOCKED = "blocked"
    READY = "ready"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    DISABLED = "disabled"


COMPLETE = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.TERMINATED})
"""A job that has an outcome."""

SETTLED = COMPLETE | {JobStatus.DISABLED}
"""Will not change by itself any more; dependents no longer wait for it."""

UNSETTLED = frozenset(JobStatus) - SETTLED

BAD = SETTLED - {JobStatus.COMPLETED}
"""Settled without success; cancels the dependents that ask for it."""

HANDED_OUT = frozenset({JobStatus.PENDING, JobStatus.RUNNING})
"""A runner has the job."""

MAY_FOLLOW: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.UNINITIALIZED: COMPLETE | {JobStatus.BLOCKED, JobStatus.READY, JobStatus.DISABLED},
    JobStatus.BLOCKED: COMPLETE | {JobStatus.UNINITIALIZED, JobStatus.READY, JobStatus.DISABLED},
    JobStatus.READY: frozenset(JobStatus) - {JobStatus.READY},
    JobStatus.PENDING: COMPLETE | {JobStatus.UNINITIALIZED, JobStatus.READY, JobStatus.RUNNING},
    # running -> pending is a recovery script that waits on the same node
    JobStatus.RUNNING: COMPLETE | {JobStatus.UNINITIALIZED, JobStatus.READY, JobStatus.PENDING},
    JobStatus.COMPLETED: frozenset({JobStatus.UNINITIALIZED, JobStatus.DISABLED}),
    JobStatus.FAILED: frozenset({JobStatus.UNINITIALIZED, JobStatus.DISABLED}),
    JobStatus.CANCELED: frozenset({JobStatus.UNINITIALIZED, JobStatus.DISABLED}),
    JobStatus.TERMINATED: frozenset({JobStatus.UNINITIALIZED, JobStatus.DISABLED}),
    JobStatus.DISABLED: COMPLETE | {JobStatus.UNINITIALIZED},
}


class Cause(StrEnum):
    """Why a job has the status it has."""

    EXIT = "exit"
    SIGNAL = "signal"
    OOM = "oom"
    TIMEOUT = "timeout"
    TIME_UP = "time_up"
    LOST_NODE = "lost_node"
    MISSING_OUTPUT = "missing_output"
    SPAWN_FAILED = "spawn_failed"
    USER = "user"
    DEPENDENCY = "dependency"
    DISABLED = "disabled"
