"""What is said about a whole specification: errors, warnings, and a summary even of a bad one."""

import pytest

from torc.spec import check

FULL = """name: flow
description: what for
parameters: {i: "1:3"}
files:
  - {name: "in_{i}", path: "{i}", use_parameters: [i]}
  - {name: out, path: out}
user_data: [{name: u}]
resource_requirements: [{name: r}]
slurm_schedulers: [{name: s, account: a}]
jobs:
  - {name: "a_{i}", command: x, use_parameters: [i], input_files: ["in_{i}"], resource_requirements: r, scheduler: s}
  - {name: b, command: "${files.output.out} ${user_data.input.u}", resource_requirements: {memory: 2m}}
actions:
  - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}
"""


def checked(text, **options):
    return check(text, source="flow.yaml", user="ada", **options)


def test_a_summary_counts_what_would_be_created():
    found = checked(FULL)
    assert (found.errors, found.warnings) == ([], [])
    summary = found.summary
    assert (summary.name, summary.description) == ("flow", "what for")
    assert (summary.jobs_written, summary.jobs) == (2, ["a_1", "a_2", "a_3", "b"])
    assert (summary.files_written, summary.files) == (2, 4)
    assert (summary.user_data, summary.actions, summary.schedulers) == (1, 1, ["s"])
    assert summary.resource_requirements == 2  # one is written inside a job
    assert summary.schedules_nodes


@pytest.mark.parametrize(
    "action",
    [
        "{trigger_type: on_worker_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}",
        "{trigger_type: on_workflow_start, action_type: run_commands, commands: [x]}",
    ],
)
def test_nodes_count_as_scheduled_only_at_the_start(action):
    found = checked(FULL.partition("actions:")[0] + f"actions: [{action}]\n")
    assert found.errors == []
    assert found.summary.schedules_nodes is False


def test_a_summary_shows_how_far_a_bad_specification_was_understood():
    found = checked(FULL.replace("input_files: [", "depends_on: [nobody], input_files: ["))
    assert found.document is None
    assert found.summary.jobs == ["a_1", "a_2", "a_3", "b"]
    assert 'no job is named "nobody"' in found.errors[0]


def test_of_a_text_that_cannot_be_read_nothing_is_known():
    found = checked("name: [\n")
    assert found.document is None
    assert found.summary.name == ""
    assert found.summary.jobs == []
    assert len(found.errors) == 1


def test_warnings_are_told_beside_errors():
    found = checked("name: f\njobs: [{name: a, command: ''}]\nresource_requirements: [{name: r, memory: '5'}]")
    assert [line.split(": ")[1] for line in found.errors] == ["jobs[0].command"]
    assert [line.split(": ")[1] for line in found.warnings] == ["resource_requirements[0].memory"]


UNKNOWN = """name: flow
colour: red
jobs:
  - {name: a, command: x, priority: 5}
  - {name: b, command: x, resource_requirements: {cpus: 4}}
"""


def test_unknown_keys_are_refused():
    found = checked(UNKNOWN)
    assert found.document is None
    assert [line.split(": ")[1] for line in found.errors] == [
        "colour",
        "jobs[0].priority",
        "jobs[1].resource_requirements.cpus",
    ]


def test_unknown_keys_are_left_out_with_a_warning_when_checks_are_skipped():
    found = checked(UNKNOWN, skip_checks=True)
    assert found.errors == []
    assert [line.split(": ")[1] for line in found.warnings] == [
        "colour",
        "jobs[0].priority",
        "jobs[1].resource_requirements.cpus",
    ]
    assert found.document is not None
    assert [job.name for job in found.document.jobs] == ["a", "b"]


def test_other_mistakes_remain_when_checks_are_skipped():
    found = checked(UNKNOWN + "  - {name: c}\n", skip_checks=True)
    assert found.document is None
    assert found.errors == ['flow.yaml:6:5: jobs[2]: the key "command" is missing; add it']
    assert len(found.warnings) == 3
