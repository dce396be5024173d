"""Every plain resource over HTTP: PUT keeps and clears, and nothing goes silently."""

import types
from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest

from tests.conftest import Http
from tests.server.scenario import UNKNOWN, Flow, Stock
from torc.models.catalogue import PLAIN

MODELS = {resource.path: resource.model for resource in PLAIN}

SERVERS_OWN = {
    "compute_nodes": {"last_seq", "lease_s", "database_id", "generation", "memory"},
    "resource_requirements": {"raised_from"},
    "results": {"attempt_id", "exit_code"},
    "events": {"timestamp", "level", "data"},
}
"""Optional fields that an update does not set: the server does, or they follow from another; for events see below."""


@pytest.fixture
def stock(flow: Flow) -> Stock:
    return Stock(flow)


OPTIONAL = [
    (path, name)
    for path, model in MODELS.items()
    for name, kind in get_type_hints(model).items()
    if types.NoneType in get_args(kind) and name != "id" and name not in SERVERS_OWN.get(path, ())
]


@pytest.mark.parametrize(("path", "name"), OPTIONAL)
def test_put_keeps_what_is_left_out_and_clears_what_is_null(library: Stock, path: str, name: str) -> None:  # 42
    place = f"/{path}/{library.one[path]}"
    stored = library.flow.get(place)
    assert name in stored
    without = {key: value for key, value in stored.items() if key != name}
    kept = without if name == "st_mtime" else stored  # existing clients clear the time of a file by leaving it out
    assert library.flow.put(place, without) == kept
    assert library.flow.put(place, {**stored, name: None}) == without
    assert library.flow.get(place) == without
    assert library.flow.put(place, stored) == stored


@pytest.mark.parametrize("path", [path for path in MODELS if path != "events"])
def test_put_does_not_move_a_record(library: Stock, path: str) -> None:  # 39
    place = f"/{path}/{library.one[path]}"
    stored = library.flow.get(place)
    other = Flow(library.flow.http)
    assert library.flow.http.put(place, {**stored, "workflow_id": other.id}).status == 422
    assert library.flow.put(place, {**stored, "id": UNKNOWN}) == stored


def test_a_job_keeps_what_put_leaves_out_and_loses_what_is_null(stock: Stock) -> None:  # 42
    place = f"/jobs/{stock.one['jobs']}"
    stored = stock.flow.get(place)
    least = {"workflow_id": stock.flow.id, "name": stored["name"], "command": stored["command"]}
    assert stock.flow.put(place, least) == stored
    cleared = stock.flow.put(place, {**least, "invocation_script": None, "scheduler_id": None})
    assert cleared == {key: value for key, value in stored.items() if key not in ("invocation_script", "scheduler_id")}
    assert stock.flow.put(place, {**least, "resource_requirements_id": None})["resource_requirements_id"] == min(
        stock.found("resource_requirements", name="default")
    )
    flags = {"cancel_on_blocking_job_failure": False, "supports_termination": True}
    assert stock.flow.put(place, {**least, **flags}).items() >= flags.items()
    assert stock.flow.put(place, {**least, **dict.fromkeys(flags)}).items() >= flags.items()


def test_the_dependencies_of_a_job_are_replaced_cleared_or_kept(stock: Stock) -> None:  # 42
    place = f"/jobs/{stock.reader_of_one}"
    stored = stock.flow.get(place)
    without = {key: value for key, value in stored.items() if key != "depends_on_job_ids"}
    assert stored["depends_on_job_ids"] == [stock.one["jobs"]]
    assert stock.flow.put(place, without) == stored
    assert stock.flow.put(place, {**stored, "depends_on_job_ids": None}) == without
    assert stock.flow.put(place, stored) == stored
    assert stock.flow.put(place, {**stored, "depends_on_job_ids": []}) == without
    place = f"/jobs/{stock.one['jobs']}"
    stored = stock.flow.get(place)
    for field in ("input_file_ids", "output_user_data_ids"):
        for other in (None, [], [stock.other["files"]]):
            refused = stock.flow.http.put(place, {**stored, field: other})
            assert (refused.status, field in refused.message, "immutable" in refused.message) == (422, True, True)
    assert stock.flow.put(place, {**stored, "output_file_ids": None, "input_user_data_ids": []}) == stored


