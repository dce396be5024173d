"""``torc slurm parse-logs``: what the output of allocations tells of failures."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command, flag
from torc.cli.output import Message
from torc.errors import TorcError, UsageError

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.hpc.slurm_logs import Issue

OUTPUT_DIR = argument(
    "-o",
    "--output-dir",
    metavar="DIR",
    type=Path,
    default=Path("output"),
    help="folder of the logs (default: output)",
)

Affected = dict[int, list[tuple[int, str]]]
"""Jobs, by id and name, that ran in an allocation, by its number."""


@command(
    "slurm parse-logs",
    WORKFLOW_ID,
    OUTPUT_DIR,
    flag("--errors-only", help="leave out warnings"),
    examples=("torc slurm parse-logs 5", "torc slurm parse-logs 5 -o /scratch/run7 --errors-only"),
)
def parse_logs(torc: "Client", workflow_id: int, *, output_dir: Path, errors_only: bool) -> Message:
    """Look through the output of Slurm allocations for known errors, and say which jobs ran there."""
    from torc.hpc.slurm_logs import files_of, scan

    if not output_dir.is_dir():
        raise UsageError(f"Output directory does not exist: {output_dir}; name the one of the run with --output-dir.")
    job_ids = allocations_of(torc, workflow_id)
    if not job_ids:
        message = f"No Slurm scheduled compute nodes found for workflow {workflow_id}"
        return Message(says=message, data=_document(workflow_id, output_dir, [], {}) | {"message": message})
    try:
        files = files_of(output_dir, job_ids)
        issues = [issue for job_id, path in files for issue in scan(job_id, path, errors_only=errors_only)]
    except OSError as error:
        raise TorcError(f"cannot read {error.filename or output_dir}: {error.strerror}.") from error
    affected = _affected(torc, workflow_id) if issues else {}
    document = _document(workflow_id, output_dir, issues, affected)
    document |= {"slurm_jobs_count": len(job_ids), "files_scanned": len(files)}
    where = f"workflow {workflow_id} (scanned {len(files)} file(s) in {output_dir})"
    none = f"No issues found in Slurm log files for {where}"
    return Message(says="\n".join(_lines(issues, affected)) if issues else none, data=document)


def allocations_of(torc: "Client", workflow_id: int) -> list[int]:
    """The Slurm jobs of a workflow, each once."""
    found = torc.scheduled_compute_nodes.list(workflow_id)
    numbers = [one.scheduler_id for one in found if one.scheduler_type == "slurm" and one.scheduler_id]
    if not numbers:
        torc.workflows.get(workflow_id)
    return list(dict.fromkeys(numbers))


def _affected(torc: "Client", workflow_id: int) -> Affected:
    allocation_of: dict[int, int] = {}
    for node in torc.compute_nodes.list(workflow_id):
        if node.slurm_job_id is not None and node.id is not None:
            allocation_of[node.id] = node.slurm_job_id
    names = {job.id: job.name for job in torc.jobs.list(workflow_id)}
    found: dict[int, set[int]] = defaultdict(set)
    for result in torc.results.list(workflow_id, all_attempts=True, all_runs=True):
        if result.compute_node_id in allocation_of:
            found[allocation_of[result.compute_node_id]].add(result.job_id)
    return {
        number: [(job_id, names.get(job_id, f"job_{job_id}")) for job_id in sorted(jobs)]
        for number, jobs in found.items()
    }


def _document(workflow_id: int, output_dir: Path, issues: Sequence["Issue"], affected: Affected) -> dict[str, Any]:
    errors = sum(issue.pattern.severity == "error" for issue in issues)
    return {
        "workflow_id": workflow_id,
        "output_dir": str(output_dir),
        "slurm_jobs_count": 0,
        "files_scanned": 0,
        "total_issues": len(issues),
        "errors": errors,
        "warnings": len(issues) - errors,
        "issues": [_issue_document(issue, affected.get(issue.slurm_job_id, [])) for issue in issues],
    }


def _issue_document(issue: "Issue", jobs: Iterable[tuple[int, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": str(issue.file),
        "slurm_job_id": str(issue.slurm_job_id),
        "line_number": issue.line_number,
        "line": issue.line,
        "pattern_description": issue.pattern.label,
        "severity": issue.pattern.severity,
        "node": issue.node,
    }
    if named := [{"job_id": job_id, "job_name": name} for job_id, name in jobs]:
        found["affected_jobs"] = named
    return found


def _lines(issues: Sequence["Issue"], affected: Affected) -> Iterable[str]:
    yield f"Found {len(issues)} issue(s) in Slurm log files:"
    for number in dict.fromkeys(issue.slurm_job_id for issue in issues):
        yield f"\n=== Slurm Job {number} ==="
        if jobs := affected.get(number):
            yield f"  Affected Torc jobs: {len(jobs)} (ID: {', '.join(str(job_id) for job_id, _ in jobs)})"
        for issue in (one for one in issues if one.slurm_job_id == number):
            severity = "ERROR" if issue.pattern.severity == "error" else "WARN"
            node = f" (node: {issue.node})" if issue.node else ""
            yield f"  [{severity}] {issue.pattern.label}{node}: {issue.line}"
            yield f"    Location: {issue.file}:{issue.line_number}"
    errors = sum(issue.pattern.severity == "error" for issue in issues)
    yield f"\nSummary: {errors} error(s), {len(issues) - errors} warning(s)"
