"""Which jobs may run now: failures, resets, groups and disabled jobs (rules 4, 12, 31), in scenarios."""

import pytest

from tests.store.scenario import Step, every_field
from torc.errors import Unprocessable
from torc.models.status import JobStatus
from torc.store import jobs, lifecycle, manual

DIAMOND = ("a", "b: a", "c: a", "d: b c")


def set_status(flow, name, status):
    return manual.set_status(
        flow.database, flow.leases, job_id=flow.id(name), status=JobStatus(status), run_id=flow.run_id()
    )


def run(flow, runner, *names, status="completed"):
    """Claim and run these jobs, which must be all that is ready."""
    runner.take(*names)
    for name in names:
        runner.finish(name, status)


@pytest.mark.parametrize("outcome", ["failed", "terminated"])
def test_a_diamond_whose_head_does_not_succeed_is_canceled_to_the_end(build, outcome):
    flow = build(*DIAMOND).initialize()
    run(flow, flow.runner(), "a", status=outcome)
    assert flow.statuses() == {"a": outcome, "b": "canceled", "c": "canceled", "d": "canceled"}
    assert flow.is_complete()


def test_every_job_of_a_cascade_blames_the_job_that_failed(build):
    flow = build(*DIAMOND, "e: d").initialize()
    run(flow, flow.runner(), "a", status="failed")
    assert flow.job("a").cause == "exit"
    for name in "bcde":
        assert (flow.job(name).cause, flow.job(name).cause_job_id) == ("dependency", flow.id("a"))


def test_a_failure_cancels_at_once_while_siblings_still_run(build):
    flow = build("a", "b", "c: a b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    assert flow.statuses() == {"a": "failed", "b": "running", "c": "canceled"}
    runner.finish("b")
    assert flow.status("c") == "canceled"


def test_a_job_that_keeps_going_runs_after_a_failure(build):
    flow = build("a", "b", Step("c", after=["a", "b"], keep_going=True)).initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    assert flow.status("c") == "blocked"
    runner.finish("b", "failed")
    assert flow.status("c") == "ready"


def test_a_canceled_job_satisfies_those_that_keep_going(build):
    flow = build("a", "b: a", Step("c", after=["b"], keep_going=True)).initialize()
    run(flow, flow.runner(), "a", status="failed")
    assert flow.statuses() == {"a": "failed", "b": "canceled", "c": "ready"}


def test_a_job_that_is_reset_and_completes_again_is_counted_once(build):
    flow = build("a", "b", "d: a b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    set_status(flow, "a", "ready")
    run(flow, runner, "a")
    assert flow.status("d") == "blocked", "b has not completed"
    runner.finish("b")
    assert flow.status("d") == "ready"


def test_a_member_that_is_reset_and_completes_again_is_counted_once_by_its_group(build):
    flow = build("a", "b", Step("d", after_groups=["both"]), groups={"both": ["a", "b"]}).initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    set_status(flow, "a", "ready")
    run(flow, runner, "a")
    assert flow.select("SELECT remaining FROM dependency_group") == [(1,)]
    assert flow.status("d") == "blocked"
    runner.finish("b")
    assert flow.status("d") == "ready"


def test_a_group_reset_member_by_member_takes_its_dependents_back(build):
    members = list("abc")
    flow = build(*members, *(Step(name, after_groups=["all"]) for name in "xy"), groups={"all": members}).initialize()
    run(flow, flow.runner(), *members)
    assert (flow.status("x"), flow.status("y")) == ("ready", "ready")
    for name in members:
        set_status(flow, name, "uninitialized")
        assert (flow.status("x"), flow.status("y")) == ("blocked", "blocked")
    assert flow.select("SELECT remaining, failed FROM dependency_group") == [(3, 0)]


def test_a_failed_member_cancels_what_waits_for_its_group_at_once(build):
    flow = build(
        "a", "b", Step("x", after_groups=["both"]), Step("y", after_groups=["both"], keep_going=True), "z: x",
        groups={"both": ["a", "b"]},
    ).initialize()  # fmt: skip
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    assert flow.statuses() == {"a": "failed", "b": "running", "x": "canceled", "y": "blocked", "z": "canceled"}
    assert (flow.job("x").cause_job_id, flow.job("z").cause_job_id) == (flow.id("a"), flow.id("a"))
    runner.finish("b")
    assert flow.status("y") == "ready"


@pytest.mark.parametrize("status", ["uninitialized", "ready", "blocked"])
@pytest.mark.parametrize("stage", ["pending", "running"])
def test_the_upstream_of_a_job_that_is_handed_out_is_not_reset(build, status, stage):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    run(flow, runner, "a")
    runner.claim()
    if stage == "running":
        runner.start("b")
    with pytest.raises(Unprocessable, match="pending or running"):
        set_status(flow, "a", status)
    assert flow.statuses() == {"a": "completed", "b": stage}


def test_a_reset_that_would_take_the_upstream_of_a_running_job_along_is_refused(build):
    flow = build("a", "b: a", "c: b").initialize()
    runner = flow.runner()
    run(flow, runner, "a")
    run(flow, runner, "b")
    runner.take("c")
    with pytest.raises(Unprocessable, match="pending or running"):
        set_status(flow, "a", "uninitialized")
    assert flow.statuses() == {"a": "completed", "b": "completed", "c": "running"}


def test_a_reset_takes_direct_dependents_with_an_outcome_along(build):
    flow = build("a", "b: a", "c: b").initialize()
    runner = flow.runner()
    for name in "abc":
        run(flow, runner, name)
    set_status(flow, "a", "uninitialized")
    assert flow.statuses() == {"a": "uninitialized", "b": "uninitialized", "c": "completed"}
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "blocked"}


def test_ready_asked_for_by_hand_is_what_the_dependencies_make_of_it(build):
    flow = build("a", "b: a").initialize()
    assert set_status(flow, "b", "ready").status == "blocked"
    run(flow, flow.runner(), "a", status="failed")
    job = set_status(flow, "b", "ready")
    assert (job.status, job.cause) == ("canceled", "dependency")


@pytest.mark.parametrize("status", ["completed", "failed", "canceled", "terminated"])
def test_outcomes_are_not_set_by_hand(build, status):
    flow = build("a").initialize()
    with pytest.raises(Unprocessable):
        set_status(flow, "a", status)
    assert flow.status("a") == "ready"


def test_a_status_by_hand_must_name_the_run(build):
    flow = build("a").initialize()
    with pytest.raises(Unprocessable, match="provided 7 but workflow status has 1"):
        manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.DISABLED, run_id=7)


