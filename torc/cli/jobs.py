"""``torc jobs``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Record
from torc.errors import UsageError
from torc.models.status import JobStatus
from torc.views import jobs as views

if TYPE_CHECKING:
    from torc.client.api import Client


def job_status(text: str | None) -> JobStatus | None:
    """The status a user names, in any case; UsageError lists them all."""
    if text is None:
        return None
    try:
        return JobStatus(text.lower())
    except ValueError:
        raise UsageError(f"Invalid status: {text}. Valid values are: {', '.join(JobStatus)}") from None


@command(
    "jobs list",
    WORKFLOW_ID,
    argument("-s", "--status", metavar="STATUS", help="only jobs with this status"),
    argument("--upstream-job-id", metavar="ID", type=number(1), help="only jobs that depend on this one"),
    flag("--include-relationships", help="with dependencies, files and user data (in JSON)"),
    *PAGING,
)
def list_jobs(
    torc: "Client", workflow_id: int, *, status: str | None, include_relationships: bool, **query: Any
) -> Listing:
    """List the jobs of a workflow."""
    jobs = torc.jobs.list(
        workflow_id, status=job_status(status), include_relationships=include_relationships or None, **query
    )
    return Listing(
        key="jobs",
        records=jobs,
        columns=views.TABLE,
        title=f"Jobs for workflow ID {workflow_id}:",
        noun="jobs",
        empty=f"No jobs found for workflow ID: {workflow_id}",
    )


@command("jobs get", argument("job_id", metavar="ID", type=number(1), help="see `torc jobs list`"))
def get_job(torc: "Client", job_id: int) -> Record:
    """Show one job."""
    return Record(title=f"Job ID {job_id}:", record=torc.jobs.get(job_id), columns=views.DETAILS)
