"""Failure handlers: another try, with a back-off or a recovery script (rule 11)."""

import json

import pytest

from tests.store.scenario import an_offer
from torc.models.result import Result
from torc.models.status import Cause, JobStatus
from torc.store import results, retries

LONG_S = 1000.0


def handle(flow, name, *rules):
    """Give a job a failure handler. Nothing creates one yet but a later issue's specification."""
    with flow.database.write() as db:
        handler_id = db.execute(
            "INSERT INTO failure_handler (workflow_id, name, rules) VALUES (?, 'h', ?)",
            (flow.workflow_id, json.dumps(rules)),
        ).lastrowid
        db.execute("UPDATE job SET failure_handler_id = ? WHERE id = ?", (handler_id, flow.id(name)))


def test_a_handled_failure_is_ready_again_and_cancels_nobody(build):
    flow = build("a", "b: a")
    handle(flow, "a", {"exit_codes": [3], "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed", return_code=3)
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    assert (flow.job("a").retries, flow.job("a").active_compute_node_id) == (1, None)
    assert flow.select("SELECT attempt_id, status, return_code FROM result") == [(1, "failed", 3)]
    assert [event["type"] for event in flow.events("job")] == ["job_started", "job_retried"]
    runner.take("a")
    assert flow.job("a").attempt_id == 2
    runner.finish("a")
    assert flow.statuses() == {"a": "completed", "b": "ready"}


def test_tries_run_out(build):
    flow = build("a", "b: a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 2, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    for expected in ("ready", "ready", "failed"):
        runner.take("a")
        runner.finish("a", "failed")
        assert flow.status("a") == expected
    assert flow.status("b") == "canceled"
    assert flow.select("SELECT attempt_id FROM result") == [(1,), (2,), (3,)]


def test_a_repeated_report_does_not_eat_a_second_try(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 2, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a", "failed")
    runner.lose_answer()
    assert runner.sync().lost == []
    assert flow.job("a").retries == 1
    assert flow.select("SELECT count(*) FROM result") == [(1,)]


def test_a_repeated_report_does_not_end_the_attempt_that_waits_for_its_recovery_script(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "recovery_script": "fix"})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a", "failed")
    runner.lose_answer(offer=an_offer())
    answer = runner.sync(offer=an_offer())
    assert [(job.attempt_id, job.recover) for job in answer.jobs] == [(2, True)]
    assert (flow.status("a"), flow.job("a").retries) == ("pending", 1)


def test_lost_nodes_and_gifts_cost_no_try(build, clock):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 1, "backoff_s": 0})
    flow.initialize()
    lost = flow.runner()
    lost.take("a")
    lost.die(clock)
    runner = flow.runner()
    runner.claim()
    runner.give_back("a")
    runner.sync()
    assert flow.job("a").retries == 0
    runner.take("a")
    runner.finish("a", "failed")
    assert flow.status("a") == "ready"


