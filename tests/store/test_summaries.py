"""Short answers about a whole workflow: its ids, what its ready jobs need, when something last happened."""

import pytest

from tests.store.scenario import Step
from torc.errors import NotFound
from torc.models.draft import DraftRequirements
from torc.models.event import Event
from torc.models.workflow import JobIds
from torc.store import events, summaries

SMALL = DraftRequirements(name="small", num_cpus=2, memory="512m", runtime="PT60M")
LARGE = DraftRequirements(name="large", num_cpus=8, num_gpus=1, num_nodes=3, memory="4g", runtime="PT2H")
LONG = DraftRequirements(name="long", num_cpus=1, memory="1g", runtime="P1D")


def needs(flow, scheduler_config_id=None):
    """What the ready jobs need, in the order of the contract."""
    answer = summaries.ready_job_requirements(flow.database, flow.workflow_id, scheduler_config_id)
    return tuple(getattr(answer, name) for name in answer.__struct_fields__)


def bind(flow, name, scheduler_id):
    flow.alter("UPDATE job SET scheduler_id = ? WHERE id = ?", scheduler_id, flow.id(name))


def test_the_ids_of_all_jobs_are_listed_ascending(build):
    build("other")
    flow = build("b", "a", "c: b")
    assert summaries.job_ids(flow.database, flow.workflow_id) == JobIds(job_ids=sorted(flow.ids.values()), count=3)


def test_an_unknown_or_hidden_workflow_has_no_job_ids(build):
    flow = build("a")
    flow.alter("UPDATE workflow SET hidden = 'deleted' WHERE id = ?", flow.workflow_id)
    for workflow_id in (flow.workflow_id, 999):
        assert summaries.job_ids(flow.database, workflow_id) == JobIds(job_ids=[], count=0)


def test_the_needs_of_ready_jobs_are_added_up_and_the_longest_time_is_given_as_it_was_written(build):
    flow = build(
        Step("a", needs="small"),
        Step("b", needs="small"),
        Step("c", needs="large"),
        Step("blocked", after=["a"], needs="long"),
        needs=[SMALL, LARGE, LONG],
    ).initialize()
    assert needs(flow) == (3, 12, 1, 5.0, 3, "PT2H")


def test_only_ready_jobs_count(build):
    flow = build(Step("a", needs="small"), Step("b", needs="long"), needs=[SMALL, LONG]).initialize()
    assert flow.runner().claim(limit=1) == ["b"]
    assert needs(flow) == (1, 2, 0, 0.5, 1, "PT60M")


def test_no_ready_job_needs_nothing(build):
    assert needs(build("a")) == (0, 0, 0, 0.0, 0, "P0DT0M")


def test_the_needs_of_the_jobs_bound_to_one_scheduler_can_be_asked_for(build):
    flow = build(Step("a", needs="small"), Step("b", needs="large"), "c", needs=[SMALL, LARGE]).initialize()
    bind(flow, "a", 5)
    bind(flow, "b", 6)
    assert needs(flow, 5) == (1, 2, 0, 0.5, 1, "PT60M")
    assert needs(flow, 7) == (0, 0, 0, 0.0, 0, "P0DT0M")
    assert needs(flow)[0] == 3


def test_the_latest_event_tells_when_something_last_happened(build):
    flow, quiet = build("a"), build("a")
    for n in range(3):
        last = events.create(flow.database, Event(workflow_id=flow.workflow_id, data={"n": n}))
    assert summaries.latest_event_timestamp(flow.database, flow.workflow_id).timestamp == last.timestamp
    assert summaries.latest_event_timestamp(quiet.database, quiet.workflow_id).timestamp is None


@pytest.mark.parametrize("ask", [summaries.ready_job_requirements, summaries.latest_event_timestamp])
def test_an_unknown_workflow_is_not_found(database, ask):
    with pytest.raises(NotFound, match="Workflow not found with ID: 999"):
        ask(database, 999)
