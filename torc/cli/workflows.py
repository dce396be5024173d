"""``torc workflows``."""

from typing import TYPE_CHECKING, Any

import torc.cli.execution_plan  # its command is one of these
import torc.cli.spec_schema
import torc.cli.transfer  # noqa: F401  # and so are these
from torc.cli import ask
from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Message, Record
from torc.cli.progress import show_sending
from torc.cli.specification import FILE, SKIP_CHECKS, document_of
from torc.errors import EXIT_ERROR, TorcError
from torc.models.checked import Checked
from torc.models.draft import DraftDocument
from torc.models.workflow import Workflow
from torc.settings import user_name
from torc.views import validation
from torc.views import workflows as views
from torc.workflow.create import create_workflow
from torc.workflow.delete import check_owner
from torc.workflow.initialize import find_files
from torc.workflow.read import check_spec

if TYPE_CHECKING:
    from torc.client.api import Client

FORCE = flag("--force", help="go on without input files that are missing")
DELETE_OUTPUTS = flag("--delete-outputs", help="first delete the output files that are there already")
NO_PROMPTS = flag("--no-prompts", help="never ask anything")


def _read(arguments: dict[str, Any]) -> dict[str, Any] | Message:
    """A specification that is refused, or only to be checked, needs no server."""
    file, user, skip_checks = arguments.pop("file"), arguments.pop("user"), arguments.pop("skip_checks")
    if arguments.pop("dry_run"):
        return _report(check_spec(file, user=user or user_name(), skip_checks=skip_checks))
    return {**arguments, "document": document_of(file, user=user, skip_checks=skip_checks)}


def _report(checked: Checked) -> Message:
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


@command(
    "workflows list",
    argument("-u", "--user", metavar="NAME", help="workflows of this user (default: USER)"),
    flag("--all-users", help="workflows of everybody"),
    flag("--archived-only", help="only archived ones"),
    flag("--include-archived", help="archived ones too"),
    *PAGING,
)
def list_workflows(
    torc: "Client", *, user: str | None, all_users: bool, archived_only: bool, include_archived: bool, **query: Any
) -> Listing:
    """List workflows."""
    owner = None if all_users else user or user_name()
    return Listing(
        key=None,
        records=torc.workflows.list(user=owner, is_archived=None if include_archived else archived_only, **query),
        columns=views.OF_ONE_USER if owner else views.OF_ALL_USERS,
        title=f"Workflows for user {owner}:" if owner else "Workflows for all users:",
        noun="workflows",
        empty=f"No workflows found for user: {owner}" if owner else "No workflows found for any user",
        as_document=views.as_document,
    )


@command("workflows get", WORKFLOW_ID)
def get(torc: "Client", workflow_id: int) -> Record:
    """Show one workflow."""
    return Record(
        title=f"Workflow ID {workflow_id}:",
        record=torc.workflows.get(workflow_id),
        columns=views.DETAILS,
        as_document=views.as_document,
    )


@command("workflows status", WORKFLOW_ID)
def status(torc: "Client", workflow_id: int) -> Record:
    """Show where a workflow stands."""
    found = torc.workflows.status(workflow_id)
    counts = torc.workflows.job_counts(workflow_id)
    return Record(
        title=f"Workflow Status for ID {workflow_id}:",
        record=views.report(found, counts),
        columns=views.STATUS,
    )


@command(
    "workflows initialize",
    WORKFLOW_ID,
    FORCE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    flag("--dry-run", help="only tell which inputs are missing and which outputs are there already"),
    argument("-u", "--user", metavar="NAME", help="who does it, for the workflow's history (default: USER)"),
    aliases=("initialize-jobs",),
)
def initialize(torc: "Client", workflow_id: int, *, dry_run: bool, **choices: Any) -> Message:
    """Start a new run: every job begins again, those without dependencies are ready."""
    if dry_run:
        return _check(torc, workflow_id)
    ask.initialize(torc, workflow_id, **choices)
    return Message(
        says=f"Successfully started workflow:\n  Workflow ID: {workflow_id}",
        data={
            "status": "success",
            "message": f"Successfully started workflow {workflow_id}",
            "workflow_id": workflow_id,
        },
    )


def _check(torc: "Client", workflow_id: int) -> Message:
    torc.workflows.get(workflow_id)  # lists of a workflow that does not exist are empty
    found = find_files(torc, workflow_id)
    missing = [file.path for file in found.missing_inputs]
    existing = [file.path for file in found.existing_outputs]
    lines = [f"Initialization check for workflow {workflow_id}:"]
    for paths, words in (
        (missing, "Missing {} required input file(s):"),
        (existing, "Found {} existing output file(s):"),
    ):
        if paths:
            lines += [words.format(len(paths)), *(f"  {path}" for path in paths)]
    cannot = "Cannot initialize: missing required input files"
    lines.append(cannot if missing else "Safe to initialize (no missing input files)")
    return Message(
        says="\n".join(lines),
        data={
            "workflow_id": workflow_id,
            "safe": not missing,
            "missing_input_files": missing,
            "missing_input_file_count": len(missing),
            "existing_output_files": existing,
            "existing_output_file_count": len(existing),
        },
        exit_code=EXIT_ERROR if missing else 0,
    )


@command(
    "workflows delete",
    argument("workflow_ids", metavar="ID", nargs="+", type=number(1), help="see `torc workflows list`"),
    NO_PROMPTS,
    flag("--force", help="workflows of other users too"),
)
def delete(torc: "Client", workflow_ids: list[int], *, no_prompts: bool, force: bool) -> Message:
    """Delete workflows with everything in them."""
    deleted: list[Workflow] = []
    refused: list[str] = []
    declined: list[str] = []
    for workflow_id in dict.fromkeys(workflow_ids):
        try:
            workflow = torc.workflows.get(workflow_id)
            if not force:
                check_owner(workflow, user=user_name())
            if not no_prompts and not _may_delete(torc, workflow_id, workflow):
                declined.append(f"Deletion cancelled for workflow {workflow_id}.")
                continue
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


def _may_delete(torc: "Client", workflow_id: int, workflow: Workflow) -> bool:
    if not ask.can_ask():
        raise TorcError("nobody can be asked whether it may be deleted; say so with --no-prompts.")
    jobs = sum(torc.workflows.job_counts(workflow_id).values())
    return ask.confirm(
        f"Workflow {workflow_id} ({workflow.name}) has {jobs} jobs. "
        "Are you sure you want to delete this workflow? (y/N):"
    )
