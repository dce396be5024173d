"""Defects 33 to 46 and 55 of the reference (contract rest-api.md section 9): what is refused, and in which words.

Filters, sorting and limits (35 to 37) are in test_lists.py, PUT and deletes (41, 42, 45) in test_resources.py.
"""

from typing import Any

import pytest

from tests.conftest import Http
from tests.server.scenario import NODE, OFFER, UNKNOWN, Flow, Stock
from tests.server.test_bad_requests import ENDPOINTS, Sample
from torc.models.catalogue import PLAIN

WORKFLOW = "/workflows/{workflow_id}"
LISTS_OF_NOTHING = {
    f"{WORKFLOW}/{name}"
    for name in (
        "events",
        "job_dependencies",
        "job_file_relationships",
        "job_ids",
        "job_user_data_relationships",
    )
}
"""Clients list after a delete, so a workflow that is gone has empty lists."""
OF_WORKFLOW = [
    (method, path) for method, path in ENDPOINTS if path.startswith(WORKFLOW) and path not in LISTS_OF_NOTHING
]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/jobs", {"name": "j", "command": "true", "depends_on_job_ids": [UNKNOWN]}, str(UNKNOWN)),
        ("/jobs", {"name": "j", "command": "true", "resource_requirements_id": UNKNOWN}, str(UNKNOWN)),
        ("/jobs", {"name": "j"}, "command"),
        ("/jobs", {"name": "j", "command": "true", "status": "done"}, "$.status"),
        ("/jobs", {"name": " ", "command": "true"}, "name"),
        ("/resource_requirements", {"name": "default"}, "default"),
        ("/resource_requirements", {"name": "r", "memory": "1x"}, "1x"),
        ("/events", {"timestamp": 0}, "data"),
        ("/compute_nodes", {**NODE, "pid": "1"}, "$.pid"),
    ],
)
def test_a_typing_error_is_told_from_an_outage(flow: Flow, path: str, body: dict[str, Any], said: str) -> None:  # 33
    refused = flow.http.post(path, {"workflow_id": flow.id, **body})
    assert refused.status in (400, 422)
    assert said in refused.message


def refused_everywhere(http: Http, workflow_id: int) -> None:
    sample = Sample(http)
    sample.workflow = workflow_id
    sample.bodies[f"{WORKFLOW}/dependency_groups"]["dependent_job_ids"] = [UNKNOWN]
    for method, path in OF_WORKFLOW:
        reply = http.request(method, sample.path(path), None if method in ("GET", "DELETE") else sample.body(path))
        assert (reply.status, method, path) == (404, method, path)
        assert str(workflow_id) in reply.message
    for path in sorted(LISTS_OF_NOTHING):
        empty = http.get(sample.path(path)).json
        assert (empty["count"], empty.get("items", empty.get("job_ids"))) == (0, [])
    for path in ("jobs", *(resource.path for resource in PLAIN)):
        body = sample.bodies[f"/{path}"] | {"workflow_id": workflow_id}
        assert (http.post(f"/{path}", body).status, path) == (404, path)
        assert http.get(f"/{path}", workflow_id=workflow_id).json["total_count"] == 0
        gone = http.delete(f"/{path}", workflow_id=workflow_id).json
        assert gone.get("count", gone.get("deleted_count")) == 0


def test_a_workflow_that_never_was_is_404_everywhere_and_its_lists_are_empty(http: Http) -> None:  # 34
    refused_everywhere(http, UNKNOWN)


def test_a_deleted_workflow_leaves_nothing_and_the_others_everything(http: Http, flow: Flow) -> None:  # 34, 46
    doomed, kept = Stock(Flow(http)), Stock(flow)
    before = {path: kept.found(path) for path in kept.one}
    doomed.flow.begin()
    doomed.flow.ok(doomed.flow.start("writer"))
    path = f"/workflows/{doomed.flow.id}"
    assert http.request("DELETE", path, b"null").json["id"] == doomed.flow.id
    for verb in ("status", "is_complete", "job_counts"):
        assert http.get(f"{path}/{verb}").status == 404
    for name, record_id in doomed.one.items():
        assert http.get(f"/{name}/{record_id}").status == 404
    refused_everywhere(http, doomed.flow.id)
    assert {path: kept.found(path) for path in kept.one} == before


