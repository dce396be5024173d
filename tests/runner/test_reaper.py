"""Stopped jobs: nothing that they have started survives, wherever it has moved, and nobody else is hit."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.launched import is_alive, job, marked, told
from torc.models.status import Cause, JobStatus
from torc.runner.child import Child, Ending
from torc.runner.launcher import Launcher
from torc.runner.reaper import Reaper

Eventually = Callable[..., Any]

NUMBER = "exec > /dev/null 2>&1; echo $$ > $0; exec sleep 600"

DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
        os.execlp("sleep", "sleep", "600")
    os._exit(0)
os.wait()
"""

# Its first thread ends, and the process goes on: the kernel shows it as a zombie.
HEADLESS = """
import ctypes, os, sys, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""


def python(code: str) -> str:
    return f"{sys.executable} -c {shlex.quote(code)} a-file"


TREES = {
    "a child": f"bash -c '{NUMBER}' a-file; true",
    "the shell itself": f"bash -c '{NUMBER}' a-file",
    "background children in a subshell": f"(sleep 600 & bash -c '{NUMBER}' a-file & wait); true",
    "a background child of a subshell that has ended": f"(bash -c '{NUMBER}' a-file &); sleep 600; true",
    "a process group of its own": f"set -m; bash -c '{NUMBER}' a-file & wait; true",
    "a pipe": f"sleep 600 | bash -c '{NUMBER}' a-file | cat",
    "a session of its own": f"setsid --wait bash -c '{NUMBER}' a-file; true",
    "a session of its own in the background": f"setsid --fork bash -c '{NUMBER}' a-file; sleep 600; true",
    "a daemon": f"{python(DAEMON)}; sleep 600; true",
    "a session of its own without the environment": f"setsid --wait env -i bash -c '{NUMBER}' a-file; true",
    "a process whose first thread has ended": f"{python(HEADLESS)}; true",
    "one that does not listen": f"trap '' TERM; setsid --fork bash -c '{NUMBER}' a-file; while true; do sleep 1; done",
}


@pytest.fixture
def end(eventually: Eventually) -> Callable[[Child], Ending]:
    """Collect a child that was told to end."""

    def end(child: Child) -> Ending:
        reaper = Reaper()
        ((ended, ending),) = eventually(lambda: reaper.collect([child]))
        assert ended is child
        return ending

    return end


@pytest.fixture
def wait_for(tmp_path: Path, eventually: Eventually) -> Callable[[str], int]:
    """The number that a process of a job writes to a file, once it is there."""
    return lambda name: int(eventually(lambda: (tmp_path / name).exists() and (tmp_path / name).read_text().strip()))


@pytest.mark.parametrize("grace_s", [0, 0.2])
@pytest.mark.parametrize("tree", TREES)
def test_nothing_of_a_stopped_job_survives(
    launcher: Launcher,
    end: Callable[[Child], Ending],
    wait_for: Callable[[str], int],
    tmp_path: Path,
    tree: str,
    grace_s: float,
) -> None:
    child = launcher.start(job(f"cd {tmp_path}; {TREES[tree]}"), {})
    inner = wait_for("a-file")
    assert is_alive(inner)
    child.terminate(grace_s, Cause.USER)
    end(child)
    assert not is_alive(inner)
    assert marked(launcher.node_mark) == []


def test_what_starts_others_while_it_is_killed_does_not_get_away(
    launcher: Launcher, end: Callable[[Child], Ending], wait_for: Callable[[str], int], tmp_path: Path
) -> None:
    breed = "echo $$ > a-file; while true; do setsid -f sleep 600; done"
    child = launcher.start(job(f"cd {tmp_path}; setsid -f bash -c '{breed}'; sleep 600"), {})
    wait_for("a-file")
    child.kill(Cause.USER)
    end(child)
    assert marked(launcher.node_mark) == []


def test_a_child_that_was_asked_to_end_may_finish_its_checkpoint(
    launcher: Launcher, end: Callable[[Child], Ending], tmp_path: Path, eventually: Eventually
) -> None:
    # The shell dies of SIGTERM at once; what it was waiting for does not.
    inner = f"trap 'sleep 0.3; echo saved > {tmp_path}/checkpoint; exit 0' TERM; echo > {tmp_path}/up; sleep 600 & wait"
    child = launcher.start(job(f'bash -c "{inner}"; true'), {})
    eventually((tmp_path / "up").exists)
    child.terminate(30, Cause.TIME_UP)
    report = told(child, end(child))
    assert (tmp_path / "checkpoint").read_text() == "saved\n"
    assert (report.status, report.cause) == (JobStatus.TERMINATED, Cause.TIME_UP)


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(
    launcher: Launcher, end: Callable[[Child], Ending], tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"trap '' TERM; echo > {tmp_path}/up; while true; do sleep 0.05; done"), {})
    eventually((tmp_path / "up").exists)
    child.terminate(0.2, Cause.USER)
    asked = time.monotonic()
    assert end(child).return_code == -signal.SIGKILL
    assert time.monotonic() - asked >= 0.2


def test_what_has_left_the_process_group_is_asked_too_when_the_group_has_ended(
    launcher: Launcher, end: Callable[[Child], Ending], tmp_path: Path, eventually: Eventually
) -> None:
    saver = f"trap 'test -e {tmp_path}/saved && echo > {tmp_path}/late; echo asked > {tmp_path}/asked; exit' TERM"
    aside = f"{saver}; echo > {tmp_path}/aside; while true; do sleep 0.05; done"
    inner = f"trap 'sleep 0.3; echo > {tmp_path}/saved; exit' TERM; echo > {tmp_path}/up; sleep 600 & wait"
    command = f"setsid -f bash -c {shlex.quote(aside)}; bash -c {shlex.quote(inner)}; true"
    child = launcher.start(job(command), {})
    eventually(lambda: (tmp_path / "up").exists() and (tmp_path / "aside").exists())
    child.terminate(30, Cause.USER)
    end(child)
    assert (tmp_path / "asked").exists()
    assert (tmp_path / "late").exists()


def test_a_second_request_hurries(
    launcher: Launcher, end: Callable[[Child], Ending], tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"trap '' TERM; echo > {tmp_path}/up; while true; do sleep 0.05; done"), {})
    eventually((tmp_path / "up").exists)
    child.terminate(600, Cause.USER)
    assert Reaper().collect([child]) == []
    child.kill(Cause.USER)
    assert end(child).return_code == -signal.SIGKILL


def test_a_stopped_job_is_terminated_whatever_it_returned(
    launcher: Launcher, end: Callable[[Child], Ending], tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"trap 'exit 0' TERM; echo > {tmp_path}/up; while true; do sleep 0.05; done"), {})
    eventually((tmp_path / "up").exists)
    child.terminate(30, Cause.USER)
    report = told(child, end(child))
    assert (report.status, report.return_code, report.cause) == (JobStatus.TERMINATED, 0, Cause.USER)


def test_other_jobs_and_other_processes_are_left_alone(
    launcher: Launcher,
    end: Callable[[Child], Ending],
    tmp_path: Path,
    wait_for: Callable[[str], int],
    eventually: Eventually,
) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    other = launcher.start(job(f"setsid -f bash -c '{NUMBER}' {tmp_path}/other; sleep 600", id=6), {})
    later = launcher.start(job(f"setsid -f bash -c '{NUMBER}' {tmp_path}/later; sleep 600", attempt_id=11), {})
    inner = [wait_for("other"), wait_for("later")]
    child = launcher.start(job("setsid -f sleep 600; sleep 600"), {})
    child.kill(Cause.USER)
    end(child)
    eventually(lambda: set(marked(launcher.node_mark)), lambda found: found == {other.pid, later.pid, *inner})
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    for left in (other, later):
        left.kill(Cause.USER)
        end(left)


def test_a_hundred_jobs_end_together(launcher: Launcher, eventually: Eventually) -> None:
    children = [launcher.start(job("setsid -f sleep 600; sleep 600", id=id), {}) for id in range(100)]
    eventually(lambda: len(marked(launcher.node_mark)), lambda found: found >= 200)
    reaper = Reaper()
    for child in children:
        child.kill(Cause.USER)
    ended: list[Child] = []

    def all_ended() -> bool:
        ended.extend(child for child, _ in reaper.collect([child for child in children if child not in ended]))
        return len(ended) == len(children)

    began = os.times()
    eventually(all_ended)
    took = os.times()
    assert marked(launcher.node_mark) == []
    # A look at 200 processes takes some 5 ms: one for all, or one for each of a hundred.
    assert (took.user + took.system) - (began.user + began.system) < 1.0
