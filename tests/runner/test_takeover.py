"""After kill -9 of a runner: its successor ends what still runs of its jobs, recorded or not, and nothing else."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.launched import is_alive, job, marked
from torc.runner.launcher import Launcher
from torc.runner.spool import Spawned
from torc.runner.survivors import Survivors

Eventually = Callable[..., Any]
Start = Callable[..., Any]

ROOT = Path(__file__).parent.parent.parent

INNER = "setsid -f bash -c 'echo $$ > inner; exec sleep 600'"
"""What has left the session of its job, and lost its parent."""


def number(path: Path) -> int:
    return int(path.read_text())


@pytest.fixture
def kill_runner(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Eventually
) -> Callable[[int, str], Path]:
    """``kill_runner(workflow, job)``: kill -9 once the server knows that the job runs; the spool that is left."""

    def kill_runner(workflow: int, job_name: str) -> Path:
        runner = start_runner(builder.url, builder.initialize(workflow))
        eventually(lambda: builder.statuses(workflow)[job_name], lambda status: status == "running")
        eventually(lambda: (tmp_path / "inner").exists() and (tmp_path / "inner").read_text().strip())
        runner.signal(signal.SIGKILL)
        runner.process.wait(timeout=10)
        (spool,) = (tmp_path / "output" / ".torc").iterdir()
        return spool

    return kill_runner


def test_a_job_that_was_not_recorded_is_ended_all_the_same(
    builder: Any, start_runner: Start, kill_runner: Callable[[int, str], Path], tmp_path: Path
) -> None:
    workflow = builder.workflow()
    job = builder.job(workflow, "job", f"test -e inner && exit 0; echo $$ > pid; {INNER}; sleep 600; true")
    spool = kill_runner(workflow, "job")
    spool.write_bytes(b"")
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert not is_alive(number(tmp_path / "pid")) and not is_alive(number(tmp_path / "inner"))
    assert builder.results(workflow) == [(job.id, 2, "completed", 0)]
    (lost,) = (event.data for event in builder.torc.workflows.events(workflow) if event.data["type"] == "node_lost")
    assert lost["job_ids"] == [job.id] and "had 1 unfinished job(s)" in lost["message"]


def test_what_a_dead_shell_has_left_is_ended(
    builder: Any, start_runner: Start, kill_runner: Callable[[int, str], Path], tmp_path: Path, eventually: Eventually
) -> None:
    workflow = builder.workflow()
    job = builder.job(workflow, "job", f"test -e inner && exit 0; echo $$ > pid; {INNER}; sleep 600; true")
    kill_runner(workflow, "job")
    os.kill(number(tmp_path / "pid"), signal.SIGKILL)
    eventually(lambda: not is_alive(number(tmp_path / "pid")))
    assert is_alive(number(tmp_path / "inner"))
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert not is_alive(number(tmp_path / "inner"))
    assert builder.results(workflow) == [(job.id, 2, "completed", 0)]


@pytest.mark.parametrize("recorded", [True, False])
def test_what_a_job_that_has_ended_left_behind_stays(
    builder: Any, start_runner: Start, kill_runner: Callable[[int, str], Path], tmp_path: Path, recorded: bool
) -> None:
    workflow = builder.workflow()
    first = builder.job(workflow, "first", INNER)
    builder.job(workflow, "second", "test -e again && exit 0; touch again; sleep 600; true", first)
    spool = kill_runner(workflow, "second")
    if not recorded:
        spool.write_bytes(b"")  # as after a rewrite: what was acknowledged is dropped
    inner = number(tmp_path / "inner")
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert is_alive(inner)
    os.kill(inner, signal.SIGKILL)


def test_the_attempts_that_run_are_told_by_their_marks(launcher: Launcher, eventually: Eventually) -> None:
    for id in (5, 50):
        launcher.start(job("setsid -f sleep 600; sleep 600", id=id, attempt_id=2), {})
    eventually(lambda: len(marked(launcher.node_mark)), lambda found: found == 4)
    assert Survivors(launcher.node_mark).attempts() == {(5, 2), (50, 2)}
    assert Survivors(launcher.node_mark.removesuffix("1-")).attempts() == set()


def test_only_the_attempts_that_are_named_are_killed(launcher: Launcher, eventually: Eventually) -> None:
    children = [launcher.start(job("setsid -f sleep 600; sleep 600", attempt_id=attempt), {}) for attempt in (1, 2, 12)]
    eventually(lambda: len(marked(launcher.node_mark)), lambda found: found == 6)
    reused = children[0]  # its number with another birth: the mark still finds what runs
    shells = [Spawned(job_id=5, attempt_id=2, pid=reused.pid, born=(0.0, 1.0))]
    Survivors(launcher.node_mark).kill(shells, set())
    assert Survivors(launcher.node_mark).attempts() == {(5, 1), (5, 12)}


def test_a_recorded_shell_is_killed_with_those_that_hide_their_mark(
    launcher: Launcher, tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"env -i bash -c 'echo $$ > {tmp_path}/hidden; exec sleep 600'; true"), {})
    hidden = eventually(lambda: (tmp_path / "hidden").exists() and (tmp_path / "hidden").read_text().strip())
    shells = [Spawned(job_id=5, attempt_id=1, pid=child.pid, born=child.born)]
    Survivors(launcher.node_mark).kill(shells, set())
    assert not is_alive(int(hidden))
    child.collect()


def test_a_successor_that_a_job_has_started_does_not_kill_itself(
    launcher: Launcher, tmp_path: Path, eventually: Eventually
) -> None:
    code = f"from torc.runner.survivors import Survivors; Survivors({launcher.node_mark!r}).kill([], {{(5, 1)}})"
    command = f'sleep 600 & echo $! > {tmp_path}/inner; PYTHONPATH={ROOT} {sys.executable} -c "{code}"'
    child = launcher.start(job(command), {})
    assert eventually(child.collect).return_code == 0
    assert not is_alive(number(tmp_path / "inner"))
