"""``/workflows/{id}/dependency_groups``."""

from falcon import Request, Response

from torc.models.job import DependencyGroup
from torc.server.codec import Query, answer, read_body
from torc.store import groups
from torc.store.database import Database


class Groups:
    """Sets of jobs that others wait for as a whole."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, groups.create(self.database, workflow_id, read_body(req, DependencyGroup)))

    def on_get(self, req: Request, resp: Response, workflow_id: int) -> None:
        query = Query(req)
        paging = query.paging()
        query.done()
        answer(resp, groups.page(self.database, workflow_id, paging))
