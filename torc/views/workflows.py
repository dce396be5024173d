"""Workflows and their status."""

from collections.abc import Sequence
from typing import Any

import msgspec

from torc.models.action import WorkflowAction
from torc.models.status import UNSETTLED, JobStatus
from torc.models.workflow import Workflow, WorkflowStatus
from torc.views.column import Column, as_yes_no

OF_ONE_USER = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Description", "description"),
    Column("Timestamp", "timestamp"),
)
OF_ALL_USERS = (*OF_ONE_USER[:3], Column("User", "user"), OF_ONE_USER[3])

SUMMARY = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("User", "user"),
    Column("Description", "description"),
)
DETAILS = (
    Column("Name", "name"),
    Column("User", "user"),
    Column("Description", "description"),
    Column("Timestamp", "timestamp"),
)


def as_document(workflow: Workflow) -> dict[str, Any]:
    """For JSON: ``resource_monitor_config`` as an object instead of a string that holds one."""
    document: dict[str, Any] = msgspec.to_builtins(workflow)
    if workflow.resource_monitor_config:
        try:
            document["resource_monitor_config"] = msgspec.json.decode(workflow.resource_monitor_config)
        except msgspec.DecodeError:
            pass  # existing clients may have stored any text; it is shown as it is
    return document


def summary(is_canceled: bool, counts: dict[str, int]) -> str:
    """Where a workflow stands, in one word: canceled, uninitialized, running, failed or completed."""
    if is_canceled:
        return "canceled"
    statuses = {status for status, count in counts.items() if count}
    if statuses <= {JobStatus.UNINITIALIZED, JobStatus.DISABLED}:
        return "uninitialized"
    if statuses & UNSETTLED:
        return "running"
    return "failed" if statuses - {JobStatus.COMPLETED, JobStatus.DISABLED} else "completed"


def counts_text(counts: dict[str, int]) -> str:
    """``3 completed, 1 running``, in the order of the statuses."""
    return ", ".join(f"{counts[status]} {status}" for status in JobStatus if counts.get(status)) or "none"


class StatusReport(WorkflowStatus, kw_only=True):
    """A workflow's status with what its jobs say."""

    status: str
    job_counts: dict[str, int]
    pending_actions: list[int]  # that somebody should carry out: a runner, or the next one
    failed_actions: list[int]


def as_ids(ids: list[int]) -> str:
    """``3, 4``; nothing for none."""
    return ", ".join(map(str, ids))


STATUS = (
    Column("Status ID", "id"),
    Column("Status", "status", is_status=True),
    Column("Jobs", "job_counts", counts_text),
    Column("Run ID", "run_id"),
    Column("Is Canceled", "is_canceled", as_yes_no),
    Column("Is Archived", "is_archived", as_yes_no),
    Column("Busy with", "busy"),
    Column("Pending actions", "pending_actions", as_ids),
    Column("Failed actions", "failed_actions", as_ids),
)


def report(status: WorkflowStatus, counts: dict[str, int], actions: Sequence[WorkflowAction]) -> StatusReport:
    """The status as it is shown. An action that every worker carries out is never pending for good."""
    fields = {name: getattr(status, name) for name in status.__struct_fields__}
    return StatusReport(
        **fields,
        status=summary(status.is_canceled, counts),
        job_counts=counts,
        pending_actions=[one.id for one in actions if one.id and one.state == "pending" and not one.persistent],
        failed_actions=[one.id for one in actions if one.id and _has_failed(one, status.run_id)],
    )


def _has_failed(action: WorkflowAction, run_id: int) -> bool:
    runs = action.runs or []
    return action.state == "failed" or any(run.state == "failed" for run in runs if run.run_id == run_id)
