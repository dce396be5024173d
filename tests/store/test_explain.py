"""Why a job is not running: a test for each reason."""

import pytest

from tests.store.scenario import Step
from tests.store.test_claims import NEEDS
from tests.store.test_retries import handle
from torc.errors import NotFound
from torc.models.job import JobVerb
from torc.store import explain, job_commands, workflows
from torc.units import utc_now_iso

STARTED_NOW = {"start_time": utc_now_iso()}


def why(flow, name):
    return explain.explain(flow.database, flow.id(name)).reasons


def only(flow, name):
    (reason,) = why(flow, name)
    return reason


def kinds(flow, name):
    return [str(reason.kind) for reason in why(flow, name)]


def command(flow, verb, *names):
    job_commands.command(flow.database, flow.leases, JobVerb(verb), [flow.id(name) for name in names])


def named(flow, reason):
    return [(flow.name(job.id), str(job.status)) for job in reason.jobs]


def test_there_has_to_be_such_a_job(database):
    with pytest.raises(NotFound, match="999"):
        explain.explain(database, 999)


def test_a_job_that_was_not_initialized_and_one_that_is_disabled_say_so(build):
    flow = build("a")
    assert kinds(flow, "a") == ["uninitialized"]
    command(flow, "disable", "a")
    assert f"torc jobs enable {flow.id('a')}" in only(flow, "a").says


def test_a_blocked_job_names_the_first_of_the_unfinished_jobs_and_counts_all(build):
    flow = build(*"abcdefg", "z: a b c d e f g").initialize()
    runner = flow.runner()
    runner.claim()
    runner.start("a", "b")
    runner.finish("a")
    reason = only(flow, "z")
    assert (reason.kind, reason.count) == ("dependencies", 6)
    assert named(flow, reason)[:2] == [("b", "running"), ("c", "pending")]
    assert len(reason.jobs) == 5


def test_a_job_behind_a_group_names_members_and_the_group(build):
    flow = build("a", "b", Step("z", after_groups=["g"]), groups={"g": ["a", "b"]}).initialize()
    reason = only(flow, "z")
    assert (reason.kind, reason.count, named(flow, reason)) == (
        "dependency_group",
        2,
        [("a", "ready"), ("b", "ready")],
    )
    assert reason.group_id is not None


def test_a_canceled_job_names_the_chain_to_the_failure(build):
    flow = build("a", "b: a", Step("c", after_groups=["g"]), "d: c", groups={"g": ["b"]}).initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed", return_code=7)
    reason = only(flow, "d")
    assert (reason.kind, named(flow, reason)) == ("cause", [("c", "canceled"), ("b", "canceled"), ("a", "failed")])
    assert "return code 7" in reason.says
    assert f"torc jobs retry {flow.id('a')}" in reason.says


def test_a_person_or_the_workflow_canceled_a_job(build):
    flow = build("a", "b").initialize()
    command(flow, "cancel", "a")
    assert "by a person" in only(flow, "a").says
    flow.alter("UPDATE workflow_status SET is_canceled = 1 WHERE id = ?", flow.workflow_id)
    assert kinds(flow, "a") == ["workflow_canceled", "canceled"]
    assert kinds(flow, "b") == ["workflow_canceled", "no_runner"]


def test_a_workflow_that_is_busy_or_archived_is_named(build):
    flow = build("a").initialize()
    flow.alter("UPDATE workflow_status SET busy = 'reset_job_status' WHERE id = ?", flow.workflow_id)
    assert kinds(flow, "a")[0] == "workflow_busy"
    assert "reset_job_status" in why(flow, "a")[0].says
    flow.alter("UPDATE workflow_status SET busy = NULL WHERE id = ?", flow.workflow_id)
    workflows.archive(flow.database, flow.workflow_id, True)
    assert kinds(flow, "a")[0] == "workflow_archived"


def test_who_has_a_job_and_since_when(build):
    flow = build(Step("a", stops_gently=True)).initialize()
    runner = flow.runner()
    runner.claim()
    reason = only(flow, "a")
    assert (reason.kind, reason.compute_node_ids, reason.since) == ("claimed", [runner.node_id], None)
    runner.start("a")
    reason = only(flow, "a")
    assert (reason.kind, reason.since) == ("running", "1970-01-01T00:16:40.000Z")
    assert "on here" in reason.says
    command(flow, "terminate", "a")
    assert kinds(flow, "a") == ["running", "stopping"]


