"""A workflow as one JSON document, written record by record from one snapshot of the database.

Ids become positions. What a server does at the moment stays behind: see models/draft_history.py.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from torc import __version__
from torc.models.draft import DraftAction, DraftGroup, DraftRequirements
from torc.models.draft_history import (
    DraftActionState,
    DraftComputeNode,
    DraftEvent,
    DraftResult,
    DraftScheduledNode,
    DraftStatus,
)
from torc.models.export import FORMAT, VERSION
from torc.models.record import Record
from torc.models.scheduler import LIVE_ALLOCATIONS
from torc.models.status import SETTLED
from torc.store import actions, busy, triggers, workflows
from torc.store.database import Database
from torc.store.draft_history import NODE, RESULT, SCHEDULED
from torc.store.draft_positions import TABLES, schedulers_of
from torc.store.draft_records import PLAIN
from torc.store.export_jobs import Jobs
from torc.store.export_positions import Groups, Positions
from torc.store.rows import columns, exists, reader, to_record
from torc.units import utc_now_iso


def write(
    database: Database, workflow_id: int, out: BinaryIO, *, include_results: bool = False, include_events: bool = False
) -> None:
    """Write the document of a workflow; NotFound if there is none, Conflict while a verb changes its jobs.

    ``out`` has to take it at its own speed: a snapshot that stays open keeps the write-ahead log growing, and on a
    network file system all others wait for it.
    """
    with database.read() as db:
        workflow = workflows.fetch(db, workflow_id)
        if include_results:
            busy.refuse(db, workflow_id)  # half of the jobs may have been reset
        here: dict[str, None] = dict.fromkeys(("id", "owner", "timestamp", "status_id", "revision"))
        head: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "torc_version": __version__,
            "exported_at": utc_now_iso(),
            "workflow": msgspec.structs.replace(workflow, **here),
        }
        if include_results:
            head["status"] = _status(db, workflow_id)
        separator = "{"
        for key, value in head.items():
            out.write(f'{separator}"{key}": '.encode() + _encode(value))
            separator = ",\n "
        for key, records in _Source(db, workflow_id).lists(include_results, include_events):
            _write_list(out, key, records)
        out.write(b"}\n")


_encode = msgspec.json.Encoder().encode


def _write_list(out: BinaryIO, key: str, records: Iterable[Record]) -> None:
    out.write(f',\n "{key}": ['.encode())
    separator = b"\n"
    for record in records:
        out.write(separator + _encode(record))
        separator = b",\n"
    out.write(b"]")


def _status(db: sqlite3.Connection, workflow_id: int) -> DraftStatus:
    names = columns(DraftStatus, ("is_announced",))
    row = db.execute(
        f"SELECT completed_run_id IS run_id, {', '.join(names)} FROM workflow_status WHERE id = ?", (workflow_id,)
    ).fetchone()
    status = to_record(DraftStatus, names, row[1:])
    status.is_announced = bool(row[0])
    return status


class _Source:
    """The records of one workflow, kind by kind, as they stand in one snapshot."""

    def __init__(self, db: sqlite3.Connection, workflow_id: int) -> None:
        self.db = db
        self.workflow_id = workflow_id
        self.left_out = _made_here(db, workflow_id)
        self.positions = {kind: Positions(self._ids(table)) for kind, table in TABLES.items()}

    def lists(self, include_results: bool, include_events: bool) -> Iterator[tuple[str, Iterable[Record]]]:
        """Every list of the document in its order."""
        for kind in PLAIN:
            yield kind, self.plain(kind)
        groups = Groups(self.db, self.workflow_id, self.positions)
        yield "groups", (DraftGroup(members=members) for members in groups.members())
        if include_results or include_events:
            yield "compute_nodes", self.nodes()
        yield "jobs", Jobs(self.db, self.workflow_id, self.positions, groups).all(with_state=include_results)
        yield "actions", self.actions(with_state=include_results)
        if include_results:
            yield "scheduled_compute_nodes", self.scheduled_nodes()
            yield "results", self.results()
        if include_events:
            yield "events", self.events()

    def plain(self, kind: str) -> Iterator[Record]:
        """The records of a kind whose fields are columns."""
        names = columns(PLAIN[kind])
        read = reader(PLAIN[kind], names)
        for record_id, *row in self._rows(TABLES[kind], "id", *names):
            if (TABLES[kind], record_id) not in self.left_out:
                yield read(row)

    def nodes(self) -> Iterator[DraftComputeNode]:
        """The runners, dead or alive."""
        read = reader(DraftComputeNode, ("scheduler_config", *NODE))
        scheduler = self.positions["slurm_schedulers"].of
        for config_id, is_active, *row in self._rows("compute_node", "scheduler_config_id", "is_active", *NODE):
            node = read((scheduler(config_id), *row))
            node.duration_seconds = None if is_active else node.duration_seconds
            yield node

    def actions(self, *, with_state: bool) -> Iterator[DraftAction]:
        """The actions."""
        jobs = self.positions["jobs"]
        for action in actions.select(self.db, "workflow_id = ?", [self.workflow_id]):
            config = msgspec.json.decode(_encode(action.action_config))  # it is the text that was stored
            schedulers = self.positions[schedulers_of(config.get("scheduler_type"))]
            job_ids = action.job_ids
            yield DraftAction(
                trigger_type=action.trigger_type,
                action_type=action.action_type,
                scheduler=schedulers.of(config.pop("scheduler_id", None)),
                action_config=config,
                jobs=None if job_ids is None else jobs.all_of(job_ids),
                persistent=action.persistent,
                state=self._action_state(action) if with_state else None,
            )

    def _action_state(self, action: Any) -> DraftActionState:
        if action.state in ("done", "failed"):
            return DraftActionState(
                state=action.state,
                executed_at=action.executed_at,
                executed_by=self.positions["compute_nodes"].of(action.executed_by),
                output_tail=action.output_tail,
            )
        # Whoever has claimed or begun it is of this server; elsewhere it is still to be done.
        fired = action.state != "waiting" and not self._watches_unsettled(action)
        return DraftActionState(state="pending" if fired else "waiting")

    def _watches_unsettled(self, action: Any) -> bool:
        """Whether jobs that the trigger waits for are still to come in the document."""
        settled = ", ".join(f"'{status}'" for status in sorted(SETTLED))
        return action.trigger_type in triggers.JOB_TRIGGERS and exists(
            self.db,
            f"""
            SELECT 1 FROM workflow_action_job AS j JOIN job ON job.id = j.job_id
             WHERE j.action_id = ? AND job.status NOT IN ({settled})
            """,
            (action.id,),
        )

    def scheduled_nodes(self) -> Iterator[DraftScheduledNode]:
        """The allocations that are over; the others are this server's to follow."""
        read = reader(DraftScheduledNode, ("scheduler_config", *SCHEDULED))
        for config_id, *row in self._rows("scheduled_compute_node", "scheduler_config_id", *SCHEDULED):
            kind = schedulers_of(row[SCHEDULED.index("scheduler_type")])
            node = read((self.positions[kind].of(config_id), *row))
            if node.status not in LIVE_ALLOCATIONS:
                yield node

    def results(self) -> Iterator[DraftResult]:
        """How every attempt ended."""
        read = reader(DraftResult, ("job", "compute_node", *RESULT, "is_current"))
        is_current = "id = (SELECT current_result_id FROM job WHERE job.id = job_id)"
        job, node = self.positions["jobs"].of, self.positions["compute_nodes"].of
        for job_id, node_id, *row in self._rows("result", "job_id", "compute_node_id", *RESULT, is_current):
            yield read((job(job_id), node(node_id), *row))

    def events(self) -> Iterator[DraftEvent]:
        """What happened."""
        jobs, nodes = self.positions["jobs"], self.positions["compute_nodes"]
        names = ("timestamp_ms", "kind", "run_id", "job_id", "attempt_id", "compute_node_id", "status", "data")
        for timestamp_ms, kind, run_id, job_id, attempt_id, node_id, status, data in self._rows("event", *names):
            yield DraftEvent(
                timestamp=timestamp_ms,
                kind=kind,
                run_id=run_id,
                job=jobs.of(job_id),
                attempt_id=attempt_id,
                compute_node=nodes.of(node_id),
                status=status,
                data=None if data is None else msgspec.Raw(data.encode()),
            )

    def _rows(self, table: str, *names: str) -> Iterator[Sequence[Any]]:
        """The rows of the workflow in a table, one by one: some hold megabytes."""
        return self.db.execute(
            f"SELECT {', '.join(names)} FROM {table} WHERE workflow_id = ? ORDER BY id", (self.workflow_id,)
        )

    def _ids(self, table: str) -> "array[int]":
        rows = self._rows(table, "id")
        return array("q", (record_id for (record_id,) in rows if (table, record_id) not in self.left_out))


def _made_here(db: sqlite3.Connection, workflow_id: int) -> set[tuple[str, int]]:
    """What the server makes by itself: requirements that were raised for a retry, and the unchanged default."""
    raised = db.execute(
        "SELECT id FROM resource_requirements WHERE workflow_id = ? AND raised_from IS NOT NULL", (workflow_id,)
    )
    return {("resource_requirements", raised_id) for (raised_id,) in raised} | _plain_default(db, workflow_id)


def _plain_default(db: sqlite3.Connection, workflow_id: int) -> set[tuple[str, int]]:
    """The requirements that every workflow is born with, unless somebody has changed them."""
    default_id = workflows.default_requirements(db, workflow_id)
    names = columns(DraftRequirements)
    row = db.execute(f"SELECT {', '.join(names)} FROM resource_requirements WHERE id = ?", (default_id,)).fetchone()
    is_plain = to_record(DraftRequirements, names, row) == DraftRequirements(name=workflows.DEFAULT_REQUIREMENTS)
    return {("resource_requirements", default_id)} if is_plain else set()
