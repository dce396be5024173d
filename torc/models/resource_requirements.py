"""What a job needs from the machine that runs it."""

from torc.models.record import Record, always

DEFAULT_MEMORY = "1m"
DEFAULT_RUNTIME = "P0DT1M"


class ResourceRequirements(Record, kw_only=True):
    """CPUs, GPUs, nodes, memory and time. ``memory`` is text such as ``2g``, ``runtime`` ISO 8601."""

    id: int | None = None
    workflow_id: int
    name: str
    num_cpus: int = always(1)
    num_gpus: int = always(0)
    num_nodes: int = always(1)
    memory: str = always(DEFAULT_MEMORY)
    runtime: str = always(DEFAULT_RUNTIME)
    raised_from: int | None = None  # these were raised for another try of a job that asked for those; set by the server