def test_a_workflow_keeps_what_put_leaves_out_and_loses_what_is_null(flow: Flow) -> None:  # 42
    changed = {
        "description": "d", "compute_node_expiration_buffer_seconds": 1, "compute_node_wait_for_new_jobs_seconds": 2,
        "compute_node_ignore_workflow_completion": True, "compute_node_wait_for_healthy_database_minutes": 3,
        "jobs_sort_method": "none", "resource_monitor_config": '{"enabled": true}',
    }  # fmt: skip
    least = {"name": "other", "user": "other"}
    stored = flow.put(flow.path, {**least, **changed})
    assert stored.items() >= changed.items()
    assert flow.put(flow.path, least).items() >= changed.items()
    cleared = flow.put(flow.path, {**least, **dict.fromkeys(changed)})
    assert not {"description", "resource_monitor_config"} & cleared.keys()
    assert cleared.items() >= {"jobs_sort_method": "none", "compute_node_wait_for_new_jobs_seconds": 2}.items()
    assert cleared["timestamp"] == flow.put(flow.path, {**least, "timestamp": "never", "owner": "me"})["timestamp"]
    assert "owner" not in flow.get(flow.path)


def test_a_status_keeps_the_flags_that_put_leaves_out(flow: Flow) -> None:  # 42
    flags = {"is_archived": True, "has_detected_need_to_run_completion_script": True}
    path = f"{flow.path}/status"
    stored = flow.put(path, {"run_id": 3, "is_canceled": True, **flags})
    assert stored == {"id": flow.id, "run_id": 3, "is_canceled": True, **flags}
    assert flow.put(path, {"run_id": 4, "is_canceled": False}) == {**stored, "run_id": 4, "is_canceled": False}
    assert flow.put(path, {**stored, "is_archived": None})["is_archived"] is True
    assert flow.put(path, {**stored, "is_archived": False, "busy": "x"}) == {**stored, "is_archived": False}


def test_an_event_keeps_its_shape(flow: Flow) -> None:  # 41
    event = flow.post("/events", {"workflow_id": flow.id, "timestamp": 1, "data": {"category": "note", "n": 1}})
    changed = {**event, "data": {"category": "note", "n": 2}}
    assert flow.put(f"/events/{event['id']}", changed) == changed
    assert flow.put(f"/events/{event['id']}", {"category": "note", "n": 3})["data"] == {"category": "note", "n": 3}
    for nothing in (b"null", {**event, "data": None}):
        assert flow.http.put(f"/events/{event['id']}", nothing).status == 400
    assert flow.rows("events", category="note") == [flow.get(f"/events/{event['id']}")]
    others = len(flow.rows("events"))
    assert flow.ok(flow.http.delete("/events", workflow_id=flow.id)) == {"count": others}
    assert flow.rows("events") == []


@pytest.mark.parametrize("path", MODELS)
def test_records_are_deleted_one_by_one_or_all_at_once(stock: Stock, path: str) -> None:
    http, flow = stock.flow.http, stock.flow
    neighbour = Stock(Flow(http))
    stored = flow.get(f"/{path}/{stock.one[path]}")
    assert http.request("DELETE", f"/{path}/{stock.one[path]}", b"null", force="true").json == stored
    assert http.get(f"/{path}/{stock.one[path]}").status == 404
    assert http.delete(f"/{path}/{stock.one[path]}", force="true").status == 404
    assert http.delete(f"/{path}", workflow_id=flow.id, force="true").status == 200
    assert stock.found(path) == (stock.found(path, name="default") if path == "resource_requirements" else [])
    assert neighbour.found(path) != []
    assert len(flow.rows("jobs")) == 5, "no job goes with it"


def used_requirements(stock: Stock) -> str:
    return "resource_requirements"


def node_with_result(stock: Stock) -> str:
    return "compute_nodes"


def node_with_job(stock: Stock) -> str:
    stock.flow.begin().run("writer")
    stock.flow.ok(stock.flow.start("the_b_Name", stock.one["compute_nodes"]))
    stock.flow.ok(stock.flow.http.delete("/results", workflow_id=stock.flow.id))
    return "compute_nodes"


@pytest.mark.parametrize("prepare", [used_requirements, node_with_result, node_with_job])
def test_what_jobs_or_results_need_is_deleted_only_by_force(
    stock: Stock, prepare: Callable[[Stock], str]
) -> None:  # 45
    path, http = prepare(stock), stock.flow.http
    jobs, results = len(stock.flow.rows("jobs")), stock.found("results")
    for target, query in ((f"/{path}/{stock.one[path]}", {}), (f"/{path}", {"workflow_id": stock.flow.id})):
        refused = http.delete(target, **query)
        assert (refused.status, "force" in refused.message) == (409, True)
    assert stock.one[path] in stock.found(path)
    for target, query in ((f"/{path}/{stock.one[path]}", {}), (f"/{path}", {"workflow_id": stock.flow.id})):
        assert http.delete(target, force="true", **query).status == 200
    assert len(stock.flow.rows("jobs")) == jobs
    assert stock.found("results") == results
    assert "running" not in stock.flow.statuses().values()


