"""``torc workflows initialize``."""

from typing import TYPE_CHECKING, Any

from torc.cli import begin
from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS, FORCE
from torc.cli.command import WORKFLOW_ID, argument, command, flag
from torc.cli.output import CONTROL, Message
from torc.errors import EXIT_ERROR, Conflict
from torc.models.file import File
from torc.workflow.initialize import find_files

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows initialize",
    WORKFLOW_ID,
    FORCE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    flag("--dry-run", help="only tell which inputs are missing and which outputs are there already"),
    argument("-u", "--user", metavar="NAME", help="who does it, for the workflow's history (default: USER)"),
    aliases=("initialize-jobs",),
    examples=(
        "torc workflows initialize 5 --dry-run   # which inputs are missing, which outputs are there",
        "torc workflows initialize 5             # then: torc run 5",
    ),
)
def initialize(torc: "Client", workflow_id: int, *, dry_run: bool, **choices: Any) -> Message:
    """Start a new run: every job begins again, those without dependencies are ready."""
    if dry_run:
        return _check(torc, workflow_id)
    begin.initialize(torc, workflow_id, **choices)
    return Message(
        says=f"Successfully started workflow:\n  Workflow ID: {workflow_id}",
        data={
            "status": "success",
            "message": f"Successfully started workflow {workflow_id}",
            "workflow_id": workflow_id,
        },
    )


@command("workflows start", WORKFLOW_ID, FORCE, DELETE_OUTPUTS, NO_PROMPTS, hidden=True)
def start(torc: "Client", workflow_id: int, **choices: Any) -> Message:
    """Start a workflow that has not begun yet."""
    if not torc.workflows.is_uninitialized(workflow_id):
        raise Conflict(
            f"workflow {workflow_id} has begun before; a new run begins with: torc workflows reinitialize {workflow_id}"
        )
    return initialize(torc, workflow_id, dry_run=False, user=None, **choices)


def _check(torc: "Client", workflow_id: int) -> Message:
    torc.workflows.get(workflow_id)  # lists of a workflow that does not exist are empty
    found = find_files(torc, workflow_id)
    missing, existing = found.missing_inputs, found.existing_outputs
    lines = [f"Initialization check for workflow {workflow_id}:", *describe_files(missing, existing)]
    cannot = "Cannot initialize: missing required input files"
    lines.append(cannot if missing else "Safe to initialize (no missing input files)")
    return Message(
        says="\n".join(lines).translate(CONTROL),
        data={"workflow_id": workflow_id, "safe": not missing, **document_files(missing, existing)},
        exit_code=EXIT_ERROR if missing else 0,
    )


def describe_files(missing: list[File], existing: list[File]) -> list[str]:
    """Lines about input files that are not there, and outputs that are."""
    lines: list[str] = []
    for files, words in (
        (missing, "Missing {} required input file(s):"),
        (existing, "Found {} existing output file(s):"),
    ):
        if files:
            lines += [words.format(len(files)), *(f"  {file.path}" for file in files)]
    return lines


def document_files(missing: list[File], existing: list[File]) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "missing_input_files": [file.path for file in missing],
        "missing_input_file_count": len(missing),
        "existing_output_files": [file.path for file in existing],
        "existing_output_file_count": len(existing),
    }
