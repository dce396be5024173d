"""Workflow actions: when they fire, who runs them, and what becomes of claims (rule 16)."""

import pytest

from tests.store.scenario import Step, every_field
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.action import WorkflowAction
from torc.models.status import JobStatus
from torc.store import actions, job_deletion, jobs, lifecycle, manual


def counts(flow, action_id):
    action = flow.actions()[action_id]
    return action.trigger_count, action.required_triggers, action.state


def claim(flow, action_id, node_id=None):
    return actions.claim(flow.database, flow.workflow_id, action_id, node_id)


def run(flow, runner, *names, status="completed"):
    runner.take(*names)
    for name in names:
        runner.finish(name, status)


def set_status(flow, name, status):
    manual.set_status(flow.database, flow.leases, job_id=flow.id(name), status=JobStatus(status), run_id=flow.run_id())


def test_a_start_fires_what_waits_for_it_and_for_workers(build):
    flow = build("a")
    ids = [flow.action(trigger) for trigger in ("on_workflow_start", "on_worker_start", "on_worker_complete")]
    end = flow.action("on_workflow_complete")
    assert {flow.actions()[action].state for action in ids} == {"waiting"}
    flow.initialize()
    assert {flow.actions()[action].state for action in ids} == {"pending"}
    assert flow.actions()[end].state == "waiting"


def test_a_completion_trigger_counts_distinct_jobs(build):
    flow = build("a", "b")
    action = flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    assert counts(flow, action) == (1, 2, "waiting")
    set_status(flow, "a", "ready")
    assert counts(flow, action) == (0, 2, "waiting")
    run(flow, runner, "a")
    assert counts(flow, action) == (1, 2, "waiting")
    runner.finish("b", "failed")
    assert counts(flow, action) == (2, 2, "pending")


def test_jobs_canceled_by_a_cascade_are_counted(build):
    flow = build("a", "b: a", "c: b")
    action = flow.action("on_jobs_complete", "b", "c")
    flow.initialize()
    run(flow, flow.runner(), "a", status="failed")
    assert counts(flow, action) == (2, 2, "pending")


def test_a_ready_trigger_follows_jobs_up_and_down(build):
    flow = build("a", "b: a", Step("c", after=["a"], keep_going=True))
    action = flow.action("on_jobs_ready", "b", "c")
    flow.initialize()
    assert counts(flow, action) == (0, 2, "waiting")
    run(flow, flow.runner(), "a")
    assert counts(flow, action) == (2, 2, "pending")
    set_status(flow, "a", "uninitialized")
    assert counts(flow, action) == (0, 2, "waiting")


def test_a_claimed_ready_trigger_stays_claimed_when_its_jobs_are_reset(build):
    flow = build("a", "b: a")
    action = flow.action("on_jobs_ready", "b")
    flow.initialize()
    run(flow, flow.runner(), "a")
    claim(flow, action)
    set_status(flow, "a", "uninitialized")
    assert counts(flow, action) == (0, 1, "claimed")


@pytest.mark.parametrize("failed_only", [True, False])
def test_a_reset_of_the_workflow_takes_counts_back(build, failed_only):
    flow = build("a", "b")
    action = flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    run(flow, flow.runner(), "a", "b", status="failed")
    lifecycle.reset_job_status(flow.database, flow.workflow_id, failed_only=failed_only)
    assert counts(flow, action) == (0, 2, "waiting")


def test_a_cancel_fires_no_job_trigger_but_the_end_of_the_workflow(build):
    flow = build("a", "b")
    of_jobs, of_workflow = flow.action("on_jobs_complete", "a", "b"), flow.action("on_workflow_complete")
    flow.initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    assert flow.actions()[of_jobs].state == "waiting"
    assert flow.actions()[of_workflow].state == "pending"


def test_clearing_the_flag_of_a_canceled_workflow_fires_no_job_trigger(build):
    flow = build("a", "b")
    action = flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    lifecycle.reset_status(flow.database, flow.workflow_id)
    assert flow.actions()[action].state == "waiting"


def test_the_end_of_the_workflow_fires_once_in_a_run(build):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a")
    answer = runner.sync(runs_actions=["run_commands"])
    assert [one.id for one in answer.actions] == [action], "the sync that completes the workflow gives it"
    assert answer.workflow.is_complete
    set_status(flow, "a", "ready")
    run(flow, runner, "a")
    assert flow.actions()[action].state == "claimed"
    assert len([event for event in flow.events("workflow") if event["type"] == "complete"]) == 1


