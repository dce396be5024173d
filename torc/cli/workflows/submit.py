"""``torc workflows submit``."""

from pathlib import Path
from typing import TYPE_CHECKING

from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS
from torc.cli.command import WORKFLOW_ID, command
from torc.cli.output import Message
from torc.cli.slurm.asking import OUTPUT
from torc.cli.submit import IGNORE, submit_stored, submitted

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows submit",
    WORKFLOW_ID,
    OUTPUT,
    IGNORE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    examples=("torc workflows submit 5",),
)
def submit(
    torc: "Client",
    workflow_id: int,
    *,
    output: Path,
    ignore_missing_data: bool,
    delete_outputs: bool,
    no_prompts: bool,
) -> Message:
    """Ask Slurm for the nodes that a workflow wants at its start, as ``torc submit`` does."""
    choices = {"force": ignore_missing_data, "delete_outputs": delete_outputs, "no_prompts": no_prompts}
    submit_stored(torc, workflow_id, output, choices)
    return submitted(workflow_id, says=f"Successfully submitted workflow:\n  Workflow ID: {workflow_id}")
