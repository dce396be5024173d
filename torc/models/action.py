"""What to do when something happens to a workflow."""

from typing import Any, Literal

from torc.models.record import Record, always

TriggerType = Literal[
    "on_workflow_start",
    "on_workflow_complete",
    "on_jobs_ready",
    "on_jobs_complete",
    "on_worker_start",
    "on_worker_complete",
]
ActionType = Literal["run_commands", "schedule_nodes"]
ActionState = Literal["waiting", "pending", "claimed", "running", "done", "failed"]


class ActionRun(Record, kw_only=True):
    """What one worker made of a persistent action."""

    compute_node_id: int
    run_id: int
    state: ActionState
    output_tail: str | None = None  # of a failed one


class WorkflowAction(Record, kw_only=True):
    """Commands to run or nodes to schedule when a trigger fires."""

    id: int | None = None
    workflow_id: int | None = None
    trigger_type: TriggerType
    action_type: ActionType
    action_config: dict[str, Any]
    job_ids: list[int] | None = None
    trigger_count: int = always(0)
    required_triggers: int = always(1)
    executed: bool = always(False)
    executed_at: str | None = None  # RFC 3339
    executed_by: int | None = None  # compute node
    persistent: bool | None = None  # every worker runs it; None is true for worker triggers
    state: ActionState | None = None  # set by the server
    output_tail: str | None = None  # of a failed action
    runs: list[ActionRun] | None = None  # of a persistent action: what each worker made of it; set by the server


class ClaimActionRequest(Record, kw_only=True):
    """Which node claims the action; none on a login node."""

    compute_node_id: int | None = None


class ClaimActionAnswer(Record, kw_only=True):
    """The action is the caller's."""

    claimed: bool
    action_id: int
    success: bool = always(True)
