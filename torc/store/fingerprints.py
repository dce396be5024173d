"""What a job is made of, as a short text: a job whose fingerprint is not the one it became ready with has changed.

It covers the command, the invocation script, the effective dependencies, the links to files and user data, and the
data of the user data it reads.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from torc.store.effective import EffectiveDependencies, Selection, Waits, listed
from torc.store.rows import exists, json_ids, to_json

BYTES = 16
READ = "job_input_user_data"
LINKS = {"file": ("job_input_file", "job_output_file"), "user_data": (READ, "job_output_user_data")}
"""The tables in which jobs are linked to each kind of record."""


class Changed(NamedTuple):
    """A job that is not what it was."""

    job_id: int
    name: str
    status: str


class Fingerprints:
    """Takes fingerprints of many jobs of one workflow; groups and user data are read once."""

    def __init__(self, workflow_id: int) -> None:
        self._workflow_id = workflow_id
        self._effective = EffectiveDependencies()
        self._weights: dict[frozenset[int], int] = {}  # of the sets that jobs share
        self._digests: dict[int, str] = {}  # of user data

    def range(self, first_id: int, last_id: int, condition: str) -> Selection:
        """The workflow's jobs with ids in a range, of which ``condition`` is true."""
        return Selection(
            f"SELECT id FROM job WHERE workflow_id = ? AND id BETWEEN ? AND ? AND {condition}",
            (self._workflow_id, first_id, last_id),
        )

    def take(self, db: sqlite3.Connection, jobs: Selection) -> dict[int, str]:
        """What these jobs are made of now, by id."""
        return dict(self._take(db, jobs))

    def changed(self, db: sqlite3.Connection, first_id: int, last_id: int) -> list[Changed]:
        """The jobs with ids in a range that have changed, ascending. Disabled jobs are nobody's concern."""
        jobs = self.range(first_id, last_id, "input_hash IS NOT NULL AND status <> 'disabled'")
        known = db.execute(f"SELECT id, name, status, input_hash FROM job WHERE id IN ({jobs.sql})", jobs.arguments)
        before = {job_id: (Changed(job_id, name, status), stored) for job_id, name, status, stored in known}
        return [before[job_id][0] for job_id, now in self._take(db, jobs) if now != before[job_id][1]]

    def _take(self, db: sqlite3.Connection, jobs: Selection) -> Iterator[tuple[int, str]]:
        linked = self._links(db, jobs)
        waits = self._effective.of(db, jobs)
        for job_id, command, script in db.execute(
            f"SELECT id, command, invocation_script FROM job WHERE id IN ({jobs.sql}) ORDER BY id", jobs.arguments
        ).fetchall():
            weight = self._weigh(waits[job_id]) if job_id in waits else ""
            parts = msgspec.json.encode((command, script, weight, linked.get(job_id)))
            yield job_id, blake2b(parts, digest_size=BYTES).hexdigest()

    def _weigh(self, waits: Waits) -> str:
        """The sum of a random-looking number per job: the same for the same set, whatever it is put together from."""
        if waits.shared not in self._weights:
            self._weights[waits.shared] = sum(map(_number, waits.shared))
        return f"{self._weights[waits.shared] + sum(map(_number, waits.more)):x}"

    def _links(self, db: sqlite3.Connection, jobs: Selection) -> dict[int, list[tuple[str, int, str]]]:
        """Per job the tables and records that link it, with what is known of the contents, always in the same order."""
        found: defaultdict[int, list[tuple[str, int, str]]] = defaultdict(list)
        for kind, tables in LINKS.items():
            if not exists(db, f"SELECT 1 FROM {kind} WHERE workflow_id = ?", (self._workflow_id,)):
                continue
            for table in tables:
                rows = db.execute(
                    f"SELECT job_id, {kind}_id FROM {table} WHERE job_id IN ({jobs.sql}) ORDER BY job_id, {kind}_id",
                    jobs.arguments,
                ).fetchall()
                if table == READ:
                    self._read_user_data(db, {record_id for _, record_id in rows})
                for job_id, record_id in rows:
                    found[job_id].append((table, record_id, self._digests[record_id] if table == READ else ""))
        return found

    def _read_user_data(self, db: sqlite3.Connection, record_ids: set[int]) -> None:
        for record_id, data in db.execute(
            "SELECT id, data FROM user_data WHERE id IN (SELECT value FROM json_each(?))",
            (json_ids(record_ids - self._digests.keys()),),
        ):
            self._digests[record_id] = "" if data is None else blake2b(data.encode(), digest_size=BYTES).hexdigest()


def remember_readers(db: sqlite3.Connection, workflow_id: int, ids: str) -> None:
    """Take afresh the fingerprints of those of these jobs, ready just now, that read what other jobs write.

    ``ids`` are separated by commas. What they read may have been written since the run began, and that is no change.
    """
    if not ids or not exists(db, "SELECT 1 FROM user_data WHERE workflow_id = ?", (workflow_id,)):
        return
    readers = db.execute(
        f"""
        SELECT DISTINCT job_id FROM {READ} AS r
         WHERE job_id IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM job_output_user_data AS w WHERE w.user_data_id = r.user_data_id)
        """,
        (f"[{ids}]",),
    ).fetchall()
    if readers:
        taken = Fingerprints(workflow_id).take(db, listed(job_id for (job_id,) in readers))
        db.execute(
            "UPDATE job SET input_hash = taken.value FROM json_each(?) AS taken WHERE job.id = taken.key",
            (to_json(taken),),
        )


def _number(job_id: int) -> int:
    return int.from_bytes(blake2b(job_id.to_bytes(8, "big"), digest_size=BYTES).digest(), "big")
