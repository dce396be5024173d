"""Where a runner is: by itself on a machine, or in an allocation of a batch system."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """What the record of a runner's compute node says of it, and which jobs it may take."""

    kind: str = "local"  # compute_node_type
    scheduler: dict[str, Any] | None = None  # how the batch system calls this place
    scheduler_config_id: int | None = None  # jobs that are bound to another one are not for us
    num_nodes: int = 1  # that a job may span


HERE = Place()
