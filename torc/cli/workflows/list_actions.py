"""``torc workflows list-actions``."""

from typing import TYPE_CHECKING

from torc.cli.command import WHOSE, WORKFLOW_ID, command
from torc.cli.output import CONTROL, Listing, Message
from torc.views import actions as views

if TYPE_CHECKING:
    from torc.client.api import Client


@command("workflows list-actions", WORKFLOW_ID, WHOSE, examples=("torc workflows list-actions 5",))
def list_actions(torc: "Client", workflow_id: int) -> Message:
    """List the actions of a workflow, how far they are, and what those that failed said last."""
    actions = torc.workflows.actions(workflow_id)
    listing = Listing(
        key="actions",
        records=actions,
        columns=views.TABLE,
        title=f"Workflow Actions for workflow {workflow_id}:\n",
        noun="actions",
        empty=f"No workflow actions found for workflow {workflow_id}",
    )
    paragraphs = [listing.text()]
    if actions:
        failures = [paragraph.translate(CONTROL) for action in actions for paragraph in views.failures(action)]
        paragraphs += [*failures, views.LEGEND]
    return Message(says="\n\n".join(paragraphs), data=listing.document())
