"""The file of a time series: its schema is the book's, and nothing that happens to it is worse than a warning."""

import logging
import resource
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from torc.rendezvous import host_name
from torc.runner import samples
from torc.runner.samples import Sample, SampleFile, file_path


def sample(job_id: int, cpu_percent: float = 1.5) -> Sample:
    return Sample(job_id, 1_700_000_000.25, cpu_percent, 4096, 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return file_path(tmp_path / "output", workflow_id=7, run_id=3)


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "PATIENCE_S", 0.01)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sample is a batch."""
    monkeypatch.setattr(samples, "BATCH_ROWS", 1)


def rows(path: Path, query: str = "SELECT * FROM job_resource_samples ORDER BY id") -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    found = db.execute(query).fetchall()
    db.close()
    return found


def written(path: Path, *added: Sample) -> None:
    file = SampleFile(path)
    for each in added:
        file.add(each, f"job {each.job_id}")
    file.close()


def test_the_file_is_named_for_host_workflow_and_run(path: Path, tmp_path: Path) -> None:
    assert path == tmp_path / "output" / "resource_utilization" / f"resource_metrics_{host_name()}_7_3.db"


def test_samples_and_names_are_as_the_users_book_queries_them(path: Path) -> None:
    written(path, sample(1), sample(2), sample(1, 99.0))
    query = "SELECT job_id, timestamp, cpu_percent, memory_bytes, num_processes FROM job_resource_samples"
    assert rows(path, f"{query} WHERE job_id = 1 ORDER BY timestamp, id") == [
        (1, 1_700_000_000.25, 1.5, 4096, 2),
        (1, 1_700_000_000.25, 99.0, 4096, 2),
    ]
    assert rows(path, "SELECT * FROM job_metadata") == [(1, "job 1"), (2, "job 2")]
    assert rows(path, "SELECT tbl_name FROM sqlite_master WHERE type = 'index'") == [("job_resource_samples",)]


def test_a_second_runner_adds_to_the_same_file(path: Path) -> None:
    first, second = SampleFile(path), SampleFile(path)
    first.add(sample(1), "one")
    second.add(sample(1), "renamed")
    first.close()
    second.close()
    assert len(rows(path)) == 2
    assert rows(path, "SELECT * FROM job_metadata") == [(1, "renamed")]


def test_no_samples_make_no_file(path: Path) -> None:
    written(path)
    assert not path.parent.exists()


def test_samples_wait_for_a_batch(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SampleFile(path)
    file.add(sample(1), "one")
    file.write_if_due()
    assert not path.exists()
    monkeypatch.setattr(samples, "BATCH_ROWS", 2)
    file.add(sample(1), "one")
    file.write_if_due()
    assert len(rows(path)) == 2
    file.close()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("has_begun", [False, True])
def test_samples_are_kept_while_somebody_has_the_file_locked(path: Path, has_begun: bool) -> None:
    if has_begun:
        written(path, sample(1))
    path.parent.mkdir(parents=True, exist_ok=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    file = SampleFile(path)
    file.add(sample(2), "two")
    file.write_if_due()
    other.execute("COMMIT")
    other.close()
    file.close()
    assert [row[1] for row in rows(path)] == ([1, 2] if has_begun else [2])


def break_folder_away(path: Path) -> None:
    shutil.rmtree(path.parent)


def break_other_file(path: Path) -> None:
    path.write_text("this is not a database, " * 100)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("damage", [break_folder_away, break_other_file])
def test_a_file_that_breaks_is_one_warning_and_then_silence(
    path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(damage)
    file = SampleFile(path)
    file.add(sample(1), "one")
    file.write_if_due()
    damage(path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            file.add(sample(1), "one")
            file.write_if_due()
        file.close()
    assert len(caplog.messages) == 1
    assert str(path) in caplog.messages[0]


def test_a_place_where_nothing_can_be_made_is_one_warning(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "output").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        written(path, sample(1))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_full_disk_is_one_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(path, sample(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = SampleFile(path)
    for _ in range(5000):
        file.add(sample(1), "one")
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        with caplog.at_level(logging.WARNING):
            file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(caplog.messages) == 1
    assert len(rows(path)) == 1
