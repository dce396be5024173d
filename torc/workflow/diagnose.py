"""Why jobs did not succeed: what ran out, or that nothing is known that more of something would cure."""

import os
import signal
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torc.errors import TorcError
from torc.hpc import slurm
from torc.hpc.log_patterns import LogPattern, find
from torc.hpc.slurm_logs import files_of, scan
from torc.models.compute_node import ComputeNode
from torc.models.job import Job
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.status import Cause, JobStatus
from torc.units import format_bytes, parse_duration, parse_memory
from torc.workflow import stdio

if TYPE_CHECKING:
    from torc.client.api import Client

TAIL_BYTES = 65536
"""Of what a job wrote last; programs say at the end what ended them."""

NEARLY = 0.9
"""Who was killed with so much of its memory in use was probably killed for that."""


class Kind(StrEnum):
    """What a job lacked."""

    MEMORY = "memory"
    TIME = "time"
    NODE = "node"  # its node, or the allocation, went away under it
    UNKNOWN = "unknown"
    USER = "user"  # somebody wanted it to end


class Failure(NamedTuple):
    """A job that did not succeed, or was lost with its node."""

    job: Job
    has: ResourceRequirements
    result: Result | None  # None: nobody was left to report one
    kind: Kind
    evidence: str  # for people


def failures(client: "Client", workflow_id: int, output_dir: Path) -> list[Failure]:
    """All jobs that failed, were terminated or were lost, and why. ``output_dir`` is where logs are looked for."""
    statuses = (JobStatus.FAILED, JobStatus.TERMINATED)
    jobs = [job for status in statuses for job in client.jobs.list(workflow_id, status=status)]
    jobs += [job for job in client.jobs.list(workflow_id, status=JobStatus.READY) if job.cause == Cause.LOST_NODE]
    if not jobs:
        return []
    results = {one.job_id: one for status in statuses for one in client.results.list(workflow_id, status=status)}
    needs = {one.id: one for one in client.resource_requirements.list(workflow_id)}
    clues = Clues(client, workflow_id, output_dir)
    found = []
    for job in jobs:
        result, has = results.get(job.id or 0), needs[job.resource_requirements_id]
        found.append(Failure(job, has, result, *classify(job, has, result, clues)))
    return found


def classify(job: Job, has: ResourceRequirements, result: Result | None, clues: "Clues") -> tuple[Kind, str]:
    """What the job lacked, and how one can tell: by what its runner has seen, else by what logs and Slurm say."""
    cause = job.cause or (result and result.cause)
    if cause == Cause.USER:
        return Kind.USER, "somebody ended it"
    if cause == Cause.OOM:
        return Kind.MEMORY, f"killed for using more than its memory{_peak(result)}"
    if cause == Cause.TIMEOUT:
        return Kind.TIME, f"it took longer than its runtime of {has.runtime}"
    if cause == Cause.LOST_NODE:
        return _lost(job, clues)
    if cause == Cause.TIME_UP or job.status == JobStatus.TERMINATED:
        return _out_of_time(job, has, result)
    if result is None:
        return Kind.UNKNOWN, "no result is stored"
    said = clues.of_job(result)
    if said is not None:
        return Kind(said.lack or Kind.UNKNOWN), f"its error output says: {said.label}"
    if _is_killed(result):
        return _killed(job, has, result, clues)
    return Kind.UNKNOWN, f"exit code {result.return_code}" if cause in (Cause.EXIT, None) else str(cause)


def _peak(result: Result | None) -> str:
    used = result and result.peak_memory_bytes
    return f", {format_bytes(used)}" if used else ""


def _lost(job: Job, clues: "Clues") -> tuple[Kind, str]:
    node_id = job.active_compute_node_id or clues.lost_by(job.id or 0)
    said = clues.of_allocation(node_id)
    if said == Kind.MEMORY:
        return Kind.MEMORY, f"its allocation {clues.slurm_job(node_id)} was killed for using too much memory"
    number = clues.slurm_job(node_id)
    return Kind.NODE, f"allocation {number} ended under it" if number else "its runner is gone"


