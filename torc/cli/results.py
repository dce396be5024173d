"""``torc results``."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.jobs import job_status
from torc.cli.output import Listing
from torc.cli.plain import Noun, declare_delete, declare_get
from torc.views import results as views

if TYPE_CHECKING:
    from torc.client.api import Client


RESULTS = Noun(
    word="results", one="result", many="results", key="results", table=(), details=views.DETAILS
)  # the table needs the names of jobs


class JobNames:
    """The names of a workflow's jobs, fetched when the first one is asked for."""

    def __init__(self, torc: "Client", workflow_id: int) -> None:
        self._torc = torc
        self._workflow_id = workflow_id
        self._names: dict[int, str] | None = None

    def of(self, job_id: int) -> str:
        """The name, or a dash for a job that is no more."""
        if self._names is None:
            self._names = {job.id: job.name for job in self._torc.jobs.list(self._workflow_id) if job.id is not None}
        return self._names.get(job_id, "-")


@command(
    "results list",
    WORKFLOW_ID,
    argument("-j", "--job-id", metavar="ID", type=number(1), help="only results of this job"),
    argument("-r", "--run-id", metavar="N", type=number(0), help="only results of this run"),
    argument("--return-code", metavar="N", type=int, help="only results with this return code"),
    flag("--failed", help="only results with a return code other than 0"),
    argument("-s", "--status", metavar="STATUS", help="only results with this status"),
    flag("--all-attempts", help="all attempts of a job's last run, not only the latest"),
    flag("--all-runs", help="all attempts of all runs"),
    *PAGING,
    examples=(
        "torc results list 5 --failed",
        "torc results list 5 --job-id 12 --all-runs   # every attempt there ever was",
        "torc -f json results list 5 | jq '.results[] | {job_id, return_code}'",
    ),
)
def list_results(
    torc: "Client",
    workflow_id: int,
    *,
    job_id: int | None,
    status: str | None,
    failed: bool,
    all_attempts: bool,
    all_runs: bool,
    limit: int,
    offset: int,
    **query: Any,
) -> Listing:
    """List how the jobs of a workflow ended."""
    query |= {"job_id": job_id, "status": job_status(status), "of_jobs": (job_id,)}
    query |= {"all_attempts": all_attempts or None, "all_runs": all_runs or None}
    narrowed: dict[str, Any] = {}
    if failed:  # the server cannot tell, so that nobody knows how many there are
        pages = RESULTS.pages(torc, workflow_id, limit=None, offset=0, **query)
        found = (result for result in pages if result.return_code != 0)
        narrowed = {"records": islice(found, offset, offset + limit), "total": None}
    else:
        pages = RESULTS.pages(torc, workflow_id, limit=limit, offset=offset, **query)
    if job_id:
        narrowed["title"] = f"Results for workflow ID {workflow_id} and job ID {job_id}:"
        narrowed["empty"] = f"No results found for workflow ID {workflow_id} and job ID: {job_id}"
    columns = views.table(JobNames(torc, workflow_id).of, attempts=all_attempts or all_runs)
    return RESULTS.listing(workflow_id, pages, columns=columns, **narrowed)


declare_get(RESULTS, "Show a result.", examples=("torc results get 4",))
declare_delete(
    RESULTS,
    "Delete a result.\n\nThe status of the job stays as it is.",
    examples=("torc results delete 4",),
)
