"""Who carries out an action: given once, given again when the answer got lost, never run twice silently (rule 16)."""

import pytest

from tests.store.scenario import expire
from torc.errors import Conflict, NotFound
from torc.models.action import WorkflowAction
from torc.models.sync import ActionReport
from torc.store import actions, deletion, lifecycle, nodes

ABLE = {"runs_actions": ["run_commands"]}


def ask(runner, **sections):
    """A sync of a runner that could carry out an action; the ids it gets."""
    return [action.id for action in runner.sync(**ABLE, **sections).actions]


def told(action_id, state, tail=None):
    return [ActionReport(action_id=action_id, state=state, output_tail=tail)]


def tell(runner, action_id, state, tail=None, **sections):
    """A sync that says how far an action is."""
    return runner.sync(actions=told(action_id, state, tail), holding_actions=[action_id], **sections)


def state(flow, action_id):
    return flow.actions()[action_id].state


def runs(flow, action_id):
    return [(run.compute_node_id, run.run_id, run.state) for run in flow.actions()[action_id].runs]


@pytest.fixture
def flow(build):
    """Two jobs."""
    return build("a", "b: a")


def test_two_runners_that_ask_get_a_start_action_once(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    assert (ask(first), ask(second)) == ([action], [])
    claimed = flow.actions()[action]
    assert (claimed.state, claimed.executed_by, claimed.executed) == ("claimed", first.node_id, True)


def test_a_runner_that_cannot_carry_out_an_action_now_gets_none(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    assert runner.sync().actions == []
    assert runner.sync(runs_actions=["schedule_nodes"]).actions == []
    assert state(flow, action) == "pending"


def test_nodes_to_schedule_are_left_to_those_who_can(flow):
    action = actions.create(
        flow.database,
        flow.workflow_id,
        WorkflowAction(trigger_type="on_workflow_start", action_type="schedule_nodes", action_config={}),
    )
    flow.initialize()
    runner = flow.runner()
    assert ask(runner) == []
    assert runner.claim() == ["a"], "nor do jobs wait for it"
    assert [one.id for one in runner.sync(runs_actions=["schedule_nodes"]).actions] == [action.id]


def test_an_action_whose_delivery_got_lost_is_given_again(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    runner.lose_answer(**ABLE)
    assert ask(runner) == [action]
    assert ask(runner, holding_actions=[action]) == []


def test_a_runner_gets_one_action_at_a_time_in_the_order_of_a_run(flow):
    complete = flow.action("on_workflow_complete")
    jobs = flow.action("on_jobs_complete", "a")
    ready = flow.action("on_jobs_ready", "a")
    worker = flow.action("on_worker_start")
    last, first = flow.action("on_worker_complete"), flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    given = []
    for name in ("", "", "", "a", "b"):
        if name:
            runner.take(name)
            runner.finish(name)
        (action,) = ask(runner)
        given.append(action)
        tell(runner, action, "done")
    assert given == [first, worker, ready, jobs, complete]
    assert ask(runner) == []
    assert ask(runner, leaving=True) == [last]


def test_what_becomes_of_an_action_is_kept_with_the_end_of_its_output(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, "running")
    assert state(flow, action) == "running"
    tell(runner, action, "failed", "no such file")
    assert (state(flow, action), flow.actions()[action].output_tail) == ("failed", "no such file")
    assert [event["type"] for event in flow.events("action")] == ["action_failed"]
    assert ask(runner) == []


def test_a_report_told_twice_counts_once(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    for _ in range(2):
        tell(runner, action, "failed", "oh")
    assert state(flow, action) == "failed"
    assert len(flow.events("action")) == 1


def test_nobody_reports_of_the_action_of_another(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    ask(runner)
    tell(other, action, "done")
    assert state(flow, action) == "claimed"


def test_a_running_action_that_its_runner_does_not_know_has_failed(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, "running")
    assert ask(runner) == []
    failed = flow.actions()[action]
    assert (failed.state, f"torc actions rerun {action}" in failed.output_tail) == ("failed", True)


@pytest.mark.parametrize(("begun", "left"), [(False, "pending"), (True, "failed")])
def test_the_actions_of_a_runner_that_leaves_are_free_or_have_failed(flow, begun, left):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    if begun:
        tell(runner, action, "running")
    runner.sync(closing=True, holding_actions=[action])
    assert state(flow, action) == left
    assert ask(flow.runner()) == ([] if begun else [action])


@pytest.mark.parametrize("trigger", ["on_workflow_start", "on_worker_start"])
def test_the_end_of_an_action_is_heard_although_its_node_was_given_up(flow, clock, trigger):
    action = flow.action(trigger)
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, "running")
    runner.die(clock)
    found = flow.actions()[action]
    assert (found.runs[0] if found.runs else found).state == "failed"
    tell(runner, action, "running")
    tell(runner, action, "done")
    found = flow.actions()[action]
    assert (found.runs[0] if found.runs else found).state == "done"


def test_what_a_leaving_runner_never_heard_of_is_for_others(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    runner.lose_answer(**ABLE)
    assert ask(runner, leaving=True) == []
    assert ask(flow.runner()) == [action]


def test_every_worker_carries_out_a_persistent_action_once_in_a_run(flow):
    action = flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    assert (ask(first), ask(second)) == ([action], [action])
    tell(first, action, "done")
    tell(second, action, "failed", "no")
    assert (ask(first), ask(second)) == ([], [])
    assert runs(flow, action) == [(first.node_id, 1, "done"), (second.node_id, 1, "failed")]
    assert flow.actions()[action].runs[1].output_tail == "no"
    assert state(flow, action) == "pending"
    flow.initialize()
    assert ask(first) == [action]
    assert len(runs(flow, action)) == 3


def test_a_persistent_action_ends_in_the_run_it_was_begun_in(flow):
    action = flow.action("on_worker_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, "running")
    flow.initialize()
    assert tell(runner, action, "done", **ABLE).actions == [], "its report could be taken for the new run's"
    assert runs(flow, action) == [(runner.node_id, 1, "done")]
    assert ask(runner) == [action]


def test_an_action_of_a_run_before_is_carried_out_again(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, "running")
    flow.initialize()
    tell(runner, action, "done", **ABLE)
    assert state(flow, action) == "pending"
    assert ask(runner) == [action]


@pytest.mark.parametrize(("begun", "left"), [(False, []), (True, ["failed"])])
def test_a_persistent_action_of_a_lost_worker_is_forgotten_or_has_failed(flow, clock, begun, left):
    action = flow.action("on_worker_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    if begun:
        tell(runner, action, "running")
    runner.die(clock)
    assert [run.state for run in flow.actions()[action].runs] == left


def test_no_job_starts_before_the_commands_of_the_start_have_ended(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    answer = first.sync(slots=1, **ABLE)
    assert (answer.jobs, answer.workflow.is_preparing) == ([], True)
    waits = second.sync(slots=1, **ABLE)
    assert (waits.jobs, waits.workflow.is_preparing, waits.retry_after_s) == ([], True, 0.5)
    tell(first, action, "running")
    assert second.sync(slots=1, **ABLE).workflow.is_preparing
    done = tell(first, action, "done", slots=1, **ABLE)
    assert ([job.name for job in done.jobs], done.workflow.is_preparing) == (["a"], False)


def test_a_start_that_failed_holds_nobody_back(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    assert [job.name for job in tell(runner, action, "failed", "x", slots=1, **ABLE).jobs] == ["a"]


def test_a_start_that_was_lost_with_its_node_holds_nobody_back(flow, clock):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    ask(runner)
    tell(runner, action, "running")
    expire(flow, clock, [runner.node_id])
    assert [job.name for job in other.sync(slots=1, **ABLE).jobs] == ["a"]


def test_a_worker_waits_for_its_own_preparation_only(build):
    flow = build("a", "b")
    action = flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    assert (ask(first), ask(second)) == ([action], [action])
    assert len(tell(first, action, "done", slots=1, **ABLE).jobs) == 1
    assert second.sync(slots=1, holding_actions=[action]).jobs == []


def test_workers_are_prepared_after_the_workflow(flow):
    start, worker = flow.action("on_workflow_start"), flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    assert (ask(first), ask(second)) == ([start], [])
    tell(first, start, "done")
    assert ask(second) == [worker]


def test_a_runner_that_carries_out_no_actions_waits_for_none(flow):
    flow.action("on_workflow_start")
    flow.initialize()
    assert flow.runner().claim() == ["a"]


def test_what_a_login_node_or_a_node_that_reports_nothing_has_claimed_is_carried_out_for_ever(flow, clock):
    by_login, by_node = flow.action("on_workflow_start"), flow.action("on_workflow_start")
    flow.initialize()
    silent = flow.runner(spool_path=None)
    actions.claim(flow.database, flow.workflow_id, by_login, None)
    actions.claim(flow.database, flow.workflow_id, by_node, silent.node_id)
    runner = flow.runner()
    assert [job.name for job in runner.sync(slots=1, **ABLE).jobs] == ["a"]
    nodes.release(flow.database, flow.leases, silent.node_id)
    nodes.delete(flow.database, flow.leases, silent.node_id)
    assert ask(runner) == []
    assert (state(flow, by_login), state(flow, by_node)) == ("claimed", "claimed")


def test_the_end_of_a_canceled_workflow_is_carried_out_and_nothing_else(flow):
    end = flow.action("on_workflow_complete")
    flow.action("on_workflow_start")
    flow.action("on_jobs_ready", "a")
    flow.initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    runner = flow.runner()
    answer = runner.sync(**ABLE)
    assert ([one.id for one in answer.actions], answer.workflow.is_canceled) == ([end], True)
    tell(runner, end, "done")
    assert ask(runner) == []


def test_while_a_verb_is_under_way_nothing_is_given_and_nothing_is_complete(flow):
    action = flow.action("on_workflow_complete")
    flow.initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    runner = flow.runner()
    flow.alter("UPDATE workflow_status SET busy = 'cancel' WHERE id = ?", flow.workflow_id)
    answer = runner.sync(**ABLE)
    assert (answer.actions, answer.workflow.is_complete, answer.retry_after_s) == ([], False, 0.5)
    flow.alter("UPDATE workflow_status SET busy = NULL WHERE id = ?", flow.workflow_id)
    answer = runner.sync(**ABLE)
    assert ([one.id for one in answer.actions], answer.workflow.is_complete) == ([action], True)


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_an_action_that_has_ended_can_be_carried_out_again(flow, outcome):
    action = flow.action("on_workflow_start")
    flow.initialize()
    runner = flow.runner()
    ask(runner)
    tell(runner, action, outcome, "x")
    again = actions.rerun(flow.database, action)
    assert (again.state, again.executed_by, again.output_tail, again.executed) == ("pending", None, None, False)
    assert ask(runner) == [action]


def test_a_persistent_action_is_carried_out_again_by_every_worker_that_is_there(flow):
    action = flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    for runner in (first, second):
        ask(runner)
        tell(runner, action, "done")
    actions.rerun(flow.database, action)
    assert (ask(first), ask(second)) == ([action], [action])


def test_what_nobody_alive_has_claimed_can_be_carried_out_again(flow):
    action = flow.action("on_workflow_start")
    flow.initialize()
    actions.claim(flow.database, flow.workflow_id, action, None)
    assert actions.rerun(flow.database, action).state == "pending"


def test_an_action_that_has_not_ended_is_not_carried_out_again(flow):
    waiting, start = flow.action("on_jobs_complete", "a"), flow.action("on_workflow_start")
    worker = flow.action("on_worker_start")
    flow.initialize()
    runner = flow.runner()
    with pytest.raises(Conflict, match="0 of 1 triggers"):
        actions.rerun(flow.database, waiting)
    with pytest.raises(Conflict, match=f"pending already.*torc run {flow.workflow_id}"):
        actions.rerun(flow.database, start)
    with pytest.raises(Conflict, match="no worker has ended"):
        actions.rerun(flow.database, worker)
    ask(runner)
    with pytest.raises(Conflict, match=f"claimed on compute node {runner.node_id}"):
        actions.rerun(flow.database, start)
    with pytest.raises(NotFound, match="Action not found with ID: 99"):
        actions.rerun(flow.database, 99)
    assert state(flow, start) == "claimed"


def test_an_action_of_a_deleted_workflow_cannot_be_carried_out_again(flow):
    action = flow.action("on_workflow_start")
    deletion.delete(flow.database, flow.workflow_id)
    with pytest.raises(NotFound):
        actions.rerun(flow.database, action)


def test_a_workflow_that_is_complete_has_its_last_actions_carried_out_by_whoever_comes(flow):
    jobs, end = flow.action("on_jobs_complete", "a"), flow.action("on_workflow_complete")
    flow.initialize()
    gone = flow.runner()
    for name in ("a", "b"):
        gone.take(name)
        gone.finish(name)
    gone.sync(closing=True)
    runner = flow.runner()
    assert ask(runner) == [jobs]
    tell(runner, jobs, "done")
    assert ask(runner) == [end]
