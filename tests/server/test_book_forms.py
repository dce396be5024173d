"""The forms of the users' book beside those of the contract: both are understood, answers carry the keys of both."""

from typing import Any

import pytest

from tests.conftest import Http
from tests.server.scenario import NODE, Flow

BOOK_NODE = {"hostname": "compute-01", "num_cpus": 32, "memory": "256g", "num_gpus": 8, "is_active": True}
NODE_KEYS = {"hostname", "pid", "start_time", "num_cpus", "memory_gb", "num_gpus", "num_nodes", "compute_node_type"}
RESULT_KEYS = {
    "id", "job_id", "workflow_id", "run_id", "compute_node_id", "return_code", "exec_time_minutes", "completion_time",
    "status",
}  # fmt: skip


# Compute nodes.


def test_a_node_is_made_from_what_the_book_gives(flow: Flow) -> None:
    node = flow.post("/compute_nodes", {"workflow_id": flow.id, **BOOK_NODE})
    assert {**BOOK_NODE, "memory_gb": 256.0, "pid": 0, "num_nodes": 1, "compute_node_type": "local"}.items() <= (
        node.items()
    )
    assert node["start_time"].endswith("Z")
    (listed,) = flow.rows("compute_nodes", is_active="true")
    assert NODE_KEYS | {"is_active", "memory"} <= listed.keys()


@pytest.mark.parametrize(
    ("memory_gb", "memory"),
    [(256.0, "256g"), (0.5, "0.5g"), (250, "250g"), (0, "0g"), (251.53515625, "251.535156g"), (100.0, "100g")],
)
def test_a_node_made_the_contracts_way_says_its_memory_as_text_too(flow: Flow, memory_gb: float, memory: str) -> None:
    made = flow.post("/compute_nodes", {"workflow_id": flow.id, **NODE, "memory_gb": memory_gb})
    assert (made["memory_gb"], made["memory"]) == (memory_gb, memory)
    assert flow.put(f"/compute_nodes/{made['id']}", made)["memory"] == memory, "an answer is a good update"


def test_a_node_that_gives_its_memory_in_text_alone_has_it_in_gib(flow: Flow) -> None:
    for text, memory_gb in (("512m", 0.5), ("1T", 1024.0), (str(2 * 1024**3), 2.0)):
        assert flow.post("/compute_nodes", {"workflow_id": flow.id, **BOOK_NODE, "memory": text})["memory_gb"] == (
            memory_gb
        )


@pytest.mark.parametrize("text", ["", "lots", "12x", "-1g", "1.5", "9999999999999999999t"])
def test_memory_that_is_none_is_refused_with_its_place(http: Http, workflow: int, text: str) -> None:
    reply = http.post("/compute_nodes", {"workflow_id": workflow, **BOOK_NODE, "memory": text})
    assert reply.status == 422
    assert (reply.json["error"]["field"], reply.json["error"]["value"]) == ("memory", text)


def test_two_figures_for_the_memory_of_a_node_must_agree(http: Http, flow: Flow) -> None:
    both = {"workflow_id": flow.id, **BOOK_NODE, "memory_gb": 256}
    assert flow.post("/compute_nodes", both)["memory_gb"] == 256
    reply = http.post("/compute_nodes", {**both, "memory": "128g"})
    assert (reply.status, reply.json["error"]["field"]) == (422, "memory")
    made = flow.rows("compute_nodes")[0]
    path = f"/compute_nodes/{made['id']}"
    assert http.put(path, {**made, "memory": "1g"}).status == 422
    assert flow.put(path, {**made, "memory_gb": 2.0})["memory"] == "2g", "its old text came from our answer"
    assert flow.put(path, {**made, "memory_gb": 1.0, "memory": "1g"})["memory_gb"] == 1.0


@pytest.mark.parametrize("missing", ["hostname", "num_cpus", "memory", "num_gpus", "workflow_id"])
def test_a_node_without_what_the_book_gives_is_refused(http: Http, workflow: int, missing: str) -> None:
    body = {"workflow_id": workflow, **BOOK_NODE}
    del body[missing]
    reply = http.post("/compute_nodes", body)
    assert reply.status == 400
    assert missing in reply.message


# Results.


def book_result(flow: Flow, name: str, **fields: Any) -> dict[str, Any]:
    return {"workflow_id": flow.id, "job_id": flow.ids[name], "exit_code": 0, **fields}


def test_a_result_is_made_from_what_the_book_gives(flow: Flow) -> None:
    flow.graph("a")
    result = flow.post("/results", book_result(flow, "a", stdout="Job completed successfully", stderr=""))
    assert RESULT_KEYS <= result.keys()
    assert (result["return_code"], result["exit_code"], result["status"]) == (0, 0, "completed")
    assert (result["stdout"], result["stderr"]) == ("Job completed successfully", "")
    assert (result["run_id"], result["attempt_id"], result["compute_node_id"]) == (0, 1, 0)
    assert result["completion_time"].endswith("Z")
    assert flow.get(f"/results/{result['id']}") == result


