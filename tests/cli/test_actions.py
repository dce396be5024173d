"""``torc workflows list-actions`` and ``torc actions``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SPEC = """
name: acting
jobs:
  - {name: "{i}", command: "true", parameters: {i: "1:7"}}
actions:
  - {trigger_type: on_workflow_start, action_type: run_commands, commands: [echo trouble >&2; exit 9]}
  - {trigger_type: on_worker_start, action_type: run_commands, commands: ["true"]}
  - {trigger_type: on_jobs_complete, action_type: run_commands, job_name_regexes: ["."], commands: ["true"]}
  - {trigger_type: on_workflow_complete, action_type: run_commands, commands: ["true"]}
"""


@pytest.fixture
def made(torc: Callable[..., Any], tmp_path: Path) -> int:
    """A workflow of SPEC."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    return int(torc("workflows", "create", "spec.yaml", "-f", "json").json["id"])


def test_actions_are_listed_with_how_far_they_are_and_why_they_failed(torc, made):
    before = torc("workflows", "list-actions", made, "-f", "json").json["actions"]
    assert [action["state"] for action in before] == ["waiting"] * 4
    assert torc("run", made).code == 0
    found = torc("workflows", "list-actions", made, "-f", "json").json["actions"]
    assert [action["state"] for action in found] == ["failed", "pending", "done", "done"]
    assert [run["state"] for run in found[1]["runs"]] == ["done"]
    said = torc("workflows", "list-actions", made)
    assert said.code == 0
    text = said.out
    assert "command 1 of 1 (echo trouble >&2; exit 9) ended with exit code 9" in text
    assert "\n  trouble\n" in text
    for word in ("on_workflow_start", "Failed", "Each worker (1 executed)", "7/7", "... (+4 more)", "(all jobs)"):
        assert word in text


def test_a_workflow_without_actions_is_a_sentence(torc, workflow):
    assert torc("workflows", "list-actions", workflow).out == f"No workflow actions found for workflow {workflow}\n"
    assert torc("workflows", "list-actions", workflow, "-f", "json").json == {"actions": []}


def test_an_action_is_carried_out_again_by_the_next_run(torc, made):
    torc("run", made)
    action, *_, last = [one["id"] for one in torc("workflows", "list-actions", made, "-f", "json").json["actions"]]
    said = torc("actions", "rerun", last)
    assert (said.code, said.out) == (0, f"Action {last} of workflow {made} is pending again.\n")
    assert said.err.endswith(f"torc run {made}\n")
    refused = torc("actions", "rerun", last)
    assert (refused.code, refused.out) == (1, "")
    assert "is pending already" in refused.err
    assert torc("actions", "rerun", action, "-f", "json").json["state"] == "pending"
    assert torc("run", made).code == 0
    states = [one["state"] for one in torc("workflows", "list-actions", made, "-f", "json").json["actions"]]
    assert states == ["failed", "pending", "done", "done"]


def test_an_unknown_action_is_a_sentence(torc):
    said = torc("actions", "rerun", 10**9)
    assert (said.code, said.err) == (1, f"Error: Action not found with ID: {10**9}\n")
