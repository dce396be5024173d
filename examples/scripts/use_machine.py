"""Use CPU time and memory for a while, to have something to watch.

python3 examples/scripts/use_machine.py --seconds 2 --memory-mb 100
"""

import argparse
import time


def main() -> None:
    """Hold the memory and count until the time is over."""
    parser = argparse.ArgumentParser(description="Use CPU time and memory.")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--memory-mb", type=int, default=10)
    parser.add_argument("--idle", action="store_true", help="wait instead of counting")
    options = parser.parse_args()
    memory = bytearray(b"x" * options.memory_mb * 1_000_000)
    end = time.monotonic() + options.seconds
    rounds = 0
    while time.monotonic() < end:
        if options.idle:
            time.sleep(0.1)
        rounds += 1
    print(f"{rounds} rounds with {len(memory):,} bytes")


if __name__ == "__main__":
    main()
