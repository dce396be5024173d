"""``torc workflows cancel``."""

from typing import TYPE_CHECKING

from torc.cli.command import WORKFLOW_ID, command
from torc.cli.output import Message
from torc.errors import Conflict
from torc.models.status import UNSETTLED
from torc.views.workflows import summary

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows cancel",
    WORKFLOW_ID,
    examples=("torc workflows cancel 5", "torc workflows reinitialize 5   # to go on later"),
)
def cancel(torc: "Client", workflow_id: int) -> Message:
    """Stop a workflow: nothing more starts, and runners stop what runs."""
    status = torc.workflows.status(workflow_id)
    counts = torc.workflows.job_counts(workflow_id)
    if counts and not counts.keys() & UNSETTLED and not status.is_canceled:
        how = summary(False, counts)
        raise Conflict(f"workflow {workflow_id} is finished ({how}); there is nothing left to cancel.")
    if not status.is_canceled:
        torc.workflows.cancel(workflow_id)
        said = f"Successfully canceled workflow {workflow_id}"
    else:
        said = f"Workflow {workflow_id} was canceled before"
    return Message(
        says="",
        data={"status": "success", "workflow_id": workflow_id, "canceled_slurm_jobs": [], "errors": None},
        remark=said,
    )
