"""``torc jobs create``, ``update``, ``delete``, ``create-from-file``, ``explain`` and the lists beside ``list``."""

import json

import pytest

pytestmark = pytest.mark.slow


def make(torc, workflow, name, *more):
    return torc("jobs", "create", workflow, "-n", name, "-c", "true", *more, "-f", "json").json


def names(torc, workflow):
    return [job["name"] for job in torc("jobs", "list", workflow, "-f", "json").json["jobs"]]


def test_a_job_is_created_with_what_it_waits_for(torc, workflow):
    first, second = make(torc, workflow, "a")["id"], make(torc, workflow, "b")["id"]
    said = torc("jobs", "create", workflow, "-n", "c", "-c", "echo hi", "-b", first, second)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "Successfully created job:"
    assert "  Name: c" in lines
    assert f"  Workflow ID: {workflow}" in lines
    assert f"  Blocking job IDs: [{first}, {second}]" in lines
    assert "  Input file IDs: None" in lines


def test_the_workflow_may_stand_behind_the_last_list(torc, workflow):
    first = make(torc, workflow, "a")["id"]
    file = torc("files", "create", workflow, "-n", "f", "-p", "f", "-f", "json").json["id"]
    said = torc("-f", "json", "jobs", "create", "-n", "b", "-c", "true", "-i", file, "-b", first, workflow)
    assert (said.json["workflow_id"], said.json["depends_on_job_ids"]) == (workflow, [first])
    assert said.json["input_file_ids"] == [file]


def test_a_list_of_ids_holds_ids(torc, workflow):
    said = torc("jobs", "create", workflow, "-n", "b", "-c", "true", "-b", "first", "second")
    assert (said.code, said.err) == (2, "Error: --blocking-job-ids: 'first' is not an ID.\n")


