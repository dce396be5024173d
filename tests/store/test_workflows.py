"""Workflows as records, their status, and whether they are complete (rules 14, 32, 35)."""

import pytest

from tests.store.scenario import Step, every_field
from torc.errors import NotFound, Unprocessable
from torc.models.draft import DraftUserData
from torc.models.queries import Paging
from torc.models.status import JobStatus
from torc.models.workflow import Workflow, WorkflowStatus
from torc.store import inputs, job_deletion, lifecycle, manual, results, workflows


def make(database, **fields):
    return workflows.create(database, Workflow(**({"name": "w", "user": "u"} | fields)), None)


def test_the_owner_is_who_is_logged_in_and_not_what_a_client_writes(database):
    made = workflows.create(database, Workflow(name="w", user="anyone", owner="mallory"), "alice")
    assert (made.owner, made.user) == ("alice", "anyone")
    made.owner = "mallory"
    assert workflows.update(database, made.id, made, every_field(made)).owner == "alice"


def test_a_workflow_comes_with_its_status_and_default_requirements(database):
    made = make(database)
    assert made.status_id == made.id
    status = workflows.status(database, made.id)
    assert (status.id, status.run_id, status.is_canceled, status.is_archived) == (made.id, 0, False, False)
    with database.read() as db:
        assert db.execute("SELECT name, num_cpus, memory, runtime FROM resource_requirements").fetchall() == [
            ("default", 1, "1m", "P0DT1M")
        ]


def test_an_update_replaces_what_a_user_may_change(database):
    made = make(database, description="old")
    before = made.timestamp
    made.name, made.description, made.jobs_sort_method, made.timestamp = "new", None, "none", "yesterday"
    changed = workflows.update(database, made.id, made, every_field(made))
    assert (changed.name, changed.description, changed.jobs_sort_method) == ("new", None, "none")
    assert changed.timestamp == before


def test_the_revision_grows_with_every_change_and_with_nothing_else(build):
    flow = build("a")

    def revision():
        return workflows.get(flow.database, flow.workflow_id).revision

    seen = [revision()]
    flow.initialize()
    seen.append(revision())
    runner = flow.runner()
    seen.append(revision())
    runner.take("a")
    seen.append(revision())
    runner.finish("a")
    seen.append(revision())
    flow.add("b")
    seen.append(revision())
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    seen.append(revision())
    results.start(flow.database, job_id=flow.id("b"), run_id=1, compute_node_id=runner.node_id)
    seen.append(revision())
    result = results.page(flow.database, flow.workflow_id, Paging(), {}).items[0]
    result.job_id = flow.id("b")
    results.complete(flow.database, job_id=flow.id("b"), status=JobStatus.COMPLETED, run_id=1, result=result)
    seen.append(revision())
    lifecycle.reset_job_status(flow.database, flow.workflow_id)
    seen.append(revision())
    lifecycle.cancel(flow.database, flow.workflow_id)
    seen.append(revision())
    lifecycle.reset_status(flow.database, flow.workflow_id)
    seen.append(revision())
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.DISABLED, run_id=1)
    seen.append(revision())
    job_deletion.delete(flow.database, flow.id("b"), force=True)
    seen.append(revision())
    assert seen == sorted(set(seen))
    flow.statuses()
    assert revision() == seen[-1]


def test_workflows_are_filtered(database):
    first = make(database, name="one", user="ann", description="The First")
    second = make(database, name="two", user="bob", description="the 2nd")
    archived = workflows.status(database, second.id)
    archived.is_archived = True
    workflows.update_status(database, second.id, archived, every_field(archived))

    def found(**filters):
        return [one.id for one in workflows.page(database, Paging(), **filters).items]

    assert found() == [first.id, second.id]
    assert found(name="one") == [first.id]
    assert found(user="bob") == [second.id]
    assert found(description="FIRST") == [first.id]
    assert found(description="THE") == [first.id, second.id]
    assert found(description="%") == []
    assert found(is_archived=True) == [second.id]
    assert found(is_archived=False) == [first.id]


