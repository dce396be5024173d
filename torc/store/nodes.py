"""Compute nodes: joining, staying, leaving, and being lost."""

import sqlite3
import time
from datetime import datetime
from typing import cast

from torc.errors import InvalidRequest, NotFound, Unprocessable
from torc.models.catalogue import COMPUTE_NODES
from torc.models.compute_node import ComputeNode, NewComputeNode
from torc.models.sync import RenewAnswer
from torc.store import action_turns, attempts, events, outcomes, table, workflows
from torc.store.database import Database
from torc.store.leases import Leases
from torc.units import GIB, parse_memory, utc_now_iso

MEMORY_DIFFERS_GIB = 0.001
"""Two statements of one node's memory that differ by less are the same: text is rounded."""


def create(database: Database, leases: Leases, node: ComputeNode) -> ComputeNode:
    """Store a node. The answer tells which database it joined, so that a restored one is noticed later.

    A NewComputeNode is filled in first.
    """
    node.memory_gb = memory_gb(node)
    node.start_time = node.start_time or utc_now_iso()
    node.last_seq = 0
    with database.write() as db:
        workflows.require(db, node.workflow_id)
        node_id = table.insert_row(db, COMPUTE_NODES, node)
        workflows.touch(db, node.workflow_id)
        stored = cast(ComputeNode, table.fetch(db, COMPUTE_NODES, node_id))
    if stored.spool_path is not None:  # one of our own runners: it will sync
        leases.renew(node_id)
        stored.lease_s = leases.lease_s
    stored.database_id, stored.generation = database.database_id, database.generation
    return stored


def memory_gb(node: ComputeNode | NewComputeNode) -> float:
    """The memory of a node in GiB, whichever of the two ways of saying it was used. Both must agree."""
    if node.memory is None:
        if node.memory_gb is None:
            raise InvalidRequest("a compute node needs its memory: memory_gb in GiB, or memory such as '256g'")
        return node.memory_gb
    try:
        said_gb = parse_memory(node.memory) / GIB
    except ValueError as error:
        raise Unprocessable(
            f"Invalid memory format '{node.memory}': {error}", field="memory", value=node.memory
        ) from error
    if node.memory_gb is None:
        return said_gb
    if abs(said_gb - node.memory_gb) > MEMORY_DIFFERS_GIB:
        raise Unprocessable(
            f"memory is '{node.memory}' but memory_gb is {node.memory_gb}; send one of them, or the same twice",
            field="memory",
            value=node.memory,
        )
    return node.memory_gb


def update(database: Database, node_id: int, node: ComputeNode, given: frozenset[str]) -> ComputeNode:
    """Write the ``given`` fields over a stored node."""
    with database.write() as db:
        if node.memory == cast(ComputeNode, table.fetch(db, COMPUTE_NODES, node_id)).memory:
            node.memory = None  # from our answer: memory_gb alone was changed, or nothing
        memory_gb(node)
        return cast(ComputeNode, table.update_row(db, COMPUTE_NODES, node_id, node, given))


def renew(database: Database, leases: Leases, node_id: int) -> RenewAnswer:
    """The node is alive. No transaction, no waiting: this must work while a long write is under way."""
    if not leases.has(node_id):
        with database.read() as db:
            if not db.execute("SELECT 1 FROM compute_node WHERE id = ?", (node_id,)).fetchone():
                raise NotFound(f"Compute node not found with ID: {node_id}")
    leases.renew(node_id)
    return RenewAnswer(lease_s=leases.lease_s)


def adopt(database: Database, leases: Leases) -> None:
    """At start: every node that was active gets a full lease; claims without a node get their time to start."""
    with database.read() as db:
        supervised = db.execute(
            "SELECT id FROM compute_node WHERE is_active AND (last_seq > 0 OR spool_path IS NOT NULL)"
        ).fetchall()
        unowned = db.execute(
            "SELECT id FROM job WHERE status = 'pending' AND active_compute_node_id IS NULL"
        ).fetchall()
    leases.adopt(node_id for (node_id,) in supervised)
    leases.claimed_unowned(job_id for (job_id,) in unowned)


def expire(database: Database, leases: Leases) -> int:
    """Close the nodes whose lease is over and take back jobs that were claimed and never started; how many nodes."""
    lost = leases.expired()
    for node_id in lost:
        with database.write() as db:
            if leases.is_expired(node_id):  # it may have come back while we waited
                _close_lost(db, node_id)
                leases.forget(node_id)
    stale = leases.never_started()
    if stale:
        with database.write() as db:
            for job_id in stale:
                db.execute(
                    "UPDATE job SET status = 'ready' WHERE id = ? AND status = 'pending' "
                    "AND active_compute_node_id IS NULL",
                    (job_id,),
                )
        leases.forget_unowned(stale)
    return len(lost)


