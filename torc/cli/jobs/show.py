"""``torc jobs list``, ``get``, ``list-by-status`` and ``list-resource-requirements``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Message, table
from torc.cli.pages import require
from torc.cli.plain import Noun, declare_get
from torc.errors import UsageError
from torc.models.status import JobStatus
from torc.views import jobs as views

if TYPE_CHECKING:
    from torc.client.api import Client

JOBS = Noun(word="jobs", one="job", many="jobs", key="jobs", table=views.TABLE, details=views.DETAILS)
JOB_ID = argument("job_id", metavar="ID", type=number(1), help="see `torc jobs list`")


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
    examples=(
        "torc jobs list 5 --status failed",
        "torc -f json jobs list 5 | jq '.jobs[] | {name, status}'",
        "torc jobs list 5 --upstream-job-id 12   # what waits for job 12",
    ),
)
def list_jobs(
    torc: "Client",
    workflow_id: int,
    *,
    status: str | None,
    upstream_job_id: int | None,
    include_relationships: bool,
    **paging: Any,
) -> Listing:
    """List the jobs of a workflow."""
    pages = JOBS.pages(
        torc,
        workflow_id,
        of_jobs=(upstream_job_id,),
        status=job_status(status),
        upstream_job_id=upstream_job_id,
        include_relationships=include_relationships or None,
        **paging,
    )
    return JOBS.listing(workflow_id, pages)


declare_get(JOBS, "Show one job.", examples=("torc jobs get 12", "torc -f json jobs get 12 | jq .command"))


@command("jobs list-by-status", WORKFLOW_ID, hidden=True, examples=("torc jobs list-by-status 5",))
def list_by_status(torc: "Client", workflow_id: int) -> Message:
    """Count the jobs of a workflow by their status."""
    counts = torc.workflows.job_counts(workflow_id)
    rows = [(str(status), counts[status]) for status in JobStatus if counts.get(status)]
    total = sum(count for _, count in rows)
    box = table(views.COUNTS, [[status, str(count)] for status, count in rows])
    return Message(
        says=f"{box}\n\nTotal: {total} jobs" if rows else f"No jobs found for workflow ID: {workflow_id}",
        data={"workflow_id": workflow_id, "total": total, "counts": dict(rows)},
    )


def _any_workflow(arguments: dict[str, Any]) -> dict[str, Any]:
    """A job is enough to know the workflow."""
    if arguments["job_id"] is not None and arguments["workflow_id"] is None:
        arguments["workflow_id"] = 0
    return arguments


@command(
    "jobs list-resource-requirements",
    WORKFLOW_ID,
    argument(
        "-j", "--job-id", metavar="ID", type=number(1), help="only what this job needs; WORKFLOW_ID may be left out"
    ),
    prepare=_any_workflow,
    examples=(
        "torc jobs list-resource-requirements 5",
        "torc jobs list-resource-requirements --job-id 12",
    ),
)
def list_requirements(torc: "Client", workflow_id: int, *, job_id: int | None) -> Listing:
    """List what the jobs of a workflow need."""
    return Listing(
        key=None,
        records=_needs(torc, workflow_id, job_id),
        columns=views.NEEDS,
        title="Jobs with resource requirements:",
        noun="jobs with resource requirements",
        empty="No jobs found" if job_id is None else "No jobs with resource requirements found",
        as_document=views.need_document,
    )


def _needs(torc: "Client", workflow_id: int, job_id: int | None) -> Iterator[views.Need]:
    if job_id is not None:
        if workflow_id:
            require(torc, workflow_id, [job_id])
        job = torc.jobs.get(job_id)
        if job.resource_requirements_id:
            yield views.Need(job, torc.resource_requirements.get(job.resource_requirements_id))
        return
    known = {one.id: one for one in torc.resource_requirements.list(workflow_id)}
    if not known:
        torc.workflows.get(workflow_id)
    for job in torc.jobs.list(workflow_id):
        found = known.get(job.resource_requirements_id)
        if found:
            yield views.Need(job, found)
