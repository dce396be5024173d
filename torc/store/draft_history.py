"""What has happened already to a workflow that is imported: states, nodes, results and events become rows."""

import sqlite3
from typing import Any

from torc.errors import Unprocessable
from torc.models.draft import DraftBatch
from torc.models.draft_history import (
    DraftActionState,
    DraftComputeNode,
    DraftEvent,
    DraftJobState,
    DraftResult,
    DraftScheduledNode,
    DraftStatus,
)
from torc.models.result import NO_NODE
from torc.models.scheduler import LIVE_ALLOCATIONS
from torc.models.status import SETTLED, JobStatus
from torc.store import actions, busy, events, triggers, workflows
from torc.store.database import Database
from torc.store.draft_positions import Draft, schedulers_of
from torc.store.fingerprints import Fingerprints
from torc.store.results import cut_output
from torc.store.rows import PAIRS, columns, exists, insert_many, to_json, to_row

STATE_COLUMNS = (
    "status",
    "run_id",
    "attempt_id",
    "retries",
    "cause",
    "cause_job_id",
    "active_compute_node_id",
    "input_hash",
)
"""What the state of a draft job fills in, beyond what every job has."""

TO_BE_TAKEN = ""
OUTDATED = "outdated"
"""Instead of fingerprints, which are made of ids and mean nothing elsewhere: the first is replaced by one when the
workflow is whole, the other differs from every one."""

NODE = columns(DraftComputeNode, ("scheduler_config",))
SCHEDULED = columns(DraftScheduledNode, ("scheduler_config",))
RESULT = columns(DraftResult, ("job", "compute_node", "is_current"))
EVENT = ("kind", "run_id", "attempt_id", "status", "data")


def restore_status(db: sqlite3.Connection, workflow_id: int, status: DraftStatus) -> None:
    """Put the workflow into the run it was in."""
    if status.run_id > workflows.MOST_RUNS:
        raise Unprocessable(f"status.run_id must be between 0 and {workflows.MOST_RUNS}, got {status.run_id}")
    names = columns(DraftStatus, ("is_announced",))
    db.execute(
        f"""
        UPDATE workflow_status
           SET {", ".join(f"{name} = ?" for name in names)}, completed_run_id = ?, started_run_id = ?
         WHERE id = ?
        """,
        (*to_row(status, names), status.run_id if status.is_announced else None, status.run_id or None, workflow_id),
    )


def job_state(draft: Draft, state: DraftJobState | None, at: int) -> tuple[Any, ...]:
    """The values of STATE_COLUMNS for the job at position ``at``."""
    if state is None:
        return (JobStatus.UNINITIALIZED, None, None, 0, None, None, None, None)
    if state.status is not None and state.status not in SETTLED:
        raise Unprocessable(
            f"jobs[{at}].state.status: a job of a document is {', '.join(sorted(SETTLED))} or still to come, "
            f"not {state.status}"
        )
    fingerprint = {None: None, False: TO_BE_TAKEN, True: OUTDATED}[state.inputs_changed]
    return (
        state.status or JobStatus.UNINITIALIZED,
        state.run_id,
        state.attempt_id,
        state.retries,
        state.cause,
        draft.one_id("jobs", state.cause_job, "jobs", at, "state.cause_job"),
        draft.one_id("compute_nodes", state.compute_node, "jobs", at, "state.compute_node"),
        fingerprint,
    )


def restore_action(db: sqlite3.Connection, draft: Draft, action_id: int, state: DraftActionState, at: int) -> None:
    """Say what has become of an action. Whether its jobs are really there is looked at when the workflow is whole."""
    node_id = draft.one_id("compute_nodes", state.executed_by, "actions", at, "state.executed_by")
    actions.restore(db, action_id, state, node_id)


def insert(db: sqlite3.Connection, draft: Draft, batch: DraftBatch, at: dict[str, int]) -> None:
    """Store what a batch tells of the past, in the caller's transaction. ``at`` says where its records begin."""
    _insert_nodes(db, draft, batch.compute_nodes, at["compute_nodes"])
    _insert_scheduled(db, draft, batch.scheduled_compute_nodes, at["scheduled_compute_nodes"])
    _insert_results(db, draft, batch.results, at["results"])
    _insert_events(db, draft, batch.events, at["events"])


