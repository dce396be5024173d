"""Clusters and their partitions, as people see them."""

from torc.hpc.profile import Partition
from torc.views.column import Column


def memory(memory_mb: int) -> str:
    """``240 GB``. Sites count either in thousands or in units of 1024; the round figure is the one they mean."""
    return f"{memory_mb / (1024 if memory_mb % 1024 == 0 else 1000):.1f}".removesuffix(".0") + " GB"


def walltime(seconds: int) -> str:
    """``48h``, ``30m`` or ``1h30m``: what --walltime takes."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minute, "m"), (second, "s")) if count) or "0s"


def gpus(partition: Partition) -> str:
    """``4 (H100)``."""
    if not partition.gpus_per_node:
        return "-"
    return (
        f"{partition.gpus_per_node} ({partition.gpu_type.upper()})"
        if partition.gpu_type
        else str(partition.gpus_per_node)
    )


def _special(partition: Partition) -> list[str]:
    found = ["Requires -p"] if partition.requires_explicit_request else []
    return found + ([f"Min {partition.min_nodes} nodes"] if partition.min_nodes else [])


def notes(partition: Partition) -> str:
    """What is special about a partition, and its features."""
    about = [partition.description] if partition.description else []
    return ", ".join([*_special(partition), *about, *partition.features]) or "-"


def notes_of_match(partition: Partition, best: Partition | None) -> str:
    """What to know before asking for it."""
    found = ["Best match"] if partition == best else []
    found += ["Shared"] if partition.shared else []
    return ", ".join([*found, *_special(partition)]) or "-"


CAPACITY = (
    Column("Name", "name"),
    Column("CPUs/Node", "cpus_per_node"),
    Column("Mem/Node", "memory_mb", memory),
    Column("Max Walltime", "max_walltime_secs", walltime),
    Column("GPUs", gpus),
)

PARTITIONS = (
    *CAPACITY,
    Column("Shared", "shared", lambda shared: "Yes" if shared else "-"),
    Column("Notes", notes),
)
