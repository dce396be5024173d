"""Resource requirements."""

from torc.units import parse_duration
from torc.views.column import Column, as_time


def as_runtime(duration: str) -> str:
    """``2h 0m 0s`` for ``PT2H``."""
    try:
        return as_time(parse_duration(duration))
    except ValueError:
        return duration  # stored by older servers


TABLE = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("CPUs", "num_cpus"),
    Column("GPUs", "num_gpus"),
    Column("Nodes", "num_nodes"),
    Column("Memory", "memory"),
    Column("Runtime", "runtime", as_runtime),
)

DETAILS = (
    Column("ID", "id"),
    Column("Workflow ID", "workflow_id"),
    Column("Name", "name"),
    Column("Number of CPUs", "num_cpus"),
    Column("Number of GPUs", "num_gpus"),
    Column("Number of nodes", "num_nodes"),
    Column("Memory", "memory"),
    Column("Runtime", "runtime", as_runtime),
    Column("Raised from ID", "raised_from"),
)
