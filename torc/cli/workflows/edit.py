"""``torc workflows new`` and ``update``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command
from torc.cli.output import Record
from torc.errors import UsageError
from torc.models.workflow import Workflow
from torc.settings import user_name
from torc.views import workflows as views

if TYPE_CHECKING:
    from torc.client.api import Client

NAME = ("-n", "--name")
DESCRIPTION = argument("-d", "--description", metavar="TEXT", help="what it is for")


@command(
    "workflows new",
    argument(*NAME, metavar="NAME", required=True, help="what to call it"),
    DESCRIPTION,
    argument("-u", "--user", metavar="NAME", help="owner of the workflow (default: USER)"),
    examples=("torc workflows new --name sweep   # then: torc jobs create ID ...",),
)
def new(torc: "Client", *, name: str, description: str | None, user: str | None) -> Record:
    """Create a workflow without jobs, to which jobs are added one by one."""
    workflow = Workflow(name=name, user=user or user_name(), description=description)
    return _shown("Successfully created workflow:", torc.workflows.create(workflow))


def _changes_of(arguments: dict[str, Any]) -> dict[str, Any]:
    workflow_id = arguments.pop("workflow_id")
    arguments["user"] = arguments.pop("owner_user")
    changes = {field: value for field, value in arguments.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change; give --name, --description or --owner-user.")
    return {"workflow_id": workflow_id, "changes": changes}


@command(
    "workflows update",
    WORKFLOW_ID,
    argument(*NAME, metavar="NAME", help="a new name"),
    DESCRIPTION,
    argument("--owner-user", metavar="NAME", help="a new owner"),
    prepare=_changes_of,
    examples=('torc workflows update 5 --description "second attempt"',),
)
def update(torc: "Client", workflow_id: int, *, changes: dict[str, Any]) -> Record:
    """Change the name, the description or the owner of a workflow."""
    return _shown("Successfully updated workflow:", torc.workflows.change(workflow_id, changes))


def _shown(title: str, workflow: Workflow) -> Record:
    return Record(title=title, record=workflow, columns=views.SUMMARY, as_document=views.as_document)
