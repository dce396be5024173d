"""Count primes for a while; told to end, write down how far it came, and go on from there the next time.

python3 examples/scripts/count_primes.py --up-to 100000 state.json
"""

import argparse
import json
import os
import signal
from pathlib import Path


class Stop(Exception):
    """The job was told to end."""


def stop(number: int, frame: object) -> None:
    """What SIGTERM does. Only once: while the state is being written, a second one must not interrupt."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stop


def is_prime(number: int) -> bool:
    """Whether ``number`` has no divisor but 1 and itself."""
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def save(path: Path, state: dict[str, int]) -> None:
    """Write the state, so that the file is always a whole one, the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state) + "\n")
    os.replace(new, path)


def main() -> int:
    """Count; 0 when all is counted, 1 when there is more to do."""
    parser = argparse.ArgumentParser(description="Count primes, in several goes if need be.")
    parser.add_argument("state", type=Path, help="JSON file that says how far the count is")
    parser.add_argument("--up-to", type=int, required=True)
    options = parser.parse_args()
    state = json.loads(options.state.read_text()) if options.state.exists() else {"next": 1, "primes": 0}
    signal.signal(signal.SIGTERM, stop)
    try:
        print(f"starting at {state['next']}", flush=True)
        while state["next"] <= options.up_to:
            # One assignment for both: between two, SIGTERM could leave a number counted twice.
            state = {"next": state["next"] + 1, "primes": state["primes"] + is_prime(state["next"])}
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except Stop:
        print(f"told to end at {state['next']}")
    save(options.state, state)
    return 0 if state["next"] > options.up_to else 1


if __name__ == "__main__":
    raise SystemExit(main())