def _insert_nodes(db: sqlite3.Connection, draft: Draft, nodes: list[DraftComputeNode], at: int) -> None:
    """Nobody is at work: the nodes are inactive, and have no spool that a runner would look for."""
    rows = [
        (
            draft.bases["compute_nodes"] + index,
            draft.workflow_id,
            draft.one_id("slurm_schedulers", node.scheduler_config, "compute_nodes", index, "scheduler_config"),
            *to_row(node, NODE),
        )
        for index, node in enumerate(nodes, at)
    ]
    insert_many(db, "compute_node", ("id", "workflow_id", "scheduler_config_id", *NODE), rows)


def _insert_scheduled(db: sqlite3.Connection, draft: Draft, nodes: list[DraftScheduledNode], at: int) -> None:
    rows: list[tuple[Any, ...]] = []
    for index, node in enumerate(nodes, at):
        if node.status in LIVE_ALLOCATIONS:
            raise Unprocessable(
                f"scheduled_compute_nodes[{index}].status: an allocation of a document is over, not {node.status}"
            )
        kind = schedulers_of(node.scheduler_type)
        config = draft.one_id(kind, node.scheduler_config, "scheduled_compute_nodes", index, "scheduler_config")
        rows.append((draft.workflow_id, config or 0, *to_row(node, SCHEDULED)))
    insert_many(db, "scheduled_compute_node", ("workflow_id", "scheduler_config_id", *SCHEDULED), rows)


def _insert_results(db: sqlite3.Connection, draft: Draft, results: list[DraftResult], at: int) -> None:
    if not results:
        return
    rows: list[tuple[Any, ...]] = []
    for index, result in enumerate(results, at):
        cut_output(result)
        job_id = draft.id("jobs", result.job, "results", index, "job")
        node_id = draft.one_id("compute_nodes", result.compute_node, "results", index, "compute_node")
        rows.append((draft.workflow_id, job_id, node_id or NO_NODE, *to_row(result, RESULT)))
    try:
        first_id = insert_many(db, "result", ("workflow_id", "job_id", "compute_node_id", *RESULT), rows)
    except sqlite3.IntegrityError as error:
        raise Unprocessable(
            f"results[{at}] to results[{at + len(rows) - 1}]: an attempt of a job has two results"
        ) from error
    current = [(rows[n][1], first_id + n) for n, result in enumerate(results) if result.is_current]
    _set_current(db, current)


def _set_current(db: sqlite3.Connection, current: list[tuple[int, int]]) -> None:
    made = to_json(current)
    taken = f"SELECT 1 FROM job JOIN {PAIRS} AS made ON made.a = job.id WHERE current_result_id IS NOT NULL"
    if len({job_id for job_id, _ in current}) < len(current) or exists(db, taken, (made,)):
        raise Unprocessable("results: a job has two results that are its current one")
    set_now = f"UPDATE job SET current_result_id = made.b FROM {PAIRS} AS made WHERE job.id = made.a"
    if db.execute(set_now, (made,)).rowcount < len(current):
        raise Unprocessable("results: send the jobs before their results")


def _insert_events(db: sqlite3.Connection, draft: Draft, happened: list[DraftEvent], at: int) -> None:
    if not happened:
        return
    now_ms = events.now_ms(db)
    rows: list[tuple[Any, ...]] = []
    for index, event in enumerate(happened, at):
        events.check_data(event.kind, event.data, f"events[{index}].data")
        rows.append(
            (
                draft.workflow_id,
                min(event.timestamp, now_ms),  # a clock that was ahead would make ours stand still
                draft.one_id("jobs", event.job, "events", index, "job"),
                draft.one_id("compute_nodes", event.compute_node, "events", index, "compute_node"),
                *to_row(event, EVENT),
            )
        )
    insert_many(db, "event", ("workflow_id", "timestamp_ms", "job_id", "compute_node_id", *EVENT), rows)


def settle(database: Database, workflow_id: int) -> None:
    """Make true of a workflow that is whole now what depends on all of its jobs; again is without effect."""
    with database.read() as db:
        if not any(workflows.has_jobs(db, workflow_id, status) for status in SETTLED):
            return
    fingerprints = Fingerprints(workflow_id)
    for first_id, last_id in busy.job_ranges(database, workflow_id):
        with database.write() as db:
            taken = fingerprints.take(db, fingerprints.range(first_id, last_id, f"input_hash = '{TO_BE_TAKEN}'"))
            db.execute(
                "UPDATE job SET input_hash = taken.value FROM json_each(?) AS taken WHERE job.id = taken.key",
                (to_json(taken),),
            )
    with database.write() as db:
        triggers.recount(db, workflow_id)
