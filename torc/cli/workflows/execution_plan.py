"""``torc workflows execution-plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import argument, command
from torc.cli.output import CONTROL, Message
from torc.cli.specification import SKIP_CHECKS, document_of, spec_or_id
from torc.models.draft import DraftDocument

if TYPE_CHECKING:
    from torc.client.api import Client


def _plan_file(arguments: dict[str, Any]) -> dict[str, Any] | Message:
    """A specification is planned without a server."""
    named = spec_or_id(arguments["spec_or_id"])
    if not isinstance(named, Path):
        return {"workflow_id": named}
    return _shown(document_of(named, user=None, skip_checks=arguments["skip_checks"]))


@command(
    "workflows execution-plan",
    argument("spec_or_id", metavar="SPEC_OR_ID", help="a workflow specification, or the ID or name of a workflow"),
    SKIP_CHECKS,
    prepare=_plan_file,
    examples=("torc workflows execution-plan sweep.yaml", "torc workflows execution-plan 5"),
)
def execution_plan(torc: "Client", workflow_id: int) -> Message:
    """Show in which stages the jobs of a workflow become ready, and when nodes are requested.

    A specification needs no server.
    """
    return _shown(torc.workflows.export(workflow_id), workflow_id)


def _shown(document: DraftDocument, workflow_id: int | None = None) -> Message:
    from torc.views import plan as views  # not for --help
    from torc.workflow.plan import make_plan

    plan = make_plan(document, workflow_id)
    return Message(says=views.text(plan).translate(CONTROL), data=plan)