def test_the_end_of_the_workflow_fires_again_in_the_next_run(build):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    for _ in range(2):
        flow.initialize()
        fresh = flow.actions()[action]
        assert (fresh.state, fresh.executed, fresh.executed_at, fresh.executed_by) == ("waiting", False, None, None)
        run(flow, flow.runner(), "a")
        assert flow.actions()[action].state == "pending"
        claim(flow, action)


def test_a_cascade_that_ends_the_workflow_fires_its_end(build):
    flow = build("a", "b: a", "c: b")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    run(flow, flow.runner(), "a", status="failed")
    assert flow.actions()[action].state == "pending"


def test_the_loss_of_a_node_that_ends_the_workflow_fires_its_end(build, clock):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    for _ in range(3):
        runner = flow.runner()
        runner.take("a")
        runner.die(clock)
    assert flow.actions()[action].state == "pending"


def test_disabling_the_last_job_fires_the_end(build):
    flow = build("a", "b: a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    set_status(flow, "a", "disabled")
    assert flow.actions()[action].state == "pending"


def test_disabling_the_last_job_through_its_record_fires_the_end(build):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    flow.add("late")
    run(flow, flow.runner(), "a")
    assert flow.actions()[action].state == "waiting"
    job = flow.job("late")
    job.status = JobStatus.DISABLED
    jobs.update(flow.database, flow.id("late"), job, every_field(job))
    assert flow.actions()[action].state == "pending"


def test_deleting_the_last_job_that_is_left_to_do_fires_the_end(build):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    flow.add("late")
    run(flow, flow.runner(), "a")
    job_deletion.delete(flow.database, flow.id("late"))
    assert flow.actions()[action].state == "pending"


def test_actions_stay_pending_when_nobody_is_there(build):
    flow = build("a")
    action = flow.action("on_workflow_complete")
    flow.initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    assert [one.id for one in flow.runner().sync(runs_actions=["run_commands"]).actions] == [action]


def test_an_action_is_claimed_once(build):
    flow = build("a")
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    assert claim(flow, action, runner.node_id).claimed
    claimed = flow.actions()[action]
    assert (claimed.state, claimed.executed, claimed.executed_by) == ("claimed", True, runner.node_id)
    with pytest.raises(Conflict, match="already claimed") as caught:
        claim(flow, action)
    assert caught.value.details == {"claimed": False}


def test_an_action_that_has_not_fired_cannot_be_claimed(build):
    flow = build("a")
    action = flow.action("on_jobs_complete", "a")
    with pytest.raises(Unprocessable, match="0 of 1 triggers"):
        claim(flow, action)


def test_a_claim_needs_an_action_and_a_node_of_the_workflow(build):
    flow, other = build("a").initialize(), build("b").initialize()
    foreign = other.action("on_workflow_start")
    with pytest.raises(NotFound, match="not found with ID: 99"):
        claim(flow, 99)
    with pytest.raises(NotFound, match="does not belong"):
        claim(flow, foreign)
    mine = flow.action("on_worker_start")
    flow.initialize()
    with pytest.raises(Unprocessable, match="no compute node"):
        claim(flow, mine, other.runner().node_id)
    assert flow.actions()[mine].state == "pending"


@pytest.mark.parametrize(
    ("trigger", "wanted", "is_persistent"),
    [
        ("on_worker_start", None, True),
        ("on_worker_complete", None, True),
        ("on_worker_start", False, False),
        ("on_workflow_start", None, False),
        ("on_workflow_start", True, True),
    ],
)
def test_actions_of_workers_are_persistent_unless_told_otherwise(build, trigger, wanted, is_persistent):
    flow = build("a")
    action = flow.action(trigger, persistent=wanted)
    assert flow.actions()[action].persistent is is_persistent


def test_every_worker_claims_a_persistent_action_once_in_a_run(build):
    flow = build("a")
    action = flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    for runner in (first, second):
        claim(flow, action, runner.node_id)
        with pytest.raises(Conflict, match=f"compute node {runner.node_id}"):
            claim(flow, action, runner.node_id)
    assert flow.actions()[action].state == "pending"
    assert len(flow.select("SELECT * FROM workflow_action_node")) == 2
    flow.initialize()
    assert claim(flow, action, first.node_id).claimed


def test_the_claims_of_a_node_that_closes_are_free_again(build):
    flow = build("a")
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    claim(flow, action, runner.node_id)
    runner.sync(closing=True)
    free = flow.actions()[action]
    assert (free.state, free.executed, free.executed_by, free.executed_at) == ("pending", False, None, None)
    assert claim(flow, action, flow.runner().node_id).claimed


def test_the_claims_of_a_node_that_is_lost_are_free_again(build, clock):
    flow = build("a")
    mine, theirs = flow.action("on_workflow_start"), flow.action("on_workflow_start")
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    claim(flow, mine, runner.node_id)
    claim(flow, theirs, other.node_id)
    runner.die(clock)
    assert (flow.actions()[mine].state, flow.actions()[theirs].state) == ("pending", "claimed")


def test_what_a_lost_node_had_begun_has_failed_and_is_not_run_twice(build, clock):
    flow = build("a")
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    claim(flow, action, runner.node_id)
    flow.alter("UPDATE workflow_action SET state = 'running' WHERE id = ?", action)
    runner.die(clock)
    failed = flow.actions()[action]
    assert (failed.state, "lost" in failed.output_tail) == ("failed", True)


def test_a_deleted_job_leaves_the_trigger_that_waits_for_it(build):
    flow = build("a", "b")
    action = flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    job_deletion.delete(flow.database, flow.id("b"), force=True)
    assert counts(flow, action) == (1, 1, "pending")
    assert flow.actions()[action].job_ids == [flow.id("a")]


def test_an_empty_list_of_jobs_fires_at_once_and_no_list_never(build):
    flow = build("a")
    empty = actions.create(
        flow.database,
        flow.workflow_id,
        WorkflowAction(
            trigger_type="on_jobs_complete", action_type="run_commands", action_config={"commands": ["x"]}, job_ids=[]
        ),
    )
    absent = flow.action("on_jobs_complete")
    flow.initialize()
    run(flow, flow.runner(), "a")
    assert (flow.actions()[empty.id].state, flow.actions()[absent].state) == ("pending", "waiting")


def test_an_action_watches_jobs_of_its_workflow_only(build):
    flow, other = build("a"), build("b")
    flow.ids["b"] = other.id("b")
    with pytest.raises(Unprocessable, match="not every job"):
        flow.action("on_jobs_complete", "a", "b")
    assert flow.actions() == {}


@pytest.mark.parametrize(
    ("kind", "config", "reason"),
    [
        ("run_commands", {"commands": ["a"], "x": 1}, "only 'commands' field is allowed"),
        ("run_commands", {}, "'commands' must be an array"),
        ("run_commands", {"commands": "a"}, "'commands' must be an array"),
        ("run_commands", {"commands": []}, "'commands' array cannot be empty"),
        ("run_commands", {"commands": ["a", 1]}, r"'commands\[1\]' must be a string"),
        ("schedule_nodes", {"nodes": 1}, "Unsupported field 'nodes'"),
        ("schedule_nodes", {"scheduler_id": "1"}, "'scheduler_id' must be an integer"),
        ("schedule_nodes", {"num_allocations": True}, "'num_allocations' must be an integer"),
        ("schedule_nodes", {"scheduler_type": 1}, "'scheduler_type' must be a string"),
        ("schedule_nodes", {"start_one_worker_per_node": 1}, "'start_one_worker_per_node' must be a boolean"),
    ],
)
def test_a_configuration_that_does_not_suit_the_type_is_refused(build, kind, config, reason):
    flow = build("a")
    action = WorkflowAction(trigger_type="on_workflow_start", action_type=kind, action_config=config)
    with pytest.raises(Unprocessable, match=f"^Invalid action_config: .*{reason}"):
        actions.create(flow.database, flow.workflow_id, action)
    assert flow.actions() == {}


def test_pending_actions_are_listed_by_trigger(build):
    flow = build("a")
    start, worker = flow.action("on_workflow_start"), flow.action("on_worker_start")
    flow.action("on_workflow_complete")
    flow.initialize()

    def pending(*triggers):
        return [one.id for one in actions.pending(flow.database, flow.workflow_id, triggers)]

    assert pending() == [start, worker]
    assert pending("on_worker_start", "on_workflow_complete") == [worker]