def test_two_workflows_may_have_one_name(database):
    assert make(database).id != make(database).id


def test_a_status_is_overwritten_whole_except_for_what_is_the_servers(database):
    made = make(database)
    wanted = WorkflowStatus(run_id=4, is_canceled=True, is_archived=True, busy="initialize")
    stored = workflows.update_status(database, made.id, wanted, every_field(wanted))
    assert (stored.run_id, stored.is_canceled, stored.is_archived, stored.busy) == (4, True, True, None)
    with pytest.raises(Unprocessable, match="-1"):
        workflows.update_status(database, made.id, WorkflowStatus(run_id=-1, is_canceled=False), frozenset())


def test_a_workflow_that_does_not_exist_is_not_found(database):
    for act in (
        lambda: workflows.get(database, 5),
        lambda: workflows.status(database, 5),
        lambda: workflows.update(database, 5, Workflow(name="w", user="u"), frozenset()),
        lambda: workflows.update_status(database, 5, WorkflowStatus(run_id=1, is_canceled=False), frozenset()),
        lambda: workflows.is_complete(database, 5),
        lambda: workflows.job_counts(database, 5),
    ):
        with pytest.raises(NotFound, match="5"):
            act()


UNSETTLED = {"uninitialized", "blocked", "ready", "pending", "running"}


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_workflow_is_complete_when_every_job_is_settled(build, status):
    flow = build("a")
    flow.alter("UPDATE job SET status = ?", status)
    assert flow.is_complete() is (status not in UNSETTLED)
    flow.alter("UPDATE job SET status = 'uninitialized'")


def test_completeness_is_looked_up_and_never_counted(build):
    flow = build("a", "b").initialize()
    statements = []
    with flow.database.read() as db:
        db.set_trace_callback(statements.append)
    flow.is_complete()
    db.set_trace_callback(None)
    asked = [text for text in statements if "FROM job" in text]
    assert asked
    assert not any("count(" in text.lower() for text in asked)
    plans = [row[3] for text in asked for row in flow.select(f"EXPLAIN QUERY PLAN {text}") if "job" in row[3]]
    assert plans
    assert all("job_status (workflow_id=? AND status=?)" in plan for plan in plans)


def test_jobs_are_counted_by_status(build):
    flow = build("a", "b: a", "c: a").initialize()
    assert workflows.job_counts(flow.database, flow.workflow_id) == {"ready": 1, "blocked": 2}


def test_a_workflow_is_uninitialized_while_every_job_is_or_is_disabled(build):
    flow = build("a", "b")
    assert workflows.is_uninitialized(flow.database, flow.workflow_id)
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.DISABLED, run_id=0)
    assert workflows.is_uninitialized(flow.database, flow.workflow_id)
    flow.initialize()
    assert not workflows.is_uninitialized(flow.database, flow.workflow_id)


def test_files_that_must_exist_are_inputs_nobody_writes_and_outputs_of_what_is_done(build):
    flow = build(Step("a", reads=["in"], writes=["mid"]), Step("b", reads=["mid", "in"], writes=["out"])).initialize()
    ids = dict(flow.select("SELECT name, id FROM file"))

    def required():
        return inputs.required_existing_files(flow.database, flow.workflow_id)

    assert required() == [ids["in"]]
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    assert required() == sorted([ids["in"], ids["mid"]])


def test_user_data_that_is_missing_is_input_nobody_writes_and_what_done_jobs_left_empty(build):
    flow = build(
        Step("a", reads_data=["empty", "given"], writes_data=["made"]),
        Step("b", reads_data=["made"]),
        user_data=[DraftUserData(name="given", data=0)],
    ).initialize()
    ids = dict(flow.select("SELECT name, id FROM user_data"))

    def missing():
        return inputs.missing_user_data(flow.database, flow.workflow_id)

    assert missing() == [ids["empty"]]
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    assert missing() == sorted([ids["empty"], ids["made"]])
