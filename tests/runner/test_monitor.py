"""The monitor with real processes: short and long jobs, limits of memory, time series."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from typing import Any

import pytest

from torc.runner.monitor import OFF, Monitor, MonitorSettings, settings_of
from torc.runner.processes import MARK
from torc.runner.samples import SampleFile, file_path
from torc.runner.usage import Usage

Eventually = Callable[..., Any]
MIB = 1024**2
EVERY_SECOND = MonitorSettings(sample_interval_seconds=1)
HOLDS_MEMORY = f"{sys.executable} -c 'import time; held = bytes(100) * {MIB}; time.sleep(60)'"


class Jobs:
    """Processes that a monitor watches."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: str, **limits: int) -> int:
        """A job; its id."""
        job_id = len(self._processes) + 1
        mark = f"test-{os.getpid()}-{job_id}"  # the tests beside this one have processes, too
        environ = {**os.environ, MARK: mark}
        process = subprocess.Popen(["bash", "-c", command], start_new_session=True, env=environ)
        self._processes[job_id] = process
        self.monitor.watch((job_id, 1), pid=process.pid, mark=mark, name=f"job {job_id}", **limits)
        return job_id

    def run(self, command: str) -> Usage | None:
        """What a job used that ends by itself."""
        job_id = self.start(command)
        self._processes[job_id].wait(timeout=30)
        return self.monitor.end((job_id, 1))

    def usage(self, job_id: int) -> Usage | None:
        """What is known while it runs."""
        return self.monitor._watched[job_id, 1].meter.usage

    def close(self) -> None:
        self.monitor.close()
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def watched() -> Iterator[Callable[[Monitor], Jobs]]:
    """``watched(monitor)``: jobs for it to watch."""
    made: list[Jobs] = []

    def watched(monitor: Monitor) -> Jobs:
        made.append(Jobs(monitor))
        return made[-1]

    yield watched
    for jobs in made:
        jobs.close()


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (None, OFF),
        ("{}", MonitorSettings()),
        ('{"enabled": true, "granularity": "summary", "generate_plots": false}', MonitorSettings()),
        ('{"granularity": "time_series"}', MonitorSettings(granularity="time_series")),
        ('{"sample_interval_seconds": 2, "enabled": null, "new": 1}', MonitorSettings(sample_interval_seconds=2)),
        ('{"enabled": false, "sample_interval_seconds": 1}', MonitorSettings(False, "summary", 1)),
    ],
)
def test_the_workflow_says_how_closely_to_look(
    config: str | None, settings: MonitorSettings, caplog: pytest.LogCaptureFixture
) -> None:
    assert settings_of(config) == settings
    assert caplog.messages == []


