"""The jobs of a workflow as records of a document: links as positions, and how far each job got."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torc.models.draft import DraftJob
from torc.models.draft_history import DraftJobState
from torc.models.status import SETTLED
from torc.store import implied
from torc.store.draft_records import LINKS
from torc.store.effective import Selection
from torc.store.export_positions import Groups, Positions
from torc.store.fingerprints import Fingerprints
from torc.store.rows import exists, json_ids

CHUNK_JOBS = 1000

DEFINED = ("name", "command", "invocation_script")
STATE = ("run_id", "attempt_id", "retries", "cause", "cause_job_id", "active_compute_node_id", "input_hash")

Links = dict[str, defaultdict[int, set[int]]]
"""By field of a draft job: the positions that each job has there."""


class Jobs:
    """Reads the jobs in chunks, so that a million of them never stand in memory."""

    def __init__(
        self, db: sqlite3.Connection, workflow_id: int, positions: Mapping[str, Positions], groups: Groups
    ) -> None:
        self._db = db
        self._workflow_id = workflow_id
        self._positions = positions
        self._groups = groups
        self._fingerprints = Fingerprints(workflow_id)
        self._kinds = [
            kind for kind in implied.KINDS if exists(db, f"SELECT 1 FROM {kind} WHERE workflow_id = ?", (workflow_id,))
        ]

    def all(self, *, with_state: bool) -> Iterator[DraftJob]:
        """Every job, ascending by id. The groups have been gone through before."""
        after = 0
        while rows := self._chunk(after):
            first, after = rows[0][0], rows[-1][0]
            links = self._links(first, after)
            changed = self._changed(first, after) if with_state else {}
            for job_id, status, *row in rows:
                job = self._job(job_id, row, links)
                if with_state:
                    job.state = self._state(status, row[-len(STATE) :], changed.get(job_id))
                yield job

    def _chunk(self, after: int) -> list[Sequence[Any]]:
        return self._db.execute(
            f"""
            SELECT id, status, {", ".join(DEFINED)}, cancel_on_blocking_job_failure, supports_termination,
                   coalesce((SELECT raised_from FROM resource_requirements AS r WHERE r.id = resource_requirements_id),
                            resource_requirements_id),
                   scheduler_id, failure_handler_id, {", ".join(STATE)}
              FROM job WHERE workflow_id = ? AND id > ? ORDER BY id LIMIT {CHUNK_JOBS}
            """,
            (self._workflow_id, after),
        ).fetchall()

    def _job(self, job_id: int, row: Sequence[Any], links: Links) -> DraftJob:
        name, command, script, cancels, terminates, needs_id, scheduler_id, handler_id = row[: -len(STATE)]
        linked: dict[str, Any] = {field: sorted(found[job_id]) for field, found in links.items() if job_id in found}
        return DraftJob(
            name=name,
            command=command,
            invocation_script=script,
            cancel_on_blocking_job_failure=bool(cancels),
            supports_termination=bool(terminates),
            resource_requirements=self._positions["resource_requirements"].of(needs_id),
            scheduler=self._positions["slurm_schedulers"].of(scheduler_id),
            failure_handler=self._positions["failure_handlers"].of(handler_id),
            **linked,
        )

    def _links(self, first_id: int, last_id: int) -> Links:
        jobs = self._range(first_id, last_id)
        links: Links = {}
        for field, kind, table, column in LINKS:
            position = self._positions[kind].of
            found = links[field] = defaultdict(set)
            for job_id, other in self._db.execute(
                f"SELECT job_id, {column} FROM {table} WHERE job_id IN ({jobs.sql})", jobs.arguments
            ):
                place = position(other)
                if place is not None:
                    found[job_id].add(place)
        self._add_implied(links, jobs)
        return links

    def _add_implied(self, links: Links, jobs: Selection) -> None:
        """Add what files and user data imply and nobody has written down yet; see implied.py."""
        for kind in self._kinds:
            grouped: set[int] = set()
            for job_id, record_id in self._db.execute(
                f"SELECT job_id, {kind}_id FROM job_input_{kind} WHERE job_id IN ({jobs.sql})", jobs.arguments
            ):
                group = self._groups.implied.get((kind, record_id))
                if group is not None:
                    grouped.add(record_id)
                    links["depends_on_groups"][job_id].add(group)
            for job_id, writer_id in self._db.execute(
                f"""
                SELECT i.job_id, o.job_id
                  FROM job_input_{kind} AS i CROSS JOIN job_output_{kind} AS o ON o.{kind}_id = i.{kind}_id
                 WHERE i.job_id IN ({jobs.sql}) AND i.job_id <> o.job_id
                   AND i.{kind}_id NOT IN (SELECT value FROM json_each(?))
                """,
                (*jobs.arguments, json_ids(grouped)),
            ):
                place = self._positions["jobs"].of(writer_id)
                if place is not None:
                    links["depends_on"][job_id].add(place)

    def _changed(self, first_id: int, last_id: int) -> dict[int, bool]:
        """Whether each settled job is still made of what it became ready with."""
        jobs = self._fingerprints.range(first_id, last_id, f"input_hash IS NOT NULL AND {_IS_SETTLED}")
        known = dict(self._db.execute(f"SELECT id, input_hash FROM job WHERE id IN ({jobs.sql})", jobs.arguments))
        return {job_id: now != known[job_id] for job_id, now in self._fingerprints.take(self._db, jobs).items()}

    def _state(self, status: str, row: Sequence[Any], changed: bool | None) -> DraftJobState | None:
        run_id, attempt_id, retries, cause, cause_job_id, node_id, _ = row
        if status in SETTLED:
            return DraftJobState(
                status=status,  # type: ignore[arg-type]  # goes out as it is stored
                run_id=run_id,
                attempt_id=attempt_id,
                retries=retries,
                cause=cause,
                cause_job=self._positions["jobs"].of(cause_job_id),
                compute_node=self._positions["compute_nodes"].of(node_id),
                inputs_changed=changed,
            )
        if run_id is None:
            return None
        return DraftJobState(run_id=run_id, attempt_id=attempt_id, retries=retries)

    def _range(self, first_id: int, last_id: int) -> Selection:
        return Selection(
            "SELECT id FROM job WHERE workflow_id = ? AND id BETWEEN ? AND ?", (self._workflow_id, first_id, last_id)
        )


_SETTLED = ", ".join(f"'{status}'" for status in sorted(SETTLED))
_IS_SETTLED = f"status IN ({_SETTLED})"
