"""``torc slurm schedule-nodes``: ask for nodes by hand, or as an action does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli import begin
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import WORKFLOW_ID, argument, command, flag, number
from torc.cli.output import Message, tell
from torc.cli.slurm.asking import OUTPUT, wishes
from torc.errors import UsageError
from torc.settings import KEEP_SUBMISSION_SCRIPTS

if TYPE_CHECKING:
    from torc.client.api import Client

FORCE = flag("--force", help="also when the last allocations failed at once")


@command(
    "slurm schedule-nodes",
    WORKFLOW_ID,
    argument("-n", "--num-hpc-jobs", metavar="N", type=number(1), default=1, help="how many allocations (default: 1)"),
    argument(
        "--scheduler-config-id", metavar="ID", type=number(1), help="scheduler of the workflow, when it has several"
    ),
    argument("-j", "--job-prefix", metavar="NAME", default="worker", help="beginning of the names of the Slurm jobs"),
    OUTPUT,
    argument("-p", "--poll-interval", metavar="SECONDS", type=number(1), help="pause of idle runners (default: 60)"),
    argument("-m", "--max-parallel-jobs", metavar="N", type=number(1), help="jobs at a time, whatever they need"),
    flag("--start-one-worker-per-node", help="a runner on each node of an allocation, not one for all"),
    flag("--unless-there", help="count the allocations of this scheduler that wait or run already"),
    KEEP_SUBMISSION_SCRIPTS,
    FORCE,
    NO_PROMPTS,
    examples=(
        "torc slurm schedule-nodes 5",
        "torc slurm schedule-nodes 5 -n 3 --scheduler-config-id 2 --start-one-worker-per-node",
    ),
)
def schedule_nodes(
    torc: "Client",
    workflow_id: int,
    *,
    num_hpc_jobs: int,
    scheduler_config_id: int | None,
    job_prefix: str,
    output: Path,
    poll_interval: int | None,
    max_parallel_jobs: int | None,
    start_one_worker_per_node: bool,
    unless_there: bool,
    keep_submission_scripts: bool,
    force: bool,
    no_prompts: bool,
) -> Message:
    """Ask Slurm for nodes that run the jobs of a workflow. One that has not begun is initialized first."""
    from torc.models.scheduler import LIVE_ALLOCATIONS
    from torc.workflow import allocations
    from torc.workflow.submit import missing_allocations

    scheduler_id = scheduler_config_id or _only_scheduler(torc, workflow_id)
    make = wishes(
        torc,
        output_dir=output,
        prefix=job_prefix,
        poll_interval_s=poll_interval,
        keep_scripts=keep_submission_scripts,
        force=force,
    )
    wish = make(torc.slurm_schedulers.get(scheduler_id), num_hpc_jobs, start_one_worker_per_node, max_parallel_jobs)
    if wish.scheduler.workflow_id != workflow_id:
        raise UsageError(f"scheduler {scheduler_id} belongs to workflow {wish.scheduler.workflow_id}.")
    if unless_there:
        wish = missing_allocations(torc, workflow_id, wish, LIVE_ALLOCATIONS)
    allocations.check(torc, workflow_id, [wish])
    if torc.workflows.is_uninitialized(workflow_id):
        begin.initialize(torc, workflow_id, user=None, force=False, delete_outputs=False, no_prompts=no_prompts)
    made = allocations.submit(torc, workflow_id, wish, tell)
    return Message(
        says="",
        remark=f"Successfully running {len(made)} Slurm job(s)",
        data=_as_document(workflow_id, [one.scheduler_id for one in made]),
    )


def _as_document(workflow_id: int, job_ids: list[int]) -> dict[str, Any]:
    return {"status": "success", "workflow_id": workflow_id, "slurm_job_ids": job_ids}


def _only_scheduler(torc: "Client", workflow_id: int) -> int:
    found = list(torc.slurm_schedulers.list(workflow_id))
    if not found:
        raise UsageError(
            f"workflow {workflow_id} has no Slurm scheduler; make one with: torc slurm create {workflow_id} "
            "--name NAME --account ACCOUNT"
        )
    if len(found) > 1:
        known = ", ".join(f"{one.id} ({one.name})" for one in found)
        raise UsageError(f"workflow {workflow_id} has several Slurm schedulers: {known}; add --scheduler-config-id ID.")
    assert found[0].id is not None
    return found[0].id
