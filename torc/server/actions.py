"""``/workflows/{id}/actions``."""

from typing import get_args

from falcon import Request, Response

from torc.models.action import ClaimActionRequest, TriggerType, WorkflowAction
from torc.server.codec import Query, answer, read_body, read_optional_body, to_choice
from torc.store import actions
from torc.store.database import Database


class Actions:
    """The actions of one workflow; lists are bare arrays."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, actions.create(self.database, workflow_id, read_body(req, WorkflowAction)))

    def on_get(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, actions.list_all(self.database, workflow_id))

    def on_get_pending(self, req: Request, resp: Response, workflow_id: int) -> None:
        wanted = [to_choice(name, "trigger_type", get_args(TriggerType)) for name in Query(req).texts("trigger_type")]
        answer(resp, actions.pending(self.database, workflow_id, wanted))

    def on_post_claim(self, req: Request, resp: Response, workflow_id: int, action_id: int) -> None:
        node_id = read_optional_body(req, ClaimActionRequest).compute_node_id
        answer(resp, actions.claim(self.database, workflow_id, action_id, node_id))
