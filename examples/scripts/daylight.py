"""Hours of daylight in a place, for the first day of each month.

python3 examples/scripts/daylight.py --latitude 59.9 oslo.csv
"""

import argparse
import math
from pathlib import Path

TILT = 23.44
FIRST_DAYS = (1, 32, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335)


def hours_of_daylight(latitude: float, day: int) -> float:
    """Hours between sunrise and sunset on a day of the year, without the bending of light by the air."""
    declination = -TILT * math.cos(math.tau * (day + 10) / 365)
    cosine = -math.tan(math.radians(latitude)) * math.tan(math.radians(declination))
    return 24 / math.pi * math.acos(max(-1.0, min(1.0, cosine)))


def main() -> None:
    """Write the table of one place."""
    parser = argparse.ArgumentParser(description="Write a table of hours of daylight.")
    parser.add_argument("out", type=Path, help="CSV file to write")
    parser.add_argument("--latitude", type=float, required=True, help="degrees north of the equator")
    options = parser.parse_args()
    lines = [f"{month},{hours_of_daylight(options.latitude, day):.1f}\n" for month, day in enumerate(FIRST_DAYS, 1)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("".join(lines))
    print("".join(lines), end="")


if __name__ == "__main__":
    main()