def _close_lost(db: sqlite3.Connection, node_id: int) -> None:
    row = db.execute("SELECT workflow_id, hostname FROM compute_node WHERE id = ?", (node_id,)).fetchone()
    if row is None:
        return
    workflow_id, hostname = row
    job_ids = close(db, node_id, end_attempt=False)
    _note_lost(
        db,
        workflow_id,
        node_id,
        job_ids,
        f"Compute node {node_id} on {hostname} was not heard from in time; its jobs are ready for others.",
    )
    outcomes.fail_lost(db, workflow_id, node_id, job_ids)


def leave(db: sqlite3.Connection, workflow_id: int, node_id: int) -> None:
    """The node says that it goes, or another says so for it; what it has not ended is for others."""
    job_ids = close(db, node_id, end_attempt=True)
    if job_ids:
        _note_lost(
            db,
            workflow_id,
            node_id,
            job_ids,
            f"Compute node {node_id} is gone and had {len(job_ids)} unfinished job(s); they are ready for others.",
        )
    outcomes.fail_lost(db, workflow_id, node_id, job_ids)


def _note_lost(db: sqlite3.Connection, workflow_id: int, node_id: int, job_ids: list[int], sentence: str) -> None:
    events.note(
        db,
        workflow_id,
        "compute_node",
        "node_lost",
        sentence,
        job_ids=job_ids,
        compute_node_id=node_id,
        level="warning",
    )


def close(db: sqlite3.Connection, node_id: int, *, end_attempt: bool) -> list[int]:
    """The node has gone: its jobs are ready, its claimed actions free; the ids of the jobs."""
    (workflow_id, start_time) = db.execute(
        "SELECT workflow_id, start_time FROM compute_node WHERE id = ?", (node_id,)
    ).fetchone()
    db.execute(
        "UPDATE compute_node SET is_active = 0, duration_seconds = ? WHERE id = ?", (_since(start_time), node_id)
    )
    action_turns.leave(db, workflow_id, node_id)
    workflows.touch(db, workflow_id)
    return attempts.lose(db, node_id, end_attempt=end_attempt)


def _since(start_time: str) -> float | None:
    try:
        return max(0.0, time.time() - datetime.fromisoformat(start_time).timestamp())
    except ValueError:
        return None  # existing runners write whatever they like


def release(database: Database, leases: Leases, node_id: int) -> ComputeNode:
    """A person says that a node without a lease is gone."""
    with database.write() as db:
        workflow_id = table.workflow_of(table.fetch(db, COMPUTE_NODES, node_id))
        leave(db, workflow_id, node_id)
        leases.forget(node_id)
        return cast(ComputeNode, table.fetch(db, COMPUTE_NODES, node_id))


def delete(database: Database, leases: Leases, node_id: int, *, force: bool = False) -> ComputeNode:
    """Remove a node and return it as it was. Refused while it has jobs or results, unless forced.

    Forced, its jobs become ready for others; the results measured on it stay, with its id.
    """
    with database.write() as db:
        node = cast(ComputeNode, table.fetch(db, COMPUTE_NODES, node_id))
        if not force:
            table.refuse_if_used(db, COMPUTE_NODES, "id = ?", node_id)
        _remove(db, node.workflow_id, [node_id])
    leases.forget(node_id)
    return node


def delete_all(database: Database, leases: Leases, workflow_id: int, *, force: bool = False) -> int:
    """Remove all nodes of a workflow, as ``delete``; how many there were."""
    with database.write() as db:
        if not force:
            table.refuse_if_used(db, COMPUTE_NODES, "workflow_id = ?", workflow_id)
        ids = [
            node_id for (node_id,) in db.execute("SELECT id FROM compute_node WHERE workflow_id = ?", (workflow_id,))
        ]
        _remove(db, workflow_id, ids)
    for node_id in ids:
        leases.forget(node_id)
    return len(ids)


def _remove(db: sqlite3.Connection, workflow_id: int, node_ids: list[int]) -> None:
    for node_id in node_ids:
        leave(db, workflow_id, node_id)
        db.execute("UPDATE workflow_action SET executed_by = NULL WHERE executed_by = ?", (node_id,))
        db.execute("DELETE FROM compute_node WHERE id = ?", (node_id,))
