"""``torc watch``: a workflow as it goes on, redrawn in place on a terminal, line by line anywhere else."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command
from torc.cli.outcome import exit_code
from torc.cli.output import Feed, tell
from torc.errors import EXIT_ERROR, EXIT_JOBS_FAILED
from torc.settings import positive_number

if TYPE_CHECKING:
    from torc.cli.observe import Observer
    from torc.client.api import Client


@command(
    "watch",
    WORKFLOW_ID,
    argument(
        "-p",
        "--poll-interval",
        metavar="SECONDS",
        type=positive_number,
        default=1.0,
        help="ask the server so often (default: 1)",
    ),
    examples=(
        "torc watch 5",
        "torc watch 5 > night.log && torc results list 5   # lines, and the exit code says how it went",
        "torc -f json watch 5 | tail -n 1 | jq .job_counts  # events, then how it ended",
    ),
    exit_codes={
        EXIT_ERROR: "an error",
        EXIT_JOBS_FAILED: "some jobs failed or were canceled",
    },
)
def watch(torc: "Client", workflow_id: int, *, poll_interval: float) -> Feed:
    """Watch a workflow until it has ended.

    On a terminal: how many jobs are in which status, what runs since when and where, the last failures with their
    logs, the last events. Anywhere else a line for each event. It only looks: Ctrl-C leaves the workflow alone, and
    when the server goes away it waits for it.
    """
    from torc.cli.live_view import show  # msgspec is not for --help
    from torc.cli.observe import Observer
    from torc.views import watching

    observer = Observer(torc, workflow_id)
    observer.look()

    def live() -> None:
        show(observer, poll_interval)

    def text(line: Any) -> str:
        if isinstance(line, dict):
            return "\n".join(watching.ending(observer.scene))
        return watching.event_line(line)

    def code() -> int:
        return exit_code("", observer.scene.counts)

    return Feed(records=_lines(observer, poll_interval), text=text, live=live, code=code)


def _lines(observer: "Observer", poll_interval_s: float) -> Iterator[Any]:
    """Events, and at the end an object about the whole."""
    from torc.workflow.follow import Patience

    patience = Patience(tell)
    while True:
        yield from observer.take_events()
        if observer.scene.is_over and not observer.has_more:
            break
        if not observer.has_more:
            time.sleep(poll_interval_s)
        patience.ask(observer.look)
    scene = observer.scene
    yield {
        "workflow_id": scene.workflow_id,
        "run_id": scene.run_id,
        "status": scene.summary,
        "job_counts": scene.counts,
    }
