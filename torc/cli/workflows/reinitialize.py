"""``torc workflows reinitialize``."""

from typing import TYPE_CHECKING, Any

from torc.cli import begin
from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS, FORCE
from torc.cli.command import WORKFLOW_ID, command, flag
from torc.cli.output import CONTROL, Message, table
from torc.cli.workflows.initialize import describe_files, document_files
from torc.errors import EXIT_ERROR
from torc.models.workflow import ReinitializeRequest
from torc.settings import user_name
from torc.views import reruns as views
from torc.workflow.reinitialize import Renewal, look, preview

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows reinitialize",
    WORKFLOW_ID,
    FORCE,
    flag("--dry-run", help="only tell which jobs would run again and why, and which inputs are missing"),
    flag("--keep-failed", help="leave jobs that failed as they are"),
    DELETE_OUTPUTS,
    NO_PROMPTS,
    examples=(
        "torc workflows reinitialize 5 --dry-run       # which jobs would run again, and why",
        "torc workflows reinitialize 5                 # begin the new run; then: torc run 5",
        "torc workflows reinitialize 5 --keep-failed   # only what changed, not what failed",
    ),
)
def reinitialize(
    torc: "Client",
    workflow_id: int,
    *,
    force: bool,
    dry_run: bool,
    keep_failed: bool,
    delete_outputs: bool,
    no_prompts: bool,
) -> Message:
    """Start a new run of what did not succeed or has changed.

    Jobs run again that were canceled or terminated, that failed, whose node was lost, whose command, input files or
    user data changed, or whose output files are missing; and all jobs that depend on these. Disabled jobs stay so.
    """
    wish = ReinitializeRequest(keep_failed=keep_failed, ignore_missing=force, user=user_name())
    if dry_run:
        return _check(workflow_id, preview(torc, look(torc, workflow_id), wish), force=force)
    begun = begin.reinitialize(torc, workflow_id, wish, delete_outputs=delete_outputs, no_prompts=no_prompts)
    answer = begun.answer
    lines = [
        "Successfully reinitialized workflow:",
        f"  Workflow ID: {workflow_id}",
        f"  Run ID: {answer.run_id}",
        f"  Jobs: {views.counted(answer.jobs, answer.jobs_waiting)}; {answer.jobs_ready} ready",
    ]
    return Message(
        says="\n".join(lines),
        data={
            "status": "success",
            "message": f"Successfully reinitialized workflow {workflow_id}",
            "workflow_id": workflow_id,
            **_document(begun),
        },
    )


def _check(workflow_id: int, would: Renewal, *, force: bool) -> Message:
    answer = would.answer
    is_safe = would.is_safe(ignore_missing=force)
    lines = [f"Re-initialization check for workflow {workflow_id}:"]
    lines += describe_files(would.missing_inputs, would.existing_outputs)
    if answer.missing_user_data:
        lines.append(f"Missing user data: IDs {answer.missing_user_data}")
    lines.append(f"In run {answer.run_id}, {views.counted(answer.jobs, answer.jobs_waiting)}" + ":" * bool(answer.jobs))
    if answer.jobs:
        shown = answer.jobs[: views.SHOWN]
        lines.append(table(views.TABLE, [[column.text(job) for column in views.TABLE] for job in shown]))
    if len(answer.jobs) > views.SHOWN:
        lines.append(f"... and {len(answer.jobs) - views.SHOWN} more; all of them: --format json")
    if is_safe:
        ignored = "missing ones are ignored" if would.missing_inputs else "no missing input files"
        lines.append(f"Safe to reinitialize ({ignored})")
    else:
        lines.append(f"Cannot reinitialize: missing required {'input files' if would.missing_inputs else 'user data'}")
    return Message(
        says="\n".join(line.translate(CONTROL) for line in lines),
        data={
            "workflow_id": workflow_id,
            "safe": is_safe,
            **document_files(would.missing_inputs, would.existing_outputs),
            "missing_user_data": answer.missing_user_data,
            **_document(would),
        },
        exit_code=0 if is_safe else EXIT_ERROR,
    )


def _document(renewal: Renewal) -> dict[str, Any]:
    answer = renewal.answer
    return {
        "run_id": answer.run_id,
        "jobs_ready": answer.jobs_ready,
        "jobs_waiting": answer.jobs_waiting,
        "job_count": len(answer.jobs),
        "jobs": [views.as_document(job) for job in answer.jobs],
    }
