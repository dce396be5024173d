"""A Slurm allocation as a process in it sees it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from torc.errors import TorcError
from torc.runner import detect
from torc.units import GIB

MIB = 1024**2


@dataclass(frozen=True)
class Allocation:
    """One runner's part of a Slurm job."""

    job_id: int
    job_name: str
    node_id: int  # 0 is the first node
    task_pid: int
    restarts: int  # how often the job was requeued
    num_nodes: int  # that are this runner's: all of them, or its own where each node has a runner
    num_cpus: int  # of this node
    memory_bytes: int  # of this node
    ends_at: datetime | None  # as far as the environment says

    @classmethod
    def of(cls, environment: Mapping[str, str], *, is_subtask: bool = False) -> "Allocation":
        """What the variables of Slurm say, and the machine where they do not. TorcError outside of a Slurm job."""
        if "SLURM_JOB_ID" not in environment:
            raise TorcError(
                "this is not a Slurm job: SLURM_JOB_ID is not set. Allocations start this program; on a machine of "
                "your own, use `torc run`."
            )
        read = _Reader(environment)
        # In a step with a task on each of several nodes, each task is a runner of its own.
        alone = is_subtask or (read.number("SLURM_STEP_NUM_NODES") or 1) > 1
        num_cpus = read.number("SLURM_CPUS_PER_TASK") if is_subtask else None
        num_cpus = num_cpus or read.number("SLURM_CPUS_ON_NODE") or detect.cpu_count()
        end = read.number("SLURM_JOB_END_TIME")
        return cls(
            job_id=read.number("SLURM_JOB_ID") or 0,
            job_name=environment.get("SLURM_JOB_NAME", ""),
            node_id=read.number("SLURM_NODEID") or 0,
            task_pid=read.number("SLURM_TASK_PID") or os.getpid(),
            restarts=read.number("SLURM_RESTART_COUNT") or 0,
            num_nodes=1 if alone else read.number("SLURM_JOB_NUM_NODES") or 1,
            num_cpus=num_cpus,
            memory_bytes=_memory_bytes(read, num_cpus),
            ends_at=datetime.fromtimestamp(end, UTC) if end else None,
        )

    @property
    def is_first(self) -> bool:
        """Whether this runner speaks for the whole allocation."""
        return self.node_id == 0

    @property
    def scheduler(self) -> dict[str, str]:
        """What the record of the compute node says of this place."""
        return {"slurm_job_id": str(self.job_id), "node_id": str(self.node_id), "task_pid": str(self.task_pid)}

    @property
    def memory_gb(self) -> float:
        """In GiB."""
        return self.memory_bytes / GIB

    def log_path(self, folder: Path, kind: str) -> Path:
        """Where this runner writes a log of its own."""
        return folder / f"{kind}_{self.job_id}_{self.node_id}_{self.task_pid}.log"


class _Reader:
    """The numbers among the variables; anything else counts as not there."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def number(self, name: str) -> int | None:
        text = self._environment.get(name, "")
        return int(text) if re.fullmatch(r"\d+", text) else None


def _memory_bytes(read: _Reader, num_cpus: int) -> int:
    """What Slurm grants on this node; 0, or no word of it, means all of the node."""
    granted = (read.number("SLURM_MEM_PER_NODE") or 0) * MIB
    if not granted:
        granted = (read.number("SLURM_MEM_PER_CPU") or 0) * MIB * num_cpus
    return granted or detect.memory_bytes()


def environment_text(environment: Mapping[str, str]) -> str:
    """The variables about Slurm, a line each, sorted."""
    return "".join(f"{name}={value}\n" for name, value in sorted(environment.items()) if "SLURM" in name)
