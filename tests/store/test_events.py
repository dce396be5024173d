"""Events: typed, in order, one for many jobs (rule 27)."""

import msgspec
import pytest

from tests.store.scenario import Step
from torc.errors import InvalidRequest, NotFound
from torc.models.event import Event
from torc.models.queries import Paging
from torc.models.status import JobStatus
from torc.store import deletion, events, job_deletion, lifecycle, manual


def stored(flow, **filters):
    return events.page(flow.database, flow.workflow_id, Paging(), **filters).items


def post(flow, data):
    return events.create(flow.database, Event(workflow_id=flow.workflow_id, data=data))


def test_the_start_and_the_end_of_a_job_are_told_with_their_numbers(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed", return_code=3, missing_files=["out.txt"])
    started, ended = (event for event in flow.events() if event.get("job_id"))
    assert started | {"message": ""} == {
        "category": "job",
        "type": "job_started",
        "job_id": flow.id("a"),
        "compute_node_id": runner.node_id,
        "run_id": 1,
        "attempt_id": 1,
        "start_time": 1000.0,
        "message": "",
    }
    assert started["message"] == f"Job with name = a started on compute node {runner.node_id}."
    assert (ended["category"], ended["type"], ended["status"]) == ("job_completion", "job_completed", "failed")
    assert (ended["return_code"], ended["cause"], ended["missing_files"]) == (3, "exit", ["out.txt"])


def test_a_job_that_succeeds_takes_no_room_for_details(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    assert flow.select("SELECT data FROM event WHERE kind = 'job_completed'") == [(None,)]


def test_a_cascade_over_many_jobs_is_one_event_with_the_first_of_them(build):
    count = 250
    flow = build("a", *(Step(f"b{n}", after=["a"]) for n in range(count))).initialize()
    runner = flow.runner()
    runner.take("a")
    before = len(stored(flow))
    runner.finish("a", "failed")
    told = flow.events()[before:]
    (cascade,) = [event for event in told if event["type"] == "jobs_canceled"]
    assert cascade["count"] == count
    assert cascade["job_ids"] == [flow.id(f"b{n}") for n in range(events.FIRST_IDS)]
    assert (cascade["cause"], cascade["cause_job_id"]) == ("dependency", flow.id("a"))
    assert len(told) == 3, "the job's end, the cascade, the end of the workflow"


def test_two_failures_in_one_sync_tell_whom_each_canceled(build):
    flow = build("a", "b", "x: a", "y: b", "z: y").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.end("a", "failed")
    runner.finish("b", "failed")
    told = [event for event in flow.events("job_completion") if event["type"] == "jobs_canceled"]
    assert {event["cause_job_id"]: event["job_ids"] for event in told} == {
        flow.id("a"): [flow.id("x")],
        flow.id("b"): [flow.id("y"), flow.id("z")],
    }


def test_a_cascade_that_a_person_caused_is_told(build):
    flow = build("a", "b: a").initialize()
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.DISABLED, run_id=1)
    (event,) = [event for event in flow.events("job_completion") if event["type"] == "jobs_canceled"]
    assert (event["count"], event["cause_job_id"]) == (1, flow.id("a"))


def test_a_cancel_of_many_jobs_is_one_event(build):
    flow = build(*(f"j{n}" for n in range(150))).initialize()
    before = len(stored(flow))
    lifecycle.cancel(flow.database, flow.workflow_id)
    cancel, complete = flow.events()[before:]
    assert (cancel["type"], cancel["count"], len(cancel["job_ids"])) == ("cancel", 150, 100)
    assert complete["type"] == "complete"


def test_timestamps_never_go_back(build):
    flow = build("a")
    post(flow, {"message": "before the clock was set back"})
    future = 10**14
    flow.alter("UPDATE event SET timestamp_ms = ?", future)
    assert post(flow, {}).timestamp == future
    flow.initialize()
    assert [event.timestamp for event in stored(flow)] == [future] * 3


def test_ids_serve_as_a_replay_cursor(build):
    flow = build("a")
    first, second, third = (post(flow, {"n": n}) for n in range(3))
    assert [event.id for event in stored(flow, after_id=first.id)] == [second.id, third.id]
    assert stored(flow, after_id=third.id) == []


def test_events_are_filtered_by_category_whoever_wrote_them(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    post(flow, {"category": "job", "mine": True})
    post(flow, {"category": "note"})
    post(flow, ["no", "category"])
    assert [event["type"] for event in flow.events("workflow")] == ["start", "complete"]
    assert [event.get("type", "posted") for event in flow.events("job")] == ["job_started", "posted"]
    assert [event["type"] for event in flow.events("job_completion")] == ["job_completed"]
    assert flow.events("note") == [{"category": "note"}]
    assert flow.events("nothing") == []


def test_events_are_filtered_by_time(build):
    flow = build("a")
    first, second = post(flow, {}), post(flow, {})
    flow.alter("UPDATE event SET timestamp_ms = 5 WHERE id = ?", first.id)
    assert [event.id for event in stored(flow, after_timestamp=5)] == [second.id]


def test_a_page_of_events_is_sorted_by_what_can_be_sorted_by(build):
    flow = build("a")
    ids = [post(flow, {}).id for _ in range(3)]
    page = events.page(flow.database, flow.workflow_id, Paging(limit=2, sort_by="timestamp", reverse_sort=True))
    assert [event.id for event in page.items] == ids[:0:-1]
    assert (page.total_count, page.has_more) == (3, True)
    with pytest.raises(InvalidRequest, match="sort_by"):
        events.page(flow.database, flow.workflow_id, Paging(sort_by="data"))


def test_an_event_needs_data_and_a_workflow(build):
    flow = build("a")
    with pytest.raises(InvalidRequest, match="data"):
        post(flow, None)
    with pytest.raises(NotFound, match="99"):
        events.create(flow.database, Event(workflow_id=99, data={}))


def test_an_event_is_read_changed_and_deleted(build):
    flow = build("a").initialize()
    (event,) = stored(flow)
    changed = events.update(flow.database, event.id, {"category": "note"})
    assert msgspec.json.decode(changed.data) == {"category": "note"}
    assert events.get(flow.database, event.id) == changed
    events.delete(flow.database, event.id)
    with pytest.raises(NotFound, match=str(event.id)):
        events.get(flow.database, event.id)
    post(flow, {})
    assert events.delete_all(flow.database, flow.workflow_id) == 1


def test_events_of_a_deleted_job_stay_readable(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    job_deletion.delete(flow.database, flow.id("a"), force=True)
    assert [event["type"] for event in flow.events("job_completion")] == ["job_completed"]


def test_events_of_a_deleted_workflow_are_gone(build):
    flow = build("a").initialize()
    (event,) = stored(flow)
    deletion.delete(flow.database, flow.workflow_id)
    assert stored(flow) == []
    with pytest.raises(NotFound):
        events.get(flow.database, event.id)
