"""Lines of real logs, and what each is taken for."""

from pathlib import Path

import pytest

from torc.hpc.log_patterns import PATTERNS, find, node_in
from torc.hpc.slurm_logs import files_of, scan

LINES = {
    "[Mon Nov 23 04:10:02 2026] Memory cgroup out of memory: Killed process 8123": "Cgroup memory limit exceeded",
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB": "CUDA out of memory",
    "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=812.batch.": "OOM killer terminated process",
    "java.lang.OutOfMemoryError: Out of memory: heap": "Out of memory error",
    "fork: Cannot allocate memory": "Memory allocation failure",
    "slurmstepd-node1: error: Exceeded job memory limit": "Exceeded job memory limit",
    "NVML: GPU memory of device 0 exceeded": "GPU memory exceeded",
    "slurmstepd: error: Exceeded step memory limit at some point.": "Exceeded step resource limit",
    "slurmstepd-node1: error: *** JOB 5 ON node1 CANCELLED AT 2026-11-23T00:08:52 DUE TO TIME LIMIT ***": (
        "Job terminated due to time limit"
    ),
    "slurmstepd: error: *** JOB 9 ON r103u23 CANCELLED AT 2026-11-23T00:08:52 DUE TO PREEMPTION ***": (
        "Job terminated due to preemption"
    ),
    "slurmctld: job 77 NODE_FAIL on node12": "Node failure",
    "slurmstepd: error: *** JOB 13 ON node1 CANCELLED AT 2026-11-23T00:08:52 ***": "Job was cancelled",
    "slurmstepd: error: task/cgroup: plugin: Killed": "Task killed by cgroup",
    "OSError: [Errno 28] No space left on device: 'out.h5'": "Disk full",
    "cp: error writing 'x': Disk quota exceeded": "Disk quota exceeded",
    "touch: cannot touch 'x': Read-only file system": "Read-only file system",
    "curl: (7) Failed to connect to login1 port 8080: Connection refused": "Connection refused",
    "ssh: connect to host node3 port 22: Connection timed out": "Connection timed out",
    "connect: Network is unreachable": "Network unreachable",
    "RuntimeError: CUDA error: device-side assert triggered": "CUDA error",
    "bash: line 1: 8123 Segmentation fault": "Segmentation fault",
    "Program received SIGSEGV": "SIGSEGV signal",
    "bash: line 1: 8123 Bus error": "Bus error",
    "caught SIGBUS, exiting": "SIGBUS signal",
    "prog: killed by signal 9": "Process killed by signal",
    "Aborted (core dumped)": "Core dump generated",
    "Traceback (most recent call last):": "Python traceback",
    "ModuleNotFoundError: No module named 'numpy'": "Python module not found",
    "ImportError: libhdf5.so.200: cannot open shared object file": "Python import error",
    "terminate called after throwing an instance of 'std::bad_alloc'": "C++ memory allocation failure",
    "MemoryError": "Python memory error",
    "bash: ./run.sh: Permission denied": "Permission denied",
    "slurmstepd: error: execve(): prog: No such file or directory": "Slurm step daemon error",
    "srun: error: node1: task 0: Exited with exit code 1": "Slurm srun error",
    "test_all ... FAILED": "Job failed",
}

HARMLESS = (
    "",
    "epoch 3: loss 0.12, 0 errors",
    "downloaded failedover.txt",
    "importing errors.csv",
    "Permissions: rw-r--r--",
    "0 jobs uncancelled",
    "room on the bus: 3",
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_taken_for_what_it_says(line):
    found = find(line)
    assert found is not None
    assert found.label == LINES[line]


def test_every_pattern_has_a_line():
    assert {pattern.label for pattern in PATTERNS} == set(LINES.values())


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_is_nothing(line):
    assert find(line) is None


def test_without_warnings_a_line_may_still_be_an_error():
    line = "slurmstepd: error: *** JOB 13 ON node1 CANCELLED AT 2026-11-23T00:08:52 ***"
    assert find(line, errors_only=True).label == "Slurm step daemon error"


@pytest.mark.parametrize(
    ("line", "node"), [("on node12 at", "node12"), ("x1000c0s0b0n0: down", "x1000c0s0b0n0"), ("-", None)]
)
def test_a_node_is_found_by_its_name(line, node):
    assert node_in(line) == node


def test_files_of_the_allocations_are_read_whatever_is_in_them(tmp_path: Path):
    (tmp_path / "slurm_output_7.e").write_bytes(b"\xff\x00 fine\n" + b"x" * 30_000 + b" oom-kill\nlast: core dumped")
    (tmp_path / "slurm_output_7.o").write_text("")
    (tmp_path / "slurm_output_8.o").write_text("core dumped\n")
    (tmp_path / "slurm_output_x.o").write_text("core dumped\n")
    files = files_of(tmp_path, {7, 9})
    assert [path.name for _, path in files] == ["slurm_output_7.e", "slurm_output_7.o"]
    found = [issue for job_id, path in files for issue in scan(job_id, path)]
    assert [(issue.line_number, issue.pattern.label) for issue in found] == [
        (2, "OOM killer terminated process"),
        (3, "Core dump generated"),
    ]
    assert all(len(issue.line) <= 500 for issue in found)
