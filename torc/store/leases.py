"""Who is alive. Leases live in the server's memory, on its monotonic clock; nothing of them is in the database."""

import threading
import time
from collections.abc import Callable, Iterable

START_WITHIN_S = 600.0
"""Jobs claimed without a node (the contract's endpoints) must start within this time, else they are ready again."""


class Leases:
    """How long each node may be silent before its jobs are ready for others."""

    def __init__(self, lease_s: float = 300.0, *, tick_s: float = 1.0, clock: Callable[[], float] = time.monotonic):
        """``tick_s`` is how often expired() will be asked; a tick that comes late extends every lease."""
        self.lease_s = lease_s
        self._tick_s = tick_s
        self._clock = clock
        self._guard = threading.Lock()
        self._until: dict[int, float] = {}
        self._held: dict[int, int] = {}
        self._unowned: dict[int, float] = {}
        self._last_contact = self._last_tick = clock()

    def renew(self, node_id: int) -> None:
        """The node was heard from."""
        with self._guard:
            now = self._clock()
            # When nobody was heard for half a lease the fault was ours: the first node back must not
            # inherit the jobs of those that are still on their way.
            if now - self._last_contact > self.lease_s / 2:
                self._until = dict.fromkeys(self._until, now + self.lease_s)
            self._last_contact = now
            self._until[node_id] = now + self.lease_s

    def adopt(self, node_ids: Iterable[int]) -> None:
        """Give nodes that were active before this server started a full lease."""
        with self._guard:
            now = self._clock()
            self._last_contact = now
            for node_id in node_ids:
                self._until[node_id] = now + self.lease_s

    def forget(self, node_id: int) -> None:
        """The node has left."""
        with self._guard:
            self._until.pop(node_id, None)
            self._held.pop(node_id, None)

    def has(self, node_id: int) -> bool:
        """Whether the node has a lease; runners of the reference implementation have none."""
        with self._guard:
            return node_id in self._until

    def expired(self) -> list[int]:
        """The nodes that were silent for too long; housekeeping asks every tick."""
        with self._guard:
            now = self._clock()
            late = now - self._last_tick - self._tick_s
            self._last_tick = now
            if late > self._tick_s:  # we were stopped or busy, and so may the syncs that wait for us have been
                self._until = {node_id: until + late for node_id, until in self._until.items()}
                self._last_contact += late
            if now - self._last_contact > self.lease_s / 2:
                return []
            return [node_id for node_id, until in self._until.items() if until <= now]

    def is_expired(self, node_id: int) -> bool:
        """Whether this node is still silent for too long."""
        with self._guard:
            return node_id in self._until and self._until[node_id] <= self._clock()

    def hold(self, node_id: int, jobs: int) -> None:
        """Note how many jobs a node has been given."""
        with self._guard:
            self._held[node_id] = jobs

    def held(self, node_ids: Iterable[int]) -> int:
        """How many jobs these nodes have been given."""
        with self._guard:
            return sum(self._held.get(node_id, 0) for node_id in node_ids)

    def claimed_unowned(self, job_ids: Iterable[int]) -> None:
        """These jobs went out without a node."""
        with self._guard:
            until = self._clock() + START_WITHIN_S
            for job_id in job_ids:
                self._unowned[job_id] = until

    def forget_unowned(self, job_ids: Iterable[int]) -> None:
        """These jobs were started or taken back."""
        with self._guard:
            for job_id in job_ids:
                self._unowned.pop(job_id, None)

    def never_started(self) -> list[int]:
        """The jobs that went out without a node and were not started in time."""
        with self._guard:
            now = self._clock()
            return [job_id for job_id, until in self._unowned.items() if until <= now]
