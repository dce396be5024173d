"""``torc workflows delete``."""

from typing import TYPE_CHECKING

from torc.cli import ask
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import WORKFLOW_IDS, command, flag
from torc.cli.output import Message
from torc.cli.progress import patience
from torc.errors import EXIT_ERROR, TorcError
from torc.models.workflow import Workflow
from torc.settings import user_name
from torc.views import workflows as views
from torc.workflow.delete import check_owner

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows delete",
    WORKFLOW_IDS,
    NO_PROMPTS,
    flag("--force", help="workflows of other users too"),
    examples=("torc workflows delete 5", "torc workflows delete 5 6 --no-prompts   # in a script"),
)
def delete(torc: "Client", workflow_ids: list[int], *, no_prompts: bool, force: bool) -> Message:
    """Delete workflows with everything in them."""
    deleted: list[Workflow] = []
    refused: list[str] = []
    declined: list[str] = []
    for workflow_id in workflow_ids:
        try:
            workflow = torc.workflows.get(workflow_id)
            if not force:
                check_owner(workflow, user=user_name())
            if not _may_delete(torc, workflow, no_prompts=no_prompts):
                declined.append(f"Deletion cancelled for workflow {workflow_id}.")
                continue
            with patience(f"Deleting workflow {workflow_id}".format):
                deleted.append(torc.workflows.delete(workflow_id))
        except TorcError as error:
            refused.append(f"  - ID {workflow_id}: {error.message}")
    lines = [f"Successfully deleted {len(deleted)} workflow(s):"] if deleted else []
    lines += [f"  - ID: {one.id}, Name: {one.name}, User: {one.user}" for one in deleted]
    if refused:
        refused.insert(0, f"Failed to delete {len(refused)} workflow(s):")
    return Message(
        says="\n".join(lines),
        data=[views.as_document(one) for one in deleted],
        remark="\n".join(declined + refused),
        exit_code=EXIT_ERROR if refused else 0,
    )


def _may_delete(torc: "Client", workflow: Workflow, *, no_prompts: bool) -> bool:
    if no_prompts:
        return True
    assert workflow.id is not None  # the server has sent it
    jobs = sum(torc.workflows.job_counts(workflow.id).values())
    return ask.consent(
        f"Workflow {workflow.id} ({workflow.name}) has {jobs} jobs. Are you sure you want to delete this workflow?",
        no_prompts=False,
    )
