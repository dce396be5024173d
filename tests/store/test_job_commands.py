"""Single jobs are canceled, terminated, retried, disabled and enabled while others run."""

import pytest

from tests.store.scenario import Step, expire
from tests.store.test_results import OldRunner, stored
from tests.store.test_retries import handle
from torc.errors import Conflict, NotFound, TorcError, Unprocessable
from torc.models.job import JobVerb
from torc.models.queries import Paging
from torc.models.result import NO_NODE
from torc.models.status import Cause
from torc.store import job_commands, lifecycle, manual, results


def command(flow, verb, *names, user=None):
    ids = [flow.id(name) for name in names]
    return job_commands.command(flow.database, flow.leases, JobVerb(verb), ids, user=user)


def refusal(flow, verb, *names):
    """The sentence, after which nothing is different."""
    before = flow.select("SELECT * FROM job"), flow.select("SELECT count(*) FROM event")
    with pytest.raises(TorcError) as refused:
        command(flow, verb, *names)
    assert (flow.select("SELECT * FROM job"), flow.select("SELECT count(*) FROM event")) == before
    return refused.value


def fate(flow, name):
    job = flow.job(name)
    return str(job.status), job.cause, job.cause_job_id


# cancel


def test_a_canceled_job_cancels_what_waits_for_it_and_lets_the_others_go_on(build):
    flow = build("a", "b: a", Step("c", after=["a"], keep_going=True), "d").initialize()
    (job,) = command(flow, "cancel", "a")
    assert (job.id, job.status, job.cause) == (flow.id("a"), "canceled", Cause.USER)
    assert flow.statuses() == {"a": "canceled", "b": "canceled", "c": "ready", "d": "ready"}
    assert fate(flow, "b") == ("canceled", Cause.DEPENDENCY, flow.id("a"))


def test_the_node_of_a_canceled_running_job_hears_of_it_and_its_result_is_kept(build):
    flow = build(Step("a", stops_gently=True)).initialize()
    runner = flow.runner()
    runner.take("a")
    command(flow, "cancel", "a")
    (stop,) = runner.sync().stop
    assert (stop.job_id, stop.attempt_id, stop.how) == (flow.id("a"), 1, "terminate")
    assert runner.finish("a", "terminated", cause=Cause.USER).lost == []
    assert fate(flow, "a") == ("canceled", Cause.USER, None)
    assert stored(flow) == [(1, 1, "terminated")]
    assert flow.value("current_result_id", "a") is not None


