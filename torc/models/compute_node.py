"""A runner on a machine or in an allocation."""

from typing import Any

from torc.models.record import Record, always


class ComputeNode(Record, kw_only=True):
    """One runner: where it is, what it offers in total, whether it is alive."""

    id: int | None = None
    workflow_id: int
    hostname: str
    pid: int
    start_time: str  # ISO 8601
    duration_seconds: float | None = None
    is_active: bool = always(False)
    num_cpus: int
    memory_gb: float  # GiB
    num_gpus: int
    num_nodes: int
    time_limit: str | None = None  # ISO 8601 duration
    scheduler_config_id: int | None = None
    compute_node_type: str  # local or slurm
    scheduler: Any = None
    spool_path: str | None = None  # where its undelivered results lie, on its own host
    last_seq: int | None = None  # of the last sync applied; set by the server
    lease_s: float | None = None  # seconds a node may be silent; None for runners without leases
    # set by the server in the answer to a POST, so that a restored database is noticed
    database_id: str | None = None
    generation: int | None = None