def test_a_result_with_a_code_that_is_not_0_has_failed_unless_it_says_otherwise(flow: Flow) -> None:
    flow.graph("a", "b")
    assert flow.post("/results", book_result(flow, "a", exit_code=-9))["status"] == "failed"
    said = flow.post("/results", book_result(flow, "b", exit_code=15, status="terminated"))
    assert (said["status"], said["return_code"], said["exit_code"]) == ("terminated", 15, 15)


def test_lists_of_results_have_both_codes_and_no_output(flow: Flow) -> None:
    flow.graph("a")
    flow.post("/results", book_result(flow, "a", exit_code=7, stdout="x", stderr="y"))
    (listed,) = flow.rows("results", all_runs="true", return_code=7)
    assert listed["return_code"] == listed["exit_code"] == 7
    assert RESULT_KEYS <= listed.keys()
    assert not {"stdout", "stderr"} & listed.keys()


def test_two_codes_of_a_result_must_agree(http: Http, flow: Flow) -> None:
    flow.graph("a")
    reply = http.post("/results", book_result(flow, "a", return_code=1))
    assert reply.status == 422
    assert "exit_code is 0 but return_code is 1" in reply.message
    made = flow.post("/results", book_result(flow, "a", return_code=0))
    path = f"/results/{made['id']}"
    assert http.put(path, {**made, "exit_code": 4}).status == 422
    assert flow.put(path, {**made, "return_code": 4})["exit_code"] == 4, "its old code came from our answer"
    assert flow.put(path, {**made, "return_code": 5, "exit_code": 5})["exit_code"] == 5


def test_a_result_needs_a_code_and_a_job_of_its_workflow(http: Http, flow: Flow) -> None:
    other = Flow(http).graph("z")
    flow.graph("a")
    body = book_result(flow, "a")
    del body["exit_code"]
    reply = http.post("/results", body)
    assert (reply.status, "exit_code" in reply.message) == (400, True)
    reply = http.post("/results", book_result(flow, "a", job_id=other.ids["z"]))
    assert (reply.status, "job_id" in reply.message) == (422, True)


@pytest.mark.parametrize(("text", "kept"), [("é" * 40_000, "é" * 32_768), ("x" + "é" * 32_768, "é" * 32_768)])
def test_the_end_of_the_output_is_kept(flow: Flow, text: str, kept: str) -> None:
    flow.graph("a")
    result = flow.post("/results", book_result(flow, "a", stdout=text, stderr="é" * 32_767 + "€"))
    assert result["stdout"] == kept
    assert result["stderr"] == "é" * 32_766 + "€", "no half characters"
    assert flow.put(f"/results/{result['id']}", {**result, "stderr": text})["stderr"] == kept


def test_a_report_may_bring_output_along(flow: Flow) -> None:
    flow.graph("a")
    flow.post(f"{flow.path}/initialize_jobs")
    job = flow.ids["a"]
    flow.post(f"/jobs/{job}/manage_status_change", {"target_status": "running"})
    report = {
        "job_id": job, "workflow_id": flow.id, "run_id": 0, "compute_node_id": 0, "return_code": 0, "stdout": "done",
        "exec_time_minutes": 1.0, "completion_time": "2026-01-01T00:00:00Z", "status": "completed",
    }  # fmt: skip
    assert flow.post(f"/jobs/{job}/complete_job/completed/0", report)["status"] == "completed"
    (current,) = flow.rows("results")
    assert flow.get(f"/results/{current['id']}")["stdout"] == "done"


# The status of a job.


def test_a_status_change_by_body_makes_a_job_run(flow: Flow) -> None:
    flow.graph("a", "b: a")
    path = f"/jobs/{flow.ids['a']}/manage_status_change"
    assert flow.post(path, {"target_status": "running"})["status"] == "running"
    assert flow.post(path, {"target_status": "running"})["attempt_id"] == 1, "the same again changes nothing"
    reply = flow.http.post(f"/jobs/{flow.ids['b']}/manage_status_change", {"target_status": "running"})
    assert (reply.status, "1 of its dependencies" in reply.message) == (422, True)
    for body in ({"target_status": "lost"}, {}, {"target_status": "ready", "run_id": "x"}):
        assert flow.http.post(path, body).status == 400
    assert flow.http.post(path, {"target_status": "ready", "run_id": 7}).status == 422


def test_the_contracts_status_change_makes_a_job_run_too(flow: Flow) -> None:
    flow.graph("a")
    assert flow.put(f"/jobs/{flow.ids['a']}/manage_status_change/pending/0")["status"] == "pending"
    assert flow.put(f"/jobs/{flow.ids['a']}/manage_status_change/running/0")["status"] == "running"


# Initializing with a body.


@pytest.mark.parametrize("body", [None, b"", b"null", b"[]", b"7", b'"text"', b"garbage", b"{}", b'{"other": 1}'])
def test_initialize_jobs_takes_any_body_that_says_nothing(flow: Flow, body: bytes | None) -> None:
    flow.graph("a")
    reply = flow.http.request("POST", f"{flow.path}/initialize_jobs", body)
    assert (reply.status, reply.json["message"]) == (200, "Initialized job status")
    assert flow.rows("jobs")[0]["status"] == "ready"


