"""``POST /jobs/{id}/cancel`` and its like over HTTP, for one job and for several."""

from contextlib import closing
from typing import Any

import pytest

from tests.server.scenario import UNKNOWN, Flow, at_once
from torc.client.api import Client
from torc.errors import Conflict
from torc.models.job import JobVerb


def post(flow: Flow, name: str, verb: str) -> Any:
    return flow.post(f"/jobs/{flow.ids[name]}/{verb}")


def test_one_job_is_taken_through_every_command(flow: Flow) -> None:
    flow.graph("a", "b: a").begin()
    assert post(flow, "a", "disable")["status"] == "disabled"
    assert flow.statuses() == {"a": "disabled", "b": "canceled"}
    assert post(flow, "a", "enable")["status"] == "ready"
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    canceled = post(flow, "a", "cancel")
    assert (canceled["status"], canceled["cause"]) == ("canceled", "user")
    assert post(flow, "a", "retry")["status"] == "ready"
    flow.ok(flow.start("a"))
    assert post(flow, "a", "terminate")["status"] == "terminated", "its node never syncs"
    assert flow.statuses() == {"a": "terminated", "b": "canceled"}


@pytest.mark.parametrize(
    ("verb", "status"), [("cancel", 409), ("terminate", 409), ("retry", 200), ("disable", 200), ("enable", 422)]
)
def test_a_completed_job_refuses_what_makes_no_sense(flow: Flow, verb: str, status: int) -> None:
    flow.graph("a").begin().run("a")
    assert flow.http.post(f"/jobs/{flow.ids['a']}/{verb}").status == status


@pytest.mark.parametrize("verb", list(JobVerb))
def test_an_unknown_job_is_not_found(flow: Flow, verb: str) -> None:
    assert flow.http.post(f"/jobs/{UNKNOWN}/{verb}").status == 404
    assert flow.http.post(f"/bulk_jobs/{verb}", {"job_ids": [UNKNOWN]}).status == 404


@pytest.mark.parametrize("body", [None, {}, {"job_ids": []}, {"job_ids": ["a"]}])
def test_several_jobs_have_to_be_named(flow: Flow, body: Any) -> None:
    assert flow.http.post("/bulk_jobs/cancel", body).status == 400


def test_there_is_no_other_command(flow: Flow) -> None:
    assert flow.http.post("/bulk_jobs/explode", {"job_ids": [1]}).status in (400, 404)


def test_of_several_jobs_all_or_none_are_changed(flow: Flow) -> None:
    flow.graph("a", "b", "c").begin().run("c")
    with closing(Client(flow.http.url)) as client:
        with pytest.raises(Conflict, match=f"job {flow.ids['c']} 'c' is completed already and cannot be canceled"):
            client.jobs.command(JobVerb.CANCEL, [flow.ids[name] for name in "abc"])
        assert flow.statuses() == {"a": "ready", "b": "ready", "c": "completed"}
        done = client.jobs.command(JobVerb.CANCEL, [flow.ids["b"], flow.ids["a"]], user="ann")
    assert [(job.id, job.status) for job in done] == [(flow.ids["b"], "canceled"), (flow.ids["a"], "canceled")]
    (event,) = [event["data"] for event in flow.rows("events") if event["data"]["type"] == "cancel_jobs"]
    assert (event["user"], event["job_ids"]) == ("ann", sorted([flow.ids["a"], flow.ids["b"]]))


def test_a_cancel_and_a_report_in_the_same_moment_leave_one_outcome(flow: Flow) -> None:
    names = [f"j{number}" for number in range(16)]
    flow.graph(*names).begin()
    for name in names:
        flow.ok(flow.start(name))

    def act(caller: int) -> None:
        name = names[caller // 2]
        if caller % 2:
            flow.http.post(f"/jobs/{flow.ids[name]}/cancel")
        else:
            flow.complete(name)

    at_once(2 * len(names), act)
    assert set(flow.statuses().values()) <= {"completed", "canceled"}
    assert flow.is_complete()
    assert sorted(row["job_id"] for row in flow.rows("results", all_runs="true")) == sorted(flow.ids.values())
