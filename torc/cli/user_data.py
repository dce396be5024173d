"""``torc user-data``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Record
from torc.errors import TorcError, UsageError
from torc.models.user_data import UserData
from torc.views import user_data as views

if TYPE_CHECKING:
    from torc.client.api import Client

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


def _parsed(text: str) -> Any:
    """What the JSON of ``--data`` means."""
    import msgspec  # not for --help

    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise TorcError(f"--data is not JSON: {error}. Quote it for the shell: --data '{{\"key\": 1}}'.") from error


@command(
    "user-data list",
    WORKFLOW_ID,
    argument(*NAME, metavar="TEXT", help="only those with this in their name"),
    _yes_or_no("--is-ephemeral", help="only those that are cleared between runs, or only the others"),
    CONSUMER,
    PRODUCER,
    *PAGING,
)
def list_user_data(torc: "Client", workflow_id: int, *, is_ephemeral: str | None, **query: Any) -> Listing:
    """List the user data of a workflow."""
    return Listing(
        key="user_data",
        records=torc.user_data.list(workflow_id, is_ephemeral=_truth(is_ephemeral), **query),
        columns=views.TABLE,
        title=f"User data for workflow ID {workflow_id}:",
        noun="user data records",
        empty=f"No user data found for workflow ID: {workflow_id}",
        as_document=views.as_document,
    )


@command(
    "user-data get",
    USER_DATA_ID,
    json_in_pipe=True,
    examples=("torc user-data get 7 | jq .data",),
)
def get_user_data(torc: "Client", user_data_id: int) -> Record:
    """Show user data.

    Into a pipe or a file it prints JSON unless --format says otherwise.
    """
    return _shown(f"User data ID {user_data_id}:", torc.user_data.get(user_data_id), views.DETAILS[1:])


def _record_of(arguments: dict[str, Any]) -> dict[str, Any]:
    text = arguments.pop("data")
    data = None if text is None else _parsed(text)
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
)
def create_user_data(
    torc: "Client", workflow_id: int, *, name: str, ephemeral: bool, data: Any, links: dict[str, int | None]
) -> Record:
    """Add user data to a workflow."""
    record = UserData(workflow_id=workflow_id, name=name, is_ephemeral=ephemeral, data=data)
    return _shown("Successfully created user data:", torc.user_data.create(record, **links))


def _changes_of(arguments: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if arguments["name"] is not None:
        changes["name"] = arguments["name"]
    if arguments["ephemeral"] is not None:
        changes["is_ephemeral"] = _truth(arguments["ephemeral"])
    if arguments["data"] is not None:
        changes["data"] = _parsed(arguments["data"])
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
    from msgspec.structs import replace

    changed = replace(torc.user_data.get(user_data_id), **changes)
    return _shown("Successfully updated user data:", torc.user_data.update(user_data_id, changed))


@command("user-data delete", USER_DATA_ID)
def delete_user_data(torc: "Client", user_data_id: int) -> Record:
    """Delete user data."""
    return _shown("Successfully removed user data:", torc.user_data.delete(user_data_id))


def _shown(title: str, record: UserData, columns: Any = views.DETAILS) -> Record:
    return Record(title=title, record=record, columns=columns, as_document=views.as_document)
