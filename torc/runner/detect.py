"""What this machine has: CPUs, memory, GPUs."""

import os
import shutil
import subprocess

NVIDIA_SMI_TIMEOUT_S = 30
"""The first query after boot loads the driver, which takes seconds on machines with many GPUs."""


def cpu_count() -> int:
    """The CPUs this process may use: taskset, cpusets and batch systems grant fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """All the memory of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def gpu_count() -> int:
    """NVIDIA devices; 0 without a driver, or with one that fails."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        listing = subprocess.run(
            [program, "--list-gpus"], capture_output=True, text=True, check=True, timeout=NVIDIA_SMI_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())
