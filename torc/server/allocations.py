"""``/scheduled_compute_nodes``: the allocations asked for, and whose turn it is to ask what became of them."""

import math
import threading
import time

from torc.models.catalogue import SCHEDULED_NODES
from torc.models.scheduler import CheckTurn, CheckTurnAnswer
from torc.server.plain import Plain
from torc.store.database import Database


class Allocations(Plain):
    """As any resource; and one client at a time asks the batch system, for all, which is slow to answer many."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SCHEDULED_NODES)
        self._guard = threading.Lock()
        self._asked: dict[str, float] = {}  # by user, on our clock; a new server gives a turn at once

    def claim_check(self, body: CheckTurn) -> CheckTurnAnswer:
        """Ask for the turn to look after the allocations of a user; granted once in ``interval_s``."""
        with self._guard:
            now = time.monotonic()
            left_s = self._asked.get(body.user, -math.inf) + body.interval_s - now
            if left_s <= 0:
                self._asked[body.user] = now
            return CheckTurnAnswer(granted=left_s <= 0, retry_after_s=max(left_s, 0.0))
