"""Defects 7 to 9 and 26 to 32 of the reference (contract rest-api.md section 9): all or nothing, and one of many."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.scenario import OFFER, UNKNOWN, Flow, at_once

CALLERS = 8


def claims_until_empty(flow: Flow) -> list[int]:
    """What one runner gets, one job at a time."""
    claimed: list[int] = []
    while jobs := flow.claim(1)["jobs"]:
        claimed.append(jobs[0]["id"])
    return claimed


def test_completions_in_the_same_moment_are_all_counted(flow: Flow) -> None:  # 7
    names = [f"j{number}" for number in range(2 * CALLERS)]
    flow.graph(*names, f"join: {' '.join(names)}").begin()
    for name in names:
        flow.ok(flow.start(name))
    assert flow.statuses()["join"] == "blocked"
    at_once(CALLERS, lambda caller: [flow.ok(flow.complete(name)) for name in names[caller::CALLERS]])
    assert flow.statuses()["join"] == "ready"


def test_a_run_begun_while_a_job_runs_does_not_strand_what_waits_for_it(flow: Flow) -> None:  # 8
    flow.graph("a", "b: a").begin()
    flow.ok(flow.start("a"))
    report = flow.report("a")
    status = flow.get(f"{flow.path}/status")
    flow.put(f"{flow.path}/status", {**status, "run_id": 2})
    flow.post(f"/jobs/{flow.ids['a']}/complete_job/completed/1", report)
    assert flow.statuses() == {"a": "completed", "b": "ready"}
    (kept,) = flow.rows("results")
    assert kept["run_id"] == 1


def test_initializing_during_a_run_executes_nothing_twice(flow: Flow) -> None:  # 9
    flow.graph("runs", "claimed", "waits: runs").begin()
    flow.ok(flow.start("runs"))
    assert [job["name"] for job in flow.claim()["jobs"]] == ["claimed"]
    refused = flow.http.post(f"{flow.path}/initialize_jobs")
    assert refused.status == 422
    assert "running" in refused.message
    flow.post(f"{flow.path}/initialize_jobs", only_uninitialized="true")
    assert flow.statuses() == {"runs": "running", "claimed": "pending", "waits": "blocked"}
    assert flow.claim()["jobs"] == []


def test_nothing_is_claimed_after_a_cancel_was_answered(flow: Flow) -> None:  # 16
    flow.bulk({"name": f"j{number}"} for number in range(300))
    flow.begin()

    def act(caller: int) -> list[int]:
        if caller:
            return claims_until_empty(flow)
        flow.put(f"{flow.path}/cancel")
        return []

    claimed = [job_id for jobs in at_once(CALLERS, act) for job_id in jobs]
    assert len(claimed) == len(set(claimed))
    assert Counter(flow.statuses().values()) == {"canceled": 300}
    assert flow.claim() == {"jobs": [], "reason": "Workflow is canceled"}


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("completed/2", {}, 422),
        ("completed/2", {"run_id": 2}, 422),
        ("completed/1", {"compute_node_id": UNKNOWN}, 422),
        ("completed/1", {"job_id": UNKNOWN}, 422),
        ("completed/1", {"workflow_id": UNKNOWN}, 422),
        ("completed/1", {"status": "failed"}, 422),
        ("running/1", {"status": "running"}, 422),
        ("completed/1", {"return_code": "0"}, 400),
    ],
)
def test_a_completion_that_is_refused_leaves_nothing_and_can_be_repaired(
    flow: Flow, path: str, change: dict[str, Any], status: int
) -> None:  # 26, 27
    flow.graph("a", "b: a").begin()
    flow.ok(flow.start("a"))
    events = len(flow.rows("events"))
    refused = flow.http.post(f"/jobs/{flow.ids['a']}/complete_job/{path}", flow.report("a", **change))
    assert refused.status == status
    assert flow.rows("results", all_runs="true") == []
    assert len(flow.rows("events")) == events
    assert flow.statuses() == {"a": "running", "b": "blocked"}
    flow.ok(flow.complete("a"))
    assert flow.statuses() == {"a": "completed", "b": "ready"}


def test_a_job_is_started_by_one_of_many_nodes(flow: Flow) -> None:  # 28
    flow.graph("a").begin()
    record = flow.get(f"/compute_nodes/{flow.node}")
    nodes = [flow.add("compute_nodes", **record) for _ in range(CALLERS)]
    replies = at_once(CALLERS, lambda caller: flow.start("a", nodes[caller]).status)
    assert Counter(replies) == {200: 1, 422: CALLERS - 1}
    winner = nodes[replies.index(200)]
    assert flow.get(f"/jobs/{flow.ids['a']}")["active_compute_node_id"] == winner
    assert flow.start("a", winner).status == 200, "the same start again"


def test_an_action_is_claimed_by_one_of_many(flow: Flow) -> None:  # 28
    flow.job("a")
    body = {"trigger_type": "on_workflow_start", "action_type": "run_commands", "action_config": {"commands": ["x"]}}
    action = flow.post(f"{flow.path}/actions", body)["id"]
    flow.begin()
    node, path = flow.node, f"{flow.path}/actions/{action}/claim"
    replies = at_once(CALLERS, lambda caller: flow.http.post(path, {"compute_node_id": node} if caller % 2 else {}))
    assert Counter(reply.status for reply in replies) == {200: 1, 409: CALLERS - 1}
    assert all(reply.json["error"]["claimed"] is False for reply in replies if reply.status == 409)


def test_users_who_start_a_workflow_together_do_not_share_a_run(flow: Flow) -> None:  # 29
    flow.graph("a", "b: a")
    replies = at_once(CALLERS, lambda _: flow.http.post(f"{flow.path}/initialize"))
    runs = [reply.json["run_id"] for reply in replies if reply.status == 200]
    assert runs and len(runs) == len(set(runs))
    assert {reply.status for reply in replies} <= {200, 409}
    assert flow.run_id == max(runs)
    assert flow.statuses() == {"a": "ready", "b": "blocked"}


def test_a_change_of_a_job_that_is_refused_changes_nothing(flow: Flow) -> None:  # 30
    flow.graph("a", "b: a")
    before = flow.get(f"/jobs/{flow.ids['b']}")
    for bad in ({"depends_on_job_ids": [UNKNOWN]}, {"depends_on_job_ids": [before["id"]]}, {"input_file_ids": [1]}):
        assert flow.http.put(f"/jobs/{before['id']}", {**before, "command": "false", **bad}).status == 422
    assert flow.get(f"/jobs/{before['id']}") == before


def test_a_batch_with_one_bad_job_stores_none(flow: Flow) -> None:  # 30
    jobs = [{"workflow_id": flow.id, "name": f"j{number}", "command": "true"} for number in range(3)]
    jobs[-1]["depends_on_job_ids"] = [UNKNOWN]
    assert flow.http.post("/bulk_jobs", {"jobs": jobs}).status == 422
    assert flow.rows("jobs") == []


@pytest.mark.parametrize("role", ["consumer_job_id", "producer_job_id"])
def test_user_data_for_a_job_that_is_not_there_is_not_stored(flow: Flow, role: str) -> None:  # 30
    other = Flow(flow.http).job("elsewhere")
    for job_id in (UNKNOWN, other):
        assert flow.http.post("/user_data", {"workflow_id": flow.id, "name": "d"}, **{role: job_id}).status == 422
    assert flow.rows("user_data") == []
    job = flow.job("here")
    data = flow.post("/user_data", {"workflow_id": flow.id, "name": "d"}, **{role: job})["id"]
    assert [found["id"] for found in flow.rows("user_data", **{role: job})] == [data]


def test_a_new_workflow_has_its_status_and_requirements_at_once(flow: Flow) -> None:  # 30
    made = at_once(CALLERS, lambda number: Flow(flow.http))
    for each in made:
        assert [needs["name"] for needs in each.rows("resource_requirements")] == ["default"]
        assert each.run_id == 0


def test_claims_that_fail_hold_up_no_writer(flow: Flow) -> None:  # 31
    flow.job("a")
    flow.begin()

    def fail(caller: int) -> int:
        path = flow.path if caller % 2 else f"/workflows/{UNKNOWN}"
        offer = {**OFFER, "time_limit": "PT1.5H"}
        return flow.http.post(f"{path}/claim_jobs_based_on_resources/5", offer).status

    assert set(at_once(4 * CALLERS, fail)) <= {404, 422}
    assert flow.file("written at once") > 0
    assert len(flow.claim()["jobs"]) == 1


@pytest.mark.parametrize("verb", ["reset_job_status", "initialize", "cancel"])
def test_a_verb_over_a_workflow_is_whole_whoever_looks(flow: Flow, verb: str) -> None:  # 32
    flow.graph(*(f"j{number}" for number in range(20)), "join: j0 j19").begin()
    acts: dict[str, Callable[[], Any]] = {
        "reset_job_status": lambda: flow.http.post(f"{flow.path}/reset_job_status"),
        "initialize": lambda: flow.http.post(f"{flow.path}/initialize"),
        "cancel": lambda: flow.http.put(f"{flow.path}/cancel"),
    }
    replies = at_once(CALLERS, lambda _: acts[verb]())
    assert {reply.status for reply in replies} <= {200, 409}
    assert 200 in {reply.status for reply in replies}
    outcome = {
        "reset_job_status": {"uninitialized": 21},
        "initialize": {"ready": 20, "blocked": 1},
        "cancel": {"canceled": 21},
    }
    assert Counter(flow.statuses().values()) == outcome[verb]
    assert "busy" not in flow.get(f"{flow.path}/status")
