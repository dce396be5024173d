"""The samples of ``granularity: time_series``: a SQLite file beside the output of the jobs.

The only importer of sqlite3 outside the store: this is not the database of a server but a file for plots and for the
users' own queries. Whatever happens to it, the jobs go on.
"""

import logging
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from torc.rendezvous import host_name

logger = logging.getLogger(__name__)

FOLDER = "resource_utilization"
SCHEMA = """
CREATE TABLE IF NOT EXISTS job_resource_samples (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL,
    timestamp REAL NOT NULL, -- seconds since the epoch
    cpu_percent REAL NOT NULL, -- 100 is one core
    memory_bytes INTEGER NOT NULL, -- resident, the whole tree
    num_processes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_job_resource_samples_job_id ON job_resource_samples (job_id);
CREATE TABLE IF NOT EXISTS job_metadata (
    job_id INTEGER PRIMARY KEY,
    job_name TEXT NOT NULL
);
"""
BATCH_ROWS = 1000
FLUSH_S = 10.0
MOST_ROWS = 100_000
"""Kept while somebody else has the file locked."""

PATIENCE_S = 2.0
"""With another runner, or a reader, that has the file locked."""


class Sample(NamedTuple):
    """One job at one moment."""

    job_id: int
    timestamp: float
    cpu_percent: float
    memory_bytes: int
    num_processes: int


def file_path(output_dir: Path, *, workflow_id: int, run_id: int) -> Path:
    """Where the samples of this machine go."""
    return output_dir / FOLDER / f"resource_metrics_{host_name()}_{workflow_id}_{run_id}.db"


class SampleFile:
    """Collects samples and writes them in batches. To be used by one thread; it never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._rows: list[Sample] = []
        self._names: dict[int, str] = {}
        self._due_at = 0.0
        self._is_on = True

    def add(self, sample: Sample, job_name: str) -> None:
        """Keep a sample for the next batch."""
        if self._is_on:
            if not self._rows:
                self._due_at = time.monotonic() + FLUSH_S
            self._rows.append(sample)
            self._names[sample.job_id] = job_name

    def write_if_due(self) -> None:
        """Write what has waited long enough, or is a batch."""
        if self._rows and (len(self._rows) >= BATCH_ROWS or time.monotonic() >= self._due_at):
            self._write()

    def close(self) -> None:
        """Write the rest."""
        if self._rows:
            self._write()
        self._disconnect()

    def _write(self) -> None:
        self._due_at = time.monotonic() + FLUSH_S
        try:
            self._insert()
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY and len(self._rows) < MOST_ROWS:
                return
            self._give_up(error)
        else:
            self._rows.clear()
            self._names.clear()

    def _insert(self) -> None:
        db = self._db or self._connect()
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                """
                INSERT INTO job_metadata (job_id, job_name) VALUES (?, ?)
                ON CONFLICT (job_id) DO UPDATE SET job_name = excluded.job_name
                """,
                self._names.items(),
            )
            db.executemany(
                """
                INSERT INTO job_resource_samples (job_id, timestamp, cpu_percent, memory_bytes, num_processes)
                VALUES (?, ?, ?, ?, ?)
                """,
                self._rows,
            )

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=PATIENCE_S, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = OFF")  # a power cut may cost samples, but no write waits for a slow disk
            db.executescript(SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        self._db = db
        return db

    def _give_up(self, error: Exception) -> None:
        self._is_on = False
        self._rows.clear()
        self._names.clear()
        self._disconnect()
        logger.warning("no more samples are written to %s: %s; the jobs are not concerned", self._path, error)

    def _disconnect(self) -> None:
        if self._db is not None:
            try:
                self._db.close()
            except sqlite3.Error:
                pass  # what was to be written was, or the reason why not has been told
            self._db = None
