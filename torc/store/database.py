"""The database file: connections, the write lock, transactions and migrations."""

import logging
import re
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from torc.errors import DatabaseUnusable, TorcError
from torc.store.together import Together

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

SQLITE_VERSION = sqlite3.sqlite_version

CACHE_KIB = 8000  # per connection; the default of 2000 thrashes once a workflow has 100,000 jobs
JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024
BUSY_TIMEOUT_MS = 10_000  # only other processes make us wait: ours share the write lock


class TicketLock:
    """A lock that serves threads in the order of their coming.

    threading.Lock lets the thread that just released it take it again: a loop of bulk writes then starves eight
    short writers (p50 122 ms against 21 ms with tickets).
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # the holder before us hands the lock over without letting go of it

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


@contextmanager
def write_transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Hold SQLite's write lock from before the first read until the commit."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some SQLite errors have already rolled back
            db.execute("ROLLBACK")
        raise


class Database:
    """One SQLite file, opened by this process alone.

    Each thread has its own connection. On a network file system WAL cannot share memory between connections, so
    there is one connection in exclusive mode and readers queue with the writers.
    """

    def __init__(self, path: Path, *, network_filesystem: bool = False) -> None:
        """Open ``path``, make it if it is missing, migrate it. Raises DatabaseUnusable with the cure."""
        self.path = path
        self._write_lock = TicketLock()
        self._together: dict[Callable[..., Any], Together[Any, Any]] = {}
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._shared: sqlite3.Connection | None = None
        try:
            db = self._open(exclusive=network_filesystem)
            if network_filesystem:
                self._shared = db
            else:
                self._local.db = db
            with write_transaction(db):
                migrate(db, path)
            self.database_id, self.generation = db.execute("SELECT database_id, generation FROM meta").fetchone()
        except sqlite3.Error as error:
            self.close()
            raise DatabaseUnusable(f"database {path} cannot be opened: {error}; {_cure(error)}") from error
        except BaseException:
            self.close()
            raise

    def _open(self, *, exclusive: bool = False) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self._connections.append(db)
        if exclusive:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")  # before the first access: no -shm file is made
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        refuse_foreign(db, self.path)  # before the first change: the next line would convert the file
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # an acknowledged result survives a power loss
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA fullfsync = ON")  # these two matter on macOS only
        db.execute("PRAGMA checkpoint_fullfsync = ON")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
        return db

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._open()
        return db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; threads queue for it in order. SQL and arithmetic only inside."""
        with self._write_lock:
            db = self._shared or self._connection()
            try:
                with write_transaction(db):
                    yield db
            except sqlite3.OperationalError as error:
                if not _is_trouble_with_the_disk(error):
                    raise  # a bug of ours
                raise DatabaseUnusable(f"nothing was stored in {self.path}: {error}; {_cure(error)}") from error

    def write_together(self, work: Callable[[sqlite3.Connection, Sequence[T]], Sequence[R | TorcError]], item: T) -> R:
        """What ``work`` answers to ``item``, in one transaction with the items of other threads that wait for it.

        ``work`` is a function of a module. It answers every item with a value or with the error to raise; an error
        it raises itself concerns them all, so each is tried once more alone.
        """
        calls: Together[T, R] | None = self._together.get(work)
        if calls is None:  # of two threads that come first, both use what the first has set
            calls = self._together.setdefault(work, Together(self.write, work))
        return calls.call(item)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for the SELECTs of an answer. Fetch everything inside: an open cursor holds up checkpoints."""
        if self._shared is not None:
            with self._write_lock:
                yield self._shared
            return
        db = self._connection()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Move the WAL into the database file.

        Under the write lock only: before 3.51.3, SQLite can corrupt a database when one connection checkpoints
        while another commits and resets the WAL.
        """
        with self._write_lock:
            (self._shared or self._connection()).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def wal_bytes(self) -> int:
        """Size of the write-ahead log."""
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Close every connection, whichever thread opened it."""
        for db in self._connections:
            db.close()
        self._connections.clear()


def schema_version() -> int:
    """The schema this code works with: the number of the last migration."""
    return max(number for number, _ in _migrations())


def _migrations() -> list[tuple[int, str]]:
    folder = resources.files("torc.store").joinpath("migrations")
    return sorted(
        (int(match[1]), entry.read_text())
        for entry in folder.iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name))
    )


def refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseUnusable if the file holds tables that are not ours."""
    if not is_empty(db) and "schema_version" not in {column[1] for column in db.execute("PRAGMA table_info(meta)")}:
        raise DatabaseUnusable(f"{path} is a SQLite database of another program; name another file with --database")


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether there is no table yet."""
    return db.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring a new or older database to the present schema, in the caller's transaction."""
    latest = schema_version()
    if is_empty(db):
        run_script(db, resources.files("torc.store").joinpath("schema.sql").read_text())
        db.execute("INSERT INTO meta (schema_version, database_id) VALUES (?, ?)", (latest, uuid.uuid4().hex))
        return
    row = db.execute("SELECT schema_version FROM meta").fetchone()
    if row is None:
        raise DatabaseUnusable(f"database {path} has lost its version; restore a backup or name another file")
    (version,) = row
    if version > latest:
        raise DatabaseUnusable(
            f"database {path} was written by a newer torc (schema {version}, this one knows {latest}); upgrade torc"
        )
    for number, script in _migrations():
        if number > version:
            logger.info("database %s: migrating to schema %d", path, number)
            run_script(db, script)
            db.execute("UPDATE meta SET schema_version = ?", (number,))


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Run the statements of ``script`` in the caller's transaction; executescript would commit it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def _is_trouble_with_the_disk(error: sqlite3.OperationalError) -> bool:
    return any(word in str(error) for word in ("full", "disk I/O", "readonly", "unable to open", "locked"))


def _cure(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "make room on that file system"
    if "locked" in text:
        return "another process has it open; stop that one or name another file with --database"
    if "not a database" in text or "malformed" in text:
        return "it is no intact SQLite file; restore a backup or name another file with --database"
    return "check the folder and its permissions, or name another file with --database"
