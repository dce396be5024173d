"""``torc scheduled-compute-nodes``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING_WITH_LETTERS, WORKFLOW_ID, argument, command, number
from torc.cli.output import Listing
from torc.cli.plain import Noun
from torc.views import compute_nodes as views

if TYPE_CHECKING:
    from torc.client.api import Client

ALLOCATIONS = Noun(
    word="scheduled-compute-nodes",
    one="scheduled compute node",
    many="scheduled compute nodes",
    key="scheduled_compute_nodes",
    table=views.SCHEDULED,
    details=views.SCHEDULED,
)
STATUSES = ("pending", "active", "complete")


@command(
    "scheduled-compute-nodes list",
    WORKFLOW_ID,
    argument("--scheduler-id", metavar="ID", type=number(0), help="only the one with this job ID of the batch system"),
    argument(
        "--scheduler-config-id", metavar="ID", type=number(0), help="only those of this scheduler of the workflow"
    ),
    argument("--status", metavar="STATUS", choices=STATUSES, help=f"only those that are {', '.join(STATUSES)}"),
    *PAGING_WITH_LETTERS,
    examples=("torc scheduled-compute-nodes list 5", "torc scheduled-compute-nodes list 5 --status active"),
)
def list_scheduled(torc: "Client", workflow_id: int, **query: Any) -> Listing:
    """List the allocations that were asked for."""
    pages = ALLOCATIONS.pages(torc, workflow_id, **query)
    return ALLOCATIONS.listing(workflow_id, pages, key="items", tail=lambda: {"total_count": pages.total()})
