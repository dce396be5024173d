"""Jobs that do nothing, two at a time: what torc adds to starting them."""

from collections.abc import Iterator
from functools import partial

from benchmarks import specs
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.processes import run_workflow, xargs

FLOOR = "xargs -P2"
LIMITS = {5000: 1.5, 1000: 2.0}
BARRIER_LIMIT = 1.6
ALL_TO_ALL_LIMIT = 1.2


def timed_run(bench: Bench, spec: str) -> float:
    """Seconds for a whole run, from a cold start in an empty folder."""
    with bench.fresh() as folder:
        return run_workflow(spec, folder)


def timed_floor(bench: Bench, count: int) -> float:
    """Seconds that xargs takes for as many jobs."""
    with bench.fresh() as folder:
        return seconds(lambda: xargs(count, "true", folder))


def no_ops(bench: Bench) -> Iterator[Figure]:
    """Independent jobs."""
    for size, limit in LIMITS.items():
        count = bench.scaled(size)
        taken = bench.take_turns(
            {
                FLOOR: partial(timed_floor, bench, count),
                "torc": partial(timed_run, bench, specs.independent(count, "'true'")),
            }
        )
        yield ratio_figure(f"{count:,} independent no-op jobs", taken, "torc", FLOOR, limit=limit)


def barrier(bench: Bench) -> Iterator[Figure]:
    """Two wide stages with a job behind each."""
    width = bench.scaled(1000)
    taken = bench.take_turns(
        {
            FLOOR: partial(timed_floor, bench, 2 * width + 2),
            "torc": partial(timed_run, bench, specs.barrier(width)),
        }
    )
    name = f"{width:,} -> 1 -> {width:,} -> 1 barrier workflow"
    yield ratio_figure(name, taken, "torc", FLOOR, limit=BARRIER_LIMIT)


def all_to_all(bench: Bench) -> Iterator[Figure]:
    """Every job of one stage before every job of the next, against a hand-written job in the middle."""
    width = bench.scaled(1000)
    taken = bench.take_turns(
        {
            "by hand": partial(timed_run, bench, specs.all_to_one_to_all(width)),
            "regex": partial(timed_run, bench, specs.all_to_all(width)),
        }
    )
    name = f"{width:,} x {width:,} all-to-all by regex, whole run"
    yield ratio_figure(name, taken, "regex", "by hand", limit=ALL_TO_ALL_LIMIT)
