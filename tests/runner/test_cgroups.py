"""Groups for jobs where a runner may make them. A folder of plain files stands for the kernel's."""

import errno
import logging
import os
from pathlib import Path

import pytest

from tests.runner.kernel_tree import UNIFIED_MOUNT, write_tree
from torc.runner.cgroups import JobCgroups, LeftCgroup

JOB = 7, 2
PID = 4711
BUSY = "has_processes"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A group that was delegated to this process. As in the kernel, the files of a group go with it."""
    remove = os.rmdir

    def remove_with_files(path: Path) -> None:
        if (Path(path) / BUSY).exists():
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for file in Path(path).iterdir():
            file.unlink()
        remove(path)

    monkeypatch.setattr(os, "rmdir", remove_with_files)
    files = {
        "run.scope/cgroup.procs": f"{os.getpid()}\n",
        "run.scope/cgroup.controllers": "cpu io memory pids\n",
        "run.scope/cgroup.subtree_control": "",
    }
    return write_tree(tmp_path, groups=["0::/run.scope"], mounts=[UNIFIED_MOUNT], files=files)


@pytest.fixture
def own(root: Path) -> Path:
    return root / "sys/fs/cgroup/run.scope"


def opened(root: Path) -> JobCgroups:
    groups = JobCgroups.open(root)
    assert groups is not None
    return groups


def test_the_runner_moves_aside_and_gives_its_jobs_the_memory_controller(root: Path, own: Path) -> None:
    opened(root)
    assert (own / "torc_runner/cgroup.procs").read_text() == f"{os.getpid()}\n"
    assert (own / "cgroup.subtree_control").read_text() == "+memory\n"


def test_a_job_is_limited_to_its_memory_without_swap_and_ends_as_a_whole(root: Path, own: Path) -> None:
    opened(root).enter(JOB, PID, 2**30)
    written = {file.name: file.read_text() for file in (own / "job_7_2").iterdir()}
    assert written == {
        "memory.max": f"{2**30}\n",
        "memory.swap.max": "0\n",
        "memory.oom.group": "1\n",
        "cgroup.procs": f"{PID}\n",
    }


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.events": "oom 1\noom_kill 3\n", "memory.peak": "4096\n"}, LeftCgroup(True, 4096)),
        ({"memory.events": "oom 0\noom_kill 0\n"}, LeftCgroup(False, None)),
        ({}, LeftCgroup(False, None)),
    ],
)
def test_a_group_says_what_became_of_its_job_and_goes(
    root: Path, own: Path, files: dict[str, str], left: LeftCgroup
) -> None:
    groups = opened(root)
    groups.enter(JOB, PID, 2**30)
    for name, content in files.items():
        (own / "job_7_2" / name).write_text(content)
    assert groups.leave(JOB) == left
    assert not (own / "job_7_2").exists()
    assert groups.leave(JOB) is None


def test_a_group_that_still_has_processes_goes_later(root: Path, own: Path) -> None:
    groups = opened(root)
    groups.enter(JOB, PID, 2**30)
    busy = own / "job_7_2" / BUSY
    busy.touch()
    assert groups.leave(JOB) is not None
    assert busy.exists()
    busy.unlink()
    groups.close()
    assert not busy.parent.exists()


def test_closing_leaves_the_group_as_it_was_found(root: Path, own: Path) -> None:
    groups = opened(root)
    groups.enter(JOB, PID, 2**30)
    groups.close()
    assert [path for path in own.iterdir() if path.is_dir()] == []
    assert (own / "cgroup.subtree_control").read_text() == "-memory\n"
    assert (own / "cgroup.procs").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("cgroup.procs", "1\n{own}\n"),  # somebody else is in it
        ("cgroup.controllers", "cpu io\n"),
        ("cgroup.subtree_control", None),
        ("cgroup.procs", None),
    ],
)
def test_a_group_that_is_not_ours_to_divide_is_left_alone(
    root: Path, own: Path, file: str, content: str | None
) -> None:
    (own / file).unlink()
    if content is not None:
        (own / file).write_text(content.format(own=os.getpid()))
    assert JobCgroups.open(root) is None
    assert [path for path in own.iterdir() if path.is_dir()] == []


def test_where_there_is_no_unified_hierarchy_there_are_no_groups(tmp_path: Path) -> None:
    assert JobCgroups.open(tmp_path) is None


def test_a_runner_that_cannot_move_aside_undoes_what_it_has_begun(
    root: Path, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own / "torc_runner").write_text("no folder can be made here")
    assert JobCgroups.open(root) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(own) in record.message


def test_jobs_that_cannot_get_a_group_run_without_and_one_line_says_so(
    root: Path, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    groups = opened(root)
    for attempt_id in (1, 2):
        (own / f"job_7_{attempt_id}").mkdir()
        groups.enter((7, attempt_id), PID, 2**30)
    assert len(caplog.records) == 1
    assert "File exists" in caplog.text
    assert groups.leave((7, 1)) is None
