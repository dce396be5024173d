"""Keeping a workflow going: it is recovered whenever it comes to rest without being done, up to a number of times."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from torc.errors import ServerAway, TorcError, Unavailable
from torc.workflow.allocations import live_allocations
from torc.workflow.reconcile import LOOK_EVERY_S, reconcile_in_turn
from torc.workflow.recover import Recovery

if TYPE_CHECKING:
    from torc.client.api import Client

logger = logging.getLogger(__name__)

REST_S = 3.0
"""How often it is asked whether anybody is still at work."""


class Keeper:
    """Looks after one workflow. ``attend`` is called again and again; it says when there is nothing more to be done."""

    def __init__(
        self,
        client: "Client",
        workflow_id: int,
        *,
        user: str,
        recover: Callable[[], Recovery],
        most_times: int,
        note: Callable[[str], None],
    ) -> None:
        """``recover`` recovers the workflow once, or finds that nothing would help."""
        self._client = client
        self._workflow_id = workflow_id
        self._user = user
        self._recover = recover
        self._times_left = most_times
        self._most_times = most_times
        self._note = note
        self._looks_at = 0.0
        self._rests_at = 0.0
        self._complaint = ""

    def attend(self, is_settled: bool) -> bool:
        """Whether the workflow is over for good. ``is_settled``: no job changes by itself any more.

        A server that is away is asked again next time. Raises TorcError where the workflow cannot be recovered.
        """
        try:
            return self._attend(is_settled)
        except (ServerAway, Unavailable):
            return False

    def _attend(self, is_settled: bool) -> bool:
        now = time.monotonic()
        if now >= self._looks_at:
            self._looks_at = now + LOOK_EVERY_S
            self._reconcile()
        if not is_settled:
            if now < self._rests_at:
                return False
            self._rests_at = now + REST_S
        if not self._rests(is_settled):
            return False
        if not self._times_left:
            self._note(f"The workflow was recovered {self._most_times} time(s), and is not recovered again.")
            return True
        recovery = self._recover()
        if not recovery.helps:
            return True
        self._times_left -= 1
        return False

    def _rests(self, is_settled: bool) -> bool:
        """Whether nobody is at work, nor about to be.

        An allocation that waits finds nothing to do when all is settled: Slurm may have requeued it.
        """
        live = live_allocations(self._client, self._workflow_id)
        if any(not is_settled or one.status != "pending" for one in live):
            return False
        return not any(self._client.compute_nodes.list(self._workflow_id, is_active=True, limit=1))

    def _reconcile(self) -> None:
        """Runners do this, too, but the last of them may have been killed."""
        try:
            reconcile_in_turn(self._client, self._user)
        except (ServerAway, Unavailable):
            raise
        except TorcError as error:
            if error.message != self._complaint:
                self._complaint = error.message
                self._note(f"Slurm does not tell how allocations are: {error.message}")
