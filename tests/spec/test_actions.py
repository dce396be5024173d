"""What becomes of ``actions``. What is wrong with them: test_mistakes.py."""

import pytest

from torc.models.draft import DraftAction

WORLD = """
slurm_schedulers: [{name: cpu, account: a}, {name: gpu, account: a}]
jobs:
  - {name: prepare, command: x}
  - {name: "train_{i}", command: x, parameters: {i: "1:3"}}
actions:
"""


def actions(load, text):
    """The actions in a list."""
    return load(WORLD + text).actions


def test_commands_are_kept_in_their_order(load):
    (action,) = actions(load, "- {trigger_type: on_workflow_complete, action_type: run_commands, commands: [b, a]}")
    assert action == DraftAction(
        trigger_type="on_workflow_complete", action_type="run_commands", action_config={"commands": ["b", "a"]}
    )


def test_nodes_are_scheduled_with_the_defaults_of_the_contract(load):
    (action,) = actions(
        load,
        "- {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: gpu, scheduler_type: slurm}",
    )
    assert action.scheduler == 1
    assert action.action_config == {
        "scheduler_type": "slurm",
        "num_allocations": 1,
        "start_one_worker_per_node": False,
    }


def test_what_is_said_about_allocations_is_kept(load):
    (action,) = actions(
        load,
        "- {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: cpu, scheduler_type: slurm,"
        " num_allocations: 3, start_one_worker_per_node: true, max_parallel_jobs: 8}",
    )
    assert action.action_config == {
        "scheduler_type": "slurm",
        "num_allocations": 3,
        "start_one_worker_per_node": True,
        "max_parallel_jobs": 8,
    }


@pytest.mark.parametrize(
    ("selectors", "jobs"),
    [
        ("jobs: [train_2, prepare]", [0, 2]),
        ("jobs: [train_1, train_1]", [1]),
        ("job_name_regexes: ['^train_']", [1, 2, 3]),
        ("job_name_regexes: [p, '_3$']", [0, 3]),
        ("jobs: [train_2], job_name_regexes: ['_[12]$']", [1, 2]),
    ],
)
@pytest.mark.parametrize("trigger", ["on_jobs_ready", "on_jobs_complete"])
def test_jobs_are_watched_by_name_and_by_regex(load, trigger, selectors, jobs):
    (action,) = actions(load, f"- {{trigger_type: {trigger}, action_type: run_commands, commands: [x], {selectors}}}")
    assert action.jobs == jobs


@pytest.mark.parametrize(("said", "kept"), [("", None), (", persistent: true", True), (", persistent: false", False)])
def test_whether_each_worker_runs_it_is_left_to_the_server_unless_said(load, said, kept):
    (action,) = actions(load, f"- {{trigger_type: on_worker_start, action_type: run_commands, commands: [x]{said}}}")
    assert action.persistent is kept
