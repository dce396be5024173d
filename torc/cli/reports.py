"""``torc reports``."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc import logs
from torc.cli.command import WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Message, as_json, table
from torc.errors import TorcError
from torc.models.compute_node import ComputeNode
from torc.models.result import Result
from torc.views import reports as views
from torc.workflow import stdio

if TYPE_CHECKING:
    from torc.client.api import Client

FILES_NAMED = 20
"""Most missing files that are named; the rest is counted."""


@command(
    "reports check-resource-utilization",
    WORKFLOW_ID,
    argument("-r", "--run-id", metavar="N", type=number(0), help="this run, not the latest of each job"),
    flag("-a", "--all", help="also what stayed within the requirements"),
    examples=(
        "torc reports check-resource-utilization 12",
        "torc reports check-resource-utilization 12 --run-id 1 --all   # of the first run, all jobs",
    ),
)
def check_resource_utilization(torc: "Client", workflow_id: int, *, run_id: int | None, all: bool) -> Message:
    """Compare what jobs used with the resources they asked for.

    Of each job the latest attempt counts, whatever came of it.
    """
    torc.workflows.get(workflow_id)  # one that does not exist is not one without results
    jobs = {job.id: job for job in torc.jobs.list(workflow_id)}
    requirements = {asked.id: asked for asked in torc.resource_requirements.list(workflow_id)}
    uses: list[views.Use] = []
    skipped: list[str] = []
    total = 0
    for result in _latest(torc.results.list(workflow_id, run_id=run_id, all_runs=None if run_id is None else True)):
        job = jobs.get(result.job_id)
        asked = requirements.get(job.resource_requirements_id) if job else None
        if job is None or asked is None:
            skipped.append(f"Warning: job {result.job_id} has no resource requirements and is left out")
            continue
        total += 1
        uses += (use for use in views.uses(result, job.name, asked) if all or use.is_over)
    report = views.Utilization(workflow_id, run_id, total, uses, shows_all=all)
    return Message(says=utilization_text(report), data=report.document(), remark="\n".join(skipped) or None)


def _latest(results: Iterable[Result]) -> Iterator[Result]:
    """The last attempt of each job, in the order of jobs."""
    latest: dict[int, Result] = {}
    for result in results:
        known = latest.get(result.job_id)
        if known is None or (result.attempt_id or 0) >= (known.attempt_id or 0):
            latest[result.job_id] = result
    return (latest[job_id] for job_id in sorted(latest))


def utilization_text(report: views.Utilization) -> str:
    """The report for people."""
    if not report.uses:
        return report.title()
    rows = [[column.text(use) for column in views.USE_COLUMNS] for use in report.uses]
    shown = f"{report.title()}\n\n{table(views.USE_COLUMNS, rows)}"
    return shown if report.shows_all else f"{shown}\n\nNote: --all also shows what stayed within the requirements."


def _existing_folder(arguments: dict[str, Any]) -> dict[str, Any]:
    """The folder of the output has to be there."""
    folder = Path(arguments["output_dir"])
    if not folder.exists():
        raise TorcError(f"Output directory does not exist: {folder}; name the one of the run with --output-dir.")
    if not folder.is_dir():
        raise TorcError(f"Output path is not a directory: {folder}; name the one of the run with --output-dir.")
    return {**arguments, "output_dir": folder}


@command(
    "reports results",
    WORKFLOW_ID,
    argument(
        "-o", "--output-dir", "--output", metavar="DIR", default="output", help="where the jobs ran (default: output)"
    ),
    flag("--all-attempts", help="all attempts of a job's last run, not only the latest"),
    flag("--all-runs", help="all attempts of all runs"),
    prepare=_existing_folder,
    examples=(
        "torc reports results 12 > report.json",
        "torc reports results 12 | jq -r '.results[] | select(.return_code != 0) | .job_stderr'   # logs of failures",
    ),
)
def results(torc: "Client", workflow_id: int, *, output_dir: Path, all_attempts: bool, all_runs: bool) -> Message:
    """Report how jobs ended and where their logs are, as JSON."""
    workflow = torc.workflows.get(workflow_id)
    names = {job.id: job.name for job in torc.jobs.list(workflow_id)}
    nodes = {node.id: node for node in torc.compute_nodes.list(workflow_id)}
    found = torc.results.list(workflow_id, all_attempts=all_attempts or None, all_runs=all_runs or None)
    logs_of = LogFiles(output_dir)
    records = [
        views.result_document(
            result,
            job_name=names.get(result.job_id, "-"),
            node_type=node.compute_node_type if (node := nodes.get(result.compute_node_id)) else None,
            files=logs_of.attempt(result, node),
        )
        for result in found
    ]
    document = {
        "workflow_id": workflow_id,
        "workflow_name": workflow.name,
        "workflow_user": workflow.user,
        "all_runs": all_runs,
        "total_results": len(records),
        "results": records,
    }
    remark = logs_of.remark() if records else f"No results found for workflow {workflow_id}"
    return Message(says=as_json(document), data=document, remark=remark)


class LogFiles:
    """Says where logs lie, and remembers which of them do not."""

    def __init__(self, output_dir: Path) -> None:
        self._output_dir = output_dir
        self._is_there: dict[str, bool] = {}
        self._warnings: list[str] = []

    def attempt(self, result: Result, node: ComputeNode | None) -> dict[str, str | None]:
        """The files of one attempt, by their keys in the report."""
        return {
            "job_stdout": self._stdio(result, "o", "job stdout"),
            "job_stderr": self._stdio(result, "e", "job stderr"),
            "job_runner_log": self._runner_log(result, node),
            **self._slurm_logs(result, node),
        }

    def remark(self) -> str | None:
        """A line for each file that is missing, as long as they are few."""
        shown = self._warnings[:FILES_NAMED]
        if rest := len(self._warnings) - len(shown):
            shown.append(f"Warning: and {rest} more log files do not exist")
        return "\n".join(shown) or None

    def _stdio(self, result: Result, extension: str, kind: str) -> str:
        name = stdio.file_name(
            workflow_id=result.workflow_id,
            job_id=result.job_id,
            run_id=result.run_id,
            attempt_id=result.attempt_id or 1,
            extension=extension,
        )
        return self._checked(stdio.folder(self._output_dir) / name, f"{kind} log file", result)

    def _runner_log(self, result: Result, node: ComputeNode | None) -> str | None:
        if node is None:
            self._warnings.append(f"Warning: the compute node of job {result.job_id} is not known")
            return None
        if node.compute_node_type == "slurm":
            return self._of_runner(result, node, "job_runner_slurm", "slurm job runner")
        if node.compute_node_type != "local":
            return None
        name = logs.runner_file_name(result.workflow_id, result.run_id, node.hostname)
        return self._checked(self._output_dir / name, "job runner log file", result)

    def _slurm_logs(self, result: Result, node: ComputeNode | None) -> dict[str, str | None]:
        """What Slurm and the runner wrote about the allocation; nothing for other nodes."""
        if node is None or node.compute_node_type != "slurm":
            return {}
        number = _place(node).get("slurm_job_id")
        output = self._output_dir / f"slurm_output_{number}"
        return {
            "slurm_stdout": self._checked(output.with_suffix(".o"), "slurm stdout log file", result),
            "slurm_stderr": self._checked(output.with_suffix(".e"), "slurm stderr log file", result),
            "slurm_env_log": self._of_runner(result, node, "slurm_env", "slurm environment"),
            "dmesg_log": self._of_runner(result, node, "dmesg_slurm", "kernel"),
        }

    def _of_runner(self, result: Result, node: ComputeNode, prefix: str, kind: str) -> str:
        """A file named after a runner's place; of runners that do not tell theirs, the first of the allocation."""
        place = _place(node)
        number, node_id, task_pid = (place.get(key) for key in ("slurm_job_id", "node_id", "task_pid"))
        path = self._output_dir / f"{prefix}_{number}_{node_id}_{task_pid}.log"
        if node_id is None or task_pid is None:
            path = min(self._output_dir.glob(f"{prefix}_{number}_*.log"), default=path)
        return self._checked(path, f"{kind} log file", result)

    def _checked(self, path: Path, kind: str, result: Result) -> str:
        text = str(path)
        if text not in self._is_there:
            self._is_there[text] = path.exists()
            if not self._is_there[text]:
                self._warnings.append(f"Warning: {kind} does not exist for job {result.job_id}: {text}")
        return text


def _place(node: ComputeNode) -> dict[str, Any]:
    """How Slurm calls the place of a runner. What others have written there may be anything."""
    found = node.scheduler if isinstance(node.scheduler, dict) else {}
    return {key: value for key, value in found.items() if str(value).isdecimal()}
