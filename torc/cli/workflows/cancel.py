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
    given_back, problems = _cancel_allocations(torc, workflow_id)
    lines = [f"  Canceled Slurm job: {job_id}" for job_id in given_back]
    lines += [f"Canceled {len(given_back)} Slurm job(s)"] if given_back else []
    return Message(
        says="\n".join(lines),
        data={
            "status": "partial_success" if problems else "success",
            "workflow_id": workflow_id,
            "canceled_slurm_jobs": [str(job_id) for job_id in given_back],
            "errors": problems or None,
        },
        remark="\n".join([said, *(f"Warning: {problem}" for problem in problems)]),
    )


def _cancel_allocations(torc: "Client", workflow_id: int) -> tuple[list[int], list[str]]:
    """Give back what waits or runs; the numbers of those jobs, and a sentence for each that could not be."""
    from torc.workflow.allocations import cancel, live_allocations

    live = live_allocations(torc, workflow_id)
    problems = cancel(torc, live, "the workflow was canceled") if live else []
    still = {one.id for one in live_allocations(torc, workflow_id)} if live else set()
    return [one.scheduler_id for one in live if one.id not in still and one.scheduler_id], problems
