"""Collection and Item: the endpoints of everything in the catalogue."""

from typing import get_type_hints

from falcon import Request, Response

from torc.models.catalogue import FILES, USER_DATA, Resource
from torc.server.codec import Query, answer, read_body
from torc.store import table
from torc.store.database import Database


class Collection:
    """``/<resource>``: create one, list them, delete them all."""

    def __init__(self, database: Database, resource: Resource) -> None:
        self.database = database
        self.resource = resource
        self.types = get_type_hints(resource.model)

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, table.insert(self.database, self.resource, read_body(req, self.resource.model)))

    def on_get(self, req: Request, resp: Response) -> None:
        query = Query(req)
        workflow_id, paging = query.workflow_id(), query.paging()
        filters = {name: query.value(name, self.types[name]) for name in self.resource.filters}
        query.done()
        answer(resp, table.page(self.database, self.resource, workflow_id, paging, filters))

    def on_delete(self, req: Request, resp: Response) -> None:
        workflow_id = Query(req).workflow_id()
        count = table.delete_all(self.database, self.resource, workflow_id)
        answer(resp, deleted(self.resource.path, count, workflow_id))


def deleted(path: str, count: int, workflow_id: int) -> dict[str, object]:
    """What the contract says about records deleted in bulk, which differs by resource."""
    if path == FILES.path:
        return {"deleted_count": count}
    if path == USER_DATA.path:
        message = f"Deleted {count} user data records for workflow {workflow_id}"
        return {"message": message, "deleted_count": count}
    return {"count": count}


class Item:
    """``/<resource>/{id}``: read, replace and delete one."""

    def __init__(self, database: Database, resource: Resource) -> None:
        self.database = database
        self.resource = resource

    def on_get(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, table.get(self.database, self.resource, record_id))

    def on_put(self, req: Request, resp: Response, record_id: int) -> None:
        record = read_body(req, self.resource.model)
        answer(resp, table.update(self.database, self.resource, record_id, record))

    def on_delete(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, table.delete(self.database, self.resource, record_id))
