"""``torc workflows create-slurm``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import argument, command, flag
from torc.cli.output import Message
from torc.cli.slurm.generate import PLANNING, checked
from torc.cli.specification import FILE, SKIP_CHECKS
from torc.cli.workflows.create import create as create_workflow
from torc.cli.workflows.create import report
from torc.models.draft import DraftDocument

if TYPE_CHECKING:
    from torc.client.api import Client


def _plan(arguments: dict[str, Any]) -> dict[str, Any] | Message:
    """A specification that is refused, or only to be checked, needs no server."""
    no_monitoring, is_trial = arguments.pop("no_resource_monitoring"), arguments.pop("dry_run")
    file: Path = arguments.pop("file")
    found = checked(file, force=False, **arguments)
    return report(found) if is_trial else {"no_resource_monitoring": no_monitoring, "document": found.usable()}


@command(
    "workflows create-slurm",
    FILE,
    *PLANNING,
    argument("-u", "--user", metavar="NAME", help="owner of the workflow (default: USER, unless the file says)"),
    flag("--dry-run", help="only plan and check, and tell what would be created; needs no server"),
    SKIP_CHECKS,
    flag("--no-resource-monitoring", help="do not measure what the jobs use"),
    prepare=_plan,
    examples=("torc workflows create-slurm sweep.yaml --account project7   # then: torc submit ID",),
)
def create_slurm(torc: "Client", document: DraftDocument, *, no_resource_monitoring: bool) -> Message:
    """Create a workflow from a specification without Slurm, with schedulers and actions for a cluster."""
    return create_workflow(torc, document, no_resource_monitoring=no_resource_monitoring)
