"""``torc actions``."""

from typing import TYPE_CHECKING

from torc.cli.command import argument, command, number
from torc.cli.output import Message

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "actions rerun",
    argument("action_id", metavar="ID", type=number(1), help="see `torc workflows list-actions`"),
    examples=("torc actions rerun 3", "torc workflows list-actions 12   # finds the ID"),
)
def rerun(torc: "Client", action_id: int) -> Message:
    """Let an action that has ended, well or not, be carried out again by the next runner."""
    action = torc.rerun_action(action_id)
    return Message(
        says=f"Action {action_id} of workflow {action.workflow_id} is pending again.",
        data=action,
        remark=f"A runner that is at work carries it out; if there is none: torc run {action.workflow_id}",
    )
