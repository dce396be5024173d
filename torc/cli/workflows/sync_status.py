"""``torc workflows sync-status``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, command
from torc.cli.output import Message

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.workflow.reconcile import Change


@command(
    "workflows sync-status",
    WORKFLOW_ID,
    examples=("torc workflows sync-status 5   # after an allocation was killed and its jobs still seem to run",),
)
def sync_status(torc: "Client", workflow_id: int) -> Message:
    """Correct what is recorded of the Slurm allocations of a workflow.

    Jobs of an allocation that has ended are given back. Runners and ``torc watch`` do this once a minute by themselves.
    """
    from torc.workflow.reconcile import reconcile

    torc.workflows.get(workflow_id)
    changes = reconcile(torc, [workflow_id])
    lines = [_line(one) for one in changes] or [
        f"Nothing to correct: all allocations of workflow {workflow_id} are known."
    ]
    document = {"status": "success", "workflow_id": workflow_id, "changes": [_as_document(one) for one in changes]}
    return Message(says="\n".join(lines), data=document)


def _line(change: "Change") -> str:
    now = change.record
    why = f" ({now.reason})" if now.reason else ""
    freed = "".join(f"; compute node {node.id} is gone" for node in change.released)
    return f"Allocation {now.scheduler_id or now.name}: {change.before} -> {now.status}{why}{freed}"


def _as_document(change: "Change") -> dict[str, Any]:
    now = change.record
    return {
        "id": now.id,
        "slurm_job_id": now.scheduler_id,
        "before": change.before,
        "status": now.status,
        "reason": now.reason,
        "released_compute_nodes": [node.id for node in change.released],
    }
