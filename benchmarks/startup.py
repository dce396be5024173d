"""What it costs to start the command line."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks import specs
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.processes import ENVIRON, create_and_initialize, server, torc_command

STARTS = 20
FLOOR = "python -c pass"
HELP_LIMIT = 6.0
LIST_LIMIT = 10.0


def start_s(command: list[str]) -> Callable[[], float]:
    """Measures the median of some starts."""

    def start() -> None:
        subprocess.run(command, env=ENVIRON, stdout=subprocess.DEVNULL, check=True)

    return lambda: median(seconds(start) for _ in range(STARTS))


def startup(bench: Bench) -> Iterator[Figure]:
    """Help, and a short list from a server on this machine."""
    with bench.fresh() as folder, server(folder) as running:
        spec = folder / "spec.yaml"
        spec.write_text(specs.independent(10, "'true'"))
        workflow_id, _ = create_and_initialize(running, spec, folder)
        torc = torc_command()
        taken = bench.take_turns(
            {
                FLOOR: start_s([sys.executable, "-c", "pass"]),
                "torc --help": start_s([*torc, "--help"]),
                "torc jobs list": start_s([*torc, "--url", running.url, "jobs", "list", str(workflow_id)]),
            }
        )
    for name, limit in (("torc --help", HELP_LIMIT), ("torc jobs list", LIST_LIMIT)):
        yield ratio_figure(f"start of {name}", taken, name, FLOOR, limit=limit, decimals=3)
