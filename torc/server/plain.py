"""The operations of everything in the catalogue."""

from collections.abc import Iterator
from typing import Any

from torc.models.catalogue import FILES, USER_DATA, Resource
from torc.models.queries import DeleteAllQuery, DeleteQuery, ListQuery
from torc.models.record import DeletedCount, DeletedFiles, DeletedUserData, Page, Record
from torc.server.operation import Operation, operation
from torc.store import table
from torc.store.database import Database


class Plain:
    """Create, list, read, replace and delete the records of one resource."""

    def __init__(self, database: Database, resource: Resource) -> None:
        self.database = database
        self.resource = resource

    def create(self, body: Any) -> Record:
        """Store a record; the answer is what was stored."""
        return table.insert(self.database, self.resource, body)

    def page(self, query: Any) -> Page[Any]:
        """One page of a workflow's records; a workflow that does not exist has none."""
        return table.page(self.database, self.resource, query.workflow_id, query, filters_of(query))

    def get(self, record_id: int) -> Record:
        """Read one record."""
        return table.get(self.database, self.resource, record_id)

    def update(self, record_id: int, body: Any, given: frozenset[str]) -> Record:
        """Write over a record: fields that are left out stay, null clears."""
        return table.update(self.database, self.resource, record_id, body, given)

    def delete(self, record_id: int, query: DeleteQuery) -> Record:
        """Delete a record and return it as it was; 409 when others refer to it, unless forced."""
        return table.delete(self.database, self.resource, record_id, force=query.force)

    def delete_all(self, query: DeleteAllQuery) -> DeletedCount | DeletedFiles | DeletedUserData:
        """Delete all records of a workflow; 409 when others refer to them, unless forced."""
        count = table.delete_all(self.database, self.resource, query.workflow_id, force=query.force)
        return deleted(self.resource, count, query.workflow_id)


def filters_of(query: ListQuery) -> dict[str, Any]:
    """The filters of a list's query, without what every list has."""
    return {name: getattr(query, name) for name in query.__struct_fields__ if name not in ListQuery.__struct_fields__}


def deleted(resource: Resource, count: int, workflow_id: int) -> DeletedCount | DeletedFiles | DeletedUserData:
    """What the contract says about records deleted in bulk, which differs by resource."""
    if resource is FILES:
        return DeletedFiles(deleted_count=count)
    if resource is USER_DATA:
        return DeletedUserData(
            message=f"Deleted {count} user data records for workflow {workflow_id}", deleted_count=count
        )
    return DeletedCount(count=count)


_DELETED = {FILES.path: DeletedFiles, USER_DATA.path: DeletedUserData}

SINGULAR = {"resource_requirements": "resource_requirements", "user_data": "user_data"}
"""Where one record is not called like the list without its s."""

DELETE_NAMES = {
    "resource_requirements": ("delete_resource_requirement", "delete_resource_requirements"),
    "user_data": ("delete_user_data", "delete_all_user_data"),
}
"""Names of the two deletes, where existing clients call them differently."""


def operations(plain: Plain) -> Iterator[Operation]:
    """The six operations of a plain resource."""
    resource = plain.resource
    model, many = resource.model, resource.path
    one = SINGULAR.get(many, many.removesuffix("s"))
    delete_one, delete_many = DELETE_NAMES.get(many, (f"delete_{one}", f"delete_{many}"))
    collection, item = f"/{many}", f"/{many}/{{record_id}}"
    yield operation(f"create_{one}", "POST", collection, plain.create, body=model, answer=model)
    yield operation(f"list_{many}", "GET", collection, plain.page, query=resource.query, answer=Page[model])  # type: ignore[valid-type]  # known at run time only
    yield operation(delete_many, "DELETE", collection, plain.delete_all, answer=_DELETED.get(many, DeletedCount))
    yield operation(f"get_{one}", "GET", item, plain.get, answer=model)
    yield operation(f"update_{one}", "PUT", item, plain.update, body=model, answer=model)
    yield operation(delete_one, "DELETE", item, plain.delete, answer=model)
