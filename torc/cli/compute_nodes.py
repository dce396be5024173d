"""``torc compute-nodes``."""

from typing import TYPE_CHECKING, Any

from torc.cli import ask
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import PAGING_WITH_LETTERS, WORKFLOW_ID, argument, command, number
from torc.cli.output import CONTROL, Listing, Message
from torc.cli.plain import Noun, declare_get
from torc.views import compute_nodes as views

if TYPE_CHECKING:
    from torc.client.api import Client

NODES = Noun(
    word="compute-nodes",
    one="compute node",
    many="compute nodes",
    key="compute_nodes",
    table=views.TABLE,
    details=views.DETAILS,
)


@command(
    "compute-nodes list",
    WORKFLOW_ID,
    *PAGING_WITH_LETTERS,
    examples=("torc compute-nodes list 5", "torc -f json compute-nodes list 5 | jq '.items[] | select(.is_active)'"),
)
def list_nodes(torc: "Client", workflow_id: int, **paging: Any) -> Listing:
    """List the runners of a workflow, those that have ended too."""
    pages = NODES.pages(torc, workflow_id, **paging)
    return NODES.listing(workflow_id, pages, key="items", tail=lambda: {"total_count": pages.total()})


declare_get(NODES, "Show a compute node.", examples=("torc compute-nodes get 2",))


@command(
    "compute-nodes release",
    argument("node_id", metavar="ID", type=number(1), help="see `torc compute-nodes list`"),
    NO_PROMPTS,
    examples=("torc compute-nodes release 2", "torc compute-nodes release 2 --no-prompts   # in a script"),
)
def release(torc: "Client", node_id: int, *, no_prompts: bool) -> Message:
    """Say that a compute node is gone, so that others get its jobs.

    That is for unsupervised nodes: runners that do not tell the server that they are alive. The server notices by
    itself when one of the others has gone.
    """
    node = torc.compute_nodes.get(node_id)
    name = f"compute node {node_id} ({node.hostname})".translate(CONTROL)
    if node.is_active and views.is_supervised(node):
        question = f"The runner of {name} was alive when it was last heard of; release it anyway?"
        if not ask.consent(question, no_prompts=no_prompts):
            return Message(says=f"Compute node {node_id} keeps its jobs.", data=node)
    released = torc.release(node_id)
    return Message(says=f"Released {name}; the jobs it had are ready for others.", data=released)
