"""``torc workflows run``."""

from typing import TYPE_CHECKING, Any

from torc import settings
from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS, FORCE
from torc.cli.command import WORKFLOW_ID, command
from torc.cli.output import Message
from torc.cli.run import EXIT_CODES
from torc.cli.run import run as run_workflow

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows run",
    WORKFLOW_ID,
    *settings.RUN,
    FORCE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    examples=("torc workflows run 5 --max-parallel-jobs 4",),
    exit_codes=EXIT_CODES,
)
def run(torc: "Client", workflow_id: int, **choices: Any) -> Message:
    """Run a workflow on this machine, as ``torc run`` does."""
    return run_workflow(torc, document=None, workflow_id=workflow_id, **choices)
