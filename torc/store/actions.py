"""Workflow actions: what they do, and who may run them. When they fire is for triggers.py to say."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.action import ActionRun, ClaimActionAnswer, WorkflowAction
from torc.models.draft_history import DraftActionState
from torc.store import busy, triggers, workflows
from torc.store.database import Database
from torc.store.rows import exists, json_ids, to_json, to_record
from torc.units import utc_now_iso

NAMES = (
    "id",
    "workflow_id",
    "trigger_type",
    "action_type",
    "action_config",
    "trigger_count",
    "required_triggers",
    "state",
    "executed_at",
    "executed_by",
    "persistent",
    "output_tail",
)

SUPERVISED = "(n.last_seq > 0 OR n.spool_path IS NOT NULL)"
"""A compute node ``n`` that reports what it was given. What other clients claim counts as carried out."""


def create(database: Database, workflow_id: int, action: WorkflowAction) -> WorkflowAction:
    """Store an action; its configuration must suit its type and its jobs be the workflow's."""
    with database.write() as db:
        workflows.require(db, workflow_id)
        check(action)
        found = db.execute(
            "SELECT count(*) FROM job WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))",
            (workflow_id, json_ids(set(action.job_ids or []))),
        ).fetchone()[0]
        if found != len(set(action.job_ids or [])):
            raise Unprocessable(f"job_ids: not every job belongs to workflow {workflow_id}")
        return fetch(db, workflow_id, insert_row(db, workflow_id, action, action.job_ids))


def check(action: WorkflowAction) -> None:
    """Raise Unprocessable unless ``action_config`` suits the type. Keys: contract rest-api.md 3.7."""
    config = action.action_config
    if action.action_type == "run_commands":
        if set(config) - {"commands"}:
            _refuse("For action_type 'run_commands', only 'commands' field is allowed")
        commands = config.get("commands")
        if not isinstance(commands, list):
            _refuse("'commands' must be an array")
        elif not commands:
            _refuse("'commands' array cannot be empty")
        else:
            for index, command in enumerate(commands):
                if not isinstance(command, str):
                    _refuse(f"'commands[{index}]' must be a string")
        return
    for key, value in config.items():
        kind, word = SCHEDULE_NODES.get(key, (None, ""))
        if kind is None:
            _refuse(
                f"Unsupported field '{key}' for action_type 'schedule_nodes'. "
                f"Allowed fields: {', '.join(SCHEDULE_NODES)}"
            )
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            _refuse(f"'{key}' must be {word}")


SCHEDULE_NODES: dict[str, tuple[type, str]] = {
    "scheduler_id": (int, "an integer"),
    "scheduler_type": (str, "a string"),
    "num_allocations": (int, "an integer"),
    "start_one_worker_per_node": (bool, "a boolean"),
    "max_parallel_jobs": (int, "an integer"),
}


def _refuse(reason: str) -> None:
    raise Unprocessable(f"Invalid action_config: {reason}")


