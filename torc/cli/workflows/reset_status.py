"""``torc workflows reset-status``."""

from typing import TYPE_CHECKING

from torc.cli import ask
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import WORKFLOW_ID, command, flag
from torc.cli.output import Message
from torc.models.workflow import ReinitializeRequest
from torc.settings import user_name
from torc.workflow.reinitialize import look, reinitialize_workflow

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "workflows reset-status",
    WORKFLOW_ID,
    flag("--failed-only", help="only jobs that failed or were terminated, with what depends on them"),
    flag("-r", "--restart", "--reinitialize", dest="restart", help="begin a new run of these jobs at once"),
    flag("--force", help="although jobs are pending or running: they are taken away from their runners"),
    NO_PROMPTS,
    examples=(
        "torc workflows reset-status 5 --failed-only -r   # run again what failed, and what follows; then: torc run 5",
        "torc workflows reset-status 5                    # as if nothing had run; then: torc workflows initialize 5",
    ),
)
def reset_status(
    torc: "Client", workflow_id: int, *, failed_only: bool, restart: bool, force: bool, no_prompts: bool
) -> Message:
    """Reset a workflow and its jobs, as if they had not run.

    Results and logs stay. Either everything that was asked for is done, or nothing.
    """
    what = "failed job" if failed_only else "all job"
    question = f"This resets the {what} status of workflow {workflow_id}. Do you want to continue?"
    if not ask.consent(question, no_prompts=no_prompts):
        return Message(says="", data=None, remark="Reset cancelled.")
    messages = [
        f"Successfully reset workflow status for workflow {workflow_id}",
        f"Successfully reset {what} status for workflow {workflow_id}",
    ]
    if restart:
        # One request, so that what is missing for the new run refuses the reset as well.
        wish = ReinitializeRequest(reset_all=not failed_only, although_running=force, user=user_name())
        answer = reinitialize_workflow(torc, look(torc, workflow_id), wish).answer
        messages.append(f"Successfully restarted workflow {workflow_id}")
        known = {"run_id": answer.run_id, "jobs_reset": len(answer.jobs), "jobs_ready": answer.jobs_ready}
    else:
        count = torc.workflows.reset_job_status(workflow_id, failed_only=failed_only, force=force, with_flags=True)
        known = {"jobs_reset": count}
    return Message(
        says="",
        data={
            "status": "success",
            "workflow_id": workflow_id,
            "operations": {"workflow_reset": True, "job_reset": True, "restart": True if restart else None},
            "failed_only": failed_only,
            "messages": messages,
            **known,
        },
        remark="\n".join(messages),
    )
