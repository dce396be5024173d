"""The methods every collection of records has: create, get, list, page, update, delete."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from torc.client.connection import WHOLE_WORKFLOW_S, Connection
from torc.models.record import Page, Record

R = TypeVar("R", bound=Record)
T = TypeVar("T")

PAGE_ROWS = 1000
"""Records asked for at once by ``list``."""


class Collection(Generic[R]):
    """``/files`` and its like: the records of one kind."""

    def __init__(self, connection: Connection, path: str, model: type[R]) -> None:
        self._connection = connection
        self._path = path
        self._model = model
        self._page: type[Page[R]] = Page[model]  # type: ignore[valid-type]  # the class is known at run time only

    def create(self, record: R) -> R:
        """Store a record; the answer has its id."""
        return self._connection.send("POST", self._path, self._model, body=record)

    def get(self, record_id: int) -> R:
        """One record; NotFound when there is none."""
        return self._connection.send("GET", f"{self._path}/{record_id}", self._model)

    def update(self, record_id: int, record: R) -> R:
        """Write a whole record over the stored one: what is None is cleared."""
        whole = msgspec.structs.asdict(record)  # with the fields that are None; the server keeps what is left out
        return self._connection.send("PUT", f"{self._path}/{record_id}", self._model, body=whole)

    def change(self, record_id: int, changes: Mapping[str, Any]) -> R:
        """Write these fields of a record. What somebody else writes into others meanwhile stays."""
        found = self.get(record_id)
        needed = {one.name: getattr(found, one.name) for one in msgspec.structs.fields(self._model) if one.required}
        body = {**needed, **changes}
        return self._connection.send("PUT", f"{self._path}/{record_id}", self._model, body=body)

    def delete(self, record_id: int, *, force: bool = False) -> R:
        """Delete a record and return it as it was; Conflict when others refer to it, unless forced."""
        return self._connection.send("DELETE", f"{self._path}/{record_id}", self._model, query={"force": force or None})

    def delete_all(self, workflow_id: int, *, force: bool = False) -> int:
        """Delete all records of a workflow; how many."""
        query = {"workflow_id": workflow_id, "force": force or None}
        answer = self._connection.send("DELETE", self._path, dict[str, Any], query=query, timeout_s=WHOLE_WORKFLOW_S)
        return int(answer.get("deleted_count", answer.get("count", 0)))

    def page(
        self,
        workflow_id: int | None,
        *,
        limit: int = PAGE_ROWS,
        offset: int = 0,
        sort_by: str | None = None,
        reverse_sort: bool = False,
        **filters: Any,
    ) -> Page[R]:
        """One page of a workflow's records. A filter that is None does not filter."""
        query = {"workflow_id": workflow_id, "limit": limit, "offset": offset, "sort_by": sort_by, **filters}
        if reverse_sort:
            query["reverse_sort"] = True
        return self._connection.send("GET", self._path, self._page, query=query)

    def list(self, workflow_id: int | None, *, limit: int | None = None, offset: int = 0, **query: Any) -> Iterator[R]:
        """A workflow's records, at most ``limit`` of them, fetched page by page as they are needed."""
        return records(
            lambda offset, rows: self.page(workflow_id, limit=rows, offset=offset, **query), limit=limit, offset=offset
        )


def records(fetch: Callable[[int, int], Page[T]], *, limit: int | None = None, offset: int = 0) -> Iterator[T]:
    """All records of a list, at most ``limit``; ``fetch`` gets where a page begins and how many rows it may have."""
    left = limit
    while left is None or left > 0:
        page = fetch(offset, PAGE_ROWS if left is None else min(left, PAGE_ROWS))
        yield from page.items
        # A page may be shorter than asked for and still not be the last.
        if not page.has_more or not page.count:
            return
        offset += page.count
        left = None if left is None else left - page.count
