"""``torc submit``: hand a workflow to Slurm."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli import begin
from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS
from torc.cli.command import argument, command, flag
from torc.cli.output import Message, tell
from torc.cli.progress import show_sending
from torc.cli.slurm.asking import OUTPUT, wishes
from torc.cli.specification import SKIP_CHECKS, document_of, spec_or_id
from torc.errors import Conflict, TorcError, UsageError
from torc.models.draft import DraftDocument
from torc.workflow.create import create_workflow

if TYPE_CHECKING:
    from torc.client.api import Client

IGNORE = flag("-i", "--ignore-missing-data", "--force", help="go on without input files that are missing")


def _resolve(arguments: dict[str, Any]) -> dict[str, Any]:
    named, skip_checks = spec_or_id(arguments.pop("spec_or_id")), arguments.pop("skip_checks")
    if isinstance(named, Path):
        document = document_of(named, user=None, skip_checks=skip_checks)
        return {**arguments, "document": document, "workflow_id": None}
    return {**arguments, "document": None, "workflow_id": named}


@command(
    "submit",
    argument("spec_or_id", metavar="SPEC_OR_ID", help="a workflow specification, or the ID or name of a workflow"),
    OUTPUT,
    IGNORE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    SKIP_CHECKS,
    examples=("torc submit pipeline.yaml", "torc submit 5"),
    prepare=_resolve,
)
def submit(
    torc: "Client",
    *,
    document: DraftDocument | None,
    workflow_id: int | None,
    output: Path,
    ignore_missing_data: bool,
    delete_outputs: bool,
    no_prompts: bool,
) -> Message:
    """Have a workflow run by Slurm.

    Asks for the nodes that the workflow wants when it starts (actions ``on_workflow_start`` with ``schedule_nodes``). A
    specification is created first, and what has not begun is initialized.
    """
    choices = {"force": ignore_missing_data, "delete_outputs": delete_outputs, "no_prompts": no_prompts}
    if document is not None:
        return submit_document(torc, document, output, choices)
    assert workflow_id is not None
    submit_stored(torc, workflow_id, output, choices)
    return submitted(workflow_id, says=f"Successfully submitted workflow {workflow_id}")


def submit_document(torc: "Client", document: DraftDocument, output: Path, choices: dict[str, Any]) -> Message:
    """Create a workflow and submit it. One that cannot be submitted is not kept."""
    if not any(
        one.trigger_type == "on_workflow_start" and one.action_type == "schedule_nodes" for one in document.actions
    ):
        raise UsageError(
            "Cannot submit workflow: the specification has no action that asks for nodes at the start "
            "(on_workflow_start with schedule_nodes). `torc submit-slurm` makes such actions; `torc run` runs it here."
        )
    workflow_id = create_workflow(torc, document, progress=show_sending)
    try:
        submit_stored(torc, workflow_id, output, choices)
    except BaseException:
        if not list(torc.scheduled_compute_nodes.list(workflow_id, limit=1)):
            with contextlib.suppress(TorcError):
                torc.workflows.delete(workflow_id)
        raise
    says = f"Created workflow {workflow_id}\nSuccessfully submitted workflow {workflow_id}"
    return submitted(workflow_id, says=says)


def submit_stored(torc: "Client", workflow_id: int, output: Path, choices: dict[str, Any]) -> None:
    """Initialize a workflow that has not begun, and ask for its nodes."""
    from torc.workflow.submit import prepare, submit_workflow

    torc.workflows.get(workflow_id)
    status = torc.workflows.status(workflow_id)
    if status.is_archived or status.is_canceled:
        state = "archived" if status.is_archived else "canceled"
        raise Conflict(f"workflow {workflow_id} is {state}, so no job of it would start.")
    submission = prepare(torc, workflow_id, wishes(torc, output_dir=output))
    if torc.workflows.is_uninitialized(workflow_id):
        begin.initialize(torc, workflow_id, user=None, **choices)
    elif torc.workflows.is_complete(workflow_id).is_complete:
        raise Conflict(
            f"workflow {workflow_id} is complete; to run again what failed or changed, first: "
            f"torc workflows reinitialize {workflow_id}"
        )
    for one in submit_workflow(torc, submission, tell):
        tell(f"Submitted batch job {one.scheduler_id} ({one.name})")


def submitted(workflow_id: int, *, says: str) -> Message:
    """What a submission answers."""
    message = f"Successfully submitted workflow {workflow_id}"
    return Message(says=says, data={"status": "success", "message": message, "workflow_id": workflow_id})
