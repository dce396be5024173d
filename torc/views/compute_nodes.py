"""Compute nodes, and the allocations that were asked for."""

from torc.models.compute_node import ComputeNode
from torc.views.column import Column, as_time, if_known


def is_supervised(node: ComputeNode) -> bool:
    """Whether the server notices by itself when the node has gone: runners that never sync have no lease."""
    return node.spool_path is not None or bool(node.last_seq)


def activity(node: ComputeNode) -> str:
    """Yes or No; ``unsupervised`` when only a person can tell."""
    if not node.is_active:
        return "No"
    return "Yes" if is_supervised(node) else "unsupervised"


def as_gigabytes(memory_gb: float) -> str:
    """Two decimals."""
    return f"{memory_gb:.2f}"


def as_duration(seconds: float | None) -> str:
    """A dash while the node is active."""
    return "-" if seconds is None else as_time(seconds)


TABLE = (
    Column("ID", "id"),
    Column("Hostname", "hostname"),
    Column("PID", "pid"),
    Column("CPUs", "num_cpus"),
    Column("Memory (GB)", "memory_gb", as_gigabytes),
    Column("GPUs", "num_gpus"),
    Column("Active", activity),
    Column("Start Time", "start_time"),
    Column("Duration", "duration_seconds", as_duration),
)

DETAILS = (
    Column("ID", "id"),
    Column("Workflow ID", "workflow_id"),
    Column("Hostname", "hostname"),
    Column("PID", "pid"),
    Column("Type", "compute_node_type"),
    Column("CPUs", "num_cpus"),
    Column("Memory", lambda node: f"{as_gigabytes(node.memory_gb)} GB"),
    Column("GPUs", "num_gpus"),
    Column("Nodes", "num_nodes"),
    Column("Active", activity),
    Column("Start Time", "start_time"),
    Column("Duration", "duration_seconds", if_known(as_time)),
    Column("Time limit", "time_limit"),
    Column("Scheduler config ID", "scheduler_config_id"),
)

SCHEDULED = (
    Column("ID", "id"),
    Column("Scheduler ID", "scheduler_id"),
    Column("Config ID", "scheduler_config_id"),
    Column("Type", "scheduler_type"),
    Column("Status", "status", is_status=True),
)
