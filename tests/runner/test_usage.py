"""Figures made of samples: never more than was used, whatever happens to processes between two looks."""

import pytest

from torc.runner.census import Count
from torc.runner.child import Ending
from torc.runner.processes import TICKS_PER_S
from torc.runner.usage import Figures, Meter, Usage, merge

SAMPLES = Usage(peak_memory_bytes=500, avg_memory_bytes=300, peak_cpu_percent=180.0, cpu_s=4.0)


def ending(*, runtime_s: float = 4.0, cpu_s: float = 6.0, peak_memory_bytes: int | None = 400) -> Ending:
    return Ending(return_code=0, runtime_s=runtime_s, cpu_s=cpu_s, peak_memory_bytes=peak_memory_bytes)


def fed(meter: Meter, *samples: tuple[float, float, int]) -> list[float]:
    """The CPU percent of samples of (second, CPU seconds so far, memory)."""
    percents = []
    for at, cpu_s, memory_bytes in samples:
        meter.add(Count(1, memory_bytes, round(cpu_s * TICKS_PER_S)), began=at, ended=at + 0.001)
        percents.append(meter.cpu_percent)
    return percents


def usage_of(meter: Meter) -> Usage:
    assert meter.usage is not None
    return meter.usage


@pytest.mark.parametrize(
    ("usage", "end", "figures"),
    [
        (None, ending(), Figures(400, None, 150.0, 150.0)),
        (None, ending(peak_memory_bytes=None), Figures(None, None, 150.0, 150.0)),
        (None, ending(runtime_s=0.0), Figures(400, None, None, None)),
        (SAMPLES, ending(), Figures(500, 300, 180.0, 150.0)),
        (SAMPLES, ending(peak_memory_bytes=900), Figures(900, 300, 180.0, 150.0)),
        (SAMPLES, ending(peak_memory_bytes=None), Figures(500, 300, 180.0, 150.0)),
        (SAMPLES, ending(cpu_s=8.0), Figures(500, 300, 200.0, 200.0)),
        (SAMPLES, ending(cpu_s=0.1), Figures(500, 300, 180.0, 100.0)),  # the shell did not wait for what worked
        (SAMPLES, ending(runtime_s=0.0), Figures(500, 300, 180.0, None)),
    ],
)
def test_the_larger_of_samples_and_what_the_kernel_counted_holds(
    usage: Usage | None, end: Ending, figures: Figures
) -> None:
    assert merge(usage, end) == figures


@pytest.mark.parametrize("usage", [None, SAMPLES])
def test_the_peak_that_a_control_group_counted_holds(usage: Usage | None) -> None:
    assert merge(usage, ending(peak_memory_bytes=900), 450).peak_memory_bytes == 450


def test_one_busy_core_is_nearly_but_never_more_than_a_hundred_percent() -> None:
    meter = Meter(0.0)
    moments = [0.1, 0.25, 0.5, *range(1, 60)]
    percents = fed(meter, *((at, at + 0.014, 1) for at in moments))  # read a little later than noted
    assert max(percents) <= 100
    assert min(percents[3:]) > 97
    assert usage_of(meter).peak_cpu_percent == max(percents)
    assert usage_of(meter).cpu_s == pytest.approx(59, abs=0.1)


def test_a_child_between_its_end_and_its_parents_wait_makes_no_peak() -> None:
    meter = Meter(0.0)
    percents = fed(meter, (1, 1, 1), (2, 2, 1), (3, 0.5, 1), (4, 4, 1), (5, 5, 1))
    assert max(percents) <= 100
    assert min(percents) > 95
    assert usage_of(meter).cpu_s == 5


def test_what_nobody_waits_for_does_not_hide_what_comes_later() -> None:
    meter = Meter(0.0)
    percents = fed(meter, (1, 100, 1), (2, 0, 1), (3, 1, 1), (4, 2, 1), (5, 3, 1))
    assert percents[-1] == pytest.approx(100, abs=3)


def test_the_mean_of_memory_is_over_time_and_not_over_samples() -> None:
    meter = Meter(0.0)
    fed(meter, (0.1, 0, 1000), (0.2, 0, 1000), (0.3, 0, 1000), (0.4, 0, 1000), (10.0, 0, 100))
    assert usage_of(meter).avg_memory_bytes == 136
    assert usage_of(meter).peak_memory_bytes == 1000
