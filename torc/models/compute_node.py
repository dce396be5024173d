"""A runner on a machine or in an allocation."""

from typing import Annotated, Any

from msgspec import Meta

from torc.models.record import NotNegative, Positive, Record, always

MemoryGb = Annotated[float, Meta(ge=0)]


class ComputeNode(Record, kw_only=True):
    """One runner: where it is, what it offers in total, whether it is alive."""

    id: int | None = None
    workflow_id: int
    hostname: str
    pid: int
    start_time: str  # ISO 8601
    duration_seconds: float | None = None
    is_active: bool = always(False)
    num_cpus: NotNegative
    memory_gb: MemoryGb  # GiB
    memory: str | None = None  # the same as text, such as 256g; follows memory_gb
    num_gpus: NotNegative
    num_nodes: Positive
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

    @property
    def slurm_job_id(self) -> int | None:
        """The allocation that this runner is in, or was."""
        where = self.scheduler if self.compute_node_type == "slurm" and isinstance(self.scheduler, dict) else {}
        number = str(where.get("slurm_job_id", ""))
        return int(number) if number.isdecimal() else None


class NewComputeNode(ComputeNode, kw_only=True):
    """A node to be stored: ``memory`` may stand for ``memory_gb``, and what is left out is filled in."""

    pid: int = 0  # not known
    start_time: str | None = None  # type: ignore[assignment]  # the server says when; stored it always has one
    memory_gb: MemoryGb | None = None  # type: ignore[assignment]  # memory may say it; stored it always has one
    num_nodes: Positive = 1
    compute_node_type: str = "local"
