"""``torc resource-requirements``."""

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing
from torc.cli.plain import Noun, declare_create, declare_delete, declare_get, declare_update
from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME, ResourceRequirements
from torc.units import format_duration_s, parse_duration, parse_memory, parse_walltime
from torc.views import resource_requirements as views

if TYPE_CHECKING:
    from torc.client.api import Client


def _doubt(requirements: ResourceRequirements) -> str | None:
    text = requirements.memory
    if not text.isdecimal():
        return None
    return f"Warning: memory {text} is {text} bytes; a unit says something else, as in --memory {text}m."


REQUIREMENTS = Noun(
    word="resource-requirements",
    one="resource requirements",
    many="resource requirements",
    key="resource_requirements",
    table=views.TABLE,
    details=views.DETAILS,
    doubt=_doubt,
)


def memory(text: str) -> str:
    """An argument type: an amount of memory as jobs ask for it."""
    try:
        parse_memory(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no amount of memory ({error}); write 512m, 20g or 1.5t") from error
    return text


def runtime(text: str) -> str:
    """An argument type: an ISO 8601 duration, also from what sbatch or a person writes."""
    try:
        if not text.startswith("P"):
            return format_duration_s(parse_walltime(text))
        parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no duration ({error}); write PT2H, 2h or 02:00:00") from error
    return text


@command(
    "resource-requirements list",
    WORKFLOW_ID,
    *PAGING,
    examples=(
        "torc resource-requirements list 5",
        "torc resource-requirements list 5 --sort-by num_cpus --reverse-sort",
    ),
)
def list_requirements(torc: "Client", workflow_id: int, **paging: Any) -> Listing:
    """List the resource requirements of a workflow."""
    return REQUIREMENTS.listing(workflow_id, REQUIREMENTS.pages(torc, workflow_id, **paging))


declare_get(REQUIREMENTS, "Show resource requirements.", examples=("torc resource-requirements get 2",))
declare_create(
    REQUIREMENTS,
    "Add resource requirements to a workflow.\n\nJobs name them by ID when they are created.",
    ResourceRequirements,
    argument("-n", "--name", metavar="NAME", required=True, help="what jobs and people call them"),
    argument("--num-cpus", metavar="N", type=number(1), default=1, help="CPUs (default: 1)"),
    argument("--num-gpus", metavar="N", type=number(0), default=0, help="GPUs (default: 0)"),
    argument("--num-nodes", metavar="N", type=number(1), default=1, help="nodes (default: 1)"),
    argument(
        "-m", "--memory", default=DEFAULT_MEMORY, metavar="SIZE", type=memory, help="512m, 20g or 1.5t (default: 1m)"
    ),
    argument(
        "-r",
        "--runtime",
        default=DEFAULT_RUNTIME,
        metavar="TIME",
        type=runtime,
        help="PT2H, 2h or 02:00:00; a bare number is minutes (default: 1 minute)",
    ),
    examples=("torc resource-requirements create 5 --name large --num-cpus 16 --memory 64g --runtime PT4H",),
)
declare_update(
    REQUIREMENTS,
    "Change resource requirements, for all jobs that name them.",
    argument("-n", "--name", metavar="NAME", help="a new name"),
    argument("--num-cpus", metavar="N", type=number(1), help="CPUs"),
    argument("--num-gpus", metavar="N", type=number(0), help="GPUs"),
    argument("--num-nodes", metavar="N", type=number(1), help="nodes"),
    argument("-m", "--memory", metavar="SIZE", type=memory, help="512m, 20g or 1.5t"),
    argument("-r", "--runtime", metavar="TIME", type=runtime, help="PT2H, 2h or 02:00:00"),
    examples=("torc resource-requirements update 2 --memory 32g --runtime 30m",),
)
declare_delete(
    REQUIREMENTS,
    "Delete resource requirements.",
    flag("--force", help="although jobs use them; those then need what a job needs that names none"),
    examples=("torc resource-requirements delete 2", "torc resource-requirements delete 2 --force"),
)
