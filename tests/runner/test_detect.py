"""What a machine says it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.kernel_tree import CPU_MOUNT, MEMORY_MOUNT, UNIFIED_MOUNT, write_tree
from torc.runner import detect

ROOT = Path(__file__).resolve().parent.parent.parent
GIB = 1 << 30


@pytest.fixture
def usable_cpus() -> int:
    return len(os.sched_getaffinity(0))


def test_only_the_cpus_this_process_may_use_count(tmp_path: Path, usable_cpus: int) -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from torc.runner import detect; print(detect.cpu_count())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout == "1\n"
    assert detect.cpu_count(tmp_path) == usable_cpus


def test_the_memory_is_what_the_kernel_reports(tmp_path: Path) -> None:
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    assert detect.memory_bytes(tmp_path) == pytest.approx(int(line.split()[1]) * 1024, rel=0.01)


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"job/memory.max": f"{GIB}\n"}, GIB),
        ({"job/memory.max": "max\n", "memory.max": f"{GIB // 2}\n"}, GIB // 2),
        ({"job/step/memory.max": f"{GIB}\n", "job/memory.max": f"{GIB // 4}\n"}, GIB // 4),
        ({"job/step/memory.max": "max\n"}, None),
        ({"job/memory.max": f"{1 << 60}\n"}, None),
    ],
)
def test_the_lowest_limit_around_this_process_is_its_memory(
    tmp_path: Path, files: dict[str, str], limit: int | None
) -> None:
    files = {"job/step/cgroup.procs": "", **files}
    write_tree(tmp_path, groups=["0::/job/step"], mounts=[UNIFIED_MOUNT], files=files)
    assert detect.memory_bytes(tmp_path) == (limit or detect.memory_bytes(tmp_path / "nowhere"))


@pytest.mark.parametrize(("content", "limit"), [(f"{GIB}\n", GIB), ("9223372036854771712\n", None)])
def test_limits_of_version_1_count_too(tmp_path: Path, content: str, limit: int | None) -> None:
    files = {"memory/job/memory.limit_in_bytes": content, "memory/memory.limit_in_bytes": "9223372036854771712\n"}
    write_tree(tmp_path, groups=["4:memory:/job", "0::/"], mounts=[MEMORY_MOUNT], files=files)
    assert detect.memory_bytes(tmp_path) == (limit or detect.memory_bytes(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [("100000 100000", 1), ("199999 100000", 1), ("50000 100000", 1), ("max 100000", None), ("99900000 100000", None)],
)
def test_a_quota_of_time_grants_its_whole_cpus_and_at_least_one(
    tmp_path: Path, usable_cpus: int, quota: str, cpus: int | None
) -> None:
    write_tree(tmp_path, groups=["0::/job"], mounts=[UNIFIED_MOUNT], files={"job/cpu.max": f"{quota}\n"})
    assert detect.cpu_count(tmp_path) == (cpus or usable_cpus)


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("-1", None)])
def test_a_quota_of_version_1_counts_too(tmp_path: Path, usable_cpus: int, quota: str, cpus: int | None) -> None:
    files = {"cpu,cpuacct/job/cpu.cfs_quota_us": f"{quota}\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"}
    write_tree(tmp_path, groups=["1:cpu,cpuacct:/job"], mounts=[CPU_MOUNT], files=files)
    assert detect.cpu_count(tmp_path) == (cpus or usable_cpus)
