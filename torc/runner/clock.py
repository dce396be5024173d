"""How often a runner asks for work, and when its time is over."""

from torc.runner.node import RunOptions
from torc.runner.place import Deadline

SHORTEST_GRACE_S = 1.0

LEAVING_GRACE_S = 60.0
"""Between SIGTERM and SIGKILL for the jobs of a runner that was told to end. A second signal ends the wait."""

FAREWELL_S = 10.0
"""How long a leaving runner tries to reach a silent server. A signal cuts it short."""


class Clock:
    """How often an idle runner asks for work, and when its time is over, less what its jobs may take to end."""

    def __init__(self, options: RunOptions, *, buffer_s: float) -> None:
        self.poll_interval_s = options.poll_interval_s
        self._deadline = options.place.deadline or Deadline(options.time_limit_s)
        self._buffer_s = buffer_s

    def left_s(self) -> float:
        """The time that jobs may still run; infinite without a limit."""
        return self._deadline.left_s() - self._buffer_s

    def grace_s(self, *, most_s: float) -> float:
        """How long jobs may take to end when they are told to. Some time is kept for the farewell."""
        left_s = self._deadline.left_s()
        return min(most_s, max(left_s - FAREWELL_S, left_s / 2, SHORTEST_GRACE_S))
