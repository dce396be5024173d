"""Making the records of allocations agree with what the batch system says of them."""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from torc.errors import TorcError
from torc.hpc import slurm
from torc.models.compute_node import ComputeNode
from torc.models.scheduler import LIVE_ALLOCATIONS, ScheduledComputeNode

if TYPE_CHECKING:
    from torc.client.api import Client

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""The batch system is asked about all allocations of a user at most so often, by whichever client comes first."""

LATE = timedelta(minutes=2)
"""A job that neither the queue nor the accounts know so long after its submission will not appear any more."""


class Change(NamedTuple):
    """What was corrected in a record."""

    record: ScheduledComputeNode  # as it is now
    before: str  # the status it had
    released: list[ComputeNode]  # runners that were taken for alive, and are not


def reconcile_in_turn(client: "Client", user: str) -> list[Change]:
    """As ``reconcile`` for all workflows of a user of torc, unless somebody has asked within the last minute."""
    if not client.claim_allocation_check(user, LOOK_EVERY_S).granted:
        return []
    mine = [one.id or 0 for one in client.workflows.list(user=user)]
    return reconcile(client, mine)


def reconcile(client: "Client", workflow_ids: Iterable[int]) -> list[Change]:
    """Ask once for everything, and correct what is not true any more; what was changed.

    Jobs of a runner whose allocation has ended are ready for others at once.
    """
    live = [one for workflow_id in workflow_ids for one in _live(client, workflow_id)]
    if not live:
        return []
    truth = _Truth(live)
    return [change for one in live if (change := _correct(client, one, truth)) is not None]


def _live(client: "Client", workflow_id: int) -> Iterator[ScheduledComputeNode]:
    for status in LIVE_ALLOCATIONS:
        found = client.scheduled_compute_nodes.list(workflow_id, status=status)
        yield from (one for one in found if one.scheduler_type == "slurm")


class _Truth:
    """What the queue says now, and the accounts of what is not in it."""

    def __init__(self, live: list[ScheduledComputeNode]) -> None:
        queue = slurm.queue()
        self._queued = {one.job_id: one for one in queue}
        self._named = {one.name: one.job_id for one in queue}
        gone = [one for one in live if self.job_id(one) not in self._queued]
        self.has_accounts = True
        self._ended: dict[int, slurm.Ending] = {}
        numbers = [one.scheduler_id for one in gone if one.scheduler_id]
        names = [one.name for one in gone if not one.scheduler_id and one.name]
        if numbers or names:
            since = min((_moment(one.submitted_at) for one in gone), default=None)
            try:
                found = slurm.ended(numbers, names, since=since and since - LATE)
                self._ended = {one.job_id: one for one in found}
                self._named |= {one.name: one.job_id for one in found}
            except TorcError as error:
                logger.warning("no accounts of ended allocations: %s", error)
                self.has_accounts = False

    def job_id(self, one: ScheduledComputeNode) -> int:
        """The number of the job; 0 when it was never submitted, as far as anybody knows."""
        return one.scheduler_id or self._named.get(one.name or "", 0)

    def queued(self, one: ScheduledComputeNode) -> slurm.Queued | None:
        """The job, while it waits or runs."""
        return self._queued.get(self.job_id(one))

    def ended(self, one: ScheduledComputeNode) -> slurm.Ending | None:
        """What the accounts say of a job that has ended, once they do."""
        found = self._ended.get(self.job_id(one))
        return found if found is not None and slurm.status_of(found.state) not in LIVE_ALLOCATIONS else None


def _correct(client: "Client", one: ScheduledComputeNode, truth: _Truth) -> Change | None:
    changes = _changes(one, truth)
    if changes is None:
        return None
    was_active = one.status == "active"
    changes = {name: value for name, value in changes.items() if getattr(one, name) != value}
    if not changes:
        return None
    assert one.id is not None
    released = []
    if was_active and changes.get("status", "active") != "active":
        released = _release(client, one)
    return Change(client.scheduled_compute_nodes.change(one.id, changes), one.status, released)


def _changes(one: ScheduledComputeNode, truth: _Truth) -> dict[str, Any] | None:
    """The fields as they should be; None when nothing certain is known."""
    queued, job_id = truth.queued(one), truth.job_id(one)
    if queued is not None:
        return {"scheduler_id": job_id, "status": slurm.status_of(queued.state), "reason": queued.reason or None}
    ending = truth.ended(one)
    if ending is not None:
        times = {"started_at": _text(ending.started), "ended_at": _text(ending.ended)}
        return {"scheduler_id": job_id, "status": slurm.status_of(ending.state), "reason": ending.reason, **times}
    if datetime.now(UTC) - _moment(one.submitted_at) < LATE:
        return None  # on its way into the queue, or into the accounts
    if not job_id:
        return {"status": "failed", "reason": "it was never submitted: the submission was interrupted"}
    reason = "it left the queue" + ("; the accounts do not know it" if truth.has_accounts else "")
    return {"status": "failed", "reason": reason, "ended_at": _text(datetime.now(UTC))}


def _release(client: "Client", one: ScheduledComputeNode) -> list[ComputeNode]:
    """Close the runners of an allocation that has ended; their jobs are ready for others."""
    found = []
    for node in client.compute_nodes.list(one.workflow_id, is_active=True):
        if node.slurm_job_id is not None and node.slurm_job_id == one.scheduler_id:
            assert node.id is not None
            found.append(client.release(node.id))
    return found


def _moment(text: str | None) -> datetime:
    """Records of other clients do not say when they were made."""
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
