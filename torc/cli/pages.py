"""Lists as the server gives them, page by page, and what is asked when there is nothing in one."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from torc.errors import NotFound
from torc.models.record import Page

if TYPE_CHECKING:
    from torc.client.api import Client

T = TypeVar("T")


class Pages(Generic[T]):
    """The records of a list, fetched while they are printed.

    ``fetch`` gets where a page begins and how many rows it may have. ``when_empty`` may raise if there cannot be any.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], Page[T]],
        *,
        limit: int | None,
        offset: int,
        when_empty: Callable[[], None] | None = None,
    ) -> None:
        self._fetch = fetch
        self._limit = limit
        self._offset = offset
        self._when_empty = when_empty
        self._total = 0

    def total(self) -> int:
        """How many records match, shown or not. Known from the first record on."""
        return self._total

    def __iter__(self) -> Iterator[T]:
        from torc.client.resources import records  # HTTP is not for --help

        if self._limit == 0:
            self._page(self._offset, 0)
        yield from records(self._page, limit=self._limit, offset=self._offset)
        if self._when_empty and not self._total:
            self._when_empty()

    def _page(self, offset: int, rows: int) -> Page[T]:
        page = self._fetch(offset, rows)
        self._total = page.total_count
        return page


def require(torc: "Client", workflow_id: int, job_ids: Sequence[int | None] = ()) -> None:
    """NotFound when there is no such workflow, or when one of the jobs that were named is not in it."""
    torc.workflows.get(workflow_id)
    for job_id in filter(None, job_ids):
        job = torc.jobs.get(job_id)
        if job.workflow_id != workflow_id:
            raise NotFound(f"job {job_id} is in workflow {job.workflow_id}, not in workflow {workflow_id}.")
