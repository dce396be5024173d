"""``/workflows/{id}/actions``, and ``/actions/{id}/rerun``."""

from torc.models.action import ClaimActionAnswer, ClaimActionRequest, WorkflowAction
from torc.models.queries import PendingActionsQuery
from torc.store import actions
from torc.store.database import Database


class Actions:
    """The actions of one workflow; lists are bare arrays."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, workflow_id: int, body: WorkflowAction) -> WorkflowAction:
        """Add an action."""
        return actions.create(self.database, workflow_id, body)

    def list_all(self, workflow_id: int) -> list[WorkflowAction]:
        """All actions of a workflow."""
        return actions.list_all(self.database, workflow_id)

    def pending(self, workflow_id: int, query: PendingActionsQuery) -> list[WorkflowAction]:
        """The actions that wait for somebody to claim them, of all or some trigger types."""
        return actions.pending(self.database, workflow_id, list(query.trigger_type))

    def claim(self, workflow_id: int, action_id: int, body: ClaimActionRequest | None) -> ClaimActionAnswer:
        """Take an action for one node; 409 when another has it."""
        node_id = body.compute_node_id if body else None
        return actions.claim(self.database, workflow_id, action_id, node_id)

    def rerun(self, action_id: int) -> WorkflowAction:
        """Let an action that has ended be carried out again; 409 while it is pending or somebody is at it."""
        return actions.rerun(self.database, action_id)
