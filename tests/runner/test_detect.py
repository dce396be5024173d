"""What a machine says it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torc.runner import detect

ROOT = Path(__file__).resolve().parent.parent.parent
LISTING = "GPU 0: NVIDIA H100 (UUID: GPU-1)\n  MIG 1g.10gb Device 0: (UUID: MIG-1)\nGPU 1: NVIDIA H100 (UUID: GPU-2)\n"


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, the only one on PATH, still to be written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "nvidia-smi"


@pytest.mark.parametrize(
    ("script", "count"),
    [
        (f"printf '{LISTING}'", 2),
        ("echo No devices were found", 0),
        ("echo 'GPU 0: half an answer'; exit 9", 0),
    ],
)
def test_gpus_are_what_the_driver_lists(nvidia_smi: Path, script: str, count: int) -> None:
    nvidia_smi.write_text(f"#!/bin/bash\n{script}\n")
    nvidia_smi.chmod(0o755)
    assert detect.gpu_count() == count


def test_without_a_driver_there_are_no_gpus(nvidia_smi: Path) -> None:
    assert not nvidia_smi.exists()
    assert detect.gpu_count() == 0


def test_only_the_cpus_this_process_may_use_count() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from torc.runner import detect; print(detect.cpu_count())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout == "1\n"
    assert detect.cpu_count() == len(os.sched_getaffinity(0))


def test_the_memory_is_what_the_kernel_reports() -> None:
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    assert detect.memory_bytes() == pytest.approx(int(line.split()[1]) * 1024, rel=0.01)
