"""Whose turn it is to carry out an action: what our runners report, are given and leave behind.

A persistent action has its own row for each worker that was given it, another has its one state. An action is given to
one worker at a time; what a worker had begun and nobody can vouch for has failed, and is never run twice silently.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torc.models.action import ActionState, ActionType, TriggerType, WorkflowAction
from torc.models.sync import ActionReport, SyncRequest
from torc.store import actions, events
from torc.store.actions import SUPERVISED
from torc.store.claims import Run
from torc.store.rows import json_ids
from torc.units import utc_now_iso

LOST = "the node was lost while the action ran; run it again with: torc actions rerun {}"

TURNS: tuple[TriggerType, ...] = (
    "on_workflow_start",
    "on_worker_start",
    "on_jobs_ready",
    "on_jobs_complete",
    "on_workflow_complete",
)
"""What a worker is given first. ``on_worker_complete`` is for those that leave."""

PREPARATIONS = {"on_workflow_start", "on_worker_start"}
"""Their commands end before anything else begins on a node that they are for."""


class Turn(NamedTuple):
    """An action that a node was given and has not ended."""

    action_id: int
    node_id: int
    state: ActionState
    trigger_type: TriggerType


def report(db: sqlite3.Connection, workflow_id: int, requests: Mapping[int, SyncRequest]) -> dict[int, list[int]]:
    """Apply what nodes say of their actions; the ids of those whose delivery to a node got lost, by node."""
    for node_id, request in requests.items():
        for one in request.actions:
            _apply(db, workflow_id, node_id, one)
    again: dict[int, list[int]] = {}
    for turn in _turns_of(db, workflow_id, requests):
        request = requests[turn.node_id]
        if turn.action_id in request.holding_actions:
            continue
        if turn.state == "running":
            _lose(db, workflow_id, turn)
        elif request.leaving and turn.trigger_type != "on_worker_complete":
            _free(db, turn)
        elif not request.closing:
            again.setdefault(turn.node_id, []).append(turn.action_id)
    return again


def _apply(db: sqlite3.Connection, workflow_id: int, node_id: int, told: ActionReport) -> None:
    """An end also counts when the node had been given up meanwhile. What is somebody else's by now does not."""
    known = {
        "action": told.action_id,
        "workflow": workflow_id,
        "node": node_id,
        "state": told.state,
        "tail": told.output_tail,
        "lost": LOST.format(told.action_id),
    }
    of_action = "(state IN ('claimed', 'running') OR (output_tail = :lost AND :state <> 'running'))"
    changed = db.execute(
        f"""
        UPDATE workflow_action SET state = :state, output_tail = :tail
         WHERE id = :action AND workflow_id = :workflow AND executed_by = :node AND {of_action}
        """,
        known,
    ).rowcount
    if not changed:
        changed = db.execute(
            f"""
            UPDATE workflow_action_node SET state = :state, output_tail = :tail
             WHERE action_id = :action AND compute_node_id = :node AND {of_action}
               AND run_id = (SELECT max(t.run_id) FROM workflow_action_node AS t
                              WHERE t.action_id = :action AND t.compute_node_id = :node)
            """,
            known,
        ).rowcount
    if changed and told.state == "failed":
        _note_failure(db, workflow_id, told.action_id, node_id, told.output_tail or "")


def _note_failure(db: sqlite3.Connection, workflow_id: int, action_id: int, node_id: int, reason: str) -> None:
    events.note(
        db,
        workflow_id,
        "action",
        "action_failed",
        f"Action {action_id} failed on compute node {node_id}: {reason.partition(chr(10))[0]}",
        action_id=action_id,
        compute_node_id=node_id,
        level="warning",
    )


def _turns_of(db: sqlite3.Connection, workflow_id: int, node_ids: Iterable[int]) -> list[Turn]:
    """What these nodes were given and have not ended."""
    nodes = json_ids(node_ids)
    rows = db.execute(
        """
        SELECT id, executed_by, state, trigger_type FROM workflow_action
         WHERE workflow_id = :workflow AND state IN ('claimed', 'running')
           AND executed_by IN (SELECT value FROM json_each(:nodes))
         UNION ALL
        SELECT a.id, t.compute_node_id, t.state, a.trigger_type
          FROM workflow_action AS a JOIN workflow_action_node AS t ON t.action_id = a.id
         WHERE a.workflow_id = :workflow AND a.persistent AND t.state IN ('claimed', 'running')
           AND t.compute_node_id IN (SELECT value FROM json_each(:nodes))
        """,
        {"workflow": workflow_id, "nodes": nodes},
    )
    return [Turn(*row) for row in rows.fetchall()]


def _lose(db: sqlite3.Connection, workflow_id: int, turn: Turn) -> None:
    """What was running there has failed."""
    lost = LOST.format(turn.action_id)
    known = (lost, turn.action_id, turn.node_id)
    db.execute(
        """
        UPDATE workflow_action SET state = 'failed', output_tail = ?
         WHERE id = ? AND executed_by = ? AND state = 'running'
        """,
        known,
    )
    db.execute(
        """
        UPDATE workflow_action_node SET state = 'failed', output_tail = ?
         WHERE action_id = ? AND compute_node_id = ? AND state = 'running'
        """,
        known,
    )
    _note_failure(db, workflow_id, turn.action_id, turn.node_id, lost)


