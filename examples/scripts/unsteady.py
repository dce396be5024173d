"""Fail in one of several ways until a later attempt: something for failure handlers to handle.

python3 examples/scripts/unsteady.py --exit-code 75 --until-attempt 3 done.txt
"""

import argparse
import os
from pathlib import Path


def main() -> int:
    """Fail, or succeed and write a file."""
    parser = argparse.ArgumentParser(description="Fail until a later attempt.")
    parser.add_argument("out", type=Path, help="text file to write on success")
    parser.add_argument("--exit-code", type=int, default=1, help="how to fail")
    parser.add_argument("--until-attempt", type=int, default=2, help="the first attempt that succeeds")
    options = parser.parse_args()
    attempt = int(os.environ.get("TORC_ATTEMPT_ID", "1"))
    if attempt < options.until_attempt:
        print(f"attempt {attempt} fails with {options.exit_code}")
        return int(options.exit_code)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(f"attempt {attempt}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
