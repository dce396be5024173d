"""The thread that does what nobody asks for (R10, R22, R24)."""

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from torc.models.workflow import Workflow
from torc.server import housekeeping
from torc.server.housekeeping import Housekeeping
from torc.store import workflows
from torc.store.database import Database
from torc.store.leases import Leases

Eventually = Callable[..., object]


@pytest.fixture
def database(database_path: Path) -> Iterator[Database]:
    database = Database(database_path)
    yield database
    database.close()


@pytest.fixture
def keep(database: Database) -> Iterator[Callable[[], Housekeeping]]:
    """``keep()``: housekeeping of ``database``, started, a round every 20 ms."""
    kept: list[Housekeeping] = []

    def start() -> Housekeeping:
        kept.append(Housekeeping(database, Leases(tick_s=0.02), 0.02))
        kept[-1].start()
        return kept[-1]

    yield start
    for each in kept:
        each.stop()
        assert not each.is_alive()


def write(database: Database, count: int) -> None:
    for _ in range(count):
        workflows.create(database, Workflow(name="w" * 1000, user="u"), None)


def test_a_chore_that_fails_is_logged_and_tried_again(
    database: Database, keep: Callable[[], Housekeeping], eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    database.close()
    database.path.unlink()
    database.path.mkdir()  # nothing can be opened here any more
    thread = keep()

    def failures() -> int:
        return sum("tried again" in record.message for record in caplog.records)

    eventually(failures, lambda count: count >= 6)  # several rounds, not only the first
    assert thread.is_alive()
    assert all(record.exc_info for record in caplog.records if "tried again" in record.message)


def test_a_long_log_is_moved_into_the_database(
    database: Database,
    keep: Callable[[], Housekeeping],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "WAL_CHECKPOINT_BYTES", 50_000)
    write(database, 20)
    before = database.path.stat().st_size
    keep()
    eventually(lambda: database.path.stat().st_size, lambda size: size > before)


def test_a_log_that_does_not_shrink_is_warned_about_once(
    database: Database,
    keep: Callable[[], Housekeeping],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(housekeeping, "WAL_WARNING_BYTES", 50_000)
    caplog.set_level(logging.WARNING)
    write(database, 40)
    thread = keep()
    eventually(lambda: "write-ahead log" in caplog.text)
    looks = itertools.count()
    eventually(lambda: next(looks), lambda count: count >= 20)  # some ten rounds more
    thread.stop()
    assert caplog.text.count("write-ahead log") == 1
