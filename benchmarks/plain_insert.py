"""The floor of creating a workflow: the rows of as many ready jobs, in the same schema, by SQLite alone.

``python plain_insert.py DATABASE COUNT``; one transaction, nothing of torc but its schema.
"""

import sqlite3
import sys
from pathlib import Path

SCHEMA = Path(__file__).resolve().parent.parent / "torc" / "store" / "schema.sql"
INPUT_HASH = "0123456789abcdef0123456789abcdef"  # as long as a real one


def insert(database: str, count: int) -> None:
    """Store one workflow that is ready to run."""
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(SCHEMA.read_text())
    db.execute("BEGIN")
    db.execute("INSERT INTO workflow (id, name, user, timestamp) VALUES (1, 'floor', 'nobody', '2026-01-01T00:00:00Z')")
    db.execute("INSERT INTO workflow_status (id, run_id) VALUES (1, 1)")
    db.execute("INSERT INTO resource_requirements (id, workflow_id, name) VALUES (1, 1, 'default')")
    db.executemany(
        "INSERT INTO job (workflow_id, name, command, status, resource_requirements_id, input_hash)"
        " VALUES (1, ?, 'true', 'ready', 1, ?)",
        ((f"job_{number}", INPUT_HASH) for number in range(1, count + 1)),
    )
    db.execute("COMMIT")
    db.close()


if __name__ == "__main__":
    insert(sys.argv[1], int(sys.argv[2]))
