"""``torc jobs``."""

from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Listing, Message, Record
from torc.errors import UsageError
from torc.models.job import Job, JobVerb
from torc.models.status import JobStatus
from torc.settings import user_name
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


def _declare(verb: JobVerb, promise: str, says: str) -> None:
    """Make ``torc jobs <verb> ID...``; all of the jobs or none."""

    def run(torc: "Client", job_ids: list[int]) -> Message:
        jobs = torc.jobs.command(verb, job_ids, user=user_name())
        lines = [f"  Job {job.id} '{job.name}': {_outcome(verb, job)}" for job in jobs]
        return Message(says="\n".join([says.format(len(jobs)), *lines]), data={"jobs": jobs})

    run.__doc__ = promise
    command(f"jobs {verb}", argument("job_ids", metavar="ID", nargs="+", type=number(1), help=IDS_HELP))(run)


def _outcome(verb: JobVerb, job: Job) -> str:
    if verb == JobVerb.TERMINATE and job.status == JobStatus.RUNNING:
        return "running; its runner is asked to stop it"
    return str(job.status)


IDS_HELP = "one or several; if one of them is refused, nothing happens to the others"

_declare(JobVerb.CANCEL, "Cancel jobs: nobody runs them, and who has one stops it.", "Canceled {} job(s):")
_declare(
    JobVerb.TERMINATE,
    "Let runners end jobs, with a grace time for those that support termination.",
    "Terminated {} job(s):",
)
_declare(
    JobVerb.RETRY,
    "Run finished jobs again, and what depends on them.\n\nWhat was canceled because of them comes back. What they are "
    "given is what they asked for.",
    "Retried {} job(s):",
)
_declare(JobVerb.DISABLE, "Keep jobs from being run.", "Disabled {} job(s):")
_declare(JobVerb.ENABLE, "Let disabled jobs run, and what was canceled because of them.", "Enabled {} job(s):")