def test_a_result_that_is_on_its_way_when_its_job_is_canceled_is_kept_but_frees_nobody(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a")
    command(flow, "cancel", "a")
    assert runner.sync().lost == []
    assert flow.statuses() == {"a": "canceled", "b": "canceled"}
    assert stored(flow) == [(1, 1, "completed")]


def test_a_start_that_is_on_its_way_does_not_revive_a_canceled_job(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    command(flow, "cancel", "a")
    answer = runner.start("a")
    assert [stop.job_id for stop in answer.stop] == [flow.id("a")]
    assert flow.status("a") == "canceled"


def test_canceling_twice_is_fine_and_said_once(build):
    flow = build("a").initialize()
    command(flow, "cancel", "a", user="ann")
    command(flow, "cancel", "a", user="bob")
    (event,) = [event for event in flow.events("job") if event["type"] == "cancel_jobs"]
    assert (event["message"], event["user"], event["job_ids"]) == ("1 job(s) canceled by ann.", "ann", [flow.id("a")])


def test_the_last_open_job_that_is_canceled_completes_the_workflow_once_per_run(build):
    flow = build("a").initialize()
    action = flow.action("on_workflow_complete")
    command(flow, "cancel", "a")
    assert flow.actions()[action].trigger_count == 1
    assert [event["type"] for event in flow.events("workflow")].count("complete") == 1
    command(flow, "retry", "a")
    command(flow, "cancel", "a")
    assert [event["type"] for event in flow.events("workflow")].count("complete") == 1


@pytest.mark.parametrize(("outcome", "says"), [("completed", "is completed already"), ("failed", "is failed already")])
def test_what_has_ended_is_not_canceled_and_the_others_stay_too(build, outcome, says):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", outcome)
    refused = refusal(flow, "cancel", "b", "a")
    assert isinstance(refused, Conflict)
    assert f"job {flow.id('a')} 'a' {says}" in refused.message


def test_a_job_that_was_never_initialized_is_not_canceled(build):
    assert "torc jobs disable" in refusal(build("a"), "cancel", "a").message


def test_jobs_that_do_not_exist_are_all_named(build):
    flow = build("a").initialize()
    with pytest.raises(NotFound, match="Job not found with ID: 998, 999"):
        job_commands.command(flow.database, flow.leases, JobVerb.CANCEL, [flow.id("a"), 999, 998])
    assert flow.status("a") == "ready"


# terminate


def test_a_running_job_is_asked_to_stop_until_it_is_reported(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    for _ in range(2):
        command(flow, "terminate", "a")
        (stop,) = runner.sync().stop
        assert (stop.job_id, stop.attempt_id, stop.how) == (flow.id("a"), 1, "terminate")
    assert flow.status("a") == "running"
    runner.finish("a", "terminated", cause=Cause.USER, return_code=-15, signal=15)
    assert fate(flow, "a") == ("terminated", Cause.USER, None)
    assert flow.status("b") == "canceled"
    assert runner.sync().stop == []
    assert flow.value("stop_requested", "a") == 0
    assert [event["type"] for event in flow.events("job")].count("terminate_jobs") == 1


def test_a_job_that_completes_before_it_hears_of_the_end_is_completed(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a")
    command(flow, "terminate", "a")
    assert runner.sync().stop == []
    assert flow.statuses() == {"a": "completed", "b": "ready"}


def test_what_a_person_terminated_is_not_tried_again(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    command(flow, "terminate", "a")
    runner.finish("a", "failed", return_code=1)
    assert (flow.status("a"), flow.job("a").retries) == ("failed", 0)


def test_a_pending_job_is_terminated_at_once_and_lost_to_its_node(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    command(flow, "terminate", "a")
    assert fate(flow, "a") == ("terminated", Cause.USER, None)
    assert runner.start("a").lost == [(flow.id("a"), 1)]
    assert flow.status("a") == "terminated"


def test_a_job_on_a_node_that_never_syncs_is_terminated_at_once(build):
    flow = build("a", "b").initialize()
    old = OldRunner(flow)
    old.claim()
    old.start("a")
    manual.set_status(flow.database, flow.leases, job_id=flow.id("b"), status="running", run_id=None)
    command(flow, "terminate", "a", "b")
    assert set(flow.statuses().values()) == {"terminated"}
    assert old.complete("a", "terminated").status == "terminated"
    with pytest.raises(Conflict, match="already complete with status Terminated"):
        old.complete("b", compute_node_id=NO_NODE)


def test_a_job_that_was_to_stop_ends_with_its_node_instead_of_running_elsewhere(build, clock):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    command(flow, "terminate", "a")
    runner.die(clock)
    assert fate(flow, "a") == ("terminated", Cause.USER, None)
    assert flow.status("b") == "canceled"
    assert stored(flow) == [(1, 1, "terminated")]
    runner.end("a")
    runner.sync()  # it was not dead: its report comes after the fact
    assert flow.status("a") == "terminated"


def test_the_wish_to_stop_ends_with_the_attempt(build, clock):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    command(flow, "terminate", "a")
    runner.finish("a", "terminated", cause=Cause.USER)
    command(flow, "retry", "a")
    runner.take("a")
    assert runner.sync().stop == []


@pytest.mark.parametrize("name", ["ready", "waiting"])
def test_what_no_runner_has_is_canceled_and_not_terminated(build, name):
    flow = build("ready", "waiting: ready").initialize()
    refused = refusal(flow, "terminate", name)
    assert isinstance(refused, Conflict)
    assert f"torc jobs cancel {flow.id(name)}" in refused.message


# retry


@pytest.mark.parametrize("outcome", ["failed", "terminated", "completed"])
def test_a_finished_job_runs_again_in_the_same_run_and_what_it_led_to_follows(build, outcome):
    flow = build("a", "b: a", "c: b", Step("d", after=["a"], keep_going=True), "e").initialize()
    runner = flow.runner()
    runner.take("a", "e")
    runner.finish("a", outcome)
    runner.claim()
    for name in list(runner.jobs):
        runner.finish(name)
    command(flow, "retry", "a")
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "blocked", "d": "blocked", "e": "completed"}
    assert flow.run_id() == 1
    runner.take("a")
    assert (flow.job("a").attempt_id, flow.job("a").run_id) == (2, 1)
    runner.finish("a")
    assert flow.status("b") == "ready"


def test_a_canceled_job_runs_again(build):
    flow = build("a", "b: a").initialize()
    command(flow, "cancel", "a")
    command(flow, "retry", "a")
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    assert fate(flow, "b") == ("blocked", None, None)


def test_what_was_canceled_because_of_another_job_stays_so(build):
    flow = build("a", "b", "c: b", "d: a b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("b", "failed")
    runner.finish("a", "failed")
    command(flow, "retry", "a")
    assert flow.statuses() == {"a": "ready", "b": "failed", "c": "canceled", "d": "canceled"}
    command(flow, "retry", "b")
    assert flow.statuses() == {"a": "ready", "b": "ready", "c": "blocked", "d": "blocked"}


def test_what_comes_back_and_still_has_a_failed_dependency_blames_that(build):
    flow = build("a", "b", "d: a b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    runner.finish("b", "failed")
    command(flow, "retry", "a")
    assert fate(flow, "d") == ("canceled", Cause.DEPENDENCY, flow.id("b"))


def test_what_a_person_canceled_or_disabled_does_not_come_back(build):
    flow = build("a", "b: a", "c: a", "d: b").initialize()
    command(flow, "cancel", "b")
    command(flow, "disable", "c")
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    command(flow, "retry", "a")
    assert flow.statuses() == {"a": "ready", "b": "canceled", "c": "disabled", "d": "canceled"}


def test_a_group_follows_and_jobs_behind_a_failure_behind_the_retried_one_too(build):
    flow = build(
        "a",
        Step("b", after=["a"], keep_going=True),
        Step("c", after_groups=["g"]),
        groups={"g": ["a", "b"]},
    ).initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    runner.take("b")
    runner.finish("b", "failed")
    assert fate(flow, "c") == ("canceled", Cause.DEPENDENCY, flow.id("b"))
    command(flow, "retry", "a")
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "blocked"}


def test_several_jobs_of_one_chain_are_retried_together(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    command(flow, "retry", "b", "a", "b")
    assert flow.statuses() == {"a": "ready", "b": "blocked"}


def test_a_job_that_would_be_canceled_again_names_who_is_to_be_retried(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    assert f"torc jobs retry {flow.id('a')}" in refusal(flow, "retry", "b").message


def test_a_job_is_not_retried_under_one_that_depends_on_it_and_runs(build):
    flow = build("a", "b: a", "c: b").initialize()
    runner = flow.runner()
    for name in "ab":
        runner.take(name)
        runner.finish(name)
    runner.take("c")
    refused = refusal(flow, "retry", "a")
    assert isinstance(refused, Unprocessable)
    assert f"job {flow.id('c')} 'c' depends on it and is running" in refused.message


@pytest.mark.parametrize("state", ["uninitialized", "ready", "blocked", "pending", "running", "disabled"])
def test_what_has_not_ended_is_not_retried(build, state):
    flow = build("a", "b: a")
    if state != "uninitialized":
        flow.initialize()
    runner = flow.runner()
    if state in ("pending", "running"):
        runner.claim()
    if state == "running":
        runner.start("a")
    if state == "disabled":
        command(flow, "disable", "a")
    name = "b" if state == "blocked" else "a"
    assert f"'{name}' is {state}" in refusal(flow, "retry", name).message


def test_nothing_is_retried_or_enabled_in_a_workflow_that_is_closed(build):
    flow = build("a", "b").initialize()
    command(flow, "disable", "b")
    lifecycle.cancel(flow.database, flow.workflow_id)
    for verb, name in (("retry", "a"), ("enable", "b")):
        assert f"workflow {flow.workflow_id} is canceled" in refusal(flow, verb, name).message
    flow.alter("UPDATE workflow_status SET is_canceled = 0, is_archived = 1")
    assert "is archived" in refusal(flow, "retry", "a").message
    flow.alter("UPDATE workflow_status SET busy = 'initialize'")
    assert "busy with initialize" in refusal(flow, "retry", "a").message
    flow.alter("UPDATE workflow_status SET busy = NULL")


def test_the_report_of_an_attempt_whose_job_was_retried_meanwhile_is_history(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    command(flow, "cancel", "a")
    command(flow, "retry", "a")
    runner.end("a")
    assert runner.sync().lost == [(flow.id("a"), 1)]
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    assert stored(flow) == [(1, 1, "completed")]
    assert flow.value("current_result_id", "a") is None
    runner.take("a")
    assert flow.job("a").attempt_id == 2


def test_retries_are_counted_afresh_for_a_job_that_is_retried_by_hand(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 1, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    for _ in range(2):
        runner.take("a")
        runner.finish("a", "failed")
    assert flow.status("a") == "failed"
    command(flow, "retry", "a")
    runner.take("a")
    runner.finish("a", "failed")
    assert (flow.status("a"), flow.job("a").retries) == ("ready", 1)


def test_thousands_of_canceled_followers_come_back(build):
    names = [f"f{n}" for n in range(5000)]
    flow = build("a", *[Step(name, after=["a"]) for name in names]).initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    command(flow, "retry", "a")
    assert flow.select("SELECT status, count(*) FROM job GROUP BY status ORDER BY status") == [
        ("blocked", 5000),
        ("ready", 1),
    ]


def test_an_action_counts_a_retried_job_when_it_has_ended_again(build):
    flow = build("a", "b").initialize()
    action = flow.action("on_jobs_complete", "a", "b")
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    command(flow, "retry", "a")
    assert flow.actions()[action].trigger_count == 0
    runner.take("a")
    runner.end("a")
    runner.finish("b")
    assert flow.actions()[action].trigger_count == 2


# disable and enable


def test_a_disabled_job_is_bad_for_who_waits_for_it_and_enabled_brings_them_back(build):
    flow = build("a", "b: a", "c: b").initialize()
    command(flow, "disable", "a")
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "canceled"}
    assert flow.is_complete()
    assert flow.runner().claim() == []
    command(flow, "enable", "a")
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "blocked"}


def test_a_disabled_job_that_waits_is_blocked_when_it_is_enabled(build):
    flow = build("a", "b: a").initialize()
    command(flow, "disable", "b")
    command(flow, "enable", "b")
    assert flow.status("b") == "blocked"


def test_a_job_enabled_before_the_first_run_waits_for_it(build):
    flow = build("a")
    command(flow, "disable", "a")
    command(flow, "enable", "a")
    assert flow.status("a") == "uninitialized"


@pytest.mark.parametrize("starts", [False, True])
def test_a_job_that_a_runner_has_is_not_disabled(build, starts):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    if starts:
        runner.start("a")
    assert isinstance(refusal(flow, "disable", "a"), Unprocessable)


def test_a_job_whose_node_was_lost_is_taken_from_it_by_disabling(build, clock):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    expire(flow, clock, [runner.node_id])
    command(flow, "disable", "a")
    assert runner.sync().lost == [(flow.id("a"), 1)]
    assert flow.status("a") == "disabled"


def test_what_is_not_disabled_is_not_enabled(build):
    assert "not disabled" in refusal(build("a").initialize(), "enable", "a").message


def test_all_attempts_of_the_run_are_listed_when_asked_for(build):
    flow = build("a").initialize()
    runner = flow.runner()
    for _ in range(2):
        runner.take("a")
        runner.finish("a")
        command(flow, "retry", "a")
    flow.initialize()
    for outcome in ("failed", "completed"):
        runner.take("a")
        runner.finish("a", outcome)
        if outcome == "failed":
            command(flow, "retry", "a")

    def listed(**which):
        found = results.page(flow.database, flow.workflow_id, Paging(), {}, **which).items
        return [(result.run_id, result.attempt_id) for result in found]

    assert listed() == [(2, 2)]
    assert listed(all_attempts=True) == [(2, 1), (2, 2)]
    assert listed(all_runs=True) == [(1, 1), (1, 2), (2, 1), (2, 2)]