def test_jobs_without_their_requirements_need_what_the_default_says(stock: Stock) -> None:  # 45
    default = min(stock.found("resource_requirements", name="default"))
    for action in ("delete", "rename"):
        record = stock.flow.get(f"/resource_requirements/{default}")
        refused = (
            stock.flow.http.delete(f"/resource_requirements/{default}", force="true")
            if action == "delete"
            else stock.flow.http.put(f"/resource_requirements/{default}", {**record, "name": "other"})
        )
        assert (refused.status, "default" in refused.message) == (409, True)
    stock.flow.ok(stock.flow.http.delete("/resource_requirements", workflow_id=stock.flow.id, force="true"))
    assert {job["resource_requirements_id"] for job in stock.flow.rows("jobs")} == {default}
    assert stock.flow.job("one more") > 0


def test_jobs_with_results_or_dependents_are_deleted_only_by_force(stock: Stock) -> None:  # 13, 45
    flow, one = stock.flow, stock.one["jobs"]
    flow.begin()
    flow.run("writer")
    for job_id in (one, flow.ids["writer"]):
        assert flow.http.delete(f"/jobs/{job_id}").status == 409
    assert flow.http.delete("/jobs", workflow_id=flow.id).status == 409
    assert len(flow.rows("jobs")) == 5
    flow.ok(flow.http.delete(f"/jobs/{one}", force="true"))
    assert flow.statuses()["behind one"] == "ready"
    assert one not in [result["job_id"] for result in flow.rows("results", all_runs="true")]
    assert flow.ok(flow.http.delete("/jobs", workflow_id=flow.id, force="true")) == {"count": 4}
    assert stock.found("results") == []
    assert flow.rows("files") != []


def test_a_running_job_is_deleted_only_by_force(flow: Flow) -> None:
    flow.graph("a", "b").begin()
    flow.ok(flow.start("a"))
    assert flow.http.delete(f"/jobs/{flow.ids['a']}").status == 409
    assert flow.http.delete("/jobs", workflow_id=flow.id).status == 409
    flow.ok(flow.http.delete(f"/jobs/{flow.ids['a']}", force="true"))
    assert flow.statuses() == {"b": "ready"}
    assert flow.complete("a").status == 404


def test_a_deleted_result_is_no_longer_the_current_one(flow: Flow) -> None:
    flow.graph("a").begin()
    flow.run("a")
    (result,) = flow.rows("results")
    flow.ok(flow.http.delete(f"/results/{result['id']}"))
    assert flow.rows("results", all_runs="true") == []
    assert flow.statuses() == {"a": "completed"}


def test_a_deleted_file_leaves_its_jobs_without_it(stock: Stock) -> None:
    place = f"/jobs/{stock.one['jobs']}"
    for path in ("files", "user_data"):
        stock.flow.ok(stock.flow.http.delete(f"/{path}/{stock.one[path]}"))
    assert not {"input_file_ids", "output_user_data_ids"} & stock.flow.get(place).keys()


def test_a_draft_is_not_touched_through_the_lists(http: Http) -> None:
    counts = {"files": 1, "user_data": 1, "resource_requirements": 1, "jobs": 1, "groups": 0}
    draft = http.post("/drafts", {"workflow": {"name": "d", "user": "u"}, "counts": counts}).json
    place, headers = f"/drafts/{draft['workflow_id']}", {"Torc-Draft-Token": draft["token"]}
    batch = {
        "batch": 1, "files": [{"name": "f", "path": "p"}], "user_data": [{"name": "u"}],
        "resource_requirements": [{"name": "r"}],
        "jobs": [{"name": "j", "command": "c", "resource_requirements": 0, "input_files": [0]}],
    }  # fmt: skip
    assert http.request("POST", f"{place}/batches", batch, headers=headers).status == 200
    for path in (*MODELS, "jobs"):
        gone = http.delete(f"/{path}", workflow_id=draft["workflow_id"], force="true").json
        assert gone.get("count", gone.get("deleted_count")) == 0
        assert http.get(f"/{path}", workflow_id=draft["workflow_id"]).json["total_count"] == 0
    assert http.request("POST", f"{place}/finalize", headers=headers).status == 200
    (job,) = http.get("/jobs", workflow_id=draft["workflow_id"], include_relationships="true").json["items"]
    assert len(job["input_file_ids"]) == 1
