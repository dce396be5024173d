"""Whose a process is, by session, ancestor or mark, and telling it from a later one with the same number."""

import os
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runner.launched import is_alive, job
from torc.models.status import Cause
from torc.runner import processes
from torc.runner.launcher import Launcher
from torc.runner.processes import MARK, Process, Trees
from torc.runner.reaper import Reaper

Eventually = Callable[..., Any]
Start = Callable[..., subprocess.Popen[bytes]]

FAR = 1 << 30  # above every number that a process can have, so that nothing of this machine is looked at


def process(ppid: int, session: int, *, is_dead: bool = False, born: int = 1) -> Process:
    return Process(ppid=ppid, group=session, session=session, is_dead=is_dead, born=born, cpu_ticks=0, rss_pages=0)


@pytest.fixture
def mark() -> str:
    """No other test's: they look at the same machine."""
    return f"{processes.node_mark(uuid.uuid4().hex, 1)}1-1"


@pytest.fixture
def started(eventually: Eventually) -> Iterator[Start]:
    """``started(program, ...)``: a process in its own session, whose environment can be read; killed in the end."""
    left: list[subprocess.Popen[bytes]] = []

    def start(*command: str, mark: str | None = None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, MARK: mark} if mark else None
        left.append(subprocess.Popen(command, env=environment, start_new_session=True))
        eventually(lambda: processes.marks_of(left[-1].pid) is not None)
        return left[-1]

    yield start
    for one in left:
        one.kill()
        one.wait()


def test_a_session_comes_before_an_ancestor_and_an_ancestor_before_nothing() -> None:
    one, two, stranger = FAR + 1, FAR + 2, FAR + 3
    table = {
        one: process(1, one),
        two: process(one, two),  # a leader below another job
        FAR + 4: process(two, two),
        FAR + 5: process(FAR + 4, FAR + 5),  # moved to a session of its own
        FAR + 6: process(1, one),  # lost its parent, not its session
        FAR + 7: process(one, one, is_dead=True),
        stranger: process(1, stranger),
    }
    assert Trees().of(table, {one: "x-1-1-1", two: "x-1-2-1"}) == {one: [one, FAR + 6], two: [two, FAR + 4, FAR + 5]}


def test_what_was_a_jobs_once_remains_so() -> None:
    shell, parent, orphan = FAR + 1, FAR + 2, FAR + 3
    trees = Trees()
    seen = {shell: process(1, shell), parent: process(shell, parent), orphan: process(parent, orphan)}
    assert trees.of(seen, {shell: "x-1-1-1"}) == {shell: [shell, parent, orphan]}
    left = {shell: seen[shell], orphan: process(1, orphan)}
    assert trees.of(left, {shell: "x-1-1-1"}) == {shell: [shell, orphan]}
    assert trees.of(left | {orphan: process(1, orphan, born=2)}, {shell: "x-1-1-1"}) == {shell: [shell]}


def test_a_table_that_shows_a_circle_is_read_to_its_end() -> None:
    table = {FAR + 1: process(FAR + 2, FAR + 1), FAR + 2: process(FAR + 1, FAR + 2)}
    assert Trees().of(table, {}) == {}


def test_a_mark_is_found_where_nothing_else_tells(started: Start, mark: str) -> None:
    ours, _, nobodys = [
        started("sleep", "600", mark=mark),
        started("sleep", "600", mark=f"{mark}1"),
        started("sleep", "600"),
    ]
    leader = FAR + 1
    table = processes.look()
    assert Trees().of(table, {leader: mark}) == {leader: [ours.pid]}
    assert processes.marks_of(nobodys.pid) == processes.marks_of(os.getpid())


def test_a_mark_that_could_not_be_read_at_first_is_found_later(mark: str, eventually: Eventually) -> None:
    # As a process is for a moment when it becomes another program.
    bare = subprocess.Popen(
        ["bash", "-c", f"read; {MARK}={mark} exec sleep 600"], env={}, stdin=subprocess.PIPE, start_new_session=True
    )
    trees, leader = Trees(), FAR + 1
    assert trees.of(processes.look(), {leader: mark}) == {leader: []}
    assert bare.stdin is not None
    bare.stdin.write(b"\n")
    bare.stdin.close()
    eventually(lambda: trees.of(processes.look(), {leader: mark}), lambda found: found == {leader: [bare.pid]})
    bare.kill()
    bare.wait()


def test_the_innermost_mark_that_is_known_counts(started: Start, mark: str) -> None:
    inner = started("sleep", "600", mark=f"{mark} inner-{mark}")
    table = {inner.pid: processes.look()[inner.pid]}
    outer_leader, inner_leader = FAR + 1, FAR + 2
    assert Trees().of(table, {outer_leader: mark}) == {outer_leader: [inner.pid]}
    both = {outer_leader: mark, inner_leader: f"inner-{mark}"}
    assert Trees().of(table, both) == {outer_leader: [], inner_leader: [inner.pid]}


def test_the_job_of_a_runner_inside_a_job_belongs_to_both(
    launcher: Launcher, tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, f"{launcher.node_mark}5-1")
    inner = Launcher(tmp_path, 10, {})
    inner.node_mark = "inner-1-"
    child = inner.start(job("setsid -f sleep 600; sleep 600"), {})
    outer_leader = FAR + 1

    def members() -> tuple[set[int], set[int]]:
        table = processes.look()
        inner_job = Trees().of(table, {child.pid: child.mark})[child.pid]
        outer_job = Trees().of(table, {outer_leader: f"{launcher.node_mark}5-1"})[outer_leader]
        return set(inner_job), set(outer_job)

    eventually(members, lambda found: len(found[0]) == 2 and found[0] == found[1])
    child.kill(Cause.USER)
    reaper = Reaper()
    eventually(lambda: reaper.collect([child]))
    inner.close()


def test_a_pid_and_its_birth_tell_a_process_from_a_later_one(launcher: Launcher) -> None:
    child = launcher.start(job("sleep 600"), {})
    after, before = child.born
    assert processes.was_born(child.pid, after, before)
    assert not processes.was_born(child.pid, after - 10, before - 10)
    assert not processes.was_born(child.pid, after + 10, before + 10)
    born = processes.look()[child.pid].born
    processes.send(signal.SIGKILL, child.pid, born + 1)
    assert is_alive(child.pid)
    processes.send(signal.SIGKILL, child.pid, born)
    assert os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1]) == -signal.SIGKILL
    assert not processes.was_born(child.pid, after, before)


def test_a_zombie_is_dead_and_its_number_nobody_elses(eventually: Eventually) -> None:
    one = subprocess.Popen(["true"], start_new_session=True)
    assert eventually(lambda: processes.look_at(one.pid), lambda found: found.is_dead).session == one.pid
    one.wait()
    assert processes.look_at(one.pid) is None


def test_the_kernel_rather_kills_a_job_than_us(started: Start) -> None:
    one = started("sleep", "600")
    score = Path(f"/proc/{one.pid}/oom_score_adj")
    processes.prefer_for_oom_kill(one.pid, 700)
    assert score.read_text() == "700\n"
    processes.prefer_for_oom_kill(one.pid, 5000)  # refused by the kernel
    assert score.read_text() == "700\n"
    processes.prefer_for_oom_kill(FAR, 700)
    assert Path("/proc/self/oom_score_adj").read_text() != "700\n"