@pytest.mark.parametrize(
    ("path", "field", "values"),
    [
        ("resource_requirements", "num_cpus", [0, -1, 2**31]),
        ("resource_requirements", "num_gpus", [-1, 2**31]),
        ("resource_requirements", "num_nodes", [0, -1, 2**31]),
        ("resource_requirements", "memory", ["", "-1", "1x", "1gb", "99999999999g", "all"]),
        ("resource_requirements", "runtime", ["", "PT1.5H", "PT30", "PT1Hour", "PT-1H", "1h", "P9999999999999Y"]),
        ("compute_nodes", "num_cpus", [-1]),
        ("compute_nodes", "memory_gb", [-1]),
        ("compute_nodes", "num_gpus", [-1]),
        ("compute_nodes", "num_nodes", [0, -1]),
        ("slurm_schedulers", "nodes", [0, -1]),
        ("slurm_schedulers", "ntasks_per_node", [0, -1]),
        ("local_schedulers", "num_cpus", [0, -1]),
    ],
)
def test_a_number_out_of_range_is_refused(flow: Flow, path: str, field: str, values: list[Any]) -> None:  # 38
    stock = Stock(flow)
    good = flow.get(f"/{path}/{stock.one[path]}")
    for value in values:
        for refused in (
            flow.http.post(f"/{path}", {**good, field: value}),
            flow.http.put(f"/{path}/{good['id']}", {**good, field: value}),
        ):
            assert (refused.status in (400, 422), field in refused.message) == (True, True), (value, refused.text)
    assert flow.get(f"/{path}/{good['id']}") == good


@pytest.mark.parametrize(
    "field",
    [
        "compute_node_expiration_buffer_seconds",
        "compute_node_wait_for_new_jobs_seconds",
        "compute_node_wait_for_healthy_database_minutes",
    ],
)
def test_a_negative_wait_is_refused(flow: Flow, field: str) -> None:  # 38
    refused = flow.http.put(flow.path, {"name": "w", "user": "u", field: -1})
    assert (refused.status, field in refused.message) == (400, True)


@pytest.mark.parametrize("run_id", [-1, 2**31, 2**63 - 1])
def test_a_run_that_cannot_be_counted_on_from_is_refused(flow: Flow, run_id: int) -> None:  # 38
    refused = flow.http.put(f"{flow.path}/status", {"run_id": run_id, "is_canceled": False})
    assert (refused.status, "run_id" in refused.message) == (422, True)


@pytest.mark.parametrize("time_limit", ["PT1.5H", "PT30", "", "tomorrow"])
def test_a_time_limit_that_means_nothing_is_refused(flow: Flow, time_limit: str) -> None:  # 38
    path = f"{flow.path}/claim_jobs_based_on_resources/1"
    refused = flow.http.post(path, {**OFFER, "time_limit": time_limit})
    assert refused.status == 422
    assert refused.json["error"]["field"] == "time_limit"
    assert refused.json["error"]["value"] == time_limit


@pytest.mark.parametrize("limit", ["-1", "1.5", str(2**63), "all"])
def test_a_limit_of_a_claim_that_means_nothing_is_refused(flow: Flow, limit: str) -> None:  # 36
    assert flow.http.post(f"{flow.path}/claim_jobs_based_on_resources/{limit}", OFFER).status == 400
    for name in ("limit", "num_jobs"):
        assert flow.http.post(f"{flow.path}/claim_next_jobs", **{name: limit}).status == 400


