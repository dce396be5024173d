"""``torc events``."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING_WITH_LETTERS, WORKFLOW_ID, argument, command, number
from torc.cli.output import Feed, Listing, Message, Record, tell
from torc.cli.plain import Noun, data_of, declare_get
from torc.models.event import Event
from torc.settings import positive_number
from torc.views import events as views

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.workflow.follow import Cursor

EVENTS = Noun(word="events", one="event", many="events", key="events", table=views.TABLE, details=views.DETAILS)
CATEGORY = argument("-c", "--category", metavar="TEXT", help="only those of this category, such as job or workflow")
MINUTE_S = 60


def _parsed(arguments: dict[str, Any]) -> dict[str, Any]:
    """JSON that is refused needs no server."""
    return {**arguments, "data": data_of(arguments["data"])}


@command(
    "events create",
    WORKFLOW_ID,
    argument("-d", "--data", metavar="JSON", required=True, help="what has happened"),
    prepare=_parsed,
    examples=('torc events create 5 --data \'{"category": "note", "message": "moved to the big disk"}\'',),
)
def create_event(torc: "Client", workflow_id: int, *, data: Any) -> Record:
    """Add an event to a workflow.

    The `category` in the JSON is what --category finds it by, the `message` what `torc watch` shows.
    """
    return EVENTS.done("created", torc.events.create(Event(workflow_id=workflow_id, data=data)))


@command(
    "events list",
    WORKFLOW_ID,
    CATEGORY,
    *PAGING_WITH_LETTERS,
    examples=(
        "torc events list 5 --category job_completion",
        "torc events list 5 --sort-by id -r -l 20   # the last 20",
    ),
)
def list_events(torc: "Client", workflow_id: int, **query: Any) -> Listing:
    """List what happened to a workflow."""
    return EVENTS.listing(
        workflow_id,
        EVENTS.pages(torc, workflow_id, **query),
        title=f"Events for workflow {workflow_id}:",
        empty=f"No events found for workflow {workflow_id}",
    )


declare_get(EVENTS, "Show an event.", examples=("torc events get 1234",))


@command(
    "events get-latest-event", WORKFLOW_ID, examples=("torc -f json events get-latest-event 5 | jq .data.message",)
)
def get_latest_event(torc: "Client", workflow_id: int) -> Record | Message:
    """Show the last event of a workflow."""
    from torc.workflow.follow import newest_event

    event = newest_event(torc, workflow_id)
    if event is None:
        return Message(says=f"No events found for workflow {workflow_id}", data=None)
    columns = [one for one in views.DETAILS if one.heading != "Workflow ID"]
    return Record(title=f"Latest event for workflow {workflow_id}:", record=event, columns=columns)


@command(
    "events delete",
    argument("event_id", metavar="ID", type=number(1), help="see `torc events list`"),
    examples=("torc events delete 1234",),
)
def delete_event(torc: "Client", event_id: int) -> Record:
    """Delete an event."""
    columns = views.DETAILS[:2]
    return Record(title="Successfully removed event:", record=torc.events.delete(event_id), columns=columns)


@command(
    "events monitor",
    WORKFLOW_ID,
    argument("-d", "--duration", metavar="MINUTES", type=number(1), help="end after so long (default: never)"),
    argument(
        "-p",
        "--poll-interval",
        metavar="SECONDS",
        type=positive_number,
        default=1.0,
        help="look for new events so often (default: 1)",
    ),
    CATEGORY,
    examples=(
        "torc events monitor 5                       # until Ctrl-C",
        "torc events monitor 5 -c job_completion -d 60",
        "torc -f json events monitor 5 | jq .data    # one object per line",
    ),
)
def monitor(
    torc: "Client", workflow_id: int, *, duration: int | None, poll_interval: float, category: str | None
) -> Feed:
    """Print the events of a workflow as they happen.

    It begins with what happens next. Each event is printed once, in order, also when the server is away meanwhile.
    """
    from torc.workflow.follow import Cursor, newest_event

    newest = newest_event(torc, workflow_id)
    cursor = Cursor(torc, workflow_id, after_id=newest.id or 0 if newest else 0, category=category)
    ends_at = time.monotonic() + duration * MINUTE_S if duration else None
    until = f" for {duration} minutes" if duration else ""
    of = f" of category {category!r}" if category else ""
    tell(f"Monitoring events{of} of workflow {workflow_id}{until}; Ctrl-C ends it.")
    return Feed(records=_events(cursor, poll_interval, ends_at), text=views.line)


def _events(cursor: "Cursor", poll_interval_s: float, ends_at: float | None) -> Iterator[Event]:
    from torc.workflow.follow import Patience

    patience = Patience(tell)
    while True:
        is_last = ends_at is not None and time.monotonic() >= ends_at  # asked before reading: nothing is missed
        yield from patience.ask(cursor.read) or ()
        if cursor.has_more:
            continue
        if is_last:
            break
        left_s = poll_interval_s if ends_at is None else max(0.0, ends_at - time.monotonic())
        time.sleep(min(poll_interval_s, left_s))
    tell("Monitoring duration completed.")