def test_a_job_of_another_workflow_is_refused(torc, workflow, http):
    other = http.post("/workflows", {"name": "other", "user": "tester"}).json["id"]
    foreign = make(torc, other, "a")["id"]
    said = torc("jobs", "create", workflow, "-n", "b", "-c", "true", "-b", foreign, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert str(foreign) in said.json["message"]


def test_a_job_is_changed_until_it_is_initialized(torc, workflow):
    job = make(torc, workflow, "a")["id"]
    said = torc("jobs", "update", job, "--command", "echo changed")
    assert said.out.startswith("Successfully updated job:\n")
    assert "  Command: echo changed\n" in said.out
    assert "  Name: a\n" in said.out
    assert "nothing to change" in torc("jobs", "update", job).err
    assert torc("jobs", "update", job, "--status", "ready").code == 2
    torc("workflows", "initialize", workflow)
    said = torc("jobs", "update", job, "--name", "b")
    assert (said.code, said.out) == (1, "")
    assert "uninitialized" in said.err


def test_jobs_are_deleted_all_or_none(torc, workflow):
    first, second = make(torc, workflow, "a")["id"], make(torc, workflow, "b")["id"]
    said = torc("jobs", "delete", first, 999_999_999)
    assert (said.code, said.out) == (1, "")
    assert said.err == "Error: Job not found with ID: 999999999. No jobs were deleted.\n"
    assert names(torc, workflow) == ["a", "b"]
    said = torc("jobs", "delete", first, second)
    assert said.out == (
        f"Successfully removed 2 job(s):\n  ID: {first} - Name: a - Command: true\n"
        f"  ID: {second} - Name: b - Command: true\n"
    )
    assert names(torc, workflow) == []
    assert "At least one job ID must be provided" in torc("jobs", "delete").err


def test_a_job_that_others_wait_for_is_deleted_with_them_or_by_force(torc, workflow):
    first = make(torc, workflow, "a")["id"]
    second = make(torc, workflow, "b", "-b", first)["id"]
    make(torc, workflow, "c", "-b", second)
    assert torc("jobs", "delete", first).code == 1
    assert names(torc, workflow) == ["a", "b", "c"]
    assert torc("jobs", "delete", second, "--force").code == 0
    third = make(torc, workflow, "d", "-b", first)["id"]
    removed = torc("jobs", "delete", third, first, "-f", "json").json["jobs"]
    assert [job["name"] for job in removed] == ["d", "a"]


def test_all_jobs_are_deleted_after_a_question(torc, terminal, workflow):
    assert torc("jobs", "delete-all", workflow).out == f"No jobs found for workflow ID: {workflow}\n"
    assert torc("jobs", "delete-all", workflow, "-f", "json").json == {"deleted": 0, "message": "No jobs to delete"}
    make(torc, workflow, "a")
    said = torc("jobs", "delete-all", workflow)
    assert (said.code, said.out) == (1, "")
    assert "--no-prompts" in said.err
    assert terminal("jobs", "delete-all", workflow, typed="n\n").out == "Deletion cancelled\n"
    assert names(torc, workflow) == ["a"]
    said = terminal("jobs", "delete-all", workflow, typed="y\n")
    assert said.out == f"Successfully deleted 1 job(s) from workflow ID: {workflow}\n"
    make(torc, workflow, "b")
    assert torc("jobs", "delete-all", workflow, "-f", "json").json == {"count": 1}


def test_a_file_of_commands_becomes_jobs(torc, workflow, tmp_path):
    make(torc, workflow, "job3")
    make(torc, workflow, "job3_1")
    (tmp_path / "commands.txt").write_text("# first\n\n  echo 1 \necho 2\n#echo no\n")
    said = torc("jobs", "create-from-file", workflow, "commands.txt", "--cpus-per-job", 2, "--memory-per-job", "3g")
    assert said.out == (
        "Successfully created 2 jobs from file:\n  File: commands.txt\n"
        f"  Workflow ID: {workflow}\n  CPUs per job: 2\n  Memory per job: 3g\n  Runtime per job: P0DT1M\n"
    )
    jobs = torc("jobs", "list", workflow, "-f", "json").json["jobs"][2:]
    assert [(job["name"], job["command"]) for job in jobs] == [("job3_2", "echo 1"), ("job4", "echo 2")]
    (needs,) = {job["resource_requirements_id"] for job in jobs}
    asked = torc("resource-requirements", "get", needs, "-f", "json").json
    assert (asked["num_cpus"], asked["memory"], asked["name"][:15]) == (2, "3g", "batch_jobs_req_")
    said = torc("jobs", "create-from-file", workflow, "commands.txt", "-f", "json").json
    assert (said["jobs_created"], said["status"], said["workflow_id"]) == (2, "success", workflow)


def test_a_file_of_commands_has_to_be_there_and_to_hold_some(torc, workflow, tmp_path):
    assert torc("jobs", "create-from-file", workflow, "no.txt").err == "Error: File does not exist: no.txt\n"
    (tmp_path / "empty.txt").write_text("# nothing\n")
    assert "No valid commands found in file" in torc("jobs", "create-from-file", workflow, "empty.txt").err
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    said = torc("jobs", "create-from-file", workflow, "binary")
    assert (said.code, said.err.count("\n")) == (1, 1)


def test_jobs_are_counted_by_status(torc, workflow):
    assert torc("jobs", "list-by-status", workflow).out == f"No jobs found for workflow ID: {workflow}\n"
    first = make(torc, workflow, "a")["id"]
    make(torc, workflow, "b")
    torc("jobs", "disable", first)
    said = torc("jobs", "list-by-status", workflow)
    assert said.out.endswith("\n\nTotal: 2 jobs\n")
    assert torc("jobs", "list-by-status", workflow, "-f", "json").json == {
        "workflow_id": workflow,
        "total": 2,
        "counts": {"uninitialized": 1, "disabled": 1},
    }


def test_what_jobs_need_is_a_bare_array(torc, workflow):
    assert torc("jobs", "list-resource-requirements", workflow).out == "No jobs found\n"
    needs = torc("resource-requirements", "create", workflow, "-n", "big", "--num-cpus", 3, "-f", "json").json["id"]
    job = make(torc, workflow, "a", "-r", needs)["id"]
    expected = {
        "job_id": job,
        "job_name": "a",
        "rr_name": "big",
        "workflow_id": workflow,
        "num_cpus": 3,
        "num_gpus": 0,
        "num_nodes": 1,
        "memory": "1m",
        "runtime": "P0DT1M",
    }
    assert torc("jobs", "list-resource-requirements", workflow, "-f", "json").json == [expected]
    assert torc("jobs", "list-resource-requirements", "--job-id", job, "-f", "json").json == [expected]
    assert torc("jobs", "list-resource-requirements", workflow).out.endswith(
        "Total: 1 jobs with resource requirements\n"
    )


def test_explain_words_the_reasons_and_json_has_all(torc, workflow, tmp_path):
    first = make(torc, workflow, "a")["id"]
    second = make(torc, workflow, "b", "-b", first)["id"]
    torc("workflows", "initialize", workflow)
    said = torc("jobs", "explain", second)
    assert said.out == (
        f"Job {second} 'b' of workflow {workflow} is blocked:\n"
        f"  - it waits for 1 job that has not ended:\n      {first} 'a': ready\n"
    )
    found = json.loads(torc("jobs", "explain", first, "-f", "json").out)
    assert (found["status"], [reason["kind"] for reason in found["reasons"]]) == ("ready", ["no_runner"])
    assert torc("jobs", "explain", 999_999_999).code == 1