@pytest.mark.parametrize(
    "config",
    ["", "yes", "[]", "null", '{"enabled": "yes"}', '{"granularity": "fine"}', '{"sample_interval_seconds": 0}'],
)
def test_a_configuration_that_cannot_be_used_is_one_warning_and_off(
    config: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert settings_of(config) == OFF
    assert len(caplog.messages) == 1
    assert "resource_monitor_config" in caplog.messages[0]


def test_a_job_too_short_to_be_sampled_has_no_figures_and_starts_no_second_thread(
    watched: Callable[[Monitor], Jobs],
) -> None:
    jobs = watched(Monitor(EVERY_SECOND))
    assert [jobs.run("true") for _ in range(3)] == [None] * 3
    assert [thread.name for thread in threading.enumerate()].count("monitor") == 1


def test_a_job_of_half_a_second_has_figures_though_the_interval_is_long(watched: Callable[[Monitor], Jobs]) -> None:
    usage = watched(Monitor(MonitorSettings(sample_interval_seconds=3600))).run("sleep 0.5")
    assert usage is not None
    assert usage.peak_memory_bytes >= usage.avg_memory_bytes > 100_000


def test_an_unknown_job_has_no_figures() -> None:
    assert Monitor(EVERY_SECOND).end((1, 1)) is None


def test_a_busy_tree_is_measured_as_a_whole(watched: Callable[[Monitor], Jobs]) -> None:
    busy = f"{sys.executable} -c 'import time; end = time.time() + 2.5\nwhile time.time() < end: pass'"
    usage = watched(Monitor(EVERY_SECOND)).run(f"{busy} & sleep 2.6; true")
    assert usage is not None
    assert 0.3 < usage.cpu_s < 2.8
    assert 30 < usage.peak_cpu_percent <= 100.5  # how much, depends on what else this machine does


def test_a_job_with_more_memory_than_its_limit_is_told_of_once(
    watched: Callable[[Monitor], Jobs], eventually: Eventually
) -> None:
    told: SimpleQueue[tuple[tuple[int, int], int]] = SimpleQueue()
    # The workflow looks once an hour; limits are compared each second all the same.
    settings = MonitorSettings(sample_interval_seconds=3600)
    jobs = watched(Monitor(settings, on_memory=lambda key, memory_bytes: told.put((key, memory_bytes))))
    jobs.start("sleep 60", memory_limit_bytes=50 * MIB)
    jobs.start(f"sleep 1.5; {HOLDS_MEMORY}")
    over = jobs.start(f"sleep 1.5; {HOLDS_MEMORY}; true", memory_limit_bytes=50 * MIB)
    key, memory_bytes = told.get(timeout=20)
    assert (key, memory_bytes > 50 * MIB) == ((over, 1), True)
    seen_at = time.monotonic()
    eventually(lambda: time.monotonic() - seen_at > 1.5)  # at least one look more
    assert told.empty()


def test_a_time_series_has_a_row_for_every_sample(
    watched: Callable[[Monitor], Jobs], tmp_path: Path, eventually: Eventually
) -> None:
    path = file_path(tmp_path, workflow_id=1, run_id=1)
    settings = MonitorSettings(granularity="time_series", sample_interval_seconds=1)
    jobs = watched(Monitor(settings, file=SampleFile(path)))
    began = time.time()
    first, second = jobs.start("sleep 60"), jobs.start("sleep 60 & sleep 60; true")
    eventually(lambda: time.time() - began > 3)
    jobs.close()
    db = sqlite3.connect(path)
    rows = db.execute("SELECT job_id, timestamp, num_processes FROM job_resource_samples").fetchall()
    names = db.execute("SELECT job_id, job_name FROM job_metadata").fetchall()
    db.close()
    assert names == [(first, "job 1"), (second, "job 2")]
    for job_id, processes in ((first, 1), (second, 3)):
        moments = [moment for found, moment, _ in rows if found == job_id]
        assert 3 <= len(moments) <= 10
        assert began < min(moments) < began + 0.9 < began + 2 < max(moments) <= time.time()
        assert median(count for found, _, count in rows if found == job_id) == processes  # but while it starts or ends


def test_closing_does_not_wait_for_the_next_sample(watched: Callable[[Monitor], Jobs], eventually: Eventually) -> None:
    jobs = watched(Monitor(MonitorSettings(sample_interval_seconds=1e12)))
    job_id = jobs.start("sleep 60")
    eventually(lambda: jobs.usage(job_id))
    begun = time.monotonic()
    jobs.monitor.close()
    assert time.monotonic() - begun < 0.9
    assert "monitor" not in [thread.name for thread in threading.enumerate()]


def test_a_signal_reaches_the_main_thread_while_jobs_are_watched(watched: Callable[[Monitor], Jobs]) -> None:
    jobs = watched(Monitor(EVERY_SECOND))
    jobs.start("sleep 60")
    monitor = next(thread for thread in threading.enumerate() if thread.name == "monitor")
    blocked = Path(f"/proc/self/task/{monitor.native_id}/status").read_text().partition("SigBlk:")[2].split()[0]
    assert int(blocked, 16) >> (signal.SIGCHLD - 1) & 1
