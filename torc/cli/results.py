"""``torc results``."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from torc.cli.command import PAGING, WORKFLOW_ID, argument, command, flag, number
from torc.cli.jobs import job_status
from torc.cli.output import Listing
from torc.models.result import Result
from torc.views import results as views

if TYPE_CHECKING:
    from torc.client.api import Client


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
    **query: Any,
) -> Listing:
    """List how the jobs of a workflow ended."""
    query |= {"job_id": job_id, "status": job_status(status)}
    query |= {"all_attempts": all_attempts or None, "all_runs": all_runs or None}
    results: Iterable[Result] = torc.results.list(workflow_id, limit=None if failed else limit, **query)
    if failed:
        results = islice((result for result in results if result.return_code != 0), limit)
    of_job = f" and job ID{{}} {job_id}" if job_id else ""
    return Listing(
        key="results",
        records=results,
        columns=views.table(JobNames(torc, workflow_id).of, attempts=all_attempts or all_runs),
        title=f"Results for workflow ID {workflow_id}{of_job.format('')}:",
        noun="results",
        empty=f"No results found for workflow ID{'' if job_id else ':'} {workflow_id}{of_job.format(':')}",
    )
