"""``torc submit-slurm``: from a specification without Slurm to jobs in the queue, in one step."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS
from torc.cli.command import command
from torc.cli.output import Message
from torc.cli.slurm.asking import OUTPUT
from torc.cli.slurm.generate import PLANNING, checked
from torc.cli.specification import FILE, SKIP_CHECKS
from torc.cli.submit import IGNORE, submit_document
from torc.models.draft import DraftDocument

if TYPE_CHECKING:
    from torc.client.api import Client

OF_SUBMISSION = ("output", "ignore_missing_data", "delete_outputs", "no_prompts")


def _plan(arguments: dict[str, Any]) -> dict[str, Any]:
    kept = {name: arguments.pop(name) for name in OF_SUBMISSION}
    file: Path = arguments.pop("file")
    return {**kept, "document": checked(file, user=None, force=True, **arguments).usable()}


@command(
    "submit-slurm",
    FILE,
    *PLANNING,
    OUTPUT,
    IGNORE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    SKIP_CHECKS,
    prepare=_plan,
    examples=(
        "torc submit-slurm sweep.yaml --account project7",
        "torc slurm generate sweep.yaml --account project7   # only look at what would be asked for",
    ),
)
def submit_slurm(
    torc: "Client",
    document: DraftDocument,
    *,
    output: Path,
    ignore_missing_data: bool,
    delete_outputs: bool,
    no_prompts: bool,
) -> Message:
    """Plan the allocations of a specification, create the workflow and submit it.

    Schedulers that the specification has are replaced. ``torc slurm generate`` shows the plan.
    """
    choices = {"force": ignore_missing_data, "delete_outputs": delete_outputs, "no_prompts": no_prompts}
    return submit_document(torc, document, output, choices)
