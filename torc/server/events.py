"""``/events``: what happened to a workflow, in order."""

from falcon import Request, Response

from torc.models.event import Event
from torc.server.codec import Query, answer, read_body, read_json
from torc.store import events
from torc.store.database import Database


class Events:
    """The events of one workflow, and one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, events.create(self.database, read_body(req, Event)))

    def on_get(self, req: Request, resp: Response) -> None:
        query = Query(req)
        workflow_id, paging, category = query.workflow_id(), query.paging(), query.text("category")
        after_timestamp, after_id = query.integer("after_timestamp"), query.integer("after_id")
        query.done()
        page = events.page(
            self.database,
            workflow_id,
            paging,
            category=category,
            after_timestamp=after_timestamp,
            after_id=after_id,
        )
        answer(resp, page)

    def on_delete(self, req: Request, resp: Response) -> None:
        answer(resp, {"count": events.delete_all(self.database, Query(req).workflow_id())})

    def on_get_item(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, events.get(self.database, record_id))

    def on_put_item(self, req: Request, resp: Response, record_id: int) -> None:
        body = read_json(req)
        # An existing server stores the whole body; clients send an event.
        data = body["data"] if isinstance(body, dict) and "data" in body else body
        answer(resp, events.update(self.database, record_id, data))

    def on_delete_item(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, events.delete(self.database, record_id))