@pytest.mark.parametrize("body", [b'{"reinitialize": "yes"}', b'{"reinitialize": tr', b'{"ignore_missing_data": 1}'])
def test_initialize_jobs_refuses_an_object_it_cannot_read(flow: Flow, body: bytes) -> None:
    flow.graph("a")
    assert flow.http.request("POST", f"{flow.path}/initialize_jobs", body).status == 400
    assert flow.rows("jobs")[0]["status"] == "uninitialized"


def test_initialize_jobs_refuses_when_user_data_is_missing_and_may_not_be(flow: Flow) -> None:
    missing = flow.add("user_data", name="settings")
    flow.add("user_data", name="nobody reads this")
    flow.job("a", input_user_data_ids=[missing])
    path = f"{flow.path}/initialize_jobs"
    reply = flow.http.post(path, {"reinitialize": False, "ignore_missing_data": False})
    assert reply.status == 422
    assert "'settings'" in reply.message and "nobody" not in reply.message
    assert reply.json["error"]["user_data"] == [missing]
    assert flow.rows("jobs")[0]["status"] == "uninitialized"
    for body in (None, {}, {"ignore_missing_data": True}):
        assert flow.post(path, body)["message"] == "Initialized job status"
    flow.put(f"/user_data/{missing}", {"workflow_id": flow.id, "name": "settings", "data": {"a": 1}})
    assert flow.post(path, {"ignore_missing_data": False})["message"] == "Initialized job status"


def test_a_few_of_many_missing_records_are_named(flow: Flow) -> None:
    missing = [flow.add("user_data", name=f"d{number}") for number in range(12)]
    flow.job("a", input_user_data_ids=missing)
    reply = flow.http.post(f"{flow.path}/initialize_jobs", {"ignore_missing_data": False})
    assert "'d9' and 2 more;" in reply.message and "d10" not in reply.message


def test_initialize_jobs_with_reinitialize_starts_over_what_changed_and_what_lies_behind(flow: Flow) -> None:
    data = flow.add("user_data", name="settings", data=1)
    flow.job("reads", input_user_data_ids=[data])
    flow.job("behind", "reads")
    flow.job("apart")
    path = f"{flow.path}/initialize_jobs"
    flow.post(path)
    for name in ("reads", "behind", "apart"):
        report = {
            "job_id": flow.ids[name], "workflow_id": flow.id, "run_id": 0, "compute_node_id": 0, "return_code": 0,
            "exec_time_minutes": 1.0, "completion_time": "2026-01-01T00:00:00Z", "status": "completed",
        }  # fmt: skip
        flow.post(f"/jobs/{flow.ids[name]}/complete_job/completed/0", report)
    flow.post(path, {"reinitialize": True})
    assert {job["status"] for job in flow.rows("jobs")} == {"completed"}
    flow.put(f"/user_data/{data}", {"workflow_id": flow.id, "name": "settings", "data": 2})
    flow.post(path, {"reinitialize": True})
    statuses = {job["name"]: job["status"] for job in flow.rows("jobs")}
    assert statuses == {"reads": "ready", "behind": "blocked", "apart": "completed"}


# User data with links.


def test_user_data_is_linked_to_jobs_as_it_is_made(flow: Flow) -> None:
    flow.graph("writer", "reader")
    body = {"workflow_id": flow.id, "name": "config", "data": {"learning_rate": 0.001}}
    made = flow.post("/user_data", body, producer_job_id=flow.ids["writer"], consumer_job_id=flow.ids["reader"])
    assert made["data"] == body["data"]
    assert flow.get(f"/jobs/{flow.ids['writer']}")["output_user_data_ids"] == [made["id"]]
    assert flow.get(f"/jobs/{flow.ids['reader']}")["input_user_data_ids"] == [made["id"]]
    flow.post(f"{flow.path}/initialize_jobs")
    assert {job["name"]: job["status"] for job in flow.rows("jobs")} == {"writer": "ready", "reader": "blocked"}


def test_a_job_that_runs_may_add_what_it_has_made(flow: Flow) -> None:
    flow.graph("a")
    flow.post(f"/jobs/{flow.ids['a']}/manage_status_change", {"target_status": "running"})
    made = flow.post("/user_data", {"workflow_id": flow.id, "name": "result"}, producer_job_id=flow.ids["a"])
    assert [row["id"] for row in flow.rows("user_data", producer_job_id=flow.ids["a"])] == [made["id"]]


@pytest.mark.parametrize("link", ["consumer_job_id", "producer_job_id"])
def test_user_data_for_a_job_of_nobody_or_of_another_workflow_is_not_stored(http: Http, flow: Flow, link: str) -> None:
    stranger = Flow(http).graph("z").ids["z"]
    flow.graph("a")
    other = "producer_job_id" if link == "consumer_job_id" else "consumer_job_id"
    for job_id in (stranger, 0, 999_999_999):
        query = {link: job_id, other: flow.ids["a"]}
        reply = http.post("/user_data", {"workflow_id": flow.id, "name": "config"}, **query)
        assert (reply.status, link in reply.message) == (422, True)
    assert flow.rows("user_data") == []
