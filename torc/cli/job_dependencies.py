"""``torc job-dependencies``."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING_WITH_LETTERS, WORKFLOW_ID, command
from torc.cli.output import Listing
from torc.cli.pages import Pages, require
from torc.models.queries import MAX_RELATIONSHIPS
from torc.views import relationships as views
from torc.views.column import Column

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.models.record import Page

PART = PAGING_WITH_LETTERS[:2]


Fetch = Callable[..., "Page[Any]"]


def _listing(
    torc: "Client", fetch: Fetch, columns: Sequence[Column], workflow_id: int, noun: str, *, limit: int, offset: int
) -> Listing:
    pages: Pages[Any] = Pages(
        lambda offset, rows: fetch(workflow_id, offset=offset, limit=rows),
        limit=limit,
        offset=offset,
        when_empty=lambda: require(torc, workflow_id),
    )

    def tail() -> dict[str, Any]:
        """The keys of a page of the API."""
        count = max(0, min(limit, pages.total() - offset))
        page = {"offset": offset, "max_limit": MAX_RELATIONSHIPS, "count": count, "total_count": pages.total()}
        return {**page, "has_more": offset + count < pages.total()}

    return Listing(
        key="items",
        records=pages,
        columns=columns,
        title=f"{noun[:1].upper()}{noun[1:]} for workflow ID {workflow_id}:",
        noun=noun,
        empty=f"No {noun} found for workflow ID: {workflow_id}",
        total=pages.total,
        tail=tail,
    )


@command(
    "job-dependencies job-job",
    WORKFLOW_ID,
    *PART,
    examples=("torc job-dependencies job-job 5", "torc -f json job-dependencies job-job 5 -l 100 | jq .items"),
)
def jobs(torc: "Client", workflow_id: int, *, limit: int, offset: int) -> Listing:
    """List which job waits for which."""
    fetch = torc.workflows.job_dependencies_page
    return _listing(torc, fetch, views.JOBS, workflow_id, "job dependencies", limit=limit, offset=offset)


@command("job-dependencies job-file", WORKFLOW_ID, *PART, examples=("torc job-dependencies job-file 5",))
def files(torc: "Client", workflow_id: int, *, limit: int, offset: int) -> Listing:
    """List which job writes and which job reads each file."""
    fetch = torc.workflows.job_file_relationships_page
    return _listing(torc, fetch, views.FILES, workflow_id, "job-file relationships", limit=limit, offset=offset)


@command("job-dependencies job-user-data", WORKFLOW_ID, *PART, examples=("torc job-dependencies job-user-data 5",))
def user_data(torc: "Client", workflow_id: int, *, limit: int, offset: int) -> Listing:
    """List which job writes and which job reads each record of user data."""
    fetch = torc.workflows.job_user_data_relationships_page
    return _listing(
        torc, fetch, views.USER_DATA, workflow_id, "job-user_data relationships", limit=limit, offset=offset
    )