def test_ids_of_another_workflow_are_refused(http: Http, flow: Flow) -> None:  # 39
    here, there = Stock(flow), Stock(Flow(http)).one
    job = {"workflow_id": flow.id, "name": "j", "command": "true"}
    for field, path in (
        ("input_file_ids", "files"),
        ("output_file_ids", "files"),
        ("input_user_data_ids", "user_data"),
        ("output_user_data_ids", "user_data"),
        ("depends_on_job_ids", "jobs"),
    ):
        refused = http.post("/jobs", {**job, field: [here.one[path], there[path]]})
        assert (refused.status, field in refused.message) == (422, True)
    for field, path in (("resource_requirements_id", "resource_requirements"), ("scheduler_id", "slurm_schedulers")):
        for refused in (
            http.post("/jobs", {**job, field: there[path]}),
            http.put(f"/jobs/{here.reader}", {**job, field: there[path]}),
        ):
            assert (refused.status, field in refused.message) == (422, True)
    assert http.put(f"/jobs/{here.reader}", {**job, "depends_on_job_ids": [there["jobs"]]}).status == 422
    assert len(flow.rows("jobs")) == 5


def test_results_nodes_groups_and_actions_of_another_workflow_are_refused(http: Http, flow: Flow) -> None:  # 39
    here, there = Stock(flow), Stock(Flow(http)).one
    flow.begin()
    result = flow.get(f"/results/{here.one['results']}") | {"run_id": 9}
    for field, path in (("job_id", "jobs"), ("compute_node_id", "compute_nodes")):
        assert http.post("/results", {**result, field: there[path]}).status == 422
        assert http.put(f"/results/{result['id']}", {**result, field: there[path]}).status == 422
    assert http.put(f"/jobs/{here.writer}/start_job/1/{there['compute_nodes']}").status == 422
    report = flow.report("writer", compute_node_id=there["compute_nodes"])
    assert http.post(f"/jobs/{here.writer}/complete_job/completed/1", report).status == 422
    group = {"member_job_ids": [here.writer], "dependent_job_ids": [here.reader]}
    for field in group:
        assert http.post(f"{flow.path}/dependency_groups", {**group, field: [there["jobs"]]}).status == 422
    action = {"action_type": "run_commands", "action_config": {"commands": ["true"]}}
    ready = {"trigger_type": "on_jobs_ready", "job_ids": [there["jobs"]], **action}
    assert http.post(f"{flow.path}/actions", ready).status == 422
    mine = flow.post(f"{flow.path}/actions", {"trigger_type": "on_worker_start", **action})["id"]
    flow.post(f"{flow.path}/initialize")
    claim = f"{flow.path}/actions/{mine}/claim"
    assert http.post(claim, {"compute_node_id": there["compute_nodes"]}).status == 422
    assert http.post(f"/workflows/{Flow(http).id}/actions/{mine}/claim", {}).status == 404
    assert len(flow.rows("results", all_runs="true")) == 2


def test_what_ended_connections_is_answered(flow: Flow) -> None:  # 40
    flow.add("user_data", name="empty")
    assert "data" not in flow.rows("user_data")[0]
    assert flow.http.post("/user_data", {"workflow_id": flow.id, "name": "d", "färbung": "grün", "色": 1}).status == 200
    flow.needs("long", runtime=f"PT{2**32}S")
    endless = {"workflow_id": flow.id, "name": "endless", "runtime": f"P{'9' * 30}D"}
    refused = flow.http.post("/resource_requirements", endless)
    assert (refused.status, refused.json["error"]["field"]) == (422, "runtime")


