"""Verbs over whole workflows of 100,000 jobs: what comes when, out to a file, and in again. Plain figures."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import specs
from benchmarks.measure import Bench, Figure, seconds
from benchmarks.processes import create_and_initialize, server, torc

MB = 1_000_000
JOBS = 100_000
STAGES = 100
LISTING_LIMIT_MB = 300.0


def plans(bench: Bench) -> Iterator[Figure]:
    """The execution plan of a file: all at once, and stage after stage."""
    count = bench.scaled(JOBS)
    shapes = {
        "in one stage": specs.independent(count, "'true'"),
        "in 100 stages": specs.stages(STAGES, count // STAGES),
    }
    for shape, spec in shapes.items():
        with bench.fresh() as folder:
            path = folder / "spec.yaml"
            path.write_text(spec)
            yield timed(bench, f"execution plan of {count:,} jobs {shape}", "workflows", "execution-plan", path)


def transfer(bench: Bench) -> Iterator[Figure]:
    """A stored workflow to a file, and the file to another workflow."""
    count = bench.scaled(JOBS)
    with bench.fresh() as folder, server(folder) as running:
        spec, file = folder / "spec.yaml", folder / "export.json"
        spec.write_text(specs.stages(STAGES, count // STAGES))
        workflow_id, _ = create_and_initialize(running, spec, folder)
        on_server = ("--url", running.url, "workflows")
        yield timed(bench, f"export {count:,} jobs", *on_server, "export", str(workflow_id), "-o", file, "--force")
        yield timed(bench, f"import {count:,} jobs", *on_server, "import", file)


def listing(bench: Bench) -> Iterator[Figure]:
    """All jobs as a table and as JSON, from the server to a file."""
    count = bench.scaled(JOBS)
    with bench.fresh() as folder, server(folder) as running:
        spec = folder / "spec.yaml"
        spec.write_text(specs.independent(count, "'true'"))
        workflow_id, _ = create_and_initialize(running, spec, folder)
        for form in ("table", "json"):
            words = ("--url", running.url, "-f", form, "jobs", "list", str(workflow_id), "-l", str(count))
            took: list[float] = []
            peaks_mb: list[float] = []

            def show(words: tuple[str, ...] = words, peaks_mb: list[float] = peaks_mb) -> None:
                peaks_mb.append(torc(*words, folder=folder).peak_bytes / MB)

            for _ in range(bench.rounds):
                took.append(seconds(show))
            yield Figure(
                f"print {count:,} jobs as {form}: peak memory of the client",
                f"{median(peaks_mb):.0f} MB in {median(took):.2f} s",
                "",
                median(peaks_mb),
                LISTING_LIMIT_MB,
                unit="MB",
                spread=(min(peaks_mb), max(peaks_mb)),
            )


def timed(bench: Bench, name: str, *arguments: str | Path) -> Figure:
    """How long a command takes from start to end, and the most memory it has."""
    peaks = []

    def run() -> None:
        with bench.fresh() as folder:
            peaks.append(torc(*arguments, folder=folder).peak_bytes)

    took = [seconds(run) for _ in range(bench.rounds)]
    return Figure(
        name,
        f"{median(took):.2f} s, {median(peaks) / MB:.0f} MB",
        "",
        median(took),
        None,
        unit="s",
        spread=(min(took), max(took)),
    )
