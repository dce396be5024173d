"""``python -m benchmarks``: measure, print the table, write it into benchmarks/README.md."""

import argparse
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tabulate import tabulate

from benchmarks import (
    claims,
    clients,
    creation,
    idle,
    latency,
    lists,
    monitor,
    stalls,
    startup,
    sync,
    throughput,
    whole,
    written_out,
)
from benchmarks.measure import Bench, Figure, workplace
from torc import __version__

README = Path(__file__).with_name("README.md")
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)

MEASURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "no-ops": throughput.no_ops,
    "chain": latency.chain,
    "barrier": throughput.barrier,
    "relay": latency.relay,
    "create": creation.independent,
    "files": written_out.files,
    "parse": written_out.parsing,
    "plan": whole.plans,
    "transfer": whole.transfer,
    "listing": whole.listing,
    "all-to-all-run": throughput.all_to_all,
    "all-to-all-create": creation.all_to_all,
    "sync": sync.runners,
    "clients": clients.mixed,
    "claim": claims.queue_length,
    "flat": claims.flat_cost,
    "lists": lists.jobs,
    "stalls": stalls.writers,
    "monitor": monitor.watching,
    "idle": idle.idle,
    "startup": startup.startup,
}
HEADERS = ("measure", "torc", "floor", "figure", "target", "", "rounds from .. to")


def amount(value: float, unit: str) -> str:
    """A score with its unit, as exact as it is worth."""
    return f"{value:.2f} x" if unit == "x" else f"{value:.3g} {unit}"


def target(figure: Figure) -> str:
    """What the score has to be, if there is something that it has to be."""
    if figure.limit is None:
        return ""
    return f"{'>=' if figure.at_least else '<='} {amount(figure.limit, figure.unit)}"


def row(figure: Figure) -> tuple[str, ...]:
    """A figure as a line of the table."""
    return (
        figure.measure,
        figure.measured,
        figure.floor,
        amount(figure.score, figure.unit),
        target(figure),
        "" if figure.holds else "MISSED",
        " .. ".join(amount(value, figure.unit) for value in figure.spread) if figure.spread else "",
    )


def machine(rounds: int, load: float) -> str:
    """What the figures were measured on, and what else it had to do when they began."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, torc {__version__}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"load {load:.1f} at the start, median of {rounds} rounds."
    )


def write_readme(figures: list[Figure], rounds: int, load: float) -> None:
    """Replace the figures; the rest of the page is written by hand."""
    table = tabulate([row(figure) for figure in figures], HEADERS, tablefmt="github", disable_numparse=True)
    block = f"{machine(rounds, load)}\n\n{table}\n"
    README.write_text(FIGURES.sub(lambda _: block, README.read_text()))


def main() -> int:
    """0 when every target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure torc against its floors.")
    parser.add_argument("--only", action="append", choices=MEASURES, help="measure this; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, one round: does everything work?")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    load = os.getloadavg()[0]
    figures: list[Figure] = []
    with workplace() as folder:
        for name in arguments.only or MEASURES:
            print(f"{name} ...", file=sys.stderr, flush=True)
            for figure in MEASURES[name](Bench(folder, rounds, arguments.quick)):
                figures.append(figure)
                print("  " + "  ".join(row(figure)), file=sys.stderr, flush=True)
    print(tabulate([row(figure) for figure in figures], HEADERS, tablefmt="rounded_outline", disable_numparse=True))
    if not arguments.quick and not arguments.only and rounds >= 3:
        write_readme(figures, rounds, load)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
