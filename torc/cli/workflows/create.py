"""``torc workflows create``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import argument, command, flag
from torc.cli.output import Message
from torc.cli.progress import show_sending
from torc.cli.specification import FILE, SKIP_CHECKS, document_of
from torc.errors import EXIT_ERROR
from torc.models.checked import Checked
from torc.models.draft import DraftDocument
from torc.settings import user_name
from torc.views import validation
from torc.workflow.create import create_workflow
from torc.workflow.read import check_spec

if TYPE_CHECKING:
    from torc.client.api import Client


def _read(arguments: dict[str, Any]) -> dict[str, Any] | Message:
    """A specification that is refused, or only to be checked, needs no server."""
    file, user, skip_checks = arguments.pop("file"), arguments.pop("user"), arguments.pop("skip_checks")
    if arguments.pop("dry_run"):
        return report(check_spec(file, user=user or user_name(), skip_checks=skip_checks))
    return {**arguments, "document": document_of(file, user=user, skip_checks=skip_checks)}


def report(checked: Checked) -> Message:
    """What would be created, and what is wrong."""
    text, verdict = validation.report(checked), validation.verdict(checked)
    return Message(
        says=text if checked.errors else f"{text}\n\n{verdict}",
        data=validation.as_document(checked),
        remark=verdict if checked.errors else None,
        exit_code=EXIT_ERROR if checked.errors else 0,
    )


@command(
    "workflows create",
    FILE,
    argument("-u", "--user", metavar="NAME", help="owner of the workflow (default: USER, unless the file says)"),
    flag("--dry-run", help="only check the file and tell what would be created; needs no server"),
    SKIP_CHECKS,
    flag("--no-resource-monitoring", help="do not measure what the jobs use"),
    prepare=_read,
    examples=(
        "torc workflows create sweep.yaml --dry-run   # only check it",
        "torc workflows create sweep.yaml             # then: torc run ID",
        "cat sweep.json | torc workflows create -",
    ),
)
def create(torc: "Client", document: DraftDocument, *, no_resource_monitoring: bool) -> Message:
    """Create a workflow from a specification file, all of it or nothing."""
    if no_resource_monitoring:
        document.workflow.resource_monitor_config = None
    workflow_id = create_workflow(torc, document, progress=show_sending)
    return Message(
        says=f"Created workflow {workflow_id}",
        data={
            "id": workflow_id,
            "workflow_id": workflow_id,
            "status": "success",
            "message": f"Workflow created successfully with ID: {workflow_id}",
        },
    )