def test_an_action_nobody_could_execute_is_refused(flow: Flow) -> None:  # 38
    action = {"trigger_type": "on_workflow_start", "action_type": "run_commands", "action_config": {"commands": ["x"]}}
    changes: list[dict[str, Any]] = [
        {"trigger_type": "on_full_moon"},
        {"action_type": "dance"},
        {"action_config": {}},
        {"action_config": {"commands": []}},
        {"action_config": {"commands": [1]}},
        {"action_config": {"commands": ["x"], "then": "y"}},
    ]
    for change in changes:
        assert flow.http.post(f"{flow.path}/actions", {**action, **change}).status in (400, 422)
    assert flow.get(f"{flow.path}/actions") == []


def test_a_repeated_id_is_one(flow: Flow) -> None:  # 33
    file, data, first = flow.file("f"), flow.add("user_data", name="d"), flow.job("first")
    twice = {
        "depends_on_job_ids": [first, first], "input_file_ids": [file, file], "output_user_data_ids": [data, data],
    }  # fmt: skip
    job = flow.get(f"/jobs/{flow.job('second', **twice)}")
    assert {field: job[field] for field in twice} == {field: ids[:1] for field, ids in twice.items()}
    assert flow.put(f"/jobs/{job['id']}", {**job, **twice}) == job
    body = {"member_job_ids": [first, first], "dependent_job_ids": [job["id"]] * 2}
    group = flow.post(f"{flow.path}/dependency_groups", body)
    assert (group["member_job_ids"], group["dependent_job_ids"]) == ([first], [job["id"]])
    flow.begin()
    flow.run("first", "second")
    assert flow.is_complete()


def test_a_batch_is_answered_in_its_order(flow: Flow) -> None:  # 55
    names = [f"j{(number * 37) % 100}" for number in range(100)]
    bodies = [{"workflow_id": flow.id, "name": name, "command": "true"} for name in names]
    answer = flow.post("/bulk_jobs", {"jobs": bodies})["jobs"]
    assert [job["name"] for job in answer] == names
    assert [job["id"] for job in answer] == sorted(job["id"] for job in answer)
    assert {job["status"] for job in answer} == {"uninitialized"}
    assert flow.post("/bulk_jobs", {"jobs": []})["jobs"] == []


def test_a_batch_may_refer_back_and_not_ahead(flow: Flow) -> None:
    body = {"workflow_id": flow.id, "name": "j", "command": "true"}
    following = flow.job("last so far") + 1
    ahead = flow.http.post("/bulk_jobs", {"jobs": [{**body, "depends_on_job_ids": [following + 1]}, body]})
    assert (ahead.status, str(following + 1) in ahead.message) == (422, True)
    assert len(flow.rows("jobs")) == 1
    following = flow.job("the last") + 1
    first, second = flow.post("/bulk_jobs", {"jobs": [body, {**body, "depends_on_job_ids": [following]}]})["jobs"]
    assert (first["id"], second["depends_on_job_ids"]) == (following, [following])


def test_a_batch_is_of_one_workflow(http: Http, flow: Flow) -> None:
    other = Flow(http)
    jobs = [{"workflow_id": each.id, "name": "j", "command": "true"} for each in (flow, other)]
    refused = http.post("/bulk_jobs", {"jobs": jobs})
    assert (refused.status, refused.message) == (
        422,
        f"All jobs in a batch must have the same workflow_id. Found workflow_ids: {flow.id} and {other.id}",
    )


def test_a_batch_of_the_python_client_is_one_longer_than_it_says(flow: Flow) -> None:  # 55
    jobs = [{"workflow_id": flow.id, "name": f"j{number}", "command": "true"} for number in range(10_002)]
    refused = flow.http.post("/bulk_jobs", {"jobs": jobs})
    assert (refused.status, "10002" in refused.message) == (422, True)
    assert flow.get("/jobs", workflow_id=flow.id)["total_count"] == 0
    assert len(flow.post("/bulk_jobs", {"jobs": jobs[:-1]})["jobs"]) == 10_001
    page = flow.get("/jobs", workflow_id=flow.id)
    assert (page["count"], page["total_count"], page["has_more"]) == (10_000, 10_001, True)
