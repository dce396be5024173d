"""From a short specification to a stored workflow that is ready to run."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import specs
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.processes import create_and_initialize, server

PLAIN_INSERT = Path(__file__).with_name("plain_insert.py")
MB = 1_000_000
INDEPENDENT = 100_000
SECONDS_LIMIT = 5.0
ROWS_LIMIT = 10.0
MEMORY_LIMIT_MB = 300.0
WIDTH = 10_000
WIDE_SECONDS_LIMIT = 10.0
WIDE_DATABASE_LIMIT_MB = 60.0


@dataclass(frozen=True)
class Creation:
    """What one creation took."""

    seconds: float
    server_peak_mb: float
    client_peak_mb: float
    database_mb: float


def created(bench: Bench, spec: str) -> Creation:
    """Create and initialize a specification with the command line, on a server that runs already."""
    with bench.fresh() as folder:
        path = folder / "spec.yaml"
        path.write_text(spec)
        with server(folder) as running:
            client_peak = 0

            def create() -> None:
                nonlocal client_peak
                _, client_peak = create_and_initialize(running, path, folder)

            took = seconds(create)
            server_peak = running.peak_bytes()
        size = running.database.stat().st_size
        return Creation(took, server_peak / MB, client_peak / MB, size / MB)


def plain_insert(bench: Bench, count: int) -> float:
    """Seconds that a script of its own takes to store the same rows with nothing but SQLite."""
    with bench.fresh() as folder:
        command = [sys.executable, str(PLAIN_INSERT), str(folder / "floor.db"), str(count)]
        return seconds(lambda: subprocess.run(command, check=True))


def independent(bench: Bench) -> Iterator[Figure]:
    """Many jobs that wait for nothing, out of five lines."""
    count = bench.scaled(INDEPENDENT)
    made: list[Creation] = []

    def create() -> float:
        made.append(created(bench, specs.independent(count, "'true'")))
        return made[-1].seconds

    taken = bench.take_turns({"torc": create, "sqlite3": lambda: plain_insert(bench, count)})
    took = median(taken["torc"])
    name = f"create and initialize {count:,} independent jobs"
    yield Figure(
        name,
        f"{took:.2f} s",
        "",
        took,
        SECONDS_LIMIT,
        unit="s",
        spread=(min(taken["torc"]), max(taken["torc"])),
    )
    yield ratio_figure(f"{name}: to the rows alone", taken, "torc", "sqlite3", limit=ROWS_LIMIT)
    for side, peaks in (
        ("server", [one.server_peak_mb for one in made]),
        ("client", [one.client_peak_mb for one in made]),
    ):
        yield Figure(
            f"{name}: peak memory of the {side}",
            f"{median(peaks):.0f} MB",
            "",
            median(peaks),
            MEMORY_LIMIT_MB,
            unit="MB",
            spread=(min(peaks), max(peaks)),
        )


def all_to_all(bench: Bench) -> Iterator[Figure]:
    """Every job of one wide stage before every job of another."""
    width = bench.scaled(WIDTH)
    made = [created(bench, specs.all_to_all(width)) for _ in range(bench.rounds)]
    times, sizes = [one.seconds for one in made], [one.database_mb for one in made]
    name = f"{width:,} x {width:,} all-to-all"
    yield Figure(
        f"{name}: create and initialize",
        f"{median(times):.2f} s",
        "",
        median(times),
        WIDE_SECONDS_LIMIT,
        unit="s",
        spread=(min(times), max(times)),
    )
    yield Figure(f"{name}: database", f"{median(sizes):.1f} MB", "", median(sizes), WIDE_DATABASE_LIMIT_MB, unit="MB")
