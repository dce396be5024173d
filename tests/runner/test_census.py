"""Counting what trees of real processes use."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from torc.runner import census
from torc.runner.census import Census, Count
from torc.runner.processes import MARK, TICKS_PER_S, boot_time, look_at

Eventually = Callable[..., Any]
BUSY = f"{sys.executable} -c 'while True: pass'"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """``start(command, mark)``: a job's shell; its pid. ``echo $! >> pids`` names what has to be killed as well."""
    started: list[subprocess.Popen[bytes]] = []

    def start(command: str, mark: str) -> int:
        environ = {**os.environ, MARK: mark}
        started.append(subprocess.Popen(["bash", "-c", command], start_new_session=True, cwd=tmp_path, env=environ))
        return started[-1].pid

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    pids = tmp_path / "pids"
    for pid in pids.read_text().split() if pids.exists() else []:
        os.kill(int(pid), signal.SIGKILL)


def test_each_job_is_counted_with_all_that_it_started(start: Callable[..., int], eventually: Eventually) -> None:
    both, one = start("sleep 60 & sleep 60; true", "both"), start("exec sleep 60", "one")
    counted = Census()

    def all_run(found: dict[int, Count]) -> bool:  # a process that is just calling exec has no memory
        return [found[both][0], found[one][0]] == [3, 1] and found[both][1] > found[one][1] > 100_000

    eventually(lambda: counted.take({both: "both", one: "one"}), all_run)


def test_a_process_that_left_its_session_and_lost_its_parent_still_counts(
    start: Callable[..., int], eventually: Eventually
) -> None:
    leader = start(f"(setsid {BUSY} & echo $! >> pids); exec sleep 60", "orphan")
    counted = Census()
    seen = eventually(
        lambda: counted.take({leader: "orphan"})[leader], lambda count: count.processes == 2 and count.cpu_ticks > 5
    )
    assert seen.memory_bytes > 1_000_000


def test_a_job_that_has_ended_counts_as_nothing(start: Callable[..., int], eventually: Eventually) -> None:
    leader = start("true", "over")
    eventually(lambda: Census().take({leader: "over"})[leader], lambda count: count == Count(0, 0, 0))


def test_processes_that_are_no_jobs_are_read_once_in_a_while(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    read: list[int] = []
    monkeypatch.setattr(census.processes, "look_at", lambda pid: read.append(pid) or look_at(pid))
    ours, other = start("exec sleep 60", "ours"), start("exec sleep 60", "other")
    born = eventually(lambda: look_at(other)).born / TICKS_PER_S
    eventually(boot_time, lambda now: now > born + census.SETTLED_S)
    counted = Census()

    def looks_at() -> set[int]:
        read.clear()
        counted.take({ours: "ours"})
        return {ours, other} & set(read)

    assert looks_at() == {ours, other}
    assert looks_at() == {ours}
    assert counted.take({ours: "ours", other: "other"})[other].processes == 1
    monkeypatch.setattr(census, "boot_time", lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + census.LOOK_AGAIN_S)
    assert looks_at() == {ours, other}
