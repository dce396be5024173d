"""``torc files``."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, number
from torc.cli.output import Listing
from torc.cli.plain import Noun, declare_create, declare_delete, declare_get, declare_update
from torc.models.file import File
from torc.views import files as views

if TYPE_CHECKING:
    from torc.client.api import Client

FILES = Noun(word="files", one="file", many="files", key="files", table=views.TABLE, details=views.DETAILS)


@command(
    "files list",
    WORKFLOW_ID,
    argument("--produced-by-job-id", metavar="ID", type=number(1), help="only files that this job writes"),
    *PAGING,
    examples=(
        "torc files list 5",
        "torc files list 5 --produced-by-job-id 12",
        "torc -f json files list 5 | jq .files",
    ),
)
def list_files(torc: "Client", workflow_id: int, *, produced_by_job_id: int | None, **paging: Any) -> Listing:
    """List the files of a workflow."""
    of_jobs = (produced_by_job_id,)
    pages = FILES.pages(torc, workflow_id, of_jobs=of_jobs, produced_by_job_id=produced_by_job_id, **paging)
    return FILES.listing(workflow_id, pages)


@command(
    "files list-required-existing",
    WORKFLOW_ID,
    examples=("torc files list-required-existing 5", "torc -f json files list-required-existing 5   # the IDs only"),
)
def list_required_existing(torc: "Client", workflow_id: int) -> Listing:
    """List the files that have to be on disk before a workflow can start.

    They are what jobs read and no job writes, and what was written by jobs that have completed.
    """
    ids = torc.workflows.required_existing_files(workflow_id)
    return Listing(
        key="files",
        records=FILES.among(torc, workflow_id, ids),
        columns=views.REQUIRED,
        title=f"Files that workflow ID {workflow_id} needs on disk:",
        noun="files",
        empty=f"No missing required files found for workflow ID: {workflow_id}",
        as_document=attrgetter("id"),
    )


declare_get(FILES, "Show a file.", examples=("torc files get 3",))
declare_create(
    FILES,
    "Add a file to a workflow.\n\nNothing is looked for on disk. Jobs name files by ID when they are created.",
    File,
    argument("-n", "--name", metavar="NAME", required=True, help="what jobs and people call it"),
    argument("-p", "--path", metavar="PATH", required=True, help="where it is, as seen from the jobs"),
    examples=("torc files create 5 --name input --path data/input.txt",),
)
declare_update(
    FILES,
    "Change the name or the path of a file.",
    argument("-n", "--name", metavar="NAME", help="a new name"),
    argument("-p", "--path", metavar="PATH", help="a new path"),
    examples=("torc files update 3 --path data/other.txt",),
)
declare_delete(
    FILES,
    "Delete a file from its workflow.\n\nWhat is on disk stays. No job reads or writes it any more.",
    examples=("torc files delete 3",),
)