def test_disabling_a_job_cancels_what_depends_on_it_and_lets_the_rest_go(build):
    flow = build("a", "b: a", Step("c", after=["a"], keep_going=True), "d: b").initialize()
    set_status(flow, "a", "disabled")
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "ready", "d": "canceled"}
    assert (flow.job("b").cause, flow.job("b").cause_job_id) == ("dependency", flow.id("a"))
    run(flow, flow.runner(), "c")
    assert flow.is_complete()


@pytest.mark.parametrize("stage", ["pending", "running"])
def test_a_job_that_is_handed_out_cannot_be_disabled(build, stage):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    if stage == "running":
        runner.start("a")
    with pytest.raises(Unprocessable, match=f"is {stage} and cannot be disabled"):
        set_status(flow, "a", "disabled")
    assert flow.status("a") == stage


def test_initializing_leaves_disabled_jobs_disabled_and_cancels_their_dependents(build):
    flow = build("a", "b: a", "c: b", "d")
    set_status(flow, "a", "disabled")
    flow.initialize()
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "canceled", "d": "ready"}
    assert {flow.job(name).cause_job_id for name in "bc"} == {flow.id("a")}


def test_initializing_blames_the_disabled_member_of_a_group(build):
    flow = build("a", "b", Step("x", after_groups=["both"]), groups={"both": ["a", "b"]})
    set_status(flow, "b", "disabled")
    flow.initialize()
    assert (flow.status("x"), flow.job("x").cause_job_id) == ("canceled", flow.id("b"))


def test_enabling_a_job_and_initializing_brings_its_dependents_back(build):
    flow = build("a", "b: a").initialize()
    set_status(flow, "a", "disabled")
    set_status(flow, "a", "uninitialized")
    flow.initialize()
    assert flow.statuses() == {"a": "ready", "b": "blocked"}


def test_a_job_disabled_through_its_record_settles_too(build):
    flow = build("a", "b: a")
    job = flow.job("a")
    job.status = JobStatus.DISABLED
    jobs.update(flow.database, flow.id("a"), job, every_field(job))
    flow.initialize()
    assert flow.statuses() == {"a": "disabled", "b": "canceled"}


def test_wide_and_deep_graphs_behind_one_failure_are_canceled_whole(build):
    members = [f"m{n}" for n in range(300)]
    chain = ["n0: m0"] + [f"n{n}: n{n - 1}" for n in range(1, 300)]
    flow = build(
        "head", *(Step(name, after=["head"]) for name in members), *chain, Step("last", after_groups=["all"]),
        groups={"all": members},
    ).initialize()  # fmt: skip
    run(flow, flow.runner(), "head", status="failed")
    assert set(flow.statuses().values()) == {"failed", "canceled"}
    assert flow.is_complete()


def test_failures_reported_together_are_blamed_each_for_what_waits_for_it(build):
    flow = build(
        "a", "b", "of_a: a", "of_b: b", "of_both: a b", "behind: of_b", Step("last", after_groups=["ends"]),
        groups={"ends": ["of_b", "behind"]},
    ).initialize()  # fmt: skip
    runner = flow.runner()
    runner.take("a", "b")
    runner.end("a", "failed")
    runner.finish("b", "failed")
    blamed = {name: flow.job(name).cause_job_id for name in ("of_a", "of_b", "of_both", "behind", "last")}
    a, b = flow.id("a"), flow.id("b")
    assert blamed == {"of_a": a, "of_b": b, "of_both": a, "behind": b, "last": b}
