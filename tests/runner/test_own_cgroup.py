"""Where the control groups of a process are found."""

from pathlib import Path

import pytest

from tests.runner.kernel_tree import CPU_MOUNT, MEMORY_MOUNT, UNIFIED_MOUNT, write_tree
from torc.runner import own_cgroup

TOP = Path("sys/fs/cgroup")


def test_the_group_comes_first_and_then_those_around_it(tmp_path: Path) -> None:
    write_tree(
        tmp_path, groups=["0::/user.slice/run.scope"], mounts=[UNIFIED_MOUNT], files={"user.slice/run.scope/x": ""}
    )
    top = tmp_path / TOP
    assert own_cgroup.lineage("", tmp_path) == [top / "user.slice/run.scope", top / "user.slice", top]


def test_each_controller_of_version_1_has_its_own_hierarchy(tmp_path: Path) -> None:
    groups = ["4:memory:/job", "1:cpu,cpuacct:/other", "0::/"]
    files = {"memory/job/x": "", "cpu,cpuacct/other/x": ""}
    write_tree(tmp_path, groups=groups, mounts=[MEMORY_MOUNT, CPU_MOUNT], files=files)
    top = tmp_path / TOP
    assert own_cgroup.lineage("memory", tmp_path) == [top / "memory/job", top / "memory"]
    assert own_cgroup.lineage("cpu", tmp_path) == [top / "cpu,cpuacct/other", top / "cpu,cpuacct"]
    assert own_cgroup.lineage("", tmp_path) == []


@pytest.mark.parametrize(
    ("visible", "path", "group"),
    [
        ("/docker/abc", "/docker/abc", "."),
        ("/docker/abc", "/docker/abc/inner", "inner"),
        ("/docker/abc", "/", "."),
        ("/", "/../../elsewhere", "."),
        ("/", "/has/been:removed", "."),
    ],
)
def test_a_container_sees_itself_at_the_top(tmp_path: Path, visible: str, path: str, group: str) -> None:
    mount = UNIFIED_MOUNT.replace(" / /sys", f" {visible} /sys")
    write_tree(tmp_path, groups=[f"0::{path}"], mounts=[mount], files={"inner/x": ""})
    assert own_cgroup.lineage("", tmp_path)[0] == tmp_path / TOP / group


@pytest.mark.parametrize("lines", [[], ["nonsense"], ["1:cpu:/"]])
def test_without_control_groups_there_is_no_lineage(tmp_path: Path, lines: list[str]) -> None:
    write_tree(tmp_path, groups=lines, mounts=[*lines, UNIFIED_MOUNT], files={})
    assert own_cgroup.lineage("", tmp_path) == []
    assert own_cgroup.lineage("memory", tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("content", "name", "number"),
    [
        ("1048576\n", None, 1048576),
        ("max\n", None, None),
        ("-1\n", None, -1),
        ("", None, None),
        ("oom 3\noom_kill 2\noom_group_kill 1\n", "oom_kill", 2),
        ("oom 3\n", "oom_kill", None),
    ],
)
def test_a_number_is_read_or_there_is_none(tmp_path: Path, content: str, name: str | None, number: int | None) -> None:
    (tmp_path / "file").write_text(content)
    assert own_cgroup.number_in(tmp_path / "file", name) == number
    assert own_cgroup.number_in(tmp_path / "missing", name) is None
