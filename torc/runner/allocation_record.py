"""The record of an allocation on the server, kept true by the runners in it."""

import logging
import time
from typing import Any

from torc.client.api import Client
from torc.errors import TorcError
from torc.models.compute_node import ComputeNode
from torc.models.scheduler import LIVE_ALLOCATIONS, ScheduledComputeNode
from torc.runner.allocation import Allocation
from torc.units import utc_now_iso

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long the submitter may take to write down what it has submitted."""

LOOK_EVERY_S = 0.5


class AllocationRecord:
    """What this runner tells others of its allocation. Where nobody has noted it down, there is nothing to tell."""

    def __init__(self, client: Client, workflow_id: int, allocation: Allocation) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._allocation = allocation
        self._record: ScheduledComputeNode | None = None

    @property
    def scheduler_config_id(self) -> int | None:
        """The scheduler it was asked for with."""
        return None if self._record is None else self._record.scheduler_config_id

    def find(self) -> None:
        """Its submitter may still be about to write Slurm's number there; then it goes by its name."""
        give_up_at = time.monotonic() + PATIENCE_S
        while self._record is None:
            self._record = self._look(scheduler_id=self._allocation.job_id)
            if self._record is None and self._allocation.job_name:
                self._record = self._look(name=self._allocation.job_name, status="submitting")
            if self._record is None and time.monotonic() > give_up_at:
                logger.info("nobody has noted down this allocation; it takes jobs of any scheduler")
                return
            if self._record is None:
                time.sleep(LOOK_EVERY_S)

    def begin(self) -> None:
        """It is in use. One that was requeued is so again, whatever became of it before."""
        self._tell(
            ("submitting", "pending"),
            status="active",
            reason=None,
            started_at=utc_now_iso(),
            ended_at=None,
            even_if_ended=self._allocation.is_first and self._allocation.restarts > 0,
        )

    def end(self, status: str, reason: str | None) -> None:
        """It is not in use any more, unless other runners still are in it."""
        try:
            others = [node for node in self.runners() if node.scheduler != self._allocation.scheduler]
        except TorcError as error:
            logger.warning("the record of this allocation says what was, not what is: %s", error.message)
            return
        if others:
            logger.info("%d other runners of this allocation go on", len(others))
            return
        ended_at = None if status == "pending" else utc_now_iso()
        self._tell(LIVE_ALLOCATIONS, status=status, reason=reason, ended_at=ended_at)

    def predecessors(self) -> list[ComputeNode]:
        """The runners of a job that was requeued; nothing of them lives."""
        if not (self._allocation.restarts and self._allocation.is_first):
            return []
        return [node for node in self.runners() if int(node.scheduler.get("restarts", 0)) < self._allocation.restarts]

    def runners(self) -> list[ComputeNode]:
        """Those in this allocation, this one included, that have not left."""
        return [
            node
            for node in self._client.compute_nodes.list(self._workflow_id, is_active=True)
            if isinstance(node.scheduler, dict) and node.scheduler.get("slurm_job_id") == str(self._allocation.job_id)
        ]

    def _look(self, **which: Any) -> ScheduledComputeNode | None:
        found = self._client.scheduled_compute_nodes.list(self._workflow_id, limit=1, reverse_sort=True, **which)
        return next(iter(found), None)

    def _tell(self, befores: tuple[str, ...], *, even_if_ended: bool = False, **changes: Any) -> None:
        if self._record is None:
            return
        assert self._record.id is not None
        try:
            now = self._client.scheduled_compute_nodes.get(self._record.id)
            if now.status in befores or even_if_ended:  # else another runner has said it, or somebody has canceled it
                changes = {"scheduler_id": self._allocation.job_id, **changes}
                self._record = self._client.scheduled_compute_nodes.change(self._record.id, changes)
        except TorcError as error:
            logger.warning("the record of this allocation says what was, not what is: %s", error.message)
