"""Readings of measuring stations: record them, remove the wrong ones, sum them up.

python3 examples/scripts/readings.py record raw_1.csv raw_2.csv
python3 examples/scripts/readings.py clean raw_1.csv clean_1.csv
python3 examples/scripts/readings.py summarize summary.csv clean_1.csv clean_2.csv
"""

import argparse
import json
import math
import random
from pathlib import Path
from statistics import fmean

HOURS = 24 * 30
BROKEN = -999.0


def write(path: Path, text: str) -> None:
    """Write a file, and the folder it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path}")


def read(path: Path) -> list[tuple[int, float]]:
    """Hour and value of every reading."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    return [(int(hour), float(value)) for hour, value in rows]


def record(options: argparse.Namespace) -> None:
    """Make up a month of readings for each file, a few of them wrong, the same for the same name every time."""
    for path in options.outputs:
        chance = random.Random(path.stem)
        level = chance.uniform(10, 20)
        lines = []
        for hour in range(HOURS):
            value = level + 5 * math.sin(hour * math.tau / 24) + chance.gauss(0, 1)
            lines.append(f"{hour},{BROKEN if chance.random() < 0.02 else value:.2f}\n")
        write(path, "".join(lines))


def clean(options: argparse.Namespace) -> None:
    """Keep what lies within the limits."""
    limits = {"lowest": 0, "highest": 50, **json.loads(options.limits)}
    kept = [(hour, value) for hour, value in read(options.input) if limits["lowest"] <= value <= limits["highest"]]
    write(options.output, "".join(f"{hour},{value:.2f}\n" for hour, value in kept))


def summarize(options: argparse.Namespace) -> None:
    """One line for each input: count, mean, lowest, highest."""
    lines = ["station,count,mean,lowest,highest\n"]
    for path in options.inputs:
        values = [value for _, value in read(path)]
        lines.append(f"{path.stem},{len(values)},{fmean(values):.2f},{min(values):.2f},{max(values):.2f}\n")
    write(options.output, "".join(lines))


def main() -> None:
    """One of the three steps."""
    parser = argparse.ArgumentParser(description="Handle readings of measuring stations.")
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("record", help="write one file of raw readings for each station")
    step.add_argument("outputs", type=Path, nargs="+")
    step.set_defaults(run=record)
    step = steps.add_parser("clean", help="remove readings that cannot be true")
    step.add_argument("input", type=Path)
    step.add_argument("output", type=Path)
    step.add_argument("--limits", default="{}", help='JSON such as {"lowest": 0, "highest": 50}')
    step.set_defaults(run=clean)
    step = steps.add_parser("summarize", help="write a table with a line for each station")
    step.add_argument("output", type=Path)
    step.add_argument("inputs", type=Path, nargs="+")
    step.set_defaults(run=summarize)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
