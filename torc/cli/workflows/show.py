"""``torc workflows list``, ``get`` and ``status``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WHOSE, WORKFLOW_ID, argument, command, flag
from torc.cli.output import Listing, Record
from torc.cli.pages import Pages
from torc.settings import user_name
from torc.views import workflows as views

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows list",
    argument("-u", "--user", metavar="NAME", help="workflows of this user (default: USER)"),
    flag("--all-users", help="workflows of everybody"),
    flag("--archived-only", help="only archived ones"),
    flag("--include-archived", help="archived ones too"),
    *PAGING,
    examples=("torc workflows list", "torc workflows list --all-users -f json"),
)
def list_workflows(
    torc: "Client",
    *,
    user: str | None,
    all_users: bool,
    archived_only: bool,
    include_archived: bool,
    limit: int,
    offset: int,
    **query: Any,
) -> Listing:
    """List workflows."""
    owner = None if all_users else user or user_name()
    query |= {"user": owner, "is_archived": None if include_archived else archived_only}
    workflows = Pages(
        lambda offset, rows: torc.workflows.page(limit=rows, offset=offset, **query), limit=limit, offset=offset
    )
    return Listing(
        key=None,
        records=workflows,
        total=workflows.total,
        columns=views.OF_ONE_USER if owner else views.OF_ALL_USERS,
        title=f"Workflows for user {owner}:" if owner else "Workflows for all users:",
        noun="workflows",
        empty=f"No workflows found for user: {owner}" if owner else "No workflows found for any user",
        as_document=views.as_document,
    )


@command("workflows get", WORKFLOW_ID, WHOSE, examples=("torc workflows get 5",))
def get(torc: "Client", workflow_id: int) -> Record:
    """Show one workflow."""
    return Record(
        title=f"Workflow ID {workflow_id}:",
        record=torc.workflows.get(workflow_id),
        columns=views.DETAILS,
        as_document=views.as_document,
    )


@command(
    "workflows status",
    WORKFLOW_ID,
    WHOSE,
    examples=("torc workflows status 5", "torc workflows status 5 -f json | jq -r .status"),
)
def status(torc: "Client", workflow_id: int) -> Record:
    """Show where a workflow stands."""
    found = torc.workflows.status(workflow_id)
    counts = torc.workflows.job_counts(workflow_id)
    actions = torc.workflows.actions(workflow_id)
    return Record(
        title=f"Workflow Status for ID {workflow_id}:",
        record=views.report(found, counts, actions),
        columns=views.STATUS,
    )
