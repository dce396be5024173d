"""How far a ball flies that is thrown at an angle into air that slows it down.

python3 examples/scripts/throw_ball.py --angle 45 --drag 0.01 flight.json
"""

import argparse
import json
import math
from pathlib import Path

GRAVITY = 9.81
SPEED = 20.0
STEP_S = 0.001


def distance(angle: float, drag: float) -> float:
    """Metres to where the ball comes down; ``drag`` is per metre, ``angle`` in degrees."""
    x = y = 0.0
    vx, vy = SPEED * math.cos(math.radians(angle)), SPEED * math.sin(math.radians(angle))
    while y >= 0:
        slowing = drag * math.hypot(vx, vy)
        vx -= slowing * vx * STEP_S
        vy -= (GRAVITY + slowing * vy) * STEP_S
        x += vx * STEP_S
        y += vy * STEP_S
    return x


def main() -> None:
    """Simulate one throw."""
    parser = argparse.ArgumentParser(description="Simulate one throw.")
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--angle", type=float, required=True, help="degrees above the horizon")
    parser.add_argument("--drag", type=float, default=0.0, help="how much the air slows the ball, per metre")
    options = parser.parse_args()
    metres = round(distance(options.angle, options.drag), 2)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"angle": options.angle, "drag": options.drag, "distance": metres}) + "\n")
    print(f"{metres} m")


if __name__ == "__main__":
    main()
