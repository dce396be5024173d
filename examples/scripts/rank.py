"""Put the JSON results of many jobs into one table, best first.

python3 examples/scripts/rank.py --by loss ranking.csv fit_1.json fit_2.json
"""

import argparse
import csv
import json
from pathlib import Path


def main() -> None:
    """Read the results, write the table."""
    parser = argparse.ArgumentParser(description="Rank the results of many jobs.")
    parser.add_argument("out", type=Path, help="CSV file to write")
    parser.add_argument("results", type=Path, nargs="+", help="JSON files to read, each with the same keys")
    parser.add_argument("--by", required=True, help="the key that decides; the smallest is best")
    parser.add_argument("--largest", action="store_true", help="the largest is best")
    options = parser.parse_args()
    rows = [json.loads(path.read_text()) for path in sorted(options.results)]
    rows.sort(key=lambda row: row[options.by], reverse=options.largest)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    print(f"best of {len(rows)}: {rows[0]}")


if __name__ == "__main__":
    main()
