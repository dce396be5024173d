"""``torc slurm sacct``: what Slurm's accounts say of a workflow's allocations."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, command, flag
from torc.cli.output import Message, table
from torc.cli.slurm.parse_logs import OUTPUT_DIR, allocations_of
from torc.errors import TorcError, UsageError
from torc.hpc import slurm
from torc.views.slurm import ACCOUNTS

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.hpc.accounting import AccountRow


@command(
    "slurm sacct",
    WORKFLOW_ID,
    OUTPUT_DIR,
    flag("--save-json", help="keep what sacct says as sacct_ID.json in that folder"),
    examples=("torc slurm sacct 5", "torc slurm sacct 5 --save-json"),
)
def sacct(torc: "Client", workflow_id: int, *, output_dir: Path, save_json: bool) -> Message:
    """Show the accounts of the Slurm allocations of a workflow, and of their steps."""
    from torc.hpc.accounting import rows

    job_ids = allocations_of(torc, workflow_id)
    if not job_ids:
        message = "No Slurm scheduled compute nodes found"
        document = {"workflow_id": workflow_id, "message": message, "summary": []}
        return Message(says=f"{message} for workflow {workflow_id}", data=document)
    slurm.require("sacct")
    found: list[AccountRow] = []
    errors: list[str] = []
    for job_id in job_ids:
        try:
            text = slurm.accounting_json(job_id)
            if save_json:
                _save(output_dir, job_id, text)
            found += rows(job_id, text, slurm.exit_codes(job_id))
        except UsageError:
            raise
        except (TorcError, ValueError) as error:
            errors.append(f"Job {job_id}: {error}")
    lines = [f"Slurm Accounting Summary for Workflow {workflow_id}", ""]
    if found:
        lines += [table(ACCOUNTS, [[column.text(row) for column in ACCOUNTS] for row in found])]
        lines += ["", f"Total: {len(found)} job steps"]
    else:
        lines = [f"No sacct data available for workflow {workflow_id} (checked {len(job_ids)} Slurm job(s))"]
    lines += ["", "Errors:", *(f"  {error}" for error in errors)] if errors else []
    lines += ["", f"Full JSON saved to: {output_dir}"] if save_json else []
    return Message(
        says="\n".join(lines),
        data={
            "workflow_id": workflow_id,
            "total_slurm_jobs": len(job_ids),
            "summary": [_row_document(row) for row in found],
            "errors": errors,
        },
    )


def _row_document(row: "AccountRow") -> dict[str, Any]:
    """Texts as in the table, under the keys of the contract."""
    keys = ("slurm_job_id", "job_step", "state", "exit_code", "elapsed", "max_rss", "cpu_time", "nodes")
    return {key: column.text(row) for key, column in zip(keys, ACCOUNTS, strict=True)}


def _save(folder: Path, job_id: int, text: str) -> None:
    path = folder / f"sacct_{job_id}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name another folder with --output-dir.") from error
