"""What a runner of ours gets for what it offers: jobs that fit into what is free, and a stock of short ones."""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from torc.models.sync import Offer, SyncRequest
from torc.store import claims
from torc.store.claims import Queue
from torc.store.leases import Leases
from torc.store.rows import exists
from torc.store.shapes import EachAlone, Room, Span
from torc.units import GIB


class Asks(NamedTuple):
    """A node that asks for jobs."""

    workflow_id: int
    node_id: int
    request: SyncRequest
    again: Sequence[int]  # jobs that are delivered to it once more, and take their part of what it offers


def claim(db: sqlite3.Connection, leases: Leases, asks: Asks, queue: Queue) -> list[int]:
    """New jobs for a node, beyond what is delivered again; their ids."""
    request = asks.request
    if request.offer is None and request.slots is None:
        return []
    room, limit = _free(db, asks)
    claimed: list[int] = []
    if limit > 0:
        claimed = queue.choose(node_id=asks.node_id, room=room, limit=limit)
    if request.prefetch > 0 and _may_prefetch(db, leases, asks, queue, len(claimed)):
        claimed += queue.choose(node_id=asks.node_id, room=_whole_node(db, asks), limit=request.prefetch)
    return claimed


def _free(db: sqlite3.Connection, asks: Asks) -> tuple[Room, float]:
    """What is free on the node, and for how many jobs, less what is delivered again."""
    request = asks.request
    limit = math.inf if request.limit is None else request.limit
    if request.slots is not None:
        limit = min(limit, request.slots)
    room = _room(db, asks)
    for job in claims.deliver(db, asks.workflow_id, asks.again):
        room.take(job, 1)
    return room, limit - len(asks.again)


def _room(db: sqlite3.Connection, asks: Asks) -> Room:
    """What is free. Without bounds for a runner that counts jobs: of that, only time, scheduler and nodes matter."""
    offer = asks.request.offer
    if offer is None:
        return Room(math.inf, math.inf, math.inf, math.inf)
    if asks.request.slots is not None:
        several = _total(db, asks, offer).num_nodes > 1
        nodes = offer.num_nodes if several else math.inf
        return Room(math.inf, math.inf, math.inf, nodes, _left_s(offer), offer.scheduler_config_id)
    room = Room(
        offer.num_cpus,
        offer.memory_bytes,
        offer.num_gpus,
        offer.num_nodes,
        _left_s(offer),
        offer.scheduler_config_id,
    )
    return Span(**asdict(room), node=_total(db, asks, offer)) if offer.num_nodes > 1 else room


def _left_s(offer: Offer) -> float:
    return math.inf if offer.time_left_s is None else offer.time_left_s


def _total(db: sqlite3.Connection, asks: Asks, offer: Offer) -> Room:
    """The node with nothing on it."""
    cpus, memory_gb, gpus, num_nodes = db.execute(
        "SELECT num_cpus, memory_gb, num_gpus, num_nodes FROM compute_node WHERE id = ?", (asks.node_id,)
    ).fetchone()
    return Room(cpus, memory_gb * GIB, gpus, num_nodes, _left_s(offer), offer.scheduler_config_id)


def _may_prefetch(db: sqlite3.Connection, leases: Leases, asks: Asks, queue: Queue, claimed: int) -> bool:
    """Only while more jobs are ready than all active nodes hold: else a prefetched job starves another node."""
    active = db.execute("SELECT id FROM compute_node WHERE workflow_id = ? AND is_active", (asks.workflow_id,))
    held = leases.held(node_id for (node_id,) in active) + claimed
    return exists(
        db,
        "SELECT 1 FROM job WHERE workflow_id = ? AND status = 'ready' AND not_before IS NULL LIMIT 1 OFFSET ?",
        (asks.workflow_id, held + len(queue.chosen)),  # which are still marked as ready
    )


def _whole_node(db: sqlite3.Connection, asks: Asks) -> Room:
    """What one prefetched job may need at most. Each runs later, so they need not fit together."""
    offer = asks.request.offer
    if asks.request.slots is not None or offer is None:
        return _room(db, asks)
    return EachAlone(**asdict(_total(db, asks, offer)))
