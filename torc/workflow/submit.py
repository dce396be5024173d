"""Submitting a workflow: the allocations of its start are asked for, and their runners do the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torc.errors import Conflict, TorcError
from torc.models.action import WorkflowAction
from torc.models.scheduler import ScheduledComputeNode, SlurmScheduler
from torc.workflow import allocations
from torc.workflow.allocations import Wish

if TYPE_CHECKING:
    from torc.client.api import Client

MakeWish = Callable[[SlurmScheduler, int, bool, int | None], Wish]
"""A wish for: a scheduler, how many allocations, a worker per node, jobs at a time."""


@dataclass(frozen=True)
class Submission:
    """The actions that ask for nodes, of a workflow's start or left by runners, and what each of them asks for."""

    workflow_id: int
    steps: Sequence[tuple[WorkflowAction, Wish]]


def prepare(client: "Client", workflow_id: int, make: MakeWish) -> Submission:
    """Find out what to submit and refuse what cannot be, before anything is changed."""
    steps = [
        (action, _wish_of(client, action.action_config, make))
        for action in client.workflows.actions(workflow_id)
        if asks_for_nodes(action) and (action.trigger_type == "on_workflow_start" or _is_left(action))
    ]
    if not steps:
        raise Conflict(
            f"Cannot submit workflow {workflow_id}: no action asks for nodes when it starts (on_workflow_start with "
            "schedule_nodes). `torc submit-slurm` makes such actions from a specification, and `torc slurm "
            "schedule-nodes` asks for nodes by hand."
        )
    submission = Submission(workflow_id, steps)
    allocations.check(client, workflow_id, [wish for _, wish in steps])
    return submission


def _is_left(action: WorkflowAction) -> bool:
    """Whether its jobs have become ready, and no runner was there to see to it."""
    return action.trigger_type == "on_jobs_ready" and action.state == "pending"


def asks_for_nodes(action: WorkflowAction) -> bool:
    """Whether carrying it out means to submit allocations to Slurm."""
    return action.action_type == "schedule_nodes" and action.action_config.get("scheduler_type") == "slurm"


def _wish_of(client: "Client", config: dict[str, Any], make: MakeWish) -> Wish:
    """What the configuration of an action asks for."""
    return make(
        client.slurm_schedulers.get(config["scheduler_id"]),
        config.get("num_allocations") or 1,
        bool(config.get("start_one_worker_per_node")),
        config.get("max_parallel_jobs"),
    )


def submit_workflow(
    client: "Client", submission: Submission, note: Callable[[str], None]
) -> list[ScheduledComputeNode]:
    """Ask for the allocations, each action's once, whoever else tries at the same time; those that were asked for.

    What still waits in the queue from before is counted. An action whose submission fails is pending again.
    """
    workflow_id = submission.workflow_id
    pending = {one.id for one in client.workflows.pending_actions(workflow_id)}
    if not any(action.id in pending for action, _ in submission.steps):
        raise Conflict(
            f"the allocations of workflow {workflow_id} were asked for already; look at them with: "
            f"torc scheduled-compute-nodes list {workflow_id}"
        )
    made: list[ScheduledComputeNode] = []
    for action, wish in submission.steps:
        if action.id not in pending or not claim_action(client, workflow_id, action.id or 0):
            continue
        try:
            missing = missing_allocations(client, workflow_id, wish, ("submitting", "pending"))
            if missing.count < wish.count:
                note(
                    f"{wish.count - missing.count} allocation(s) of scheduler {wish.scheduler.name} wait in the queue."
                )
            made += allocations.submit(client, workflow_id, missing, note)
        except (TorcError, OSError):
            client.rerun_action(action.id or 0)
            raise
    return made


def missing_allocations(client: "Client", workflow_id: int, wish: Wish, statuses: Sequence[str]) -> Wish:
    """The wish without what is there already: allocations of the same scheduler in one of the ``statuses``."""
    there = sum(
        one.scheduler_config_id == wish.scheduler.id and one.status in statuses
        for one in allocations.live_allocations(client, workflow_id)
    )
    return wish.with_count(max(0, wish.count - there))


def claim_action(client: "Client", workflow_id: int, action_id: int) -> bool:
    """Take a pending action, so that nobody else carries it out; False when somebody else has it."""
    try:
        return client.workflows.claim_action(workflow_id, action_id, compute_node_id=None).claimed
    except Conflict:  # somebody else was faster
        return False
