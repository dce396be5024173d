"""``torc results``: one result, lists of them, and what is refused. Attempts are in test_jobs.py."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

NODE = {"hostname": "n1", "pid": 1, "num_cpus": 4, "memory_gb": 8.0, "num_gpus": 0, "num_nodes": 1}
NODE |= {"start_time": "2026-01-01T00:00:00Z", "is_active": True, "compute_node_type": "local"}


@pytest.fixture
def ended(http, workflow) -> dict[str, Any]:
    """The results of a job that failed and of one that did not, by the names of the jobs."""
    node = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json["id"]
    for name in ("good", "bad"):
        http.post("/jobs", {"workflow_id": workflow, "name": name, "command": "true"})
    http.post(f"/workflows/{workflow}/initialize_jobs", {})
    run_id = http.get(f"/workflows/{workflow}/status").json["run_id"]
    for job in http.get("/jobs", workflow_id=workflow).json["items"]:
        status, code = ("completed", 0) if job["name"] == "good" else ("failed", 3)
        assert http.put(f"/jobs/{job['id']}/start_job/{run_id}/{node}").status == 200
        result = {"job_id": job["id"], "workflow_id": workflow, "run_id": run_id, "compute_node_id": node}
        result |= {"return_code": code, "exec_time_minutes": 1.256, "status": status}
        result |= {"completion_time": "2026-01-01T00:10:00.000Z"}
        result |= {"peak_memory_bytes": 3 * 1024**3, "avg_cpu_percent": 99.94} if code else {}
        assert http.post(f"/jobs/{job['id']}/complete_job/{status}/{run_id}", result).status == 200
    names = {job["id"]: job["name"] for job in http.get("/jobs", workflow_id=workflow).json["items"]}
    return {names[one["job_id"]]: one for one in http.get("/results", workflow_id=workflow).json["items"]}


def test_one_result_is_lines_with_what_was_measured(torc, workflow, ended):
    bad = ended["bad"]
    assert torc("results", "get", bad["id"]).out == (
        f"Result ID {bad['id']}:\n  Job ID: {bad['job_id']}\n  Workflow ID: {workflow}\n  Run ID: {bad['run_id']}\n"
        f"  Attempt: {bad['attempt_id']}\n  Return Code: 3\n  Execution Time (minutes): 1.26\n"
        "  Completion Time: 2026-01-01T00:10:00.000Z\n  Status: Failed\n  Peak Memory: 3.00GB\n  Avg CPU: 99.9%\n"
        f"  Compute Node ID: {bad['compute_node_id']}\n"
    )
    assert "Peak Memory" not in torc("results", "get", ended["good"]["id"]).out


def test_one_result_in_json_is_the_record(torc, ended):
    assert torc("results", "get", ended["bad"]["id"], "-f", "json").json == ended["bad"]


def test_a_deleted_result_is_shown_once_more(torc, workflow, ended):
    said = torc("results", "delete", ended["good"]["id"])
    assert said.out.startswith(f"Successfully removed result:\n  ID: {ended['good']['id']}\n  Job ID: ")
    listed = torc("results", "list", workflow, "-f", "json").json["results"]
    assert [one["id"] for one in listed] == [ended["bad"]["id"]]


def test_the_failed_ones_are_counted_and_cut_after_they_were_found(torc, workflow, ended):
    def ids(*options: object) -> list[int]:
        listed = torc("results", "list", workflow, "--failed", *options, "-f", "json").json["results"]
        return [one["id"] for one in listed]

    assert ids() == [ended["bad"]["id"]]
    assert ids("--offset", 1) == []
    assert torc("results", "list", workflow, "--failed").out.splitlines()[-1] == "Total: 1 results"
    assert torc("results", "list", workflow, "-l", 1).out.splitlines()[-1] == "Showing 1 of 2 total results"


def test_results_of_one_job_say_so(torc, workflow, ended):
    job_id = ended["good"]["job_id"]
    said = torc("results", "list", workflow, "--job-id", job_id)
    assert said.out.splitlines()[0] == f"Results for workflow ID {workflow} and job ID {job_id}:"
    said = torc("results", "list", workflow, "--job-id", job_id, "--failed")
    assert said.out == f"No results found for workflow ID {workflow} and job ID: {job_id}\n"


def test_a_job_or_a_workflow_that_is_not_there_is_an_error(torc, workflow):
    assert torc("results", "list", 999999).err == "Error: Workflow not found with ID: 999999\n"
    assert torc("results", "list", workflow, "--job-id", 999999).err == "Error: Job not found with ID: 999999\n"


@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_result_that_is_not_there_is_an_error(torc, verb):
    said = torc("results", verb, 999999, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == "Error: Result not found with ID: 999999\n"
