"""``torc workflows create``: the check without a server, what is read from where, and what --skip-checks lets pass."""

import pytest

pytestmark = pytest.mark.slow

PLANNED = """
name: two_stages
description: ten jobs on nodes of their own, then one
parameters: {i: "1:10"}
files:
  - {name: "part_{i}", path: "part_{i}.csv", use_parameters: [i]}
  - {name: total, path: total.csv}
user_data: [{name: settings, data: {depth: 3}}]
resource_requirements: [{name: small, num_cpus: 2, memory: 2g, runtime: PT30M}]
slurm_schedulers: [{name: short, account: project, nodes: 1, walltime: 01:00:00}]
jobs:
  - name: "work_{i}"
    command: "make ${files.output.part_{i}} ${user_data.input.settings}"
    resource_requirements: small
    scheduler: short
    use_parameters: [i]
  - {name: sum, command: "cat part_* > ${files.output.total}", input_file_regexes: ["^part_"]}
actions:
  - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: short, scheduler_type: slurm}
"""

WRONG = """
name: wrong
jobs:
  - {name: a, command: "true", depend_on: [b]}
  - {name: b, command: 5}
"""

CARELESS = """
name: careless
jobs: [{name: a, command: "true", priority: 5}]
files: [{name: forgotten, path: f}]
"""


@pytest.fixture
def planned(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(PLANNED)
    return path


def test_a_dry_run_reports_what_would_be_created_without_any_server(offline, golden, planned):
    said = offline("workflows", "create", "--dry-run", planned.name)
    assert (said.code, said.err) == (0, "")
    golden("create_dry_run", said.out)


def test_a_dry_run_tells_scripts_the_same(offline, planned):
    said = offline("-f", "json", "workflows", "create", "--dry-run", planned.name)
    assert said.code == 0
    assert said.json == {
        "valid": True,
        "errors": [],
        "warnings": [],
        "summary": {
            "workflow_name": "two_stages",
            "workflow_description": "ten jobs on nodes of their own, then one",
            "job_count": 11,
            "job_count_before_expansion": 2,
            "file_count": 11,
            "file_count_before_expansion": 2,
            "user_data_count": 1,
            "resource_requirements_count": 1,
            "slurm_scheduler_count": 1,
            "action_count": 1,
            "has_schedule_nodes_action": True,
            "job_names": [*(f"work_{i}" for i in range(1, 11)), "sum"],
            "scheduler_names": ["short"],
        },
    }


def test_a_dry_run_of_a_wrong_file_lists_every_mistake_and_ends_with_1(offline, golden):
    said = offline("workflows", "create", "--dry-run", "-", stdin=WRONG)
    assert (said.code, said.err) == (1, "Validation: FAILED\n")
    golden("create_dry_run_wrong", said.out)
    told = offline("-f", "json", "workflows", "create", "--dry-run", "-", stdin=WRONG)
    assert told.code == 1
    assert not told.json["valid"]
    assert [line.split(": ")[1] for line in told.json["errors"]] == ["jobs[0].depend_on", "jobs[1].command"]


def test_a_dry_run_of_a_file_that_is_not_there_is_a_report_too(offline):
    said = offline("-f", "json", "workflows", "create", "--dry-run", "missing.yaml")
    assert said.code == 1
    assert said.json["errors"] == ["missing.yaml: there is no such file."]


def test_a_mistake_in_a_template_still_counts_what_was_expanded(offline):
    text = PLANNED.replace("scheduler: short\n    use", "scheduler: long\n    use")
    said = offline("-f", "json", "workflows", "create", "--dry-run", "-", stdin=text)
    assert said.code == 1
    assert said.json["summary"]["job_count"] == 11


def test_warnings_are_said_and_do_not_stop_a_workflow(torc):
    text = CARELESS.replace(", priority: 5", "")
    said = torc("workflows", "create", "-", stdin=text)
    assert said.code == 0
    assert said.out.startswith("Created workflow ")
    assert said.err == 'Warning: stdin:4:9: files[0]: nothing uses file "forgotten"\n'


def test_unknown_keys_are_refused_unless_checks_are_skipped(torc):
    refused = torc("workflows", "create", "-", stdin=CARELESS)
    assert refused.code == 1
    assert 'unknown key "priority"' in refused.err
    taken = torc("workflows", "create", "-", "--skip-checks", stdin=CARELESS)
    assert taken.code == 0
    assert 'Warning: stdin:3:35: jobs[0].priority: unknown key "priority"' in taken.err


def test_everything_a_specification_declares_is_stored(torc, planned):
    made = torc("workflows", "create", planned, "-f", "json").json["id"]
    jobs = torc("jobs", "list", made, "-f", "json").json["jobs"]
    assert len(jobs) == 11
    assert len({job["scheduler_id"] for job in jobs[:10]}) == 1


def test_a_run_reads_stdin(offline):
    text = 'name: piped\njobs: [{name: a, command: "true"}]\n'
    said = offline("run", "-", "--standalone", stdin=text)
    assert said.code == 0, said.err
