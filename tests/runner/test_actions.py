"""The commands of actions: one after another, what they find, how they end, and what the server is told of it."""

import os
import signal
from pathlib import Path

import pytest

from torc.models.action import WorkflowAction
from torc.models.sync import PROTOCOL, SyncRequest, SyncWorkflow
from torc.runner import processes
from torc.runner.actions import TAIL_CHARS, ActionRunner

RUN = SyncWorkflow(run_id=3, is_complete=False, is_canceled=False)


def action(*commands, action_id=5, trigger="on_workflow_start"):
    return WorkflowAction(
        id=action_id, trigger_type=trigger, action_type="run_commands", action_config={"commands": list(commands)}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where commands run; a name that a shell would take apart."""
    return tmp_path / "out put; 'x'"


@pytest.fixture
def runner(folder: Path):
    made = ActionRunner(
        folder, 2, {"TORC_WORKFLOW_ID": "2", "TORC_API_URL": "http://here"}, node_id=7, node_mark="db-7-"
    )
    yield made
    made.bury()


@pytest.fixture
def finish(runner, eventually):
    """Reap until nothing runs; the reports by action."""

    def finish():
        def idle():
            runner.reap()
            return not runner.is_busy()

        eventually(idle)
        return {told.action_id: told for told in runner.sections()["actions"]}

    return finish


def acknowledge(runner):
    request = SyncRequest(protocol=PROTOCOL, seq=1, database_id="", generation=0, holding=[], **runner.sections())
    runner.acknowledge(request)


def marked():
    """The processes of action 5, wherever they have gone."""
    return [pid for pid in processes.look() if "db-7-action5" in (processes.marks_of(pid) or ())]


def log_of(folder: Path) -> str:
    return (folder / "action_stdio" / "action_2_5_3_7.log").read_text()


def test_commands_run_one_after_another_in_the_output_folder(runner, finish, folder):
    runner.receive([action("sleep 0.1; echo 1 >> seen; pwd", "echo 2 >> seen; echo wrong >&2")], RUN)
    assert runner.is_busy()
    assert finish()[5].state == "done"
    assert (folder / "seen").read_text() == "1\n2\n"
    assert log_of(folder) == f"{folder}\nwrong\n"


def test_a_command_finds_who_it_works_for(runner, finish, folder):
    names = "WORKFLOW_ID API_URL RUN_ID ACTION_ID TRIGGER MARK WORKFLOW_CANCELED".split()
    runner.receive([action("; ".join(f"echo ${{TORC_{name}-none}}" for name in names))], RUN)
    finish()
    marks = " ".join(filter(None, [os.environ.get("TORC_MARK"), "db-7-action5"]))
    assert log_of(folder).splitlines() == ["2", "http://here", "3", "5", "on_workflow_start", marks, "none"]


def test_a_command_finds_that_the_workflow_was_canceled(runner, finish, folder):
    canceled = SyncWorkflow(run_id=3, is_complete=True, is_canceled=True)
    runner.receive([action("echo $TORC_WORKFLOW_CANCELED", trigger="on_workflow_complete")], canceled)
    finish()
    assert log_of(folder) == "1\n"


def test_a_command_reads_nothing_and_dies_of_a_closed_pipe(runner, finish, folder):
    runner.receive([action("cat; yes | head -1")], RUN)
    assert finish()[5].state == "done"
    assert log_of(folder) == "y\n"


def test_the_first_command_that_fails_ends_the_action_and_its_last_words_are_told(runner, finish, folder):
    runner.receive([action("true", "yes line | head -100000; echo last words; exit 3", "touch never")], RUN)
    told = finish()[5]
    assert told.state == "failed"
    assert told.output_tail.startswith("command 2 of 3 (yes line | head -100000; echo last words; exit 3) ended with")
    assert "exit code 3; its output is in " in told.output_tail
    assert told.output_tail.endswith("last words")
    assert TAIL_CHARS < len(told.output_tail) < TAIL_CHARS + 400
    assert not (folder / "never").exists()


def test_a_command_that_a_signal_ends_has_failed(runner, finish):
    runner.receive([action("kill -TERM $$")], RUN)
    assert "was killed by SIGTERM" in finish()[5].output_tail


@pytest.mark.parametrize(("command", "reason"), [("x" * 3_000_000, "too long"), ("echo \0", "null")])
def test_a_command_the_system_does_not_take_is_a_sentence(runner, finish, command, reason):
    runner.receive([action(command)], RUN)
    told = finish()[5]
    assert (told.state, reason in told.output_tail) == ("failed", True)
    assert len(told.output_tail) < 400


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, finish, folder, runner):
    folder.write_text("a file stands where the folder should be")
    runner.receive([action("true")], RUN)
    told = finish()[5]
    assert (told.state, "choose another folder with --output-dir" in told.output_tail) == ("failed", True)
    assert str(folder) in told.output_tail


def test_a_runner_says_what_it_holds_until_that_is_acknowledged(runner, finish):
    assert runner.sections() == {"actions": [], "holding_actions": [], "runs_actions": ["run_commands"]}
    runner.receive([action("sleep 0.1")], RUN)
    sections = runner.sections()
    assert [told.state for told in sections["actions"]] == ["running"]
    assert (sections["holding_actions"], sections["runs_actions"]) == ([5], [])
    assert runner.report_due_at(60) > 0
    acknowledge(runner)
    assert (runner.sections()["actions"], runner.report_due_at(60)) == ([], None)
    runner.receive([action("touch twice")], RUN)  # given again: its answer had got lost on the way here
    finish()
    assert runner.report_due_at(60) == 0
    assert runner.sections()["holding_actions"] == [5]
    acknowledge(runner)
    assert runner.is_empty()


def test_an_end_that_came_while_the_beginning_was_on_its_way_is_told_too(runner, finish):
    runner.receive([action("true")], RUN)
    request = SyncRequest(protocol=PROTOCOL, seq=1, database_id="", generation=0, holding=[], **runner.sections())
    finish()
    runner.acknowledge(request)
    assert [told.state for told in runner.sections()["actions"]] == ["done"]


def test_a_runner_that_leaves_begins_only_what_belongs_to_its_end(runner, finish):
    runner.leave()
    runner.receive([action("true")], RUN)
    assert runner.is_empty()
    runner.receive([action("true", trigger="on_worker_complete")], RUN)
    assert finish()[5].state == "done"


def test_a_second_signal_kills_the_command_with_all_it_has_started(runner, finish, eventually, folder):
    command = "setsid sleep 1000 & sleep 1000 & (sleep 1000; true) & touch ready; wait"
    runner.receive([action(command, "touch never")], RUN)
    eventually((folder / "ready").exists)
    eventually(marked, lambda found: len(found) >= 4)
    runner.kill_all()
    told = finish()[5]
    assert (told.state, "told to end at once" in told.output_tail) == ("failed", True)
    eventually(marked, lambda left: not left)
    assert not (folder / "never").exists()
    assert runner.sections()["runs_actions"] == []
    runner.receive([action("touch never", action_id=6, trigger="on_worker_complete")], RUN)
    assert not runner.is_busy()


def test_what_waits_behind_a_failed_action_is_carried_out(runner, finish):
    runner.receive([action("exit 1"), action("true", action_id=6)], RUN)
    assert {told.action_id: told.state for told in finish().values()} == {5: "failed", 6: "done"}


def test_nothing_survives_a_burial(runner, eventually, folder):
    runner.receive([action("touch ready; exec sleep 1000")], RUN)
    eventually((folder / "ready").exists)
    (pid,) = marked()
    runner.bury()
    assert not runner.is_busy()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
