"""Actions of whole runs: a server, runners, jobs (rule 16)."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc.runner import processes

Start = Callable[..., Any]


def states(builder: Any, workflow: int) -> dict[str, str]:
    """How far each action is, by its trigger; of a persistent one how far its workers are."""
    found = {}
    for action in builder.torc.workflows.actions(workflow):
        found[action.trigger_type] = " ".join(run.state for run in action.runs) if action.runs else action.state
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the actions of a test write to."""
    return tmp_path / "output" / "log"


ALL = """
    jobs:
      - {name: first, command: echo first >> output/log}
      - {name: second, command: echo second >> output/log, depends_on: [first]}
    actions:
      - {trigger_type: on_workflow_start, action_type: run_commands, commands: [sleep 0.2; echo start >> log]}
      - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [echo complete >> log]}
      - {trigger_type: on_worker_start, action_type: run_commands, commands: [echo worker >> log]}
      - {trigger_type: on_worker_complete, action_type: run_commands, commands: [echo farewell >> log]}
      - {trigger_type: on_jobs_ready, action_type: run_commands, jobs: [second], commands: [echo ready >> log]}
      - {trigger_type: on_jobs_complete, action_type: run_commands, jobs: [second], commands: [echo after >> log]}
"""


def test_every_trigger_fires_and_its_commands_run_where_they_belong(
    builder: Any, start_runner: Start, log: Path
) -> None:
    workflow = builder.from_spec(ALL)
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    said = log.read_text().split()
    assert said[:3] == ["start", "worker", "first"]
    assert sorted(said[3:5]) == ["ready", "second"]
    assert said[5:] == ["after", "complete", "farewell"]
    assert set(states(builder, workflow).values()) == {"done"}


def test_every_worker_prepares_itself_and_the_workflow_is_prepared_once(
    builder: Any, start_runner: Start, log: Path
) -> None:
    workflow = builder.from_spec(ALL)
    runners = [start_runner(builder.url, workflow) for _ in range(3)]
    for runner in runners:
        assert runner.end() == "outcome complete None"
    said = log.read_text().split()
    assert said[0] == "start"
    assert [said.count(word) for word in ("start", "worker", "first", "second", "complete", "farewell")] == [
        *(1, 3, 1, 1, 1, 3)
    ]


def test_jobs_go_on_while_an_action_runs(builder: Any, start_runner: Start, tmp_path: Path, eventually: Start) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: "{i}", command: "true", parameters: {i: "1:5"}}]
        actions:
          - trigger_type: on_jobs_ready
            action_type: run_commands
            jobs: ["1"]
            commands: ["while [ ! -e ../go ]; do sleep 0.02; done"]
        """
    )
    runner = start_runner(builder.url, workflow)
    eventually(lambda: set(builder.statuses(workflow).values()) == {"completed"})
    assert states(builder, workflow) == {"on_jobs_ready": "running"}
    assert runner.process.poll() is None
    (tmp_path / "go").touch()
    assert runner.end() == "outcome complete None"
    assert states(builder, workflow) == {"on_jobs_ready": "done"}


def test_an_action_that_fails_tells_why_and_hinders_nothing(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: a, command: "true"}]
        actions:
          - trigger_type: on_workflow_start
            action_type: run_commands
            commands: ["echo trouble >&2; exit 9", touch never]
        """
    )
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert builder.statuses(workflow) == {"a": "completed"}
    (action,) = builder.torc.workflows.actions(workflow)
    assert action.state == "failed"
    assert "command 1 of 2" in action.output_tail
    assert "exit code 9" in action.output_tail
    assert action.output_tail.endswith("trouble")


WAITING = """
    jobs: [{name: a, command: "sleep 600; true"}]
    actions:
      - {trigger_type: on_jobs_ready, action_type: run_commands, jobs: [a], commands: [touch up; sleep 600; true]}
      - {trigger_type: on_worker_complete, action_type: run_commands, commands: [touch farewell]}
"""


def test_a_second_signal_kills_an_action(builder: Any, start_runner: Start, log: Path, eventually: Start) -> None:
    workflow = builder.from_spec(WAITING)
    runner = start_runner(builder.url, workflow)
    eventually((log.parent / "up").exists)
    runner.signal(signal.SIGTERM)
    eventually(lambda: builder.statuses(workflow) == {"a": "terminated"})
    assert runner.process.poll() is None, "an action may end what it has begun"
    runner.signal(signal.SIGTERM)
    assert runner.end() == "outcome interrupted interrupted by SIGTERM"
    ready, _ = builder.torc.workflows.actions(workflow)
    assert (ready.state, "told to end at once" in ready.output_tail) == ("failed", True)
    assert not (log.parent / "farewell").exists()


def test_an_interrupted_runner_carries_out_what_belongs_to_its_end(
    builder: Any, start_runner: Start, log: Path, eventually: Start
) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: a, command: "touch output/up; sleep 600; true"}]
        actions:
          - {trigger_type: on_worker_complete, action_type: run_commands, commands: [touch farewell]}
          - {trigger_type: on_workflow_complete, action_type: run_commands, commands: [touch complete]}
        """
    )
    runner = start_runner(builder.url, workflow)
    eventually((log.parent / "up").exists)
    runner.signal(signal.SIGINT)
    assert runner.end() == "outcome interrupted interrupted by SIGINT"
    assert (log.parent / "farewell").exists()
    assert states(builder, workflow) == {"on_worker_complete": "done", "on_workflow_complete": "pending"}
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert (log.parent / "complete").exists()


def test_an_action_of_a_killed_runner_has_failed_and_is_run_again_only_when_told(
    builder: Any, start_runner: Start, log: Path, eventually: Start
) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: a, command: "true"}]
        actions:
          - trigger_type: on_workflow_complete
            action_type: run_commands
            commands: ["echo $BASHPID > ../pid; echo begun >> log; while [ ! -e ../go ]; do sleep 0.02; done"]
        """
    )
    runner = start_runner(builder.url, workflow)
    eventually(lambda: states(builder, workflow) == {"on_workflow_complete": "running"})
    runner.process.kill()
    runner.process.wait()
    left = int((log.parent.parent / "pid").read_text())
    assert processes.look_at(left) is not None
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    found = processes.look_at(left)
    assert found is None or found.is_dead
    (action,) = builder.torc.workflows.actions(workflow)
    assert (action.state, "lost" in action.output_tail) == ("failed", True)
    assert log.read_text() == "begun\n"
    (log.parent.parent / "go").touch()
    builder.torc.rerun_action(action.id)
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert states(builder, workflow) == {"on_workflow_complete": "done"}
    assert log.read_text() == "begun\nbegun\n"


def test_a_cancel_is_told_to_the_actions_of_the_end(
    builder: Any, start_runner: Start, log: Path, eventually: Start
) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: a, command: "touch output/up; sleep 600; true"}]
        actions:
          - trigger_type: on_workflow_complete
            action_type: run_commands
            commands: [echo canceled $TORC_WORKFLOW_CANCELED >> log]
          - trigger_type: on_jobs_complete
            action_type: run_commands
            jobs: [a]
            commands: [touch never]
        """
    )
    runner = start_runner(builder.url, workflow)
    eventually((log.parent / "up").exists)
    builder.torc.workflows.cancel(workflow)
    assert runner.end().startswith("outcome canceled")
    assert log.read_text() == "canceled 1\n"
    assert states(builder, workflow) == {"on_workflow_complete": "done", "on_jobs_complete": "waiting"}
