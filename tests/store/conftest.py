"""Fixtures for tests of the store: a database in which doctor finds nothing, and what makes workflows in it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.scenario import TICK_S, Builder, Clock
from torc.store import doctor
from torc.store.database import Database
from torc.store.leases import Leases


@pytest.fixture
def clock() -> Clock:
    """The clock of the leases."""
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    """The leases of the one server process."""
    return Leases(300.0, tick_s=TICK_S, clock=clock)


@pytest.fixture
def database_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a folder: nobody needs these thousands of commits to survive a power cut."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path / "torc.db"
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder) / "torc.db"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A new database, to be copied: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("store") / "torc.db"
    Database(path).close()
    return path.read_bytes()


@pytest.fixture
def database(database_path: Path, empty_database: bytes) -> Iterator[Database]:
    """A database of this test alone, in which doctor finds nothing at the end."""
    database_path.write_bytes(empty_database)
    database = Database(database_path)
    yield database
    assert doctor.problems(database) == []
    database.close()


@pytest.fixture
def build(database: Database, leases: Leases) -> Builder:
    """``build("a", "b: a")``: a workflow of two jobs."""
    return Builder(database, leases)
