"""``torc user-data``."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from torc.cli import ask
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Message, Record
from torc.cli.plain import Noun, data_of, declare_delete, declare_get
from torc.errors import UsageError
from torc.models.user_data import UserData
from torc.views import user_data as views

if TYPE_CHECKING:
    from torc.client.api import Client

USER_DATA = Noun(
    word="user-data",
    one="user data",
    many="user data",
    key="user_data",
    table=views.TABLE,
    details=views.DETAILS,
    as_document=views.as_document,
)
RECORDS = "user data records"
USER_DATA_ID = argument("user_data_id", metavar="ID", type=number(1), help="see `torc user-data list`")
NAME = ("-n", "--name")
CONSUMER = argument("--consumer-job-id", metavar="ID", type=number(1), help="what this job reads")
PRODUCER = argument("--producer-job-id", metavar="ID", type=number(1), help="what this job writes")

UPDATE_EXAMPLES = (
    "torc user-data update 7 --data '{\"rate\": 0.5}'",
    'torc user-data update 7 --data "$(cat settings.json)"',
    "torc user-data update 7 --data null   # empties it",
)


def _yes_or_no(*names: str, help: str) -> Any:
    """An option that is true, false or not given."""
    return argument(*names, metavar="BOOL", choices=("true", "false"), help=f"true or false: {help}")


def _truth(word: str | None) -> bool | None:
    return None if word is None else word == "true"


@command(
    "user-data list",
    WORKFLOW_ID,
    argument(*NAME, metavar="TEXT", help="only those with this in their name"),
    _yes_or_no("--is-ephemeral", help="only those that are cleared between runs, or only the others"),
    CONSUMER,
    PRODUCER,
    *PAGING,
    examples=(
        "torc user-data list 5 --name settings",
        "torc -f json user-data list 5 | jq '.user_data[] | {name, data}'",
    ),
)
def list_user_data(
    torc: "Client",
    workflow_id: int,
    *,
    is_ephemeral: str | None,
    consumer_job_id: int | None,
    producer_job_id: int | None,
    **query: Any,
) -> Listing:
    """List the user data of a workflow."""
    query |= {"consumer_job_id": consumer_job_id, "producer_job_id": producer_job_id}
    query |= {"is_ephemeral": _truth(is_ephemeral), "of_jobs": (consumer_job_id, producer_job_id)}
    return USER_DATA.listing(workflow_id, USER_DATA.pages(torc, workflow_id, **query), noun=RECORDS)


@command(
    "user-data list-missing",
    WORKFLOW_ID,
    examples=("torc user-data list-missing 5", "torc -f json user-data list-missing 5   # the IDs only"),
)
def list_missing(torc: "Client", workflow_id: int) -> Listing:
    """List the user data that jobs read, nobody writes and that has no value."""
    return Listing(
        key="user_data",
        records=USER_DATA.among(torc, workflow_id, torc.workflows.missing_user_data(workflow_id)),
        columns=views.TABLE[:2],
        title=f"Missing user data for workflow ID {workflow_id}:",
        noun=RECORDS,
        empty=f"No missing user data for workflow ID: {workflow_id}",
        as_document=attrgetter("id"),
    )


declare_get(
    USER_DATA,
    "Show user data.\n\nInto a pipe or a file it prints JSON unless --format says otherwise.",
    json_in_pipe=True,
    examples=("torc user-data get 7 | jq .data",),
)


def _record_of(arguments: dict[str, Any]) -> dict[str, Any]:
    text = arguments.pop("data")
    data = None if text is None else data_of(text)
    links = {name: arguments.pop(name) for name in ("consumer_job_id", "producer_job_id")}
    return {**arguments, "data": data, "links": links}


@command(
    "user-data create",
    WORKFLOW_ID,
    argument(*NAME, metavar="NAME", required=True, help="what jobs and people call it"),
    argument("-d", "--data", metavar="JSON", help="the value; none yet when not given"),
    flag("--ephemeral", help="clear it between runs"),
    CONSUMER,
    PRODUCER,
    prepare=_record_of,
    examples=("torc user-data create 5 --name settings --data '{\"depth\": 3}' --consumer-job-id 12",),
)
def create_user_data(
    torc: "Client", workflow_id: int, *, name: str, ephemeral: bool, data: Any, links: dict[str, int | None]
) -> Record:
    """Add user data to a workflow."""
    record = UserData(workflow_id=workflow_id, name=name, is_ephemeral=ephemeral, data=data)
    return USER_DATA.done("created", torc.user_data.create(record, **links))


def _changes_of(arguments: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if arguments["name"] is not None:
        changes["name"] = arguments["name"]
    if arguments["ephemeral"] is not None:
        changes["is_ephemeral"] = _truth(arguments["ephemeral"])
    if arguments["data"] is not None:
        changes["data"] = data_of(arguments["data"])
    if not changes:
        raise UsageError("nothing to change; give --data, --name or --ephemeral.")
    return {"user_data_id": arguments["user_data_id"], "changes": changes}


@command(
    "user-data update",
    USER_DATA_ID,
    argument(*NAME, metavar="NAME", help="a new name"),
    argument("-d", "--data", metavar="JSON", help="a new value"),
    _yes_or_no("--ephemeral", help="whether to clear it between runs"),
    prepare=_changes_of,
    examples=UPDATE_EXAMPLES,
)
def update_user_data(torc: "Client", user_data_id: int, *, changes: dict[str, Any]) -> Record:
    """Change user data."""
    return USER_DATA.done("updated", torc.user_data.change(user_data_id, changes))


declare_delete(USER_DATA, "Delete user data.", examples=("torc user-data delete 7",))


@command(
    "user-data delete-all",
    WORKFLOW_ID,
    NO_PROMPTS,
    examples=("torc user-data delete-all 5", "torc user-data delete-all 5 --no-prompts   # in a script"),
)
def delete_all(torc: "Client", workflow_id: int, *, no_prompts: bool) -> Message:
    """Delete all user data of a workflow."""
    count = torc.user_data.page(workflow_id, limit=0).total_count
    if not count:
        torc.workflows.get(workflow_id)
    elif not ask.consent(f"Delete {count} {RECORDS} of workflow {workflow_id}?", no_prompts=no_prompts):
        return Message(says="Deletion cancelled", data={"message": "Deletion cancelled", "deleted_count": 0})
    deleted = torc.user_data.delete_all(workflow_id)
    return Message(
        says=f"Successfully deleted all user data for workflow ID: {workflow_id}",
        data={"message": f"All user data deleted for workflow {workflow_id}", "deleted_count": deleted},
    )
