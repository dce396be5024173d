"""``torc watch``: a workflow as it goes on, redrawn in place on a terminal, line by line anywhere else."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command, flag, number
from torc.cli.outcome import exit_code
from torc.cli.output import Feed, tell
from torc.cli.recover import HOW, Recoverer, describe
from torc.errors import EXIT_ERROR, EXIT_JOBS_FAILED, UsageError
from torc.settings import positive_number, user_name

if TYPE_CHECKING:
    from torc.cli.observe import Observer
    from torc.client.api import Client
    from torc.workflow.keep import Keeper
    from torc.workflow.recover import Recovery


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
    flag(
        "--recover", help="whenever nothing goes on any more, do as `torc recover` does; the options below are for this"
    ),
    argument(
        "--max-retries",
        metavar="N",
        type=number(1),
        default=3,
        help="recover at most so many times (default: 3)",
    ),
    *HOW,
    examples=(
        "torc watch 5",
        "torc watch 5 --recover --retry-unknown   # until every job is done, or three recoveries did not help",
        "torc watch 5 > night.log && torc results list 5   # lines, and the exit code says how it went",
        "torc -f json watch 5 | tail -n 1 | jq .job_counts  # events, then how it ended",
    ),
    exit_codes={
        EXIT_ERROR: "an error",
        EXIT_JOBS_FAILED: "some jobs failed or were canceled",
    },
)
def watch(
    torc: "Client", workflow_id: int, *, poll_interval: float, recover: bool, max_retries: int, **how: Any
) -> Feed:
    """Watch a workflow until it has ended.

    On a terminal: how many jobs are in which status, what runs since when and where, the last failures with their
    logs, the last events. Anywhere else a line for each event. It only looks: Ctrl-C leaves the workflow alone, and
    when the server goes away it waits for it.

    With ``--recover`` it also acts, for workflows that run in Slurm: the records of allocations are kept true, and when
    no allocation is left but work is, that is recovered and new allocations are asked for.
    """
    from torc.cli.live_view import show  # msgspec is not for --help
    from torc.cli.observe import Observer
    from torc.views import watching

    observer = Observer(torc, workflow_id)
    observer.look()
    say = _Teller()
    keeper = _keeper(torc, workflow_id, max_retries, how, say) if recover else None

    def is_over() -> bool:
        if observer.has_more:
            return False
        return observer.scene.is_over if keeper is None else keeper.attend(observer.scene.is_over)

    def live() -> None:
        say.is_held = True
        try:
            show(observer, poll_interval, is_over)
        finally:
            say.release()

    def text(line: Any) -> str:
        if isinstance(line, dict):
            return "\n".join(watching.ending(observer.scene))
        return watching.event_line(line)

    def code() -> int:
        return exit_code("", observer.scene.counts)

    return Feed(records=_lines(observer, poll_interval, is_over), text=text, live=live, code=code)


class _Teller:
    """Tells on stderr what is done; while the terminal shows something else, that is kept for later."""

    def __init__(self) -> None:
        self.is_held = False
        self._held: list[str] = []

    def __call__(self, text: str) -> None:
        if self.is_held:
            self._held.append(text)
        else:
            tell(text)

    def release(self) -> None:
        """Tell what was held."""
        self.is_held = False
        for text in self._held:
            tell(text)


def _keeper(
    torc: "Client", workflow_id: int, max_retries: int, how: dict[str, Any], say: Callable[[str], None]
) -> "Keeper":
    from torc.hpc import slurm
    from torc.workflow.keep import Keeper

    if not any(torc.slurm_schedulers.list(workflow_id, limit=1)):
        raise UsageError(
            f"workflow {workflow_id} has no Slurm scheduler, so nobody would run what is recovered; leave out "
            f"--recover, and when it has ended: torc recover {workflow_id}, then torc run {workflow_id}"
        )
    slurm.require("sbatch")
    doing = Recoverer(torc, workflow_id, **how)

    def recover() -> "Recovery":
        found = doing.prepare()
        if found.helps:
            doing.carry_out(found, say)
            say("\n".join(["Recovered:", *describe(found)]))
        return found

    return Keeper(torc, workflow_id, user=user_name(), recover=recover, most_times=max_retries, note=say)


def _lines(observer: "Observer", poll_interval_s: float, is_over: Callable[[], bool]) -> Iterator[Any]:
    """Events, and at the end an object about the whole."""
    from torc.workflow.follow import Patience

    patience = Patience(tell)
    while True:
        yield from observer.take_events()
        if is_over():
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