def _free(db: sqlite3.Connection, turn: Turn) -> None:
    """What was claimed there, and not begun, is for others."""
    db.execute(
        """
        UPDATE workflow_action SET state = 'pending', executed_at = NULL, executed_by = NULL
         WHERE id = ? AND executed_by = ? AND state = 'claimed'
        """,
        (turn.action_id, turn.node_id),
    )
    db.execute(
        "DELETE FROM workflow_action_node WHERE action_id = ? AND compute_node_id = ? AND state = 'claimed'",
        (turn.action_id, turn.node_id),
    )


def leave(db: sqlite3.Connection, workflow_id: int, node_id: int) -> None:
    """A node has gone: what it had claimed is free again, what it had begun has failed."""
    if not db.execute(f"SELECT 1 FROM compute_node AS n WHERE id = ? AND {SUPERVISED}", (node_id,)).fetchone():
        return
    for turn in _turns_of(db, workflow_id, [node_id]):
        if turn.state == "running":
            _lose(db, workflow_id, turn)
        else:
            _free(db, turn)


class _Open:
    """An action that has fired and has not ended."""

    def __init__(self, row: tuple[int, TriggerType, ActionType, int, ActionState]) -> None:
        self.id, self.trigger_type, self.action_type, persistent, self._state = row
        self.is_persistent = bool(persistent)
        self.by_node: dict[int, ActionState] = {}

    def state_for(self, node_id: int) -> ActionState:
        """How far it is as far as this node is concerned."""
        return self.by_node.get(node_id, "pending") if self.is_persistent else self._state

    def claim(self, db: sqlite3.Connection, node_id: int, run_id: int) -> None:
        """Give it to a node."""
        now = utc_now_iso()
        if self.is_persistent:
            self.by_node[node_id] = "claimed"
            db.execute("UPDATE workflow_action SET executed_at = ? WHERE id = ?", (now, self.id))
            db.execute(
                """
                INSERT INTO workflow_action_node (action_id, compute_node_id, run_id, state)
                VALUES (?, ?, ?, 'claimed')
                """,
                (self.id, node_id, run_id),
            )
            return
        self._state = "claimed"
        db.execute(
            "UPDATE workflow_action SET state = 'claimed', executed_at = ?, executed_by = ? WHERE id = ?",
            (now, node_id, self.id),
        )


class Board:
    """The actions of a workflow that have fired and not ended, in the order in which they are given out."""

    def __init__(self, db: sqlite3.Connection, workflow_id: int, run: Run, node_ids: Iterable[int]) -> None:
        self._db = db
        self._run = run
        rows = db.execute(
            f"""
            SELECT a.id, a.trigger_type, a.action_type, a.persistent, a.state
              FROM workflow_action AS a LEFT JOIN compute_node AS n ON n.id = a.executed_by
             WHERE a.workflow_id = ?
               AND (a.state = 'pending' OR (a.state IN ('claimed', 'running') AND n.is_active AND {SUPERVISED}))
            """,
            (workflow_id,),
        ).fetchall()
        order = {trigger: place for place, trigger in enumerate((*TURNS, "on_worker_complete"))}
        self._open = sorted(map(_Open, rows), key=lambda action: (order[action.trigger_type], action.id))
        persistent = {action.id: action for action in self._open if action.is_persistent}
        for action_id, node_id, state in db.execute(
            """
            SELECT action_id, compute_node_id, state FROM workflow_action_node
             WHERE action_id IN (SELECT value FROM json_each(?))
               AND compute_node_id IN (SELECT value FROM json_each(?)) AND run_id = ?
            """,
            (json_ids(persistent), json_ids(node_ids), run.run_id),
        ).fetchall():
            persistent[action_id].by_node[node_id] = state

    def preparation(self, node_id: int, request: SyncRequest) -> TriggerType | None:
        """The trigger whose commands must have ended before this node does anything else; None if there is none.

        A node that carries out no commands does not wait for any.
        """
        takes_part = "run_commands" in request.runs_actions or request.holding_actions
        if request.leaving or self._run.is_canceled or not takes_part:
            return None
        return next(
            (
                action.trigger_type
                for action in self._open
                if action.trigger_type in PREPARATIONS
                and action.action_type == "run_commands"
                and action.state_for(node_id) in ("pending", "claimed", "running")
            ),
            None,
        )

    def give(self, node_id: int, request: SyncRequest) -> list[int]:
        """Claim the next action for a node that can carry it out."""
        held = {*request.holding_actions, *(told.action_id for told in request.actions)}
        allowed = self._allowed(node_id, request)
        for action in self._open:
            if (
                action.trigger_type in allowed
                and action.action_type in request.runs_actions
                and action.id not in held  # of a run before this one; its report must not be taken for the new one's
                and action.state_for(node_id) == "pending"
            ):
                action.claim(self._db, node_id, self._run.run_id)
                return [action.id]
        return []

    def _allowed(self, node_id: int, request: SyncRequest) -> tuple[TriggerType, ...]:
        if request.leaving:
            return ("on_worker_complete",)
        if self._run.busy is not None:  # it may fire again before this run has begun
            return ()
        if self._run.is_canceled:
            return ("on_workflow_complete",)
        first = self.preparation(node_id, request)
        return TURNS if first is None else TURNS[: TURNS.index(first) + 1]


def deliver(db: sqlite3.Connection, action_ids: Iterable[int]) -> dict[int, WorkflowAction]:
    """The actions as their runners need them, by id."""
    found = actions.select(db, "id IN (SELECT value FROM json_each(?))", [json_ids(action_ids)])
    return {action.id: action for action in found if action.id is not None}
