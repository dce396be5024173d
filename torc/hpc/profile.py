"""What is known of a cluster: its partitions, and how to tell that one is on it."""

from typing import Any, Literal

import msgspec


class Partition(msgspec.Struct, kw_only=True, frozen=True):
    """A queue, and what each of its nodes has. Times in seconds, memory as Slurm counts it, in MB."""

    name: str
    description: str = ""
    cpus_per_node: int
    memory_mb: int
    max_walltime_secs: int
    max_nodes: int | None = None
    max_nodes_per_user: int | None = None
    min_nodes: int | None = None
    gpus_per_node: int | None = None
    gpu_type: str | None = None
    gpu_memory_gb: int | None = None
    local_disk_gb: int | None = None
    shared: bool = False  # jobs of several users share a node
    requires_explicit_request: bool = False  # Slurm does not choose it by itself
    default_qos: str | None = None
    features: list[str] = []


class Detection(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One sign by which a cluster is known."""

    type: Literal["env_var", "hostname_pattern", "file_exists"]
    name: str | None = None  # of the variable
    value: str | None = None  # that it has
    pattern: str | None = None  # a regular expression found in the name of the host
    path: str | None = None


class Profile(msgspec.Struct, kw_only=True, frozen=True):
    """A cluster."""

    name: str
    display_name: str
    description: str = ""
    detection: list[Detection] = []
    default_account: str | None = None
    partitions: list[Partition] = []
    charge_factor_cpu: float = 1.0  # allocation units for an hour of a node
    charge_factor_gpu: float = 10.0
    metadata: dict[str, Any] = {}

    @property
    def title(self) -> str:
        """For sentences: ``NREL Kestrel (kestrel)``."""
        return f"{self.display_name} ({self.name})"
