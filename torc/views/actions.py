"""Workflow actions."""

from collections import Counter

from torc.models.action import WorkflowAction
from torc.views.column import Column

STATUSES = {
    "waiting": "Waiting",
    "pending": "Pending (ready to claim)",
    "claimed": "Claimed",
    "running": "Running",
    "done": "Executed",
    "failed": "Failed",
}

LEGEND = """\
Waiting: its trigger has not fired.
Pending (ready to claim): the next runner carries it out.
Claimed, Running: a runner is at it.
Executed, Failed: it has ended; to have it carried out again: torc actions rerun ID
Each worker: every runner carries it out once."""

FIRST_JOBS, MOST_JOBS = 3, 5


def progress(action: WorkflowAction) -> str:
    """How many of the triggers have fired."""
    return f"{action.trigger_count}/{action.required_triggers}"


def status(action: WorkflowAction) -> str:
    """Where an action stands; of a persistent one, with how many workers have got how far."""
    if action.persistent and action.state != "waiting":
        counts = Counter(STATUSES[run.state or "waiting"].lower() for run in action.runs or [])
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        return f"Each worker ({told})" if told else "Each worker"
    if action.state == "claimed" and action.executed_by is None:
        return STATUSES["done"]  # a login node tells no more than this
    return STATUSES[action.state or "waiting"]


def jobs(action: WorkflowAction) -> str:
    """The jobs it watches, shortened."""
    ids = action.job_ids
    if not ids:
        return "(all jobs)"
    shown = ids if len(ids) <= MOST_JOBS else ids[:FIRST_JOBS]
    more = f", ... (+{len(ids) - len(shown)} more)" if len(shown) < len(ids) else ""
    return ", ".join(map(str, shown)) + more


def failures(action: WorkflowAction) -> list[str]:
    """A paragraph for each worker on which it failed: what its command said last."""
    failed = [(run.compute_node_id, run.output_tail) for run in action.runs or [] if run.state == "failed"]
    if action.state == "failed":
        failed.append((action.executed_by or 0, action.output_tail))
    return [
        "\n  ".join([f"Action {action.id} failed on compute node {node_id}:", *(tail or "").splitlines()])
        for node_id, tail in failed
    ]


TABLE = (
    Column("ID", "id"),
    Column("Trigger", "trigger_type"),
    Column("Action", "action_type"),
    Column("Progress", progress),
    Column("Status", status),
    Column("Executed At", "executed_at"),
    Column("Job IDs", jobs),
)