def test_how_a_job_ended(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    runner.finish("b", "failed", return_code=3)
    assert only(flow, "a").says == f"it completed (return code 0, on compute node {runner.node_id})"
    assert only(flow, "b").says.startswith("it failed (return code 3, ")


def test_a_job_that_backs_off_says_until_when(build):
    flow = build("a")
    handle(flow, "a", {"exit_codes": [1], "backoff_s": 200})
    flow.initialize()
    runner = flow.runner(**STARTED_NOW)
    runner.take("a")
    runner.finish("a", "failed")
    reason = only(flow, "a")
    assert reason.kind == "back_off"
    assert reason.until in reason.says


def test_commands_of_the_start_hold_jobs_back(build):
    flow = build("a")
    action = flow.action("on_workflow_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    assert [one.id for one in first.sync(runs_actions=["run_commands"]).actions] == [action]
    reason = why(flow, "a")[0]
    assert (reason.kind, reason.action_ids) == ("actions", [action])
    assert reason.compute_node_ids == [first.node_id, second.node_id]
    flow.alter("UPDATE workflow_action SET state = 'done' WHERE id = ?", action)
    assert kinds(flow, "a") == ["queue"]


def test_commands_of_a_worker_hold_back_that_worker_alone(build):
    flow = build("a")
    action = flow.action("on_worker_start")
    flow.initialize()
    first, second = flow.runner(), flow.runner()
    first.sync(runs_actions=["run_commands"])
    flow.alter("UPDATE workflow_action_node SET state = 'done' WHERE action_id = ?", action)
    assert why(flow, "a")[0].compute_node_ids == [second.node_id]


def test_without_a_runner_that_is_what_is_said(build):
    assert kinds(build("a").initialize(), "a") == ["no_runner"]


def test_a_job_bound_to_a_scheduler_waits_for_its_runners(build):
    flow = build("a").initialize()
    flow.alter("UPDATE job SET scheduler_id = 4 WHERE id = ?", flow.id("a"))
    flow.runner(scheduler_config_id=5)
    reason = only(flow, "a")
    assert (reason.kind, reason.scheduler_id) == ("scheduler", 4)
    flow.runner()  # one without a scheduler may take any job
    assert kinds(flow, "a") == ["queue"]


def test_a_job_that_is_too_big_names_need_and_best_offer(build):
    flow = build(Step("a", needs="gpu"), needs=NEEDS).initialize()
    flow.runner(num_cpus=64)
    best = flow.runner(num_cpus=65)
    reason = only(flow, "a")
    assert (reason.kind, reason.compute_node_ids) == ("resources", [best.node_id])
    assert "1 GPU" in reason.need
    assert "65 CPUs" in reason.offer


def test_a_job_that_would_not_end_in_time_names_the_time_that_is_left(build):
    flow = build(Step("a", needs="long"), needs=NEEDS).initialize()
    flow.runner(time_limit="PT9M", **STARTED_NOW)
    reason = only(flow, "a")
    assert (reason.kind, reason.need) == ("time_left", "PT10M")
    flow.runner(time_limit="PT1H", **STARTED_NOW)
    assert kinds(flow, "a") == ["queue"]


def test_a_job_that_waits_for_its_turn_counts_who_comes_first_and_what_is_free(build):
    flow = build(*"abcd", Step("big", needs="big"), Step("gpu", needs="gpu"), needs=NEEDS).initialize()
    runner = flow.runner(num_cpus=2, num_gpus=1)
    reason = only(flow, "c")
    assert (reason.kind, reason.jobs_ahead, reason.free_slots) == ("queue", 3, 2)
    assert set(runner.claim(limit=1, cpus=1, num_gpus=1)) == {"gpu"}
    runner.claim(limit=1, cpus=1)
    reason = only(flow, "d")
    assert reason.free_slots == 0
    assert "nothing that it needs is free" in reason.says
