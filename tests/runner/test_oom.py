"""How a runner learns that the kernel killed a job for memory."""

from pathlib import Path

import pytest

from tests.runner.kernel_tree import MEMORY_MOUNT, UNIFIED_MOUNT, write_tree
from torc.runner import oom
from torc.runner.oom import OomKills

UNIFIED = {"groups": ["0::/job"], "mounts": [UNIFIED_MOUNT]}
VERSION_1 = {"groups": ["4:memory:/job", "0::/"], "mounts": [MEMORY_MOUNT, UNIFIED_MOUNT]}
EVENTS = "low 0\nhigh 0\nmax 12\noom 4\noom_kill {}\noom_group_kill 9\n"
OOM_CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
VMSTAT = "nr_free_pages 5\noom_kill {}\n"


@pytest.mark.parametrize(
    ("tree", "file", "content"),
    [
        (UNIFIED, "sys/fs/cgroup/job/memory.events", EVENTS),
        (VERSION_1, "sys/fs/cgroup/memory/job/memory.oom_control", OOM_CONTROL),
        ({"groups": [], "mounts": []}, "proc/vmstat", VMSTAT),
        (VERSION_1, "proc/vmstat", VMSTAT),  # an old kernel, whose groups do not count kills
    ],
)
def test_a_kill_is_seen_where_the_kernel_counts_it(
    tmp_path: Path, tree: dict[str, list[str]], file: str, content: str
) -> None:
    write_tree(tmp_path, **tree, files={"memory/job/memory.oom_control": "under_oom 0\n"} if "vmstat" in file else {})
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content.format(3))
    kills = OomKills(tmp_path)
    assert not kills.killed()
    (tmp_path / file).write_text(content.format(4))
    assert kills.killed()


def test_the_group_of_the_runner_is_asked_before_the_machine(tmp_path: Path) -> None:
    write_tree(tmp_path, **UNIFIED, files={"job/memory.events": EVENTS.format(0)})
    vmstat = tmp_path / "proc/vmstat"
    vmstat.write_text(VMSTAT.format(0))
    kills = OomKills(tmp_path)
    vmstat.write_text(VMSTAT.format(1))
    assert not kills.killed()


def test_one_kill_explains_all_that_ends_with_it_and_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, **UNIFIED, files={"job/memory.events": EVENTS.format(0)})
    kills = OomKills(tmp_path)
    (tmp_path / "sys/fs/cgroup/job/memory.events").write_text(EVENTS.format(1))
    assert (kills.killed(), kills.killed()) == (True, True)
    monkeypatch.setattr(oom, "RECENT_S", 0)
    assert not kills.killed()


def test_a_kill_that_was_noticed_long_ago_explains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, **UNIFIED, files={"job/memory.events": EVENTS.format(0)})
    kills = OomKills(tmp_path)
    (tmp_path / "sys/fs/cgroup/job/memory.events").write_text(EVENTS.format(1))
    kills.look()
    monkeypatch.setattr(oom, "RECENT_S", 0)
    assert not kills.killed()


def test_where_nothing_counts_nothing_was_killed(tmp_path: Path) -> None:
    assert not OomKills(tmp_path).killed()


def test_this_machine_has_a_counter() -> None:
    kills = OomKills()
    assert not kills.killed()
    assert "oom_kill" in kills._file.read_text()
