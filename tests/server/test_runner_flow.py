"""A workflow from creation to its end over HTTP, as runners of the contract and our own talk."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Http, Server

Start = Callable[..., Server]
Eventually = Callable[..., Any]

OFFER = {"num_cpus": 4, "memory_gb": 8.0, "num_gpus": 0, "num_nodes": 1}
NODE = {**OFFER, "hostname": "n1", "pid": 1, "start_time": "2026-01-01T00:00:00Z", "compute_node_type": "local"}


def result(job: dict[str, Any], node: int, return_code: int = 0, status: str = "completed") -> dict[str, Any]:
    return {
        "job_id": job["id"], "workflow_id": job["workflow_id"], "run_id": 1, "compute_node_id": node, "status": status,
        "return_code": return_code, "exec_time_minutes": 0.1, "completion_time": "2026-01-01T00:01:00Z",
    }  # fmt: skip


def chain(http: Http, workflow: int, count: int) -> list[int]:
    """Jobs of which each waits for the one before."""
    ids: list[int] = []
    for number in range(count):
        body = {"workflow_id": workflow, "name": f"j{number}", "command": "true", "depends_on_job_ids": ids[-1:]}
        ids.append(http.post("/jobs", body).json["id"])
    return ids


def begin(http: Http, workflow: int) -> None:
    """Initialize as existing clients do."""
    status = http.get(f"/workflows/{workflow}/status").json
    assert http.put(f"/workflows/{workflow}/status", {**status, "run_id": status["run_id"] + 1}).status == 200
    assert http.post(f"/workflows/{workflow}/initialize_jobs").json == {"message": "Initialized job status"}


def claim(http: Http, workflow: int, limit: int = 5) -> list[dict[str, Any]]:
    reply = http.post(f"/workflows/{workflow}/claim_jobs_based_on_resources/{limit}", OFFER)
    assert reply.status == 200, reply.text
    return list(reply.json["jobs"])


def test_an_existing_runner_brings_a_workflow_to_its_end(http: Http, workflow: int) -> None:
    ids = chain(http, workflow, 3)
    assert http.get(f"/workflows/{workflow}/is_uninitialized").json == {"is_uninitialized": True}
    begin(http, workflow)
    node = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json["id"]
    for expected in ids:
        (job,) = claim(http, workflow)
        assert (job["id"], job["status"]) == (expected, "pending")
        assert http.put(f"/jobs/{job['id']}/start_job/1/{node}").json["status"] == "running"
        done = http.post(f"/jobs/{job['id']}/complete_job/completed/1", result(job, node))
        assert done.json["status"] == "completed"
    assert http.get(f"/workflows/{workflow}/is_complete").json == {
        "is_canceled": False, "is_complete": True, "needs_to_run_completion_script": False,
    }  # fmt: skip
    assert http.get(f"/workflows/{workflow}/job_counts").json == {
        "workflow_id": workflow, "total": 3, "counts": {"completed": 3},
    }  # fmt: skip
    assert http.get("/results", workflow_id=workflow).json["count"] == 3
    assert http.get("/results", workflow_id=workflow, all_runs="true", job_id=ids[0]).json["count"] == 1
    assert http.get("/jobs", workflow_id=workflow, status="completed").json["count"] == 3
    assert http.get("/jobs", workflow_id=workflow, upstream_job_id=ids[0]).json["items"][0]["id"] == ids[1]


def test_a_failure_cancels_what_depends_on_it(http: Http, workflow: int) -> None:
    ids = chain(http, workflow, 3)
    begin(http, workflow)
    node = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json["id"]
    (job,) = claim(http, workflow)
    http.put(f"/jobs/{job['id']}/start_job/1/{node}")
    assert http.post(f"/jobs/{ids[0]}/complete_job/failed/1", result(job, node, 1, "failed")).status == 200
    assert [http.get(f"/jobs/{job_id}").json["status"] for job_id in ids] == ["failed", "canceled", "canceled"]
    reset = http.post(f"/workflows/{workflow}/reset_job_status", failed_only="true").json
    assert (reset["updated_count"], reset["status"], reset["reset_type"]) == (1, "uninitialized", "failed_only")


def test_the_same_report_again_is_fine_and_another_is_a_conflict(http: Http, workflow: int) -> None:
    chain(http, workflow, 1)
    begin(http, workflow)
    node = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json["id"]
    (job,) = claim(http, workflow)
    start = f"/jobs/{job['id']}/start_job/1/{node}"
    assert [http.put(start).status for _ in range(2)] == [200, 200]
    complete = f"/jobs/{job['id']}/complete_job"
    assert [http.post(f"{complete}/completed/1", result(job, node)).status for _ in range(2)] == [200, 200]
    assert http.post(f"{complete}/failed/1", result(job, node, 1, "failed")).status == 409
    assert http.get("/results", workflow_id=workflow, all_runs="true").json["count"] == 1


def test_no_job_is_claimed_twice(http: Http, workflow: int) -> None:
    jobs = [{"workflow_id": workflow, "name": f"j{number}", "command": "true"} for number in range(60)]
    made = http.post("/bulk_jobs", {"jobs": jobs}).json["jobs"]
    assert [job["name"] for job in made] == [job["name"] for job in jobs]
    begin(http, workflow)
    with ThreadPoolExecutor(8) as pool:
        claimed = [job["id"] for jobs in pool.map(lambda _: claim(http, workflow, 3), range(30)) for job in jobs]
    assert sorted(claimed) == [job["id"] for job in made]


def test_a_claim_takes_at_most_its_limit(http: Http, workflow: int) -> None:
    for number in range(12):
        http.post("/jobs", {"workflow_id": workflow, "name": f"j{number}", "command": "true"})
    begin(http, workflow)
    assert len(claim(http, workflow, 0)) == 0
    assert len(claim(http, workflow, 1)) == 1
    assert len(http.post(f"/workflows/{workflow}/claim_next_jobs").json["jobs"]) == 10
    assert http.post(f"/workflows/{workflow}/claim_next_jobs", limit=-1).status == 400
    assert http.post(f"/workflows/{workflow}/claim_jobs_based_on_resources/-1", OFFER).status == 400


def test_nothing_is_claimed_after_cancel(http: Http, workflow: int) -> None:
    chain(http, workflow, 2)
    begin(http, workflow)
    status = http.put(f"/workflows/{workflow}/cancel", b"null").json
    assert (status["id"], status["is_canceled"], status["run_id"]) == (workflow, True, 1)
    assert claim(http, workflow) == []
    assert http.get(f"/workflows/{workflow}/is_complete").json["is_complete"] is True
    assert http.post(f"/workflows/{workflow}/reset_status").json["is_canceled"] is False


def test_an_action_goes_to_one_claimer(http: Http, workflow: int) -> None:
    (job_id,) = chain(http, workflow, 1)
    action = {
        "trigger_type": "on_jobs_ready", "action_type": "run_commands", "action_config": {"commands": ["true"]},
        "job_ids": [job_id],
    }  # fmt: skip
    action_id = http.post(f"/workflows/{workflow}/actions", action).json["id"]
    assert [each["id"] for each in http.get(f"/workflows/{workflow}/actions").json] == [action_id]
    begin(http, workflow)
    pending = http.get(f"/workflows/{workflow}/actions/pending", trigger_type=["on_jobs_ready", "on_jobs_complete"])
    assert [each["id"] for each in pending.json] == [action_id]
    path = f"/workflows/{workflow}/actions/{action_id}/claim"
    assert http.post(path, b"null").json == {"claimed": True, "action_id": action_id, "success": True}
    again = http.post(path, {})
    assert again.status == 409
    assert again.json["error"]["claimed"] is False


def test_files_and_data_that_must_be_there_are_listed(http: Http, workflow: int) -> None:
    file_id = http.post("/files", {"workflow_id": workflow, "name": "f", "path": "p"}).json["id"]
    data_id = http.post("/user_data", {"workflow_id": workflow, "name": "d"}).json["id"]
    job = {"workflow_id": workflow, "name": "j", "command": "true"}
    http.post("/jobs", {**job, "input_file_ids": [file_id], "input_user_data_ids": [data_id]})
    assert http.get(f"/workflows/{workflow}/required_existing_files").json == {"files": [file_id]}
    assert http.get(f"/workflows/{workflow}/missing_user_data").json == {"user_data": [data_id]}


def test_groups_are_posted_and_listed(http: Http, workflow: int) -> None:
    one, other = (
        http.post("/jobs", {"workflow_id": workflow, "name": name, "command": "true"}).json["id"] for name in "ab"
    )
    path = f"/workflows/{workflow}/dependency_groups"
    made = http.post(path, {"member_job_ids": [one], "dependent_job_ids": [other]}).json
    assert http.get(path).json["items"] == [made]
    assert http.get(f"/jobs/{other}").json["depends_on_job_ids"] == [one]


def draft(http: Http, names: list[str]) -> int:
    """A workflow made as our own client makes it."""
    counts = {"files": 0, "user_data": 0, "resource_requirements": 0, "jobs": len(names), "groups": 0}
    begun = http.post("/drafts", {"workflow": {"name": "d", "user": "u"}, "counts": counts}).json
    path, token = f"/drafts/{begun['workflow_id']}", {"Torc-Draft-Token": begun["token"]}
    jobs = [{"name": name, "command": "true"} for name in names]
    for _ in range(2):  # a lost answer: sent again
        assert http.request("POST", f"{path}/batches", {"batch": 1, "jobs": jobs}, headers=token).status == 200
    assert http.request("POST", f"{path}/batches", {"batch": 3, "jobs": []}, headers=token).status == 409
    assert http.request("POST", f"{path}/finalize").status == 404
    finished = [http.request("POST", f"{path}/finalize", headers=token) for _ in range(2)]
    assert [reply.status for reply in finished] == [200, 200]
    return int(begun["workflow_id"])


def sync(http: Http, node: dict[str, Any], seq: int, **sections: Any) -> dict[str, Any]:
    body = {
        "protocol": 1, "seq": seq, "database_id": node["database_id"], "generation": node["generation"], "holding": [],
        **sections,
    }  # fmt: skip
    reply = http.post(f"/compute_nodes/{node['id']}/sync", body)
    assert reply.status == 200, reply.text
    return dict(reply.json)


def join(http: Http, workflow: int) -> dict[str, Any]:
    return dict(http.post("/compute_nodes", {"workflow_id": workflow, **NODE, "spool_path": "/spool"}).json)


def test_our_own_runner_needs_one_call(http: Http) -> None:
    workflow = draft(http, ["a", "b"])
    assert http.post(f"/workflows/{workflow}/initialize", {"user": "u"}).json["jobs_ready"] == 2
    node = join(http, workflow)
    jobs = sync(http, node, 1, slots=2)["jobs"]
    assert [job["name"] for job in jobs] == ["a", "b"]
    finished = [
        {
            "job_id": job["id"], "run_id": job["run_id"], "attempt_id": job["attempt_id"], "status": "completed",
            "return_code": 0, "exec_time_minutes": 0.1, "completion_time": "2026-01-01T00:00:00Z",
        }
        for job in jobs
    ]  # fmt: skip
    holding = [[job["id"], job["attempt_id"]] for job in jobs]
    answer = sync(http, node, 2, finished=finished, holding=holding, slots=2)
    assert answer["workflow"]["is_complete"] is True
    assert http.post(f"/compute_nodes/{node['id']}/sync", {"protocol": 1, "seq": 2, "database_id": node["database_id"],
                     "generation": node["generation"], "holding": []}).status == 409  # fmt: skip
    assert http.put(f"/compute_nodes/{node['id']}/renew").json["lease_s"] > 0


def held_by(http: Http, workflow: int) -> list[str]:
    return [job["status"] for job in http.get("/jobs", workflow_id=workflow).json["items"]]


@pytest.mark.slow
def test_the_jobs_of_a_runner_that_falls_silent_become_ready(start_server: Start, eventually: Eventually) -> None:
    http = start_server("--lease-secs", "1", "-c", "0.1").http
    workflow = draft(http, ["a"])
    http.post(f"/workflows/{workflow}/initialize")
    silent, alive = join(http, workflow), join(http, workflow)
    (job,) = sync(http, silent, 1, slots=1)["jobs"]

    def keep_one_alive() -> list[str]:
        http.put(f"/compute_nodes/{alive['id']}/renew")
        return held_by(http, workflow)

    eventually(keep_one_alive, lambda statuses: statuses == ["ready"])
    assert http.get(f"/compute_nodes/{silent['id']}").json["is_active"] is False
    assert [each["id"] for each in sync(http, alive, 1, slots=1)["jobs"]] == [job["id"]]


@pytest.mark.slow
def test_a_server_that_was_stopped_does_not_blame_its_runners(start_server: Start, eventually: Eventually) -> None:
    server = start_server("--lease-secs", "2", "-c", "0.1")
    http = server.http
    workflow = draft(http, ["a"])
    http.post(f"/workflows/{workflow}/initialize")
    node = join(http, workflow)
    (job,) = sync(http, node, 1, slots=1)["jobs"]
    os.killpg(server.process.pid, signal.SIGSTOP)
    with pytest.raises(AssertionError, match="not within"):  # stopped for longer than a lease
        eventually(lambda: False, timeout_s=3)
    os.killpg(server.process.pid, signal.SIGCONT)
    answer = sync(http, node, 2, holding=[[job["id"], job["attempt_id"]]])
    assert answer.get("lost", []) == []
    assert held_by(http, workflow) == ["pending"]


@pytest.mark.slow
def test_a_server_that_was_killed_gives_every_runner_a_full_lease(start_server: Start) -> None:
    server = start_server("--lease-secs", "5", "-c", "0.1")
    workflow = draft(server.http, ["a"])
    server.http.post(f"/workflows/{workflow}/initialize")
    node = join(server.http, workflow)
    (job,) = sync(server.http, node, 1, slots=1)["jobs"]
    server.kill()
    http = start_server("--lease-secs", "5", "-c", "0.1").http
    answer = sync(http, node, 2, holding=[[job["id"], job["attempt_id"]]])
    assert answer.get("lost", []) == []
    assert http.get("/doctor").json == {"problems": []}
