"""Estimate pi by throwing darts at a square, and see how many hit the circle in it.

python3 examples/scripts/estimate_pi.py --seed 1 pi_1.txt
"""

import argparse
import random
from pathlib import Path


def main() -> None:
    """Throw the darts."""
    parser = argparse.ArgumentParser(description="Estimate pi.")
    parser.add_argument("out", type=Path, help="text file to write, one number")
    parser.add_argument("--seed", type=int, required=True, help="each seed throws other darts")
    parser.add_argument("--darts", type=int, default=200_000)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    hits = sum(chance.random() ** 2 + chance.random() ** 2 < 1 for _ in range(options.darts))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(f"{4 * hits / options.darts}\n")


if __name__ == "__main__":
    main()
