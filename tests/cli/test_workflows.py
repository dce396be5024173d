"""``torc workflows``, ``jobs`` and ``results`` against a real server: tables, JSON and what they ask."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SPEC = """
name: pair
description: two jobs
files:
  - {name: in, path: in.txt}
  - {name: out, path: out.txt}
jobs:
  - {name: first, command: cp in.txt out.txt, input_files: [in], output_files: [out]}
  - {name: second, command: cat out.txt, input_files: [out]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def made(torc, spec) -> int:
    """A workflow of SPEC."""
    return int(torc("workflows", "create", spec, "-f", "json").json["id"])


def test_create_tells_the_id_in_every_way_scripts_read_it(torc, spec):
    said = torc("workflows", "create", spec, "-f", "json")
    assert said.code == 0
    assert said.json["id"] == said.json["workflow_id"]
    assert said.json["status"] == "success"
    assert said.json["message"] == f"Workflow created successfully with ID: {said.json['id']}"
    plain = torc("workflows", "create", spec)
    assert plain.out.startswith("Created workflow ")


def test_the_owner_is_who_creates_unless_told_otherwise(torc, spec):
    made = torc("workflows", "create", spec, "-f", "json").json["id"]
    given = torc("workflows", "create", spec, "--user", "ann", "-f", "json").json["id"]
    assert torc("workflows", "get", made, "-f", "json").json["user"] == "tester"
    assert torc("workflows", "get", given, "-f", "json").json["user"] == "ann"
    listed = [one["id"] for one in torc("workflows", "list", "-u", "ann", "-f", "json").json]
    assert given in listed
    assert made not in listed
    everybody = [one["id"] for one in torc("workflows", "list", "--all-users", "-f", "json").json]
    assert {given, made} <= set(everybody)


def test_monitoring_is_in_the_workflow_as_an_object_unless_refused(torc, spec):
    watched = torc("workflows", "create", spec, "-f", "json").json["id"]
    unwatched = torc("workflows", "create", spec, "--no-resource-monitoring", "-f", "json").json["id"]
    assert torc("workflows", "get", watched, "-f", "json").json["resource_monitor_config"]["enabled"] is True
    assert "resource_monitor_config" not in torc("workflows", "get", unwatched, "-f", "json").json


def test_a_refused_specification_creates_nothing(torc, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\njobs: [{name: a, comand: x}]\n")
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    said = torc("workflows", "create", "bad.yaml")
    assert (said.code, said.out) == (1, "")
    assert "bad.yaml" in said.err
    assert "comand" in said.err
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before


def test_a_refused_specification_needs_no_server(offline, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\njobs: []\nnothing: 1\n")
    assert offline("workflows", "create", "bad.yaml").code == 1
    assert offline("run", "bad.yaml").code == 1


def test_no_workflows_is_a_sentence_or_an_empty_array(torc):
    assert torc("workflows", "list", "--user", "nobody").out == "No workflows found for user: nobody\n"
    assert torc("workflows", "list", "--user", "nobody", "-f", "json").json == []


def test_get_and_status_in_words(torc, made):
    got = torc("workflows", "get", made).out.splitlines()
    assert got[:4] == [f"Workflow ID {made}:", "  Name: pair", "  User: tester", "  Description: two jobs"]
    assert torc("workflows", "status", made).out == (
        f"Workflow Status for ID {made}:\n  Status ID: {made}\n  Status: uninitialized\n  Jobs: 2 uninitialized\n"
        "  Run ID: 0\n  Is Canceled: No\n  Is Archived: No\n"
    )
    status = torc("workflows", "status", made, "-f", "json").json
    assert {"id", "run_id", "is_canceled", "is_archived", "status"} <= status.keys()


def test_unknown_ids_are_the_servers_sentence(torc):
    assert torc("workflows", "get", 999999).err == "Error: Workflow not found with ID: 999999\n"
    assert torc("jobs", "get", 999999).err == "Error: Job not found with ID: 999999\n"
    assert torc("workflows", "status", 999999).code == 1


@pytest.mark.parametrize("verb", ["initialize", "initialize-jobs"])
def test_initialize_makes_jobs_ready(torc, made, tmp_path, verb):
    (tmp_path / "in.txt").write_text("x")
    said = torc("workflows", verb, made, "--user", "ann", "-f", "json")
    assert said.code == 0
    assert said.json == {
        "status": "success",
        "message": f"Successfully started workflow {made}",
        "workflow_id": made,
    }
    jobs = torc("jobs", "list", made, "-f", "json").json["jobs"]
    assert {job["name"]: job["status"] for job in jobs} == {"first": "ready", "second": "blocked"}


def test_initialize_names_missing_inputs_and_changes_nothing(torc, made):
    said = torc("workflows", "initialize", made)
    assert said.code == 1
    assert "in.txt ('in')" in said.err
    assert torc("workflows", "status", made, "-f", "json").json["run_id"] == 0
    assert torc("workflows", "initialize", made, "--force").code == 0


def test_dry_run_tells_what_is_missing_and_what_is_there(torc, made, tmp_path):
    (tmp_path / "out.txt").write_text("old")
    said = torc("workflows", "initialize", made, "--dry-run", "-f", "json")
    assert said.code == 1
    assert said.json == {
        "workflow_id": made,
        "safe": False,
        "missing_input_files": ["in.txt"],
        "missing_input_file_count": 1,
        "existing_output_files": ["out.txt"],
        "existing_output_file_count": 1,
    }
    (tmp_path / "in.txt").write_text("x")
    safe = torc("workflows", "initialize", made, "--dry-run")
    assert safe.code == 0
    assert safe.out.splitlines()[-1] == "Safe to initialize (no missing input files)"
    assert torc("workflows", "status", made, "-f", "json").json["run_id"] == 0
    assert torc("workflows", "initialize", 999999, "--dry-run").code == 1


def test_existing_outputs_are_kept_with_a_warning_unless_told(torc, made, tmp_path):
    (tmp_path / "in.txt").write_text("x")
    (tmp_path / "out.txt").write_text("old")
    said = torc("workflows", "initialize", made, "--force")
    assert said.code == 0
    assert said.err == (
        "Warning: Found 1 existing output file(s): out.txt ('out'). They are kept; --delete-outputs deletes them.\n"
    )
    assert (tmp_path / "out.txt").read_text() == "old"
    assert torc("workflows", "initialize", made, "--delete-outputs").code == 0
    assert not (tmp_path / "out.txt").exists()
    assert (tmp_path / "in.txt").exists()


def test_a_refused_initialize_deletes_no_output(torc, made, tmp_path):
    (tmp_path / "out.txt").write_text("old")
    assert torc("workflows", "initialize", made, "--delete-outputs").code == 1
    assert (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(("answer", "is_kept"), [("y\n", False), ("n\n", True), ("\n", True)])
def test_on_a_terminal_one_is_asked_about_outputs(terminal, made, tmp_path, answer, is_kept):
    (tmp_path / "in.txt").write_text("x")
    (tmp_path / "out.txt").write_text("old")
    said = terminal("workflows", "initialize", made, typed=answer)
    assert said.code == 0
    assert "Delete these files before initializing? [y/N]:" in said.err
    assert (tmp_path / "out.txt").exists() is is_kept


def test_nobody_is_asked_with_no_prompts(terminal, made, tmp_path):
    (tmp_path / "in.txt").write_text("x")
    (tmp_path / "out.txt").write_text("old")
    said = terminal("workflows", "initialize", made, "--no-prompts")
    assert said.code == 0
    assert "[y/N]" not in said.err
    assert (tmp_path / "out.txt").exists()


def test_delete_tells_what_is_gone_and_what_is_not(torc, made):
    said = torc("workflows", "delete", made, 999999, "--no-prompts")
    assert said.code == 1
    assert said.out == f"Successfully deleted 1 workflow(s):\n  - ID: {made}, Name: pair, User: tester\n"
    assert said.err == "Failed to delete 1 workflow(s):\n  - ID 999999: Workflow not found with ID: 999999\n"
    assert torc("workflows", "get", made).code == 1


def test_delete_in_json_is_a_bare_array(torc, made):
    assert [one["id"] for one in torc("workflows", "delete", made, "--no-prompts", "-f", "json").json] == [made]


def test_delete_refuses_other_peoples_workflows_unless_forced(torc, spec):
    made = torc("workflows", "create", spec, "-u", "ann", "-f", "json").json["id"]
    said = torc("workflows", "delete", made, "--no-prompts")
    assert said.code == 1
    assert "Cannot delete workflow owned by user 'ann' (you are 'tester'). Use --force to override." in said.err
    assert torc("workflows", "delete", made, "--no-prompts", "--force").code == 0


def test_delete_asks_and_never_guesses(torc, terminal, made):
    said = torc("workflows", "delete", made)
    assert said.code == 1
    assert "--no-prompts" in said.err
    declined = terminal("workflows", "delete", made, typed="n\n")
    assert declined.code == 0
    assert "has 2 jobs. Are you sure you want to delete this workflow? (y/N):" in declined.err
    assert f"Deletion cancelled for workflow {made}." in declined.err
    assert terminal("workflows", "delete", made, typed="y\n").code == 0
    assert torc("workflows", "get", made).code == 1


def test_jobs_in_a_table(torc, made):
    (first, second) = [job["id"] for job in torc("jobs", "list", made, "-f", "json").json["jobs"]]
    said = torc("jobs", "list", made)
    assert said.out.splitlines()[0] == f"Jobs for workflow ID {made}:"
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.out.splitlines()[2:-3]]
    assert cells[0] == ["ID", "Name", "Status", "Command"]
    assert cells[2:] == [
        [str(first), "first", "uninitialized", "cp in.txt out.txt"],
        [str(second), "second", "uninitialized", "cat out.txt"],
    ]
    assert said.out.endswith("\n\nTotal: 2 jobs\n")


def test_jobs_can_be_chosen_by_status_in_any_case(torc, made):
    assert len(torc("jobs", "list", made, "-s", "Uninitialized", "-f", "json").json["jobs"]) == 2
    assert torc("jobs", "list", made, "-s", "ready").out == f"No jobs found for workflow ID: {made}\n"
    assert torc("jobs", "list", made, "-s", "ready", "-f", "json").json == {"jobs": []}
    said = torc("jobs", "list", made, "-s", "done")
    assert said.code == 2
    assert said.err.startswith("Error: Invalid status: done. Valid values are: uninitialized, blocked, ready")


def test_jobs_page_sort_and_relate(torc, made):
    jobs = torc("jobs", "list", made, "--sort-by", "name", "--reverse-sort", "-l", "1", "-f", "json").json["jobs"]
    assert [job["name"] for job in jobs] == ["second"]
    assert [job["name"] for job in torc("jobs", "list", made, "--offset", 1, "-f", "json").json["jobs"]] == ["second"]
    assert "input_file_ids" not in jobs[0]
    (first, second) = torc("jobs", "list", made, "--include-relationships", "-f", "json").json["jobs"]
    assert second["input_file_ids"] == first["output_file_ids"]
    got = torc("jobs", "get", second["id"]).out
    assert got.splitlines()[:5] == [
        f"Job ID {second['id']}:",
        "  Name: second",
        "  Command: cat out.txt",
        f"  Workflow ID: {made}",
        "  Status: uninitialized",
    ]


def test_results_in_a_table_and_in_json(torc, made, tmp_path):
    assert torc("results", "list", made).out == f"No results found for workflow ID: {made}\n"
    job = torc("jobs", "list", made, "-f", "json").json["jobs"][0]["id"]
    said = torc("results", "list", made, "-j", job)
    assert said.out == f"No results found for workflow ID {made} and job ID: {job}\n"
    (tmp_path / "in.txt").write_text("x")
    assert torc("run", made).code == 0
    said = torc("results", "list", made)
    lines = said.out.splitlines()
    assert lines[0] == f"Results for workflow ID {made}:"
    assert [cell.strip() for cell in lines[2].split("│")[1:-1]] == [
        "ID",
        "Job ID",
        "Job Name",
        "WF ID",
        "Run ID",
        "Return Code",
        "Exec Time (minutes)",
        "Peak Mem",
        "Peak CPU %",
        "Completion Time",
        "Status",
    ]
    assert [cell.strip() for cell in lines[4].split("│")[1:-1]][2:6] == ["first", str(made), "1", "0"]
    assert lines[-1] == "Total: 2 results"
    results = torc("results", "list", made, "-f", "json").json["results"]
    assert {result["status"] for result in results} == {"completed"}
    chosen = torc("results", "list", made, "-j", results[0]["job_id"], "-f", "json").json["results"]
    assert chosen == results[:1]
    assert torc("results", "list", made, "--failed", "-f", "json").json == {"results": []}
    assert (
        len(torc("results", "list", made, "--return-code", "0", "-s", "completed", "-f", "json").json["results"]) == 2
    )
    assert torc("results", "list", made, "--return-code", "-9", "-f", "json").json == {"results": []}


def test_failed_results_are_counted_after_they_are_chosen(torc, tmp_path):
    path = tmp_path / "mixed.yaml"
    path.write_text("name: mixed\njobs:\n  - name: j{i}\n    command: test {i} -gt 2\n    parameters: {i: '1:4'}\n")
    made = torc("run", path, "-f", "json").json["workflow_id"]
    failed = torc("results", "list", made, "--failed", "--sort-by", "id", "-l", "2", "-f", "json").json["results"]
    assert [result["return_code"] for result in failed] == [1, 1]
