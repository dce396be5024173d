"""How a verb over a whole workflow is done, so that no other writer waits long and a crash leaves nothing half done.

It checks first, then says what it is about in one short transaction (``busy``: nothing is claimed and no other verb
starts, reports still count), then works in chunks that are transactions of their own and may be repeated, and then
clears ``busy``. After a crash, ``resume`` goes on where it stopped.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from torc.errors import Conflict
from torc.store import workflows
from torc.store.database import Database
from torc.store.rows import to_json

CHUNK_JOBS = 5000
"""Jobs in one transaction: some 50 ms, so that no sync waits long."""

Verbs = Mapping[str, Callable[..., None]]
"""What does each verb; takes the database, the workflow and the arguments it was begun with."""

_at_work: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


def refuse(db: sqlite3.Connection, workflow_id: int) -> None:
    """Raise Conflict while a verb over the whole workflow is under way."""
    busy = workflows.fetch_status(db, workflow_id).busy
    if busy is not None:
        raise Conflict(f"workflow {workflow_id} is busy with {busy}; try again when that is done")


def begin(db: sqlite3.Connection, workflow_id: int, verb: str, **arguments: Any) -> None:
    """Say what the workflow is about to do, with all that is needed to go on after a crash."""
    db.execute(
        "UPDATE workflow_status SET busy = ?, busy_arguments = ? WHERE id = ?", (verb, to_json(arguments), workflow_id)
    )
    workflows.touch(db, workflow_id)


def finish(database: Database, workflow_id: int, verbs: Verbs) -> None:
    """Do, or go on doing, what the workflow is busy with.

    At start, housekeeping may find a verb that a request has just begun: the second to come waits for the first.
    """
    with _at_work[workflow_id]:
        with database.read() as db:
            verb, text = db.execute(
                "SELECT busy, busy_arguments FROM workflow_status WHERE id = ?", (workflow_id,)
            ).fetchone()
        if verb is not None:
            verbs[verb](database, workflow_id, **msgspec.json.decode(text))


def done(db: sqlite3.Connection, workflow_id: int) -> None:
    """Other verbs, and runners, may come again."""
    db.execute("UPDATE workflow_status SET busy = NULL, busy_arguments = NULL WHERE id = ?", (workflow_id,))
    workflows.touch(db, workflow_id)


def resume(database: Database, verbs: Verbs) -> int:
    """Finish the verbs that a crash interrupted; how many."""
    with database.read() as db:
        ids = db.execute(
            """
            SELECT s.id FROM workflow_status AS s JOIN workflow AS w USING (id)
             WHERE s.busy IS NOT NULL AND w.hidden IS NULL
            """
        ).fetchall()
    for (workflow_id,) in ids:
        finish(database, workflow_id, verbs)
    return len(ids)


def job_ranges(database: Database, workflow_id: int) -> Iterator[tuple[int, int]]:
    """Ranges of ids that hold CHUNK_JOBS jobs of the workflow each."""
    after = 0
    while True:
        with database.read() as db:
            first, last, count = db.execute(
                """
                SELECT min(id), max(id), count(*) FROM (
                    SELECT id FROM job WHERE workflow_id = ? AND id > ? ORDER BY id LIMIT ?
                )
                """,
                (workflow_id, after, CHUNK_JOBS),
            ).fetchone()
        if not count:
            return
        yield first, last
        after = last
