"""The spool gives back what was written, whatever happened to its last line."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from torc.models.status import JobStatus
from torc.models.sync import FinishedJob
from torc.runner.spool import REWRITE_BYTES, Spawned, Spool, read_spool


def finished(job_id: int, *, attempt_id: int = 1, text: str = "2026-01-01T00:00:00.000Z") -> FinishedJob:
    return FinishedJob(
        job_id=job_id,
        run_id=1,
        attempt_id=attempt_id,
        status=JobStatus.COMPLETED,
        return_code=0,
        exec_time_minutes=0.5,
        completion_time=text,
    )


def spawned(job_id: int) -> Spawned:
    return Spawned(job_id=job_id, attempt_id=1, pid=1000 + job_id, born=(7.0, 7.5))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".torc" / "7.spool"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    spool = Spool(path)
    yield spool
    spool.close(discard=False)


def test_what_was_added_is_read_back(spool: Spool, path: Path) -> None:
    spool.add(spawned=spawned(1))
    spool.add(spawned=spawned(2))
    spool.add(finished=finished(1))
    assert read_spool(path).finished == [finished(1)]
    assert read_spool(path).unfinished == [spawned(2)]


def test_only_its_owner_may_read_it(spool: Spool, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_spool_is_an_empty_one(path: Path) -> None:
    assert read_spool(path).finished == []
    assert read_spool(path).unfinished == []


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_torn_last_line_is_dropped(spool: Spool, path: Path, cut: int) -> None:
    spool.add(finished=finished(1))
    whole = path.stat().st_size
    spool.add(finished=finished(2))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    assert path.stat().st_size > whole
    assert read_spool(path).finished == [finished(1)]


def test_a_changed_line_ends_the_reading(spool: Spool, path: Path) -> None:
    spool.add(finished=finished(1))
    spool.add(finished=finished(2, text="good"))
    spool.add(finished=finished(3))
    path.write_bytes(path.read_bytes().replace(b"good", b"evil"))
    assert read_spool(path).finished == [finished(1)]


def test_a_rewrite_keeps_only_what_it_is_given(spool: Spool, path: Path) -> None:
    for job_id in range(1, 50):
        spool.add(spawned=spawned(job_id))
        spool.add(finished=finished(job_id))
    spool.rewrite([spawned(50)], [finished(49)])
    spool.add(finished=finished(50))
    assert read_spool(path).finished == [finished(49), finished(50)]
    assert read_spool(path).unfinished == []
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_it_wants_a_rewrite_once_it_has_grown(spool: Spool) -> None:
    spool.add(finished=finished(1))
    assert not spool.needs_rewrite()
    spool.add(finished=finished(2, text="x" * REWRITE_BYTES))
    assert spool.needs_rewrite()
    spool.rewrite([], [])
    assert not spool.needs_rewrite()


@pytest.fixture
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process may grow beyond 1,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_no_half_line(spool: Spool, path: Path, full_disk: None) -> None:
    spool.add(finished=finished(1))
    spool.add(finished=finished(2, text="x" * 2000))
    assert spool.problem is not None
    assert read_spool(path).finished == [finished(1)]


def test_a_rewrite_that_fits_cures_a_full_disk(spool: Spool, path: Path, full_disk: None) -> None:
    spool.add(finished=finished(1, text="x" * 2000))
    spool.rewrite([], [finished(1, text="x" * 2000)])
    assert spool.problem is not None
    spool.rewrite([], [finished(2)])
    assert spool.problem is None
    assert read_spool(path).finished == [finished(2)]


def test_a_discarded_spool_is_gone(path: Path) -> None:
    spool = Spool(path)
    spool.add(finished=finished(1))
    spool.close(discard=True)
    assert not path.exists()
