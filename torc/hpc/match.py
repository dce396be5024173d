"""Which partitions of a cluster can run a job, and which of them is best."""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from torc.hpc.profile import Partition, Profile
from torc.units import format_walltime

A_QUARTER = 4
"""What needs no more of a node than this part of it had better share one."""

MUCH_BIGGER = 1.5
"""Nodes with so many times the memory of others that would do are for those who need it."""


class Need(NamedTuple):
    """What a job wants of each of its nodes, and for how long."""

    cpus: int
    memory_mb: int
    walltime_s: int
    gpus: int = 0
    num_nodes: int = 1


class Shortage(NamedTuple):
    """The end of a sentence that begins with a partition's name, and how many times what it has is wanted."""

    says: str
    factor: float


def matching(profile: Profile, need: Need) -> list[Partition]:
    """The partitions that have enough of everything, in the order of the profile."""
    return [partition for partition in profile.partitions if not any(shortages(partition, need))]


def best(profile: Profile, need: Need) -> Partition | None:
    """The partition to ask for; None when there is none. A job without GPUs is never put on nodes that have some.

    First come those that are not for debugging, those that Slurm chooses by itself, and, for jobs that need little of
    a node, those whose nodes are shared, for others those whose are not. Of these the one that wastes least: GPUs,
    memory, the time it allows.
    """
    found = [one for one in matching(profile, need) if _is_for(one, need)]
    for suits in (_is_for_work, _is_chosen_by_slurm, lambda one: one.shared == _is_small(one, need)):
        found = [one for one in found if suits(one)] or found
    if not found:
        return None
    gpus = min(one.gpus_per_node or 0 for one in found)
    found = [one for one in found if (one.gpus_per_node or 0) == gpus]
    memory_mb = min(one.memory_mb for one in found)
    found = [one for one in found if one.memory_mb < memory_mb * MUCH_BIGGER]
    return min(found, key=lambda one: one.max_walltime_secs)


def nearest(profile: Profile, need: Need) -> str:
    """For a sentence about a job for which there is no best: the partition that lacks least, and what."""
    if not profile.partitions:
        return f"{profile.title} has no partitions"
    candidates = [one for one in profile.partitions if _is_for(one, need)]
    if not candidates:
        return f"all partitions of {profile.title} have GPUs, and jobs without are not put there"

    def distance(partition: Partition) -> tuple[float, int, bool]:
        found = list(shortages(partition, need))
        return max((one.factor for one in found), default=0), len(found), not _is_for_work(partition)

    partition = min(candidates, key=distance)
    return f"the nearest partition, {partition.name}, {', and '.join(one.says for one in shortages(partition, need))}"


def shortages(partition: Partition, need: Need) -> Iterator[Shortage]:
    """What the partition has not enough of, or too much: it may want several nodes."""
    if need.cpus > partition.cpus_per_node:
        yield _lack("has", partition.cpus_per_node, "CPUs a node", need.cpus)
    if need.memory_mb > partition.memory_mb:
        yield _lack("has", partition.memory_mb, "MB of memory a node", need.memory_mb)
    if need.gpus > (partition.gpus_per_node or 0):
        yield _lack("has", partition.gpus_per_node or 0, "GPUs a node", need.gpus)
    if need.walltime_s > partition.max_walltime_secs:
        longest, wanted = format_walltime(partition.max_walltime_secs), format_walltime(need.walltime_s)
        yield Shortage(f"allows {longest}, not {wanted}", need.walltime_s / max(partition.max_walltime_secs, 1))
    if partition.min_nodes and need.num_nodes < partition.min_nodes:
        says = f"wants at least {partition.min_nodes} nodes, not {need.num_nodes}"
        yield Shortage(says, partition.min_nodes / need.num_nodes)
    limits = [limit for limit in (partition.max_nodes, partition.max_nodes_per_user) if limit is not None]
    if limits and need.num_nodes > min(limits):
        yield _lack("allows", min(limits), "nodes", need.num_nodes)


def _lack(verb: str, there_are: int, things: str, wanted: int) -> Shortage:
    return Shortage(f"{verb} {there_are or 'no'} {things}, not {wanted}", wanted / there_are if there_are else inf)


def _is_for(partition: Partition, need: Need) -> bool:
    return bool(need.gpus) or not partition.gpus_per_node


def _is_for_work(partition: Partition) -> bool:
    return "debug" not in partition.name.lower()


def _is_chosen_by_slurm(partition: Partition) -> bool:
    return not partition.requires_explicit_request


def _is_small(partition: Partition, need: Need) -> bool:
    parts = (
        (need.cpus, partition.cpus_per_node),
        (need.memory_mb, partition.memory_mb),
        (need.gpus, partition.gpus_per_node or 0),
    )
    return need.num_nodes == 1 and all(wanted * A_QUARTER <= there_is for wanted, there_is in parts)
