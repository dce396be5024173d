"""How often a runner asks for work, and when its time is over."""

import math

from torc.models.sync import Offer
from torc.runner.node import RunOptions
from torc.runner.processes import boot_time

SHORTEST_GRACE_S = 1.0

LEAVING_GRACE_S = 60.0
"""Between SIGTERM and SIGKILL for the jobs of a runner that was told to end. A second signal ends the wait."""

FAREWELL_S = 10.0
"""How long a leaving runner tries to reach a silent server. A signal cuts it short."""


class Clock:
    """How often an idle runner asks for work, and when its time is over. A machine that sleeps does not stop it."""

    def __init__(self, options: RunOptions, total: Offer) -> None:
        now = boot_time()
        self.poll_interval_s = options.poll_interval_s
        self._jobs_end_at = math.inf if total.time_left_s is None else now + total.time_left_s
        self._ends_at = math.inf if options.time_limit_s is None else now + options.time_limit_s

    def left_s(self) -> float:
        """The time that jobs may still run; infinite without a limit."""
        return self._jobs_end_at - boot_time()

    def grace_s(self) -> float:
        """How long jobs may take to end when this runner was told to. Some time is kept for the farewell."""
        left_s = self._ends_at - boot_time()
        return min(LEAVING_GRACE_S, max(left_s - FAREWELL_S, left_s / 2, SHORTEST_GRACE_S))
