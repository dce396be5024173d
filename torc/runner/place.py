"""Where a runner is: by itself on a machine, or in an allocation of a batch system."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torc.models.compute_node import ComputeNode
from torc.runner.processes import boot_time


class Deadline:
    """When this runner is ended by others. A machine that sleeps does not stop it; somebody may move it."""

    def __init__(self, left_s: float | None = None) -> None:
        self._at = math.inf  # boot time
        self.move(left_s)

    def move(self, left_s: float | None) -> None:
        """It is so far away; None: nobody knows."""
        self._at = math.inf if left_s is None else boot_time() + left_s

    def left_s(self) -> float:
        """Infinite where there is none."""
        return self._at - boot_time()


@dataclass(frozen=True)
class Place:
    """What the record of a runner's compute node says of it, and what it may use."""

    kind: str = "local"  # compute_node_type
    scheduler: dict[str, Any] | None = None  # how the batch system calls this place
    scheduler_config_id: int | None = None  # jobs that are bound to another one are not for us
    nodes: tuple[str, ...] = ()  # that jobs may span, as the batch system calls them; this one is the first
    nodes_in_all: int = 1  # in the allocation; what is not among ``nodes`` belongs to other runners
    gpu_part: tuple[int, int] = (0, 1)  # which of how many runners on this node that share its GPUs this one is
    deadline: Deadline | None = None  # as the batch system sets it
    when_told: Callable[[], None] = lambda: None  # called at its signal; it may move the deadline, in its own time
    predecessors: Sequence[ComputeNode] = ()  # runners that were here before, of which nothing lives any more

    @property
    def is_batch(self) -> bool:
        """Whether a batch system decides when this runner ends."""
        return self.kind != "local"

    @property
    def num_nodes(self) -> int:
        """How many nodes a job may span."""
        return max(1, len(self.nodes))


HERE = Place()