def insert_row(db: sqlite3.Connection, workflow_id: int, action: WorkflowAction, job_ids: Sequence[int] | None) -> int:
    """Add an action with the jobs it watches, in the caller's transaction."""
    watched = sorted(set(job_ids or []))
    persistent = action.trigger_type in triggers.WORKER_TRIGGERS if action.persistent is None else action.persistent
    cursor = db.execute(
        """
        INSERT INTO workflow_action
               (workflow_id, trigger_type, action_type, action_config, required_triggers, persistent, has_jobs)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            workflow_id,
            action.trigger_type,
            action.action_type,
            to_json(action.action_config),
            len(watched) if action.trigger_type in triggers.JOB_TRIGGERS and job_ids is not None else 1,
            persistent,
            job_ids is not None,
        ),
    )
    action_id = cursor.lastrowid
    assert action_id is not None
    db.executemany(
        "INSERT INTO workflow_action_job (action_id, job_id) VALUES (?, ?)", [(action_id, job) for job in watched]
    )
    triggers.recount_action(db, action_id)
    return action_id


def list_all(database: Database, workflow_id: int) -> list[WorkflowAction]:
    """Every action of a workflow, ascending by id."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        return _with_runs(db, workflow_id, select(db, "workflow_id = ?", [workflow_id]))


def _with_runs(db: sqlite3.Connection, workflow_id: int, found: list[WorkflowAction]) -> list[WorkflowAction]:
    """Persistent actions with what each worker made of them."""
    runs: dict[int, list[ActionRun]] = {action.id: [] for action in found if action.id and action.persistent}
    for action_id, *row in db.execute(
        f"""
        SELECT action_id, {", ".join(ActionRun.__struct_fields__)} FROM workflow_action_node
         WHERE action_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, compute_node_id
        """,
        (json_ids(runs),),
    ):
        runs[action_id].append(to_record(ActionRun, ActionRun.__struct_fields__, row))
    for action in found:
        action.runs = runs.get(action.id or 0)
    return found


def pending(database: Database, workflow_id: int, trigger_types: Sequence[str]) -> list[WorkflowAction]:
    """The actions whose trigger has fired and that nobody has claimed; all triggers if none is named."""
    with database.read() as db:
        workflows.require(db, workflow_id)
        return select_pending(db, workflow_id, trigger_types)


def select_pending(db: sqlite3.Connection, workflow_id: int, trigger_types: Sequence[str] = ()) -> list[WorkflowAction]:
    """Pending actions in the caller's transaction."""
    found = select(db, "workflow_id = ? AND state = 'pending'", [workflow_id])
    return [action for action in found if not trigger_types or action.trigger_type in trigger_types]


def are_due(db: sqlite3.Connection, workflow_id: int) -> bool:
    """Whether an action of the workflow, not of each worker, has fired and has not ended."""
    # What was claimed without a node counts as carried out: nobody will say so.
    return exists(
        db,
        """
        SELECT 1 FROM workflow_action
         WHERE workflow_id = ? AND NOT persistent
           AND (state = 'pending' OR (state IN ('claimed', 'running') AND executed_by IS NOT NULL))
        """,
        (workflow_id,),
    )


def fetch(db: sqlite3.Connection, workflow_id: int, action_id: int) -> WorkflowAction:
    """One action of a workflow, or NotFound."""
    found = select(db, "id = ?", [action_id])
    if not found:
        raise NotFound(f"Action not found with ID: {action_id}")
    if found[0].workflow_id != workflow_id:
        raise NotFound(f"Action {action_id} does not belong to workflow {workflow_id}")
    return found[0]


def select(db: sqlite3.Connection, where: str, arguments: list[Any]) -> list[WorkflowAction]:
    """Actions with their job ids, ascending."""
    rows = db.execute(
        f"SELECT has_jobs, {', '.join(NAMES)} FROM workflow_action WHERE {where} ORDER BY id", arguments
    ).fetchall()
    found: list[WorkflowAction] = []
    for has_jobs, *row in rows:
        action = to_record(WorkflowAction, NAMES, row)
        action.executed = action.state not in ("waiting", "pending")
        if has_jobs:
            action.job_ids = [
                job_id
                for (job_id,) in db.execute(
                    "SELECT job_id FROM workflow_action_job WHERE action_id = ? ORDER BY job_id", (action.id,)
                )
            ]
        found.append(action)
    return found


def claim(database: Database, workflow_id: int, action_id: int, compute_node_id: int | None) -> ClaimActionAnswer:
    """Give a pending action to one caller; 409 to everyone after. Each worker may claim a persistent one once."""
    with database.write() as db:
        workflows.require(db, workflow_id)
        action = fetch(db, workflow_id, action_id)
        if (
            compute_node_id is not None
            and not db.execute(
                "SELECT 1 FROM compute_node WHERE id = ? AND workflow_id = ?", (compute_node_id, workflow_id)
            ).fetchone()
        ):
            raise Unprocessable(f"compute_node_id: no compute node {compute_node_id} in workflow {workflow_id}")
        if action.state == "waiting":
            raise Unprocessable(
                f"Action {action_id} is not pending: {action.trigger_count} of {action.required_triggers} triggers"
            )
        if action.persistent:
            _claim_persistent(db, action, compute_node_id)
        elif action.state != "pending":
            raise Conflict(f"Action {action_id} already claimed", claimed=False)
        else:
            db.execute(
                "UPDATE workflow_action SET state = 'claimed', executed_at = ?, executed_by = ? WHERE id = ?",
                (utc_now_iso(), compute_node_id, action_id),
            )
        return ClaimActionAnswer(claimed=True, action_id=action_id)


def _claim_persistent(db: sqlite3.Connection, action: WorkflowAction, compute_node_id: int | None) -> None:
    db.execute("UPDATE workflow_action SET executed_at = ? WHERE id = ?", (utc_now_iso(), action.id))
    if compute_node_id is None:
        return  # a login node leaves no record of its own
    (run_id,) = db.execute("SELECT run_id FROM workflow_status WHERE id = ?", (action.workflow_id,)).fetchone()
    try:
        db.execute(
            "INSERT INTO workflow_action_node (action_id, compute_node_id, run_id, state) VALUES (?, ?, ?, 'claimed')",
            (action.id, compute_node_id, run_id),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(
            f"Action {action.id} already claimed by compute node {compute_node_id} in this run", claimed=False
        ) from error


def rerun(database: Database, action_id: int) -> WorkflowAction:
    """Let an action that has ended, well or not, be carried out again; a persistent one by every worker.

    Conflict while it is still to be done, or a worker that lives is at it.
    """
    with database.write() as db:
        action = _fetch_visible(db, action_id)
        assert action.workflow_id is not None
        busy.refuse(db, action.workflow_id)
        if action.state == "waiting":
            raise Conflict(
                f"action {action_id} was not carried out yet: {action.trigger_count} of {action.required_triggers} "
                "triggers have fired"
            )
        if action.persistent:
            _forget_ended(db, action)
        else:
            _refuse_unended(db, action)
        db.execute(
            """
            UPDATE workflow_action SET state = 'pending', executed_at = NULL, executed_by = NULL, output_tail = NULL
             WHERE id = ?
            """,
            (action_id,),
        )
        workflows.touch(db, action.workflow_id)
        return fetch(db, action.workflow_id, action_id)


def _fetch_visible(db: sqlite3.Connection, action_id: int) -> WorkflowAction:
    row = db.execute("SELECT workflow_id FROM workflow_action WHERE id = ?", (action_id,)).fetchone()
    if row is None:
        raise NotFound(f"Action not found with ID: {action_id}")
    workflows.require(db, row[0])
    return fetch(db, row[0], action_id)


def _refuse_unended(db: sqlite3.Connection, action: WorkflowAction) -> None:
    if action.state == "pending":
        raise Conflict(
            f"action {action.id} is pending already: the next runner carries it out; start one with: "
            f"torc run {action.workflow_id}"
        )
    if action.state in ("claimed", "running") and _reports(db, action.executed_by):
        raise Conflict(f"action {action.id} is {action.state} on compute node {action.executed_by}; wait for its end")


def _reports(db: sqlite3.Connection, node_id: int | None) -> bool:
    """Whether the node is at work and will tell how the action ended."""
    return exists(db, f"SELECT 1 FROM compute_node AS n WHERE n.id = ? AND n.is_active AND {SUPERVISED}", (node_id,))


def _forget_ended(db: sqlite3.Connection, action: WorkflowAction) -> None:
    """Workers that had their turn in this run have another."""
    forgotten = db.execute(
        """
        DELETE FROM workflow_action_node
         WHERE action_id = :action AND state IN ('done', 'failed')
           AND run_id = (SELECT run_id FROM workflow_status WHERE id = :workflow)
        """,
        {"action": action.id, "workflow": action.workflow_id},
    ).rowcount
    if not forgotten:
        raise Conflict(f"no worker has ended action {action.id} in this run; each carries it out when its turn comes")


def restore(db: sqlite3.Connection, action_id: int, state: DraftActionState, node_id: int | None) -> None:
    """Say what has become of an action elsewhere. Its jobs are for ``triggers.recount`` to look at."""
    db.execute(
        f"""
        UPDATE workflow_action
           SET state = :state, executed_at = :at, executed_by = :node, output_tail = :tail,
               trigger_count = CASE WHEN trigger_type IN {tuple(triggers.JOB_TRIGGERS)} THEN trigger_count
                                    WHEN :state = 'waiting' THEN 0 ELSE required_triggers END
         WHERE id = :id
        """,
        {
            "id": action_id,
            "state": state.state,
            "at": state.executed_at,
            "node": node_id,
            "tail": state.output_tail,
        },
    )
