"""Signals, kill -9 and lost servers: nothing is lost, nothing is doubled, nothing is left running."""

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]

LONG = "echo $$ > pid; sleep 600; true"
CAREFUL = "trap 'echo saved > checkpoint; exit 0' TERM; echo > up; sleep 600 & wait"
STUBBORN = "trap '' TERM; echo > up; while true; do sleep 0.1; done"


def is_alive(pid_file: Path) -> bool:
    """Whether the process whose number a job wrote still runs."""
    try:
        state = Path(f"/proc/{pid_file.read_text().strip()}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def private(start_server: Start) -> Start:
    """``private(port)``: a server of this test alone, to be killed and started again on the same port."""
    return lambda port=0: start_server("--port", str(port))


def test_an_interrupt_ends_jobs_and_reports_them(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "long", LONG)
    builder.job(workflow, "careful", CAREFUL, supports_termination=True)
    builder.job(workflow, "later", "true")
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "up").exists())
    runner.signal(signal.SIGINT)
    assert runner.end() == "outcome interrupted interrupted by SIGINT"
    assert not is_alive(tmp_path / "pid")
    assert (tmp_path / "checkpoint").read_text() == "saved\n"
    assert builder.statuses(workflow) == {"long": "terminated", "careful": "terminated", "later": "ready"}
    causes = {(result.cause, result.return_code) for result in builder.torc.results.list(workflow)}
    assert causes == {("user", -9), ("user", 0)}
    (node,) = builder.torc.compute_nodes.list(workflow)
    assert node.is_active is False


def test_a_second_signal_hurries(builder: Any, start_runner: Start, tmp_path: Path, eventually: Start) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "stubborn", STUBBORN, supports_termination=True)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "up").exists)
    runner.signal(signal.SIGTERM)
    eventually(runner.has_said("note stopping 1 running"))
    runner.signal(signal.SIGTERM)
    assert runner.end(timeout_s=10) == "outcome interrupted interrupted by SIGTERM"
    assert [result[2:] for result in builder.results(workflow)] == [("terminated", -9)]


def test_a_successor_ends_what_a_killed_runner_left_and_runs_it_again(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow()
    job = builder.job(workflow, "job", f"test -e again && exit 0; {LONG}")
    first = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "pid").exists)
    eventually(lambda: builder.statuses(workflow), lambda found: found == {"job": "running"})
    first.signal(signal.SIGKILL)
    first.process.wait(timeout=10)
    assert is_alive(tmp_path / "pid")
    (tmp_path / "again").touch()
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert not is_alive(tmp_path / "pid")
    assert builder.results(workflow) == [(job.id, 2, "completed", 0)]
    assert [node.is_active for node in builder.torc.compute_nodes.list(workflow)] == [False, False]
    assert list((tmp_path / "output" / ".torc").iterdir()) == []


def test_the_spool_of_another_databases_node_with_the_same_number_is_left_alone(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path
) -> None:
    builder = builder_on(private().url)
    workflow = builder.workflow()
    builder.job(workflow, "job", "true")
    other = tmp_path / "output" / ".torc" / "1.spool"
    other.parent.mkdir(parents=True)
    other.write_text("not ours")
    assert start_runner(builder.url, builder.initialize(workflow)).end() == "outcome complete None"
    assert [node.id for node in builder.torc.compute_nodes.list(workflow)] == [1]
    assert [(path.name, path.read_text()) for path in other.parent.iterdir()] == [("1.spool", "not ours")]


def test_an_output_folder_that_cannot_be_written_is_one_sentence(
    builder: Any, start_runner: Start, tmp_path: Path
) -> None:
    workflow = builder.workflow()
    (tmp_path / "output").write_text("a file")
    last = start_runner(builder.url, workflow).end()
    assert last.startswith("error UsageError cannot write to output (")
    assert last.endswith("choose another folder with --output-dir")


@pytest.mark.slow
def test_a_living_runner_is_not_taken_over(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow(compute_node_wait_for_new_jobs_seconds=1)
    job = builder.job(workflow, "job", "echo > up; while test ! -e go; do sleep 0.05; done")
    first = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "up").exists)
    assert start_runner(builder.url, workflow).end().startswith("outcome idle")
    (tmp_path / "go").touch()
    assert first.end() == "outcome complete None"
    assert builder.results(workflow) == [(job.id, 1, "completed", 0)]


