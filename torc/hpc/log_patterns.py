"""What lines of logs tell of failures: patterns as data, what is specific before what is general."""

import re
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]
Lack = Literal["memory", "time", "node"]


class LogPattern(NamedTuple):
    """Lines in which ``regex`` is found mean ``label``; ``lack`` is what would have prevented it, if that is known."""

    regex: re.Pattern[str]
    label: str
    severity: Severity
    lack: Lack | None = None


def _any_case(text: str, label: str, severity: Severity = "error", lack: Lack | None = None) -> LogPattern:
    return LogPattern(re.compile(text, re.IGNORECASE), label, severity, lack)


def _exact(text: str, label: str, lack: Lack | None = None) -> LogPattern:
    return LogPattern(re.compile(text), label, "error", lack)


PATTERNS = (
    # memory
    _any_case("memory cgroup out of memory", "Cgroup memory limit exceeded", lack="memory"),
    _any_case("CUDA out of memory", "CUDA out of memory"),
    _any_case("oom-kill", "OOM killer terminated process", lack="memory"),
    _any_case("out of memory", "Out of memory error", lack="memory"),
    _any_case("cannot allocate memory", "Memory allocation failure", lack="memory"),
    _any_case("Exceeded job memory limit", "Exceeded job memory limit", lack="memory"),
    _any_case("GPU memory.*exceeded", "GPU memory exceeded"),
    # how Slurm ended something
    _exact("slurmstepd: error: .*[Ee]xceeded.*step.*limit", "Exceeded step resource limit", lack="memory"),
    _any_case("DUE TO TIME LIMIT", "Job terminated due to time limit", lack="time"),
    _any_case("DUE TO PREEMPTION", "Job terminated due to preemption", "warning", "node"),
    _any_case("NODE[_ ]FAIL", "Node failure", lack="node"),
    _any_case(r"\bCANCELLED\b", "Job was cancelled", "warning"),
    _any_case("task/cgroup: .*: Killed", "Task killed by cgroup", lack="memory"),
    # file systems and networks
    _any_case("No space left on device", "Disk full"),
    _any_case("Disk quota exceeded", "Disk quota exceeded"),
    _any_case("Read-only file system", "Read-only file system"),
    _any_case("Connection refused", "Connection refused"),
    _any_case("Connection timed out", "Connection timed out"),
    _any_case("Network is unreachable", "Network unreachable"),
    # programs
    _any_case("CUDA error", "CUDA error"),
    _any_case("Segmentation fault", "Segmentation fault"),
    _any_case(r"\bSIGSEGV\b", "SIGSEGV signal"),
    _any_case("Bus error", "Bus error"),
    _any_case(r"\bSIGBUS\b", "SIGBUS signal"),
    _any_case("killed by signal", "Process killed by signal"),
    _any_case("core dumped", "Core dump generated"),
    _exact(r"Traceback \(most recent call last\)", "Python traceback"),
    _exact(r"\bModuleNotFoundError\b", "Python module not found"),
    _exact(r"\bImportError\b", "Python import error"),
    _exact("std::bad_alloc", "C++ memory allocation failure", lack="memory"),
    _exact(r"MemoryError\b", "Python memory error", lack="memory"),
    _any_case("Permission denied", "Permission denied"),
    # whatever else Slurm complains of
    _any_case("slurmstepd: error:", "Slurm step daemon error"),
    _any_case("srun: error:", "Slurm srun error"),
    _any_case(r"\bFAILED\b", "Job failed"),
)

NODE_NAMES = (
    re.compile(r"\b([a-z]+\d+[a-z]*\d*)\b"),  # node12, r103u23
    re.compile(r"\b([xrc]\d+[a-z]\d+[a-z]\d+[a-z]\d+[a-z]\d+)\b"),  # x1000c0s0b0n0
)


def find(line: str, *, errors_only: bool = False) -> LogPattern | None:
    """The first pattern that a line shows."""
    for pattern in PATTERNS:
        if pattern.regex.search(line) and not (errors_only and pattern.severity == "warning"):
            return pattern
    return None


def node_in(line: str) -> str | None:
    """What looks like the name of a node."""
    for names in NODE_NAMES:
        if found := names.search(line):
            return found[1]
    return None