def _out_of_time(job: Job, has: ResourceRequirements, result: Result | None) -> tuple[Kind, str]:
    """Its allocation was over. Who has had the time it asked for needs more, unless it saves its work."""
    if job.supports_termination:
        return Kind.NODE, "its allocation was over; it goes on from what it saved"
    ran_s = 60 * result.exec_time_minutes if result else 0.0
    if ran_s >= parse_duration(has.runtime):
        return Kind.TIME, f"it was not done after its runtime of {has.runtime}"
    return Kind.NODE, "its allocation ended before the time it asked for"


def _is_killed(result: Result) -> bool:
    return result.return_code in (-signal.SIGKILL, 128 + signal.SIGKILL)


def _killed(job: Job, has: ResourceRequirements, result: Result, clues: "Clues") -> tuple[Kind, str]:
    if (result.peak_memory_bytes or 0) >= NEARLY * parse_memory(has.memory):
        return Kind.MEMORY, f"killed while it used {format_bytes(result.peak_memory_bytes or 0)} of {has.memory}"
    if clues.of_allocation(result.compute_node_id) == Kind.MEMORY:
        return Kind.MEMORY, f"killed, and its allocation {clues.slurm_job(result.compute_node_id)} ran out of memory"
    return Kind.UNKNOWN, "killed, and nobody says why"


class Clues:
    """What Slurm's accounts and logs tell. Each is asked once, and only when somebody wants to know."""

    def __init__(self, client: "Client", workflow_id: int, output_dir: Path) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._output_dir = output_dir
        self._nodes: dict[int, ComputeNode] | None = None
        self._lost_by: dict[int, int] | None = None
        self._allocations: dict[int, Kind | None] = {}

    def slurm_job(self, node_id: int | None) -> int | None:
        """The number of the allocation that a runner was in."""
        node = self._node(node_id)
        return node.slurm_job_id if node is not None else None

    def lost_by(self, job_id: int) -> int | None:
        """The runner that had a job when it went away."""
        if self._lost_by is None:
            events = self._client.events.list(self._workflow_id, category="compute_node")
            lost = [one.data for one in events if isinstance(one.data, dict) and one.data.get("type") == "node_lost"]
            self._lost_by = {job: data["compute_node_id"] for data in lost for job in data.get("job_ids") or ()}
        return self._lost_by.get(job_id)

    def of_job(self, result: Result) -> LogPattern | None:
        """The last line of a job's error output that tells what it lacked; None where no line does."""
        name = stdio.file_name(
            workflow_id=self._workflow_id,
            job_id=result.job_id,
            run_id=result.run_id,
            attempt_id=result.attempt_id or 1,
            extension="e",
        )
        node = self._node(result.compute_node_id)
        folders = [Path(node.spool_path).parent] if node is not None and node.spool_path else []
        for folder in (*folders, self._output_dir):
            path = stdio.folder(folder) / name
            if path.exists():
                return _telling(scan_tail(path))
        return None

    def of_allocation(self, node_id: int | None) -> Kind | None:
        """What the allocation of a runner lacked; None where nothing says so."""
        number = self.slurm_job(node_id)
        if number is None:
            return None
        if number not in self._allocations:
            self._allocations[number] = self._accounts_of(number) or self._logs_of(number)
        return self._allocations[number]

    def _node(self, node_id: int | None) -> ComputeNode | None:
        if self._nodes is None:
            self._nodes = {one.id or 0: one for one in self._client.compute_nodes.list(self._workflow_id)}
        return self._nodes.get(node_id or 0)

    def _accounts_of(self, number: int) -> Kind | None:
        try:
            states = {one.state for one in slurm.ended([number])}
        except TorcError:  # there are no accounts here
            return None
        return Kind.MEMORY if "OUT_OF_MEMORY" in states else None

    def _logs_of(self, number: int) -> Kind | None:
        try:
            found = {
                issue.pattern.lack for _, path in files_of(self._output_dir, [number]) for issue in scan(number, path)
            }
        except OSError:
            return None
        return Kind.MEMORY if "memory" in found else None


def scan_tail(path: Path) -> Iterable[LogPattern]:
    """What the end of a file tells, line by line; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [pattern for line in text.splitlines() if (pattern := find(line)) is not None]


def _telling(patterns: Iterable[LogPattern]) -> LogPattern | None:
    found = [pattern for pattern in patterns if pattern.lack is not None]
    return found[-1] if found else None
