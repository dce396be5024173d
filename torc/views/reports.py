"""Reports: what jobs used against what they asked for, and where the output of each attempt lies."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME, ResourceRequirements
from torc.models.result import Result
from torc.units import GIB, parse_duration, parse_memory
from torc.views.column import Column, as_time


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt used of one resource, as words; ``over_utilization`` is relative to what was asked for."""

    job_id: int
    job_name: str
    resource_type: str  # Memory, CPU or Runtime
    specified: str
    peak_used: str
    over_utilization: str
    is_over: bool


@dataclass(frozen=True)
class Kind:
    """How one resource is compared: both amounts are in the same unit."""

    name: str
    specified: Callable[[ResourceRequirements], float]  # 0 where nobody has said it
    used: Callable[[Result], float | None]
    wording: Callable[[float], str]
    specified_wording: Callable[[float], str]


def as_size(size_bytes: float) -> str:
    """``73.8 MB`` or ``1.23 GB``."""
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f} KB"
    return f"{size_bytes / 1024**2:.1f} MB" if size_bytes < GIB else f"{size_bytes / GIB:.2f} GB"


def as_difference(ratio: float) -> str:
    """``+31.3%`` for 1.3125: halves are rounded up, as the users' book does."""
    return f"{math.floor(1000 * (ratio - 1) + 0.5) / 10:+.1f}%"


KINDS = (
    Kind(
        "Memory",
        lambda asked: parse_memory(asked.memory) if asked.memory != DEFAULT_MEMORY else 0,
        lambda result: result.peak_memory_bytes,
        as_size,
        as_size,
    ),
    Kind(
        "CPU",
        lambda asked: 100 * asked.num_cpus,
        lambda result: result.peak_cpu_percent,
        lambda percent: f"{percent:.1f}%",
        lambda percent: f"{percent:.0f}%",
    ),
    Kind(
        "Runtime",
        lambda asked: parse_duration(asked.runtime) if asked.runtime != DEFAULT_RUNTIME else 0,
        lambda result: 60 * result.exec_time_minutes,
        as_time,
        as_time,
    ),
)

USE_COLUMNS = (
    Column("Job ID", "job_id"),
    Column("Job Name", "job_name"),
    Column("Resource", "resource_type"),
    Column("Specified", "specified"),
    Column("Peak Used", "peak_used"),
    Column("Over-Utilization", "over_utilization"),
)


def uses(result: Result, job_name: str, asked: ResourceRequirements) -> Iterator[Use]:
    """A line per resource that was measured and asked for."""
    for kind in KINDS:
        specified, used = kind.specified(asked), kind.used(result)
        if used is None or specified <= 0:
            continue
        yield Use(
            job_id=result.job_id,
            job_name=job_name,
            resource_type=kind.name,
            specified=kind.specified_wording(specified),
            peak_used=kind.wording(used),
            over_utilization=as_difference(used / specified),
            is_over=used > specified,
        )


@dataclass(frozen=True)
class Utilization:
    """What was analyzed, and the lines to be shown."""

    workflow_id: int
    run_id: int | None  # None: the latest of each job
    total_results: int
    uses: Sequence[Use]
    shows_all: bool

    @property
    def over_count(self) -> int:
        """How many lines are about something that was used more than asked for."""
        return sum(use.is_over for use in self.uses)

    def title(self) -> str:
        """What it comes to, in a sentence."""
        total, over = self.total_results, self.over_count
        if not total:
            return f"No completed job results found for workflow {self.workflow_id}"
        if over:
            return f"⚠ Found {over} resource over-utilization violation{'' if over == 1 else 's'}:"
        tick = "" if self.shows_all else "✓ "
        return f"{tick}All {total} jobs stayed within their specified resource requirements"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "workflow_id": self.workflow_id,
            "run_id": self.run_id,
            "total_results": self.total_results,
            "over_utilization_count": self.over_count,
            "violations": [{name: getattr(use, name) for name in _SHOWN} for use in self.uses],
        }


_SHOWN = [name for name in Use.__struct_fields__ if name != "is_over"]


def result_document(
    result: Result, *, job_name: str, node_type: str | None, files: Mapping[str, str | None]
) -> dict[str, Any]:
    """An attempt with its log files, for JSON."""
    return {
        "job_id": result.job_id,
        "job_name": job_name,
        "status": result.status.capitalize(),
        "cause": result.cause,
        "run_id": result.run_id,
        "attempt_id": result.attempt_id,
        "return_code": result.return_code,
        "completion_time": result.completion_time,
        "exec_time_minutes": result.exec_time_minutes,
        "compute_node_id": result.compute_node_id,
        "compute_node_type": node_type,
        **files,
    }