def test_tries_are_counted_afresh_in_a_new_run(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 1, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    for _ in range(2):
        runner.take("a")
        runner.finish("a", "failed")
    flow.initialize()
    runner.take("a")
    runner.finish("a", "failed")
    assert (flow.status("a"), flow.job("a").retries) == ("ready", 1)


def test_a_job_that_backs_off_is_not_claimed_and_the_runner_hears_how_long_it_waits(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": LONG_S / 10})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    answer = runner.sync(offer=an_offer())
    assert answer.jobs == []
    assert 90 < answer.workflow.waiting_until_s <= 100
    assert answer.retry_after_s == pytest.approx(answer.workflow.waiting_until_s)
    assert not answer.workflow.is_complete
    assert answer.misfit is None


def test_a_new_run_does_not_wait_for_the_back_off_of_the_old_one(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": LONG_S})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    flow.initialize()
    assert flow.value("not_before", "a") is None
    assert runner.claim() == ["a"]


def test_a_runner_hears_of_the_back_off_that_ends_first(build):
    flow = build("a", "b")
    for name, backoff_s in (("a", 100), ("b", 50)):
        handle(flow, name, {"match_all_exit_codes": True, "backoff_s": backoff_s})
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.end("a", "failed")
    runner.finish("b", "failed")
    assert 40 < runner.sync().workflow.waiting_until_s <= 50
    flow.alter("UPDATE job SET not_before = 1 WHERE id = ?", flow.id("b"))
    assert runner.claim() == ["b"]
    assert 90 < runner.sync().workflow.waiting_until_s <= 100


def test_a_back_off_that_is_over_makes_the_job_claimable(build, eventually):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": 0.05})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    assert flow.value("not_before", "a") is not None
    eventually(runner.claim)
    assert (runner.jobs["a"].attempt_id, flow.value("not_before", "a")) == (2, None)


def test_back_offs_double_up_to_a_limit(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": 100, "max_retries": 9})
    flow.initialize()
    runner = flow.runner()
    waits = []
    for _ in range(4):
        runner.take("a")
        runner.finish("a", "failed")
        waits.append(round(runner.sync().workflow.waiting_until_s, -1))
        flow.alter("UPDATE job SET not_before = 1 WHERE id = ?", flow.id("a"))
    assert waits == [100, 200, retries.MAX_BACKOFF_S, retries.MAX_BACKOFF_S]


@pytest.mark.parametrize(
    ("rule", "failure", "handled"),
    [
        ({"exit_codes": [2, 3]}, {"return_code": 3}, True),
        ({"exit_codes": [2, 3]}, {"return_code": 1}, False),
        ({"match_all_exit_codes": True}, {"return_code": 77}, True),
        ({"signals": [15]}, {"return_code": -15, "signal": 15, "cause": Cause.SIGNAL}, True),
        ({"signals": [15]}, {"return_code": -9, "signal": 9, "cause": Cause.SIGNAL}, False),
        ({"causes": ["oom", "timeout"]}, {"return_code": -9, "cause": Cause.OOM}, True),
        ({"causes": ["oom"]}, {"return_code": 1, "cause": Cause.EXIT}, False),
        ({"causes": ["time_up"]}, {"return_code": 1, "cause": Cause.TIME_UP}, True),
        ({"causes": ["missing_output"]}, {"return_code": 0, "cause": Cause.MISSING_OUTPUT}, True),
        ({"match_all_exit_codes": True}, {"return_code": 0, "cause": Cause.MISSING_OUTPUT}, False),
    ],
)
def test_a_rule_matches_the_failures_it_names(build, rule, failure, handled):
    flow = build("a")
    handle(flow, "a", rule | {"backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed", **failure)
    assert (flow.status("a") == "ready") is handled


def test_the_first_rule_that_matches_decides(build):
    flow = build("a")
    handle(flow, "a", {"exit_codes": [1], "max_retries": 0}, {"match_all_exit_codes": True, "max_retries": 5})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed", return_code=1)
    assert flow.status("a") == "failed"


def test_a_recovery_script_runs_on_the_node_that_has_the_job(build):
    flow = build("a", "b: a")
    handle(flow, "a", {"exit_codes": [1], "recovery_script": "./fix.sh"})
    flow.initialize()
    runner, other = flow.runner(), flow.runner()
    runner.take("a")
    runner.end("a", "failed")
    answer = runner.sync(offer=an_offer())
    (job,) = answer.jobs
    assert (job.attempt_id, job.recover, job.recovery_script) == (2, True, "./fix.sh")
    assert other.claim() == []
    assert flow.statuses() == {"a": "pending", "b": "blocked"}
    runner.start("a")
    runner.finish("a")
    assert flow.statuses() == {"a": "completed", "b": "ready"}


def test_a_recovery_script_runs_elsewhere_when_its_node_dies(build, clock):
    flow = build("a")
    handle(flow, "a", {"exit_codes": [1], "recovery_script": "./fix.sh"})
    flow.initialize()
    dying, heir = flow.runner(), flow.runner()
    dying.take("a")
    dying.finish("a", "failed")
    dying.die(clock)
    assert flow.status("a") == "ready"
    assert heir.claim() == ["a"]
    job = heir.jobs["a"]
    assert (job.attempt_id, job.recover, job.recovery_script) == (3, True, "./fix.sh")


def test_a_first_attempt_comes_without_recovery(build):
    flow = build("a")
    handle(flow, "a", {"exit_codes": [1], "recovery_script": "./fix.sh"})
    flow.initialize()
    runner = flow.runner()
    runner.claim()
    assert (runner.jobs["a"].recover, runner.jobs["a"].recovery_script) == (False, None)


def test_a_handler_counts_in_place_of_the_limit_of_lost_nodes(build, clock):
    flow = build("a", "b: a")
    handle(flow, "a", {"causes": ["lost_node"], "max_retries": 1, "backoff_s": 0})
    flow.initialize()
    for _ in range(3):
        runner = flow.runner()
        runner.take("a")
        runner.die(clock)
    assert (flow.status("a"), flow.job("a").retries) == ("ready", 1)
    last = flow.runner()
    last.take("a")
    last.die(clock)
    assert flow.statuses() == {"a": "failed", "b": "canceled"}


def test_a_job_of_an_existing_runner_is_tried_again_until_tries_run_out(build):
    flow = build("a", "b: a")
    handle(flow, "a", {"exit_codes": [1], "backoff_s": 0, "max_retries": 2})
    flow.initialize()
    node_id = flow.runner(spool_path=None).node_id
    failure = Result(
        job_id=flow.id("a"), workflow_id=flow.workflow_id, run_id=1, compute_node_id=node_id, return_code=1,
        exec_time_minutes=1.0, completion_time="now", status=JobStatus.FAILED,
    )  # fmt: skip
    seen = []
    for _ in range(3):
        results.start(flow.database, job_id=flow.id("a"), run_id=1, compute_node_id=node_id)
        job = results.complete(flow.database, job_id=flow.id("a"), status=JobStatus.FAILED, run_id=1, result=failure)
        seen.append((job.status, job.retries, flow.status("b")))
    assert seen == [("ready", 1, "blocked"), ("ready", 2, "blocked"), ("failed", 2, "canceled")]


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_the_longest_back_off(build):
    flow = build("a", "b")
    for name in "ab":
        handle(flow, name, {"match_all_exit_codes": True, "backoff_s": 50})
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.end("a", "failed")
    runner.finish("b", "failed")
    flow.alter("UPDATE job SET not_before = not_before + 7200 WHERE id = ?", flow.id("a"))
    assert 40 < runner.sync().workflow.waiting_until_s <= 50
    flow.alter("UPDATE job SET not_before = NULL WHERE id = ?", flow.id("b"))
    assert retries.MAX_BACKOFF_S - 10 < runner.sync().workflow.waiting_until_s <= retries.MAX_BACKOFF_S


def test_a_recovery_script_is_told_how_the_attempt_before_ended(build):
    flow = build("a")
    handle(flow, "a", {"exit_codes": [7], "recovery_script": "mend"})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    assert runner.jobs["a"].last_return_code is None
    runner.end("a", "failed", return_code=7)
    (job,) = runner.sync(offer=an_offer()).jobs
    assert (job.recover, job.last_return_code) == (True, 7)


def test_a_job_that_time_ran_out_on_is_ready_for_the_next_allocation(build):
    flow = build("a", "b: a")
    handle(flow, "a", {"causes": ["time_up"], "max_retries": 10, "backoff_s": 0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "terminated", cause=Cause.TIME_UP, return_code=-15, signal=15)
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    assert flow.runner().claim() == ["a"]


def test_an_absurd_number_of_retries_is_a_long_back_off_and_no_error(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "max_retries": 10**6, "backoff_s": 0.5})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    flow.alter("UPDATE job SET retries = 5000")
    runner.finish("a", "failed")
    assert flow.status("a") == "ready"
    assert runner.sync().workflow.waiting_until_s > retries.MAX_BACKOFF_S - 10
