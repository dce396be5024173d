"""Fit a line to points by gradient descent: the smallest model there is to train.

python3 examples/scripts/fit_line.py --rate 0.1 --batch 8 points.csv fit.json
"""

import argparse
import json
import random
from pathlib import Path

EPOCHS = 5

Point = tuple[float, float]


def fit(points: list[Point], rate: float, batch: int) -> tuple[float, float]:
    """Slope and offset after a few passes over the points, ``batch`` of them at a time."""
    slope = offset = 0.0
    for start in list(range(0, len(points), batch)) * EPOCHS:
        part = points[start : start + batch]
        errors = [(slope * x + offset - y, x) for x, y in part]
        slope -= rate * sum(error * x for error, x in errors) / len(part)
        offset -= rate * sum(error for error, _ in errors) / len(part)
    return slope, offset


def main() -> None:
    """Read the points, write the line and how well it fits."""
    parser = argparse.ArgumentParser(description="Fit a line to points.")
    parser.add_argument("points", type=Path, help="CSV file to read")
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--rate", type=float, default=0.1, help="how far to follow each gradient")
    parser.add_argument("--batch", type=int, default=8, help="points that each step looks at")
    parser.add_argument("--order", choices=["file", "random"], default="file", help="which points come first")
    options = parser.parse_args()
    points: list[Point] = []
    for line in options.points.read_text().splitlines():
        x, y = line.split(",")
        points.append((float(x), float(y)))
    if options.order == "random":
        random.Random(1).shuffle(points)
    slope, offset = fit(points, options.rate, options.batch)
    loss = sum((slope * x + offset - y) ** 2 for x, y in points) / len(points)
    result = {"rate": options.rate, "batch": options.batch, "order": options.order}
    result |= {"slope": round(slope, 4), "offset": round(offset, 4), "loss": round(loss, 6)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result) + "\n")
    print(f"y = {slope:.3f} x + {offset:.3f}, loss {loss:.6f}")


if __name__ == "__main__":
    main()
