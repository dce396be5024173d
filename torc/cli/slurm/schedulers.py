"""``torc slurm create`` and its like: what Slurm is asked for on behalf of a workflow."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING_WITH_LETTERS, WORKFLOW_ID, Argument, argument, command, number
from torc.cli.output import Listing, Record
from torc.cli.plain import Noun
from torc.errors import UsageError
from torc.settings import as_argument
from torc.units import parse_slurm_memory, parse_walltime
from torc.views.slurm import DETAILS, TABLE

if TYPE_CHECKING:
    from torc.client.api import Client

SCHEDULERS = Noun(
    word="slurm",
    one="Slurm config",
    many="Slurm configurations",
    key="slurm_schedulers",
    table=TABLE,
    details=DETAILS,
)


def one_line(text: str) -> str:
    """Text without control characters."""
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} is not a line of text")
    return text


def _text(read: Callable[[str], Any]) -> Callable[[str], str]:
    """An argument type: text that ``read`` takes, as it was written."""

    def checked(text: str) -> str:
        read(text)
        return one_line(text)

    return as_argument(checked)


FIELDS = (
    ("name", "NAME", _text(str), "what jobs and actions call it"),
    ("account", "ACCOUNT", _text(str), "account that pays"),
    ("gres", "GRES", _text(str), "generic resources of each node, such as gpu:2"),
    ("mem", "SIZE", _text(parse_slurm_memory), "memory of each node as sbatch takes it, such as 180g"),
    ("nodes", "N", number(1), "nodes of an allocation"),
    ("partition", "NAME", _text(str), "partition"),
    ("qos", "NAME", _text(str), "quality of service"),
    ("tmp", "SIZE", _text(str), "temporary disk of each node"),
    ("walltime", "TIME", _text(parse_walltime), "longest time, such as 04:00:00 or 2h"),
    ("extra", "OPTIONS", _text(str), "further options of sbatch; write --extra='--x=y'"),
    ("ntasks-per-node", "N", number(1), "tasks on each node"),
)


def _fields(letters: dict[str, str]) -> tuple[Argument, ...]:
    """The options of a scheduler; their letters are not the same in all commands."""
    return tuple(
        argument(
            *([f"-{letters[name]}"] if name in letters else []), f"--{name}", metavar=metavar, type=read, help=text
        )
        for name, metavar, read, text in FIELDS
    )


LETTERS = {"account": "a", "gres": "g", "mem": "m", "partition": "p", "qos": "q", "tmp": "t", "extra": "e"}
CREATE = _fields({**LETTERS, "name": "n", "nodes": "N", "walltime": "W"})
UPDATE = _fields({**LETTERS, "name": "N", "nodes": "n"})
SCHEDULER_ID = argument("scheduler_id", metavar="SCHEDULER_ID", type=number(1), help="see `torc slurm list`")


@command(
    "slurm create",
    WORKFLOW_ID,
    *CREATE,
    examples=("torc slurm create 5 --name work --account project7 --nodes 2 --walltime 08:00:00",),
)
def create(torc: "Client", workflow_id: int, **values: Any) -> Record:
    """Add a kind of allocation to a workflow: nodes, time, partition and so on."""
    from torc.models.scheduler import SlurmScheduler

    if missing := [f"--{name}" for name in ("name", "account") if not values[name]]:
        raise UsageError(f"{' and '.join(missing)} must be given.")
    defaults = {"nodes": 1, "walltime": "04:00:00", "qos": "normal"}
    given: dict[str, Any] = {name: defaults.get(name) if value is None else value for name, value in values.items()}
    made = torc.slurm_schedulers.create(SlurmScheduler(workflow_id=workflow_id, **given))
    return Record(
        title=f"Added Slurm configuration '{made.name}' (ID: {made.id}) to workflow {workflow_id}",
        record=made,
        columns=(),
    )


@command(
    "slurm update",
    SCHEDULER_ID,
    *UPDATE,
    examples=("torc slurm update 2 --walltime 12:00:00",),
)
def update(torc: "Client", scheduler_id: int, **values: Any) -> Record:
    """Change a kind of allocation; what is not given stays.

    Allocations that were asked for already stay as they are.
    """
    changes = {name: value for name, value in values.items() if value is not None}
    if not changes:
        raise UsageError(f"nothing to change; give one of {', '.join(f'--{name}' for name, *_ in FIELDS)}.")
    changed = torc.slurm_schedulers.change(scheduler_id, changes)
    return Record(title=f"Updated Slurm configuration {scheduler_id}", record=changed, columns=())


@command(
    "slurm list",
    WORKFLOW_ID,
    *PAGING_WITH_LETTERS,
    examples=("torc slurm list 5",),
)
def list_schedulers(torc: "Client", workflow_id: int, **query: Any) -> Listing:
    """List the kinds of allocations of a workflow."""
    pages = SCHEDULERS.pages(torc, workflow_id, **query)
    return SCHEDULERS.listing(
        workflow_id, pages, key=None, title=f"Slurm configurations for workflow {workflow_id}", noun="configs"
    )


@command("slurm get", SCHEDULER_ID, examples=("torc slurm get 2",))
def get(torc: "Client", scheduler_id: int) -> Record:
    """Show a kind of allocation."""
    return Record(
        title=f"Slurm Config ID {scheduler_id}:", record=torc.slurm_schedulers.get(scheduler_id), columns=DETAILS
    )


@command("slurm delete", SCHEDULER_ID, examples=("torc slurm delete 2",))
def delete(torc: "Client", scheduler_id: int) -> Record:
    """Remove a kind of allocation; refused while jobs are bound to it."""
    gone = torc.slurm_schedulers.delete(scheduler_id)
    return Record(title=f"Successfully deleted Slurm config ID {scheduler_id}", record=gone, columns=DETAILS[:2])
