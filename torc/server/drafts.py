"""``/drafts``: workflows under construction, for their creator alone."""

from falcon import Request, Response

from torc.models.draft import TOKEN_HEADER, DraftBatch, DraftRequest
from torc.server.codec import answer, read_body
from torc.store import drafts
from torc.store.database import Database


class Drafts:
    """Begin, fill, finish or throw away."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, drafts.create(self.database, read_body(req, DraftRequest), None))

    def on_delete_item(self, req: Request, resp: Response, workflow_id: int) -> None:
        drafts.discard(self.database, workflow_id, _token(req))
        answer(resp, {"workflow_id": workflow_id})

    def on_post_batch(self, req: Request, resp: Response, workflow_id: int) -> None:
        batch = read_body(req, DraftBatch)
        drafts.add(self.database, workflow_id, _token(req), batch)
        answer(resp, {"workflow_id": workflow_id, "batch": batch.batch})

    def on_post_finalize(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, drafts.finalize(self.database, workflow_id, _token(req)))


def _token(req: Request) -> str:
    return req.get_header(TOKEN_HEADER) or ""
