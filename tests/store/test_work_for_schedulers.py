"""A runner in an allocation is told when all that is left is for the allocations of other schedulers."""

import pytest

from tests.store.scenario import an_offer
from tests.store.test_bindings import bind, scheduler
from torc.models.action import WorkflowAction
from torc.store import actions


@pytest.fixture
def flow(build):
    """``first`` is bound to a scheduler, and ``second``, after it, to another."""
    made = build("first", "free")
    made.schedulers = scheduler(made), scheduler(made)
    bind(made, made.schedulers[0], "first")
    return made


def told(flow, runner, number=0):
    """What an idle runner of one of the schedulers hears."""
    answer = runner.sync(offer=an_offer(scheduler_config_id=flow.schedulers[number]))
    assert answer.jobs == []
    return answer.workflow.nothing_for_node


def test_while_a_job_is_left_that_it_may_have_a_runner_stays(flow):
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    assert set(runner.claim()) == {"first", "free"}
    assert not told(flow, other, 0)
    assert not told(flow, other, 1), "one job is bound to nothing"
    runner.start("first", "free")
    runner.finish("free")
    assert not told(flow, other, 0), "the job may be tried again"
    assert told(flow, other, 1)
    assert not other.sync(offer=an_offer()).workflow.nothing_for_node, "who has no scheduler takes any job"


def test_an_action_that_is_due_keeps_it(flow):
    action = WorkflowAction(
        trigger_type="on_jobs_complete",
        action_type="run_commands",
        action_config={"commands": ["true"]},
        job_ids=[flow.id("free")],
    )
    actions.create(flow.database, flow.workflow_id, action)
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    runner.take("first", "free")
    runner.finish("free")
    assert not told(flow, other, 1)
    ((action_id,),) = flow.select("SELECT id FROM workflow_action")
    actions.claim(flow.database, flow.workflow_id, action_id, None)
    assert told(flow, other, 1), "a login node has carried it out"