@pytest.mark.slow
def test_a_result_that_a_killed_runner_could_not_deliver_counts(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow()
    job = builder.job(workflow, "job", "echo >> ran; while test ! -e go; do sleep 0.05; done")
    first = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "ran").exists)
    eventually(lambda: builder.statuses(workflow), lambda found: found == {"job": "running"})
    server.kill()
    (tmp_path / "go").touch()
    eventually(first.has_said("finished job completed"))
    first.signal(signal.SIGKILL)
    first.process.wait(timeout=10)
    private(server.port)
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert builder.results(workflow) == [(job.id, 1, "completed", 0)]
    assert (tmp_path / "ran").read_text() == "\n"


@pytest.mark.slow
def test_a_run_outlives_its_server(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow()
    first = [
        builder.job(workflow, f"job{number}", "echo >> ran; while test ! -e go; do sleep 0.05; done")
        for number in range(2)
    ]
    builder.job(workflow, "after", "echo >> ran", *first)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually(lambda: (tmp_path / "ran").exists() and len((tmp_path / "ran").read_text()) == 2)
    server.kill()
    (tmp_path / "go").touch()
    eventually(runner.has_said("note trying again"))
    eventually(runner.has_said("finished job1 completed"))
    private(server.port)
    assert runner.end() == "outcome complete None"
    assert "note the server answers again" in runner.lines()
    assert (tmp_path / "ran").read_text() == "\n\n\n"
    assert [result[1:] for result in builder.results(workflow)] == [(1, "completed", 0)] * 3


@pytest.mark.slow
def test_a_server_that_stays_away_ends_the_run_but_not_the_results(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow(compute_node_wait_for_healthy_database_minutes=0)
    builder.job(workflow, "long", LONG)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "pid").exists)
    eventually(lambda: builder.statuses(workflow), lambda found: found == {"long": "running"})
    server.kill()
    last = runner.end()
    assert last.startswith("outcome server_away no answer from the server")
    (spool,) = (tmp_path / "output" / ".torc").iterdir()
    assert str(spool) in last
    assert not is_alive(tmp_path / "pid")
    private(server.port)
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert [result[1:] for result in builder.results(workflow)] == [(1, "terminated", -9)]


@pytest.mark.slow
def test_an_interrupt_without_a_server_keeps_the_results(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow()
    builder.job(workflow, "long", LONG)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "pid").exists)
    eventually(lambda: builder.statuses(workflow), lambda found: found == {"long": "running"})
    server.kill()
    eventually(runner.has_said("note trying again"))
    runner.signal(signal.SIGTERM)
    eventually(runner.has_said("finished long terminated"))
    runner.signal(signal.SIGTERM)
    assert runner.end(timeout_s=10) == "outcome interrupted interrupted by SIGTERM"
    assert runner.has_said("note the server does not answer; what it does not know is kept in")()
    assert not is_alive(tmp_path / "pid")
    private(server.port)
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert [result[1:] for result in builder.results(workflow)] == [(1, "terminated", -9)]


def test_a_restored_database_ends_the_runner_and_its_jobs(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow()
    builder.job(workflow, "long", LONG)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "pid").exists)
    server.kill()
    with sqlite3.connect(server.database) as database:
        database.execute("UPDATE meta SET generation = generation + 1")
    database.close()
    private(server.port)
    last = runner.end()
    assert last.startswith("error Conflict")
    assert "start the runner again" in last
    assert not is_alive(tmp_path / "pid")


@pytest.mark.slow
def test_a_stopped_server_delays_a_run_and_nothing_else(
    private: Start, builder_on: Start, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    server = private()
    builder = builder_on(server.url)
    workflow = builder.workflow()
    for number in range(20):
        builder.job(workflow, f"job{number}", "echo >> ran; sleep 0.02")
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "ran").exists)
    # The client gives up after 5 s; what was on its way is then applied, and sent again.
    os.kill(server.worker_pid(), signal.SIGSTOP)
    try:
        eventually(runner.has_said("note trying again"))
    finally:
        os.kill(server.worker_pid(), signal.SIGCONT)
    assert runner.end() == "outcome complete None"
    assert len((tmp_path / "ran").read_text()) == 20
    assert [result[1:] for result in builder.results(workflow)] == [(1, "completed", 0)] * 20
