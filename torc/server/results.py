"""``/results``: how attempts of jobs ended."""

from falcon import Request, Response

from torc.models.catalogue import RESULTS
from torc.models.result import Result
from torc.server.codec import Query, answer, read_body
from torc.server.plain import Collection
from torc.store import results
from torc.store.database import Database


class Results(Collection):
    """As any collection, but lists show the current result of each job unless told otherwise."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, RESULTS)

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, results.create(self.database, read_body(req, Result)))

    def on_get(self, req: Request, resp: Response) -> None:
        query = Query(req)
        workflow_id, paging, all_runs = query.workflow_id(), query.paging(), query.flag("all_runs")
        filters = {name: query.value(name, self.types[name]) for name in RESULTS.filters}
        query.done()
        answer(resp, results.page(self.database, workflow_id, paging, filters, all_runs=all_runs))
