"""How a report on resources words what was used."""

import pytest

from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.units import GIB
from torc.views.reports import Utilization, as_size, as_time, uses

ASKED = ResourceRequirements(workflow_id=1, name="training", num_cpus=8, memory="8g", runtime="PT2H")


def result(*, memory: float | None = None, cpu: float | None = None, minutes: float = 1.0) -> Result:
    return Result(
        job_id=15,
        workflow_id=1,
        run_id=1,
        compute_node_id=1,
        return_code=0,
        exec_time_minutes=minutes,
        completion_time="2026-01-02T03:04:05.678Z",
        peak_memory_bytes=None if memory is None else int(memory * GIB),
        peak_cpu_percent=cpu,
        status=JobStatus.COMPLETED,
    )


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0.0 KB"), (1536, "1.5 KB"), (77_384_909, "73.8 MB"), (8 * GIB, "8.00 GB"), (10.5 * GIB, "10.50 GB")],
)
def test_sizes(size_bytes: float, text: str) -> None:
    assert as_size(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (12.34, "12.3s"), (303, "5m 3s"), (3599.7, "1h 0m 0s"), (9900, "2h 45m 0s"), (90000, "25h 0m 0s")],
)
def test_times(seconds: float, text: str) -> None:
    assert as_time(seconds) == text


def test_the_lines_of_the_users_book() -> None:
    found = uses(result(memory=10.5, cpu=950.5, minutes=165), "train_model", ASKED)
    assert [(use.resource_type, use.specified, use.peak_used, use.over_utilization) for use in found] == [
        ("Memory", "8.00 GB", "10.50 GB", "+31.3%"),
        ("CPU", "800%", "950.5%", "+18.8%"),
        ("Runtime", "2h 0m 0s", "2h 45m 0s", "+37.5%"),
    ]


def test_as_much_as_was_asked_for_is_not_over() -> None:
    found = list(uses(result(memory=8, cpu=400.0, minutes=120), "exact", ASKED))
    assert [(use.over_utilization, use.is_over) for use in found] == [
        ("+0.0%", False),
        ("-50.0%", False),
        ("+0.0%", False),
    ]


def test_what_was_not_measured_has_no_line() -> None:
    assert [use.resource_type for use in uses(result(), "short", ASKED)] == ["Runtime"]


@pytest.mark.parametrize(
    ("total", "over", "shows_all", "title"),
    [
        (0, 0, False, "No completed job results found for workflow 7"),
        (3, 0, False, "✓ All 3 jobs stayed within their specified resource requirements"),
        (3, 0, True, "All 3 jobs stayed within their specified resource requirements"),
        (3, 1, False, "⚠ Found 1 resource over-utilization violation:"),
        (3, 2, True, "⚠ Found 2 resource over-utilization violations:"),
    ],
)
def test_the_title_says_what_it_comes_to(total: int, over: int, shows_all: bool, title: str) -> None:
    lines = [use for _ in range(over) for use in uses(result(cpu=900.0), "job", ASKED) if use.is_over]
    assert Utilization(7, None, total, lines, shows_all=shows_all).title() == title
