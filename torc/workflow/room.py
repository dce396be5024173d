"""What an allocation of a Slurm scheduler has room for, as far as its settings and past runners tell."""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from torc.hpc.match import Need
from torc.models.compute_node import ComputeNode
from torc.models.scheduler import SlurmScheduler
from torc.units import parse_slurm_memory, parse_walltime
from torc.workflow.sizing import MIB

GPUS = re.compile(r"\bgpu(?::[^,:]+)?:(\d+)")
CPUS = re.compile(r"(?:--cpus-per-task[= ]|(?<!\S)-c ?)(\d+)")


class Room(NamedTuple):
    """What each node of an allocation has for jobs. Infinite: nobody has said."""

    nodes: int
    walltime_s: int
    memory_mb: float
    cpus: float
    gpus: int

    @classmethod
    def of(cls, scheduler: SlurmScheduler, seen: Iterable[ComputeNode] = ()) -> "Room":
        """``seen`` are runners that were in its allocations; they tell what the settings leave open."""
        seen = list(seen)
        asked = parse_slurm_memory(scheduler.mem) / MIB if scheduler.mem else 0  # 0 is all there is
        cpus = CPUS.search(scheduler.extra or "")
        gpus = GPUS.findall(scheduler.gres or "")
        return cls(
            nodes=scheduler.nodes,
            walltime_s=parse_walltime(scheduler.walltime),
            memory_mb=asked or max((node.memory_gb * 1024 for node in seen), default=math.inf),
            cpus=_cpus(cpus, scheduler) or max((node.num_cpus for node in seen), default=math.inf),
            gpus=sum(map(int, gpus)),
        )

    def has_room_for(self, need: Need) -> bool:
        """Whether the job could run in it at all."""
        return (
            need.num_nodes <= self.nodes
            and need.walltime_s <= self.walltime_s
            and need.memory_mb <= self.memory_mb
            and need.cpus <= self.cpus
            and need.gpus <= self.gpus
        )

    def jobs_at_a_time(self, need: Need) -> int:
        """How many such jobs it takes at a time; 1 where nothing is known."""
        if need.num_nodes > 1:
            return max(1, self.nodes // need.num_nodes)
        fits = [self.memory_mb / max(need.memory_mb, 1), self.cpus / max(need.cpus, 1)]
        fits += [self.gpus / need.gpus] if need.gpus else []
        least = min(fits)
        return self.nodes * max(1, int(least)) if least < math.inf else self.nodes


def _cpus(per_task: re.Match[str] | None, scheduler: SlurmScheduler) -> int:
    """CPUs that are asked for on each node; 0 where that is left to Slurm."""
    return int(per_task[1]) * (scheduler.ntasks_per_node or 1) if per_task else 0
