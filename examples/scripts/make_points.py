"""Write points that lie near the line y = 3x + 2, one "x,y" a line. The same points every time.

python3 examples/scripts/make_points.py points.csv
"""

import argparse
import random
from pathlib import Path


def main() -> None:
    """Make and write the points."""
    parser = argparse.ArgumentParser(description="Write points that lie near a line.")
    parser.add_argument("out", type=Path, help="CSV file to write")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    chance = random.Random(options.count)
    lines = []
    for _ in range(options.count):
        x = chance.uniform(-1, 1)
        lines.append(f"{x:.4f},{3 * x + 2 + chance.gauss(0, 0.2):.4f}\n")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("".join(lines))
    print(f"{options.count} points in {options.out}")


if __name__ == "__main__":
    main()
