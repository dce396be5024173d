"""``/drafts``: workflows under construction, for their creator alone."""

from falcon import Request

from torc.models.draft import TOKEN_HEADER, DraftAnswer, DraftBatch, DraftRequest
from torc.models.workflow import Workflow
from torc.server.security import user_of
from torc.store import drafts
from torc.store.database import Database


class Drafts:
    """Begin, fill, finish or throw away."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, req: Request, body: DraftRequest) -> DraftAnswer:
        """Begin a draft and reserve the ids of all its records."""
        return drafts.create(self.database, body, user_of(req))

    def discard(self, req: Request, workflow_id: int) -> dict[str, int]:
        """Throw a draft away."""
        drafts.discard(self.database, workflow_id, _token(req))
        return {"workflow_id": workflow_id}

    def add(self, req: Request, workflow_id: int, body: DraftBatch) -> dict[str, int]:
        """Add the next batch of records; a repeated batch is acknowledged without effect."""
        drafts.add(self.database, workflow_id, _token(req), body)
        return {"workflow_id": workflow_id, "batch": body.batch}

    def finalize(self, req: Request, workflow_id: int) -> Workflow:
        """Check the whole and make it visible."""
        return drafts.finalize(self.database, workflow_id, _token(req))


def _token(req: Request) -> str:
    return req.get_header(TOKEN_HEADER) or ""
