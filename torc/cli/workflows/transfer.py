"""``torc workflows export`` and ``import``."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from torc.cli.command import WORKFLOW_ID, argument, command, flag
from torc.cli.output import Document, Message
from torc.cli.progress import download, show_sending
from torc.errors import UsageError
from torc.models.draft import DraftDocument
from torc.settings import user_name
from torc.workflow.create import create_workflow

if TYPE_CHECKING:
    from torc.client.api import Client

STDOUT = Path("-")


def _check_target(arguments: dict[str, Any]) -> dict[str, Any]:
    """A file that is not to be written over needs no server."""
    from torc.workflow.transfer import refuse_overwriting  # not for --help

    target, force = arguments["output"], arguments.pop("force")
    if not force:
        refuse_overwriting(target)
    return arguments


@command(
    "workflows export",
    WORKFLOW_ID,
    argument("-o", "--output", metavar="FILE", type=Path, default=STDOUT, help="where to (default: -, stdout)"),
    flag("--include-results", help="with what has run and how it ended; the import then goes on from there"),
    flag("--include-events", help="with what happened"),
    flag("--force", help="write over FILE if it is there already"),
    prepare=_check_target,
    examples=(
        "torc workflows export 5 -o sweep.json",
        "torc workflows export 5 --include-results | gzip > sweep.json.gz",
    ),
)
def export(torc: "Client", workflow_id: int, *, output: Path, include_results: bool, include_events: bool) -> Any:
    """Write a workflow as one JSON document, to be kept or imported elsewhere.

    Without options the document is the definition: imported, it is a workflow that has not begun.
    """
    from torc.workflow.transfer import save

    fill = partial(
        torc.workflows.export_to, workflow_id, include_results=include_results, include_events=include_events
    )

    def write(out: BinaryIO) -> None:
        download(fill, out, f"Exporting workflow {workflow_id}")

    if output == STDOUT:
        content = tempfile.TemporaryFile()  # a reader who is slow is none of the server's business
        write(content)
        content.seek(0)
        return Document(content=content)
    save(output, write)
    count = f"{sum(torc.workflows.job_counts(workflow_id).values())} jobs"
    if include_results:
        count += f", {torc.results.page(workflow_id, limit=0, all_runs=True).total_count} results"
    message = f"Exported workflow {workflow_id} ({count}) to {output}"
    return Message(
        says="",
        data={"workflow_id": workflow_id, "status": "success", "message": message, "file": str(output)},
        remark=message,
    )


def _read(arguments: dict[str, Any]) -> dict[str, Any]:
    """A document that is refused needs no server."""
    from torc.workflow.read import content_of  # not for --help
    from torc.workflow.transfer import read_export

    file, name = arguments.pop("file"), arguments.pop("name")
    skip = {key: arguments.pop(key) for key in ("skip_results", "skip_events")}
    document = read_export(content_of(file), "stdin" if file == STDOUT else str(file), **skip)
    if name == "":
        raise UsageError("--name needs a name.")
    document.workflow.name = name or document.workflow.name
    document.workflow.user = arguments["user"] or document.workflow.user
    return {**arguments, "document": document}


@command(
    "workflows import",
    argument("file", metavar="FILE", type=Path, help="what `torc workflows export` wrote; - is stdin"),
    argument("--name", metavar="NAME", help="call the workflow so (default: as in the document)"),
    argument("-u", "--user", metavar="NAME", help="owner of the workflow (default: as in the document)"),
    flag("--skip-results", help="begin anew, although the document tells what has run"),
    flag("--skip-events", help="leave out what happened"),
    prepare=_read,
    examples=("torc workflows import sweep.json", "zcat sweep.json.gz | torc workflows import -"),
)
def import_workflow(torc: "Client", document: DraftDocument, *, user: str | None) -> Message:
    """Create a workflow from an export, all of it or nothing."""
    workflow_id = create_workflow(torc, document, progress=show_sending)
    message = f"Imported workflow {workflow_id}"
    owner = document.workflow.user
    return Message(
        says=message,
        data={"id": workflow_id, "workflow_id": workflow_id, "status": "success", "message": message},
        remark=None if user or owner == user_name() else f"It belongs to {owner}, as the document says; see --user.",
    )
