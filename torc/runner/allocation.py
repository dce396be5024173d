"""A Slurm allocation as a process in it sees it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from torc.errors import TorcError
from torc.runner import detect

MIB = 1024**2

SPECIAL_STEPS = 0xFFFF0000
"""From here on the numbers of steps stand for words: batch, interactive, extern."""

SECRET = re.compile(r"JWT|TOKEN|PASSWORD|SECRET")


@dataclass(frozen=True)
class Allocation:
    """One runner's part of a Slurm job."""

    job_id: int
    job_name: str
    node_id: int  # 0 is the first node of the job
    local_id: int  # of the runners that were started together on this node, 0 is the first
    runners_here: int  # that were started together on this node
    task_pid: int
    restarts: int  # how often the job was requeued
    node_name: str | None  # this node, as Slurm calls it
    node_list: str | None  # the nodes of the job, in Slurm's short form
    num_nodes: int  # of the job
    has_own_node: bool  # the other nodes are other runners'
    num_cpus: int  # of this node
    memory_bytes: int | None  # of this node; None where no variable says it
    parts: int  # into which this node is divided for runners
    shares_gpus: bool  # the runners of this node were granted the same ones
    ends_at: datetime | None  # as far as a variable says

    @classmethod
    def of(cls, environment: Mapping[str, str], *, is_subtask: bool = False) -> "Allocation":
        """What the variables of Slurm say, and the machine where they do not. TorcError outside of a Slurm job."""
        if "SLURM_JOB_ID" not in environment:
            raise TorcError(
                "this is not a Slurm job: SLURM_JOB_ID is not set. Allocations start this program; on a machine of "
                "your own, use `torc run`."
            )
        read = _Reader(environment)
        node_id = read.number("SLURM_NODEID") or 0
        runners_here = _tasks_on(node_id, environment.get("SLURM_STEP_TASKS_PER_NODE", ""))
        is_divided = is_subtask or runners_here > 1
        on_node = read.number("SLURM_CPUS_ON_NODE") or detect.cpu_count()
        per_task = read.number("SLURM_CPUS_PER_TASK") if is_divided else None
        parts = max(1, on_node // per_task if per_task else runners_here)
        num_cpus = per_task or max(1, on_node // parts)
        end = read.number("SLURM_JOB_END_TIME")
        own_gpus = {"SLURM_GPUS_PER_TASK", "SLURM_TRES_PER_TASK"} & environment.keys()
        return cls(
            job_id=read.number("SLURM_JOB_ID") or 0,
            job_name=environment.get("SLURM_JOB_NAME", ""),
            node_id=node_id,
            local_id=read.number("SLURM_LOCALID") or 0,
            runners_here=runners_here,
            task_pid=read.number("SLURM_TASK_PID") or os.getpid(),
            restarts=read.number("SLURM_RESTART_COUNT") or 0,
            node_name=environment.get("SLURMD_NODENAME"),
            node_list=environment.get("SLURM_JOB_NODELIST") or environment.get("SLURM_NODELIST"),
            num_nodes=read.number("SLURM_JOB_NUM_NODES") or read.number("SLURM_NNODES") or 1,
            has_own_node=is_divided or _is_in_step(read),
            num_cpus=num_cpus,
            memory_bytes=_memory_bytes(read, num_cpus, parts),
            parts=parts,
            shares_gpus=runners_here > 1 and not own_gpus,
            ends_at=datetime.fromtimestamp(end, UTC) if end else None,
        )

    @property
    def is_first(self) -> bool:
        """Whether this runner speaks for the whole allocation."""
        return self.node_id == 0 and self.local_id == 0

    @property
    def scheduler(self) -> dict[str, str]:
        """What the record of the compute node says of this place."""
        return {
            "slurm_job_id": str(self.job_id),
            "node_id": str(self.node_id),
            "task_pid": str(self.task_pid),
            "restarts": str(self.restarts),
        }

    def log_path(self, folder: Path, kind: str) -> Path:
        """Where this runner writes a log of its own."""
        return folder / f"{kind}_{self.job_id}_{self.node_id}_{self.task_pid}.log"


class _Reader:
    """The numbers among the variables; anything else counts as not there."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def number(self, name: str) -> int | None:
        text = self._environment.get(name, "")
        return int(text) if re.fullmatch(r"[0-9]+", text) else None


def _is_in_step(read: _Reader) -> bool:
    """Whether srun has started this runner, and not the shell of the allocation."""
    step_id = read.number("SLURM_STEP_ID")
    if step_id is None:
        step_id = read.number("SLURM_STEPID")
    return step_id is not None and step_id < SPECIAL_STEPS


def _tasks_on(node_id: int, tasks_per_node: str) -> int:
    """How many tasks a node has, of ``2(x3),1``: three nodes with two each, then one with one."""
    counts: list[int] = []
    for tasks, nodes in re.findall(r"([0-9]+)(?:\(x([0-9]+)\))?", tasks_per_node):
        counts += [int(tasks)] * min(int(nodes or 1), node_id + 1)
    return counts[node_id] if node_id < len(counts) else 1


def _memory_bytes(read: _Reader, num_cpus: int, parts: int) -> int | None:
    """What Slurm grants to this runner; 0 means all of the node, however much that is."""
    if per_node := read.number("SLURM_MEM_PER_NODE"):
        return per_node * MIB // parts
    per_cpu = read.number("SLURM_MEM_PER_CPU")
    return per_cpu * MIB * num_cpus if per_cpu else None


def environment_text(environment: Mapping[str, str]) -> str:
    """The variables about Slurm, a line each, sorted. Secrets are not shown."""
    about = sorted((name, value) for name, value in environment.items() if "SLURM" in name)
    return "".join(f"{name}={'(not shown)' if SECRET.search(name) else value}\n" for name, value in about)
