"""Jobs that end with their runner: a batch system signals all that runs in an allocation, in any order.

It may reach a program before the shell that started it, and the runner last; the shell then goes on, and may return 0.
"""

import signal
import time
from collections.abc import Sequence

from torc.models.status import Cause
from torc.runner.child import Child, Ending

SAME_MOMENT_S = 2.0

Ended = Sequence[tuple[Child, Ending]]


def patience_s(ended: Ended) -> float:
    """How long to wait for the signal that may have ended these jobs, before their end is taken for their own."""
    return max((_patience_s(child, ending) for child, ending in ended), default=0.0)


def excuse(ended: Ended, told_at: float) -> None:
    """What jobs returned in the moment (monotonic) in which the runner was told to end does not count."""
    if time.monotonic() - told_at < SAME_MOMENT_S:
        for child, _ in ended:
            child.blame(Cause.TIME_UP)


def _patience_s(child: Child, ending: Ending) -> float:
    if child.stopped:
        return 0.0
    number = 128 - ending.return_code if ending.return_code < 0 else ending.return_code
    if number - 128 in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        return 0.5
    if ending.return_code:
        return 0.1
    # Short jobs come in thousands, and seldom end in this moment.
    return min(0.02 * ending.runtime_s, 0.2) if ending.runtime_s > 1 else 0.0
