"""What is asked before a workflow is deleted with everything in it."""

from torc.errors import Conflict
from torc.models.workflow import Workflow


def check_owner(workflow: Workflow, *, user: str) -> None:
    """Refuse what would delete somebody else's work by mistake. This is no protection against intent."""
    if workflow.user != user:
        raise Conflict(
            f"Cannot delete workflow owned by user '{workflow.user}' (you are '{user}'). Use --force to override."
        )
