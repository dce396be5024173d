"""What this machine has and this process may use: CPUs and memory. GPUs: see gpus.py."""

import os
from pathlib import Path

from torc.runner import own_cgroup


def cpu_count(root: Path = Path("/")) -> int:
    """The CPUs this process may use: taskset, cpusets, batch systems and containers grant fewer than there are.

    Of a quota such as 2.5 CPUs the whole ones count, and at least one.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([usable, *(int(quota) for quota in _cpu_quotas(root))]))


def memory_bytes(root: Path = Path("/")) -> int:
    """The memory of the machine, or less where a control group holds this process to less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    files = [
        *(folder / "memory.max" for folder in own_cgroup.lineage(own_cgroup.UNIFIED, root)),
        *(folder / "memory.limit_in_bytes" for folder in own_cgroup.lineage("memory", root)),
    ]
    return min([physical, *(limit for file in files if (limit := own_cgroup.number_in(file)) is not None)])


def _cpu_quotas(root: Path) -> list[float]:
    """CPUs' worth of time, of every group around this process that has a limit."""
    quotas = []
    for folder in own_cgroup.lineage(own_cgroup.UNIFIED, root):
        # "150000 100000" or "max 100000": the quota and the period
        quotas.append(_read_pair(folder / "cpu.max"))
    for folder in own_cgroup.lineage("cpu", root):
        quota = own_cgroup.number_in(folder / "cpu.cfs_quota_us")
        quotas.append((quota, own_cgroup.number_in(folder / "cpu.cfs_period_us")))
    return [quota / period for quota, period in quotas if quota and period and quota > 0]


def _read_pair(file: Path) -> tuple[int | None, int | None]:
    try:
        quota, period = file.read_text().split()
        return int(quota), int(period)
    except (OSError, ValueError):
        return None, None
