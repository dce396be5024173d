"""What to ask a batch system for, so that a group of jobs with known needs can run: nodes, memory, time."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from torc.hpc.match import Need
from torc.hpc.profile import Partition
from torc.models.draft import DraftRequirements
from torc.models.resource_requirements import ResourceRequirements
from torc.units import format_walltime, parse_duration, parse_memory

MIB = 1024**2

START_S = 60
"""From the beginning of an allocation until a job begins: files are loaded, the server is asked."""


class Options(NamedTuple):
    """How allocations are planned."""

    account: str
    single_allocation: bool = False  # one of many nodes instead of many of one
    with_actions: bool = True
    force: bool = False  # replace schedulers and actions that are there
    group_by: Literal["requirements", "partition"] = "requirements"
    walltime: Literal["partition", "runtime"] = "partition"
    walltime_factor: float = 1.5  # of the longest runtime


class Size(NamedTuple):
    """What a group asks for."""

    allocations: int
    nodes: int  # of each allocation
    cpus: int  # the jobs that a node runs at a time need together
    memory_mb: int
    gpus: int
    has_workers: bool  # on each node, instead of one for all


def need_of(has: DraftRequirements | ResourceRequirements, *, buffer_s: int) -> Need:
    """What a job with these requirements needs of each node.

    No job is started that would not have ended ``buffer_s`` before its allocation does, so that is time, too.
    """
    return Need(
        cpus=has.num_cpus,
        memory_mb=math.ceil(parse_memory(has.memory) / MIB),
        walltime_s=parse_duration(has.runtime) + buffer_s + START_S,
        gpus=has.num_gpus,
        num_nodes=has.num_nodes,
    )


def words(has: DraftRequirements | ResourceRequirements) -> str:
    """Requirements in a sentence."""
    gpus = f", {has.num_gpus} GPUs" if has.num_gpus else ""
    nodes = f", {has.num_nodes} nodes" if has.num_nodes > 1 else ""
    return f"{has.num_cpus} CPUs, {has.memory} of memory{gpus}{nodes} for {has.runtime}"


def size_of(partition: Partition, needs: Sequence[Need], *, single_allocation: bool) -> Size:
    """Nodes for all jobs of a group at a time, and of each node as much as its jobs need together."""
    kinds = Counter(needs)
    width = max(need.num_nodes for need in kinds)
    nodes = sum(math.ceil(count / _per_node(partition, need)) for need, count in kinds.items())
    at_a_time = [(need, min(count, _per_node(partition, need))) for need, count in kinds.items()]
    together = single_allocation and width == 1
    return Size(
        allocations=1 if together else nodes,
        nodes=nodes if together else width,
        cpus=max(count * need.cpus for need, count in at_a_time),
        memory_mb=max(count * need.memory_mb for need, count in at_a_time),
        gpus=max(count * need.gpus for need, count in at_a_time),
        has_workers=together and nodes > 1,
    )


def _per_node(partition: Partition, need: Need) -> int:
    """How many such jobs a node takes at a time; a job of several nodes has them for itself."""
    if need.num_nodes > 1:
        return 1
    fits = [partition.cpus_per_node // max(need.cpus, 1), partition.memory_mb // max(need.memory_mb, 1)]
    if need.gpus:
        fits.append((partition.gpus_per_node or 0) // need.gpus)
    return max(1, min(fits))


def scheduler_of(
    name: str, partition: Partition, needs: Sequence[Need], options: Options, warnings: list[str]
) -> dict[str, Any]:
    """The fields of a Slurm scheduler for a group."""
    size = size_of(partition, needs, single_allocation=options.single_allocation)
    nodes = size.nodes
    if partition.max_nodes is not None and nodes > partition.max_nodes:
        nodes = partition.max_nodes
        warnings.append(f"Scheduler '{name}' would take {size.nodes} nodes; partition {partition.name} allows {nodes}")
    made = {
        "name": name,
        "account": options.account,
        "partition": partition.name if partition.requires_explicit_request else None,
        "nodes": nodes,
        "mem": memory_text(size.memory_mb),
        "walltime": format_walltime(_walltime_s(partition, needs, options)),
        "gres": f"gpu:{size.gpus}" if size.gpus else None,
        "qos": partition.default_qos,
        # Where nodes are shared, Slurm grants a CPU unless more are asked for.
        "extra": f"--cpus-per-task={size.cpus}" if partition.shared else None,
    }
    return {key: value for key, value in made.items() if value is not None}


def _walltime_s(partition: Partition, needs: Sequence[Need], options: Options) -> int:
    if options.walltime == "partition":
        return partition.max_walltime_secs
    longest_s = max(need.walltime_s for need in needs)
    return min(partition.max_walltime_secs, 60 * math.ceil(longest_s * options.walltime_factor / 60))


def memory_text(megabytes: int) -> str:
    """As sbatch takes it: whole GiB where it is such, else MB."""
    return f"{megabytes // 1024}g" if megabytes % 1024 == 0 else f"{megabytes}m"
