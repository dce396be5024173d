"""``torc slurm regenerate``, and what it shares with ``torc recover``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.clusters import account_for, chosen, here
from torc.cli.command import WORKFLOW_ID, command, flag
from torc.cli.output import Message, tell
from torc.cli.slurm.asking import wishes
from torc.cli.slurm.generate import SITE
from torc.cli.slurm.nodes import FORCE
from torc.cli.slurm.parse_logs import OUTPUT_DIR
from torc.errors import UsageError
from torc.views import recovery as views

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.workflow.regenerate import Site


def site_of(
    *,
    account: str | None,
    hpc_profile: str | None,
    single_allocation: bool,
    walltime_strategy: Any,
    walltime_factor: float,
) -> "Site":
    """What is known of the cluster: of the profile that is named, or of this one; nothing where neither is known."""
    from torc.workflow.regenerate import Site
    from torc.workflow.sizing import Options

    there = None if hpc_profile else here()
    profile = chosen(hpc_profile) if hpc_profile else there and there[0]
    if profile is not None and profile.default_account:
        account = account_for(profile, account)
    options = Options(
        account=account or "",  # that of the old scheduler
        single_allocation=single_allocation,
        walltime=walltime_strategy,
        walltime_factor=walltime_factor,
    )
    return Site(profile, options)


@command(
    "slurm regenerate",
    WORKFLOW_ID,
    *SITE,
    OUTPUT_DIR,
    flag("--submit", help="ask for the allocations, too"),
    flag("--dry-run", help="only tell what would be made and asked for"),
    FORCE,
    examples=(
        "torc slurm regenerate 5 --dry-run",
        "torc slurm regenerate 5 --submit   # after its allocations ended before the work did",
    ),
)
def regenerate(
    torc: "Client", workflow_id: int, *, output_dir: Path, submit: bool, dry_run: bool, force: bool, **planning: Any
) -> Message:
    """Plan allocations for the jobs of a workflow that are ready.

    Jobs keep their Slurm scheduler where it has room for them; for others one is made, from the profile of the cluster
    or like the old one with more memory and time. Allocations that wait or run are counted. ``torc recover`` does this
    for what failed.
    """
    from torc.workflow import regenerate as verbs

    if not torc.workflows.job_counts(workflow_id).get("ready"):
        raise UsageError(
            f"workflow {workflow_id} has no job that is ready; `torc recover {workflow_id}` looks after what failed, "
            f"`torc workflows reinitialize {workflow_id}` begins a new run."
        )
    run_id = torc.workflows.status(workflow_id).run_id
    asks = verbs.plan(torc, workflow_id, verbs.waiting_jobs(torc, workflow_id), site_of(**planning), run_id=run_id)
    make = wishes(torc, output_dir=output_dir, force=force) if submit else None
    if make is not None:
        verbs.check(torc, workflow_id, asks, make)
    made = []
    if not dry_run:
        verbs.make_schedulers(torc, asks)
    if make is not None and not dry_run:
        made = verbs.submit(torc, workflow_id, asks, make, tell)
    hint = f"; torc slurm regenerate {workflow_id} --submit asks for them" if not submit and not dry_run else ""
    return Message(
        says="\n".join(["Allocations:", *views.allocations(asks)]),
        data={
            "workflow_id": workflow_id,
            "dry_run": dry_run,
            "allocations": [views.ask_document(ask) for ask in asks],
            "slurm_job_ids": [one.scheduler_id for one in made],
        },
        remark=f"Would ask for {sum(ask.count for ask in asks)} allocation(s)"
        if dry_run
        else f"Submitted {len(made)} Slurm job(s){hint}",
    )
