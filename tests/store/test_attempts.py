"""Whose attempt a job is in: late, repeated and stolen reports (rule 2)."""

import pytest

from tests.store.scenario import Step
from torc.errors import Unprocessable
from torc.models.queries import Paging
from torc.models.status import JobStatus
from torc.models.sync import StartedJob
from torc.store import job_deletion, lifecycle, manual, results


def attempts(flow, name):
    """Every stored result of a job: (attempt, status)."""
    return flow.select("SELECT attempt_id, status FROM result WHERE job_id = ? ORDER BY id", flow.id(name))


def test_a_claim_takes_the_attempt(build):
    flow = build("a").initialize()
    runner = flow.runner()
    assert runner.claim() == ["a"]
    job = flow.job("a")
    assert (job.active_compute_node_id, job.run_id, job.attempt_id) == (runner.node_id, 1, 1)


def test_a_lost_node_leaves_its_jobs_ready_and_their_attempt_open(build, clock):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.claim()
    runner.start("a")
    runner.die(clock)
    for name in "ab":
        job = flow.job(name)
        assert (job.status, job.active_compute_node_id, job.attempt_id) == ("ready", runner.node_id, 1)
        assert job.cause == "lost_node"
    assert flow.select("SELECT is_active FROM compute_node") == [(0,)]


def test_the_report_of_a_node_counts_if_nobody_took_the_job_meanwhile(build, clock):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.die(clock)
    answer = runner.finish("a")
    assert answer.lost == []
    assert flow.statuses() == {"a": "completed", "b": "ready"}
    assert attempts(flow, "a") == [(1, "completed")]


def test_jobs_that_nobody_took_run_on_when_their_node_is_heard_again(build, clock):
    flow = build("running", "waiting").initialize()
    runner = flow.runner()
    runner.claim()
    runner.start("running")
    runner.die(clock)
    answer = runner.sync()
    assert (answer.lost, answer.stop) == ([], [])
    assert flow.statuses() == {"running": "running", "waiting": "pending"}
    assert flow.value("lost_nodes", "running") == 0
    assert flow.job("running").cause is None
    assert flow.select("SELECT is_active FROM compute_node") == [(1,)]


def test_a_start_told_after_the_lease_was_over_counts(build, clock):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    runner.die(clock)
    runner.start("a")
    assert flow.status("a") == "running"


def test_a_job_that_somebody_else_claimed_is_lost_and_its_late_report_is_history(build, clock):
    flow = build("a", "b: a").initialize()
    late = flow.runner()
    late.take("a")
    late.die(clock)
    heir = flow.runner()
    heir.take("a")
    answer = late.finish("a")
    assert answer.lost == [(flow.id("a"), 1)]
    assert flow.statuses() == {"a": "running", "b": "blocked"}
    assert attempts(flow, "a") == [(1, "completed")]
    assert flow.job("a").active_compute_node_id == heir.node_id
    heir.finish("a")
    assert flow.statuses() == {"a": "completed", "b": "ready"}
    current = results.page(flow.database, flow.workflow_id, Paging(), {}).items
    assert [(result.attempt_id, result.compute_node_id) for result in current] == [(2, heir.node_id)]
    assert len(results.page(flow.database, flow.workflow_id, Paging(), {}, all_runs=True).items) == 2


def test_the_attempt_of_another_node_is_lost_even_while_it_only_waits_there(build, clock):
    flow = build("a").initialize()
    late = flow.runner()
    late.take("a")
    late.die(clock)
    heir = flow.runner()
    heir.claim()
    assert late.sync().lost == [(flow.id("a"), 1)]
    assert flow.status("a") == "pending"


def test_the_report_of_a_job_reset_by_force_is_history_although_all_numbers_match(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.UNINITIALIZED, run_id=1)
    answer = runner.finish("a")
    assert answer.lost == [(flow.id("a"), 1)]
    assert flow.statuses() == {"a": "uninitialized", "b": "blocked"}
    assert attempts(flow, "a") == [(1, "completed")]
    assert flow.job("a").attempt_id == 1


def test_a_status_set_by_hand_takes_the_job_from_its_node(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.READY, run_id=1)
    assert flow.job("a").active_compute_node_id is None
    assert runner.sync().lost == [(flow.id("a"), 1)]
    assert runner.claim() == ["a"]
    assert runner.jobs["a"].attempt_id == 2


def test_a_canceled_job_keeps_its_status_and_stores_the_result_as_its_current_one(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    lifecycle.cancel(flow.database, flow.workflow_id)
    answer = runner.finish("a")
    assert answer.lost == []
    assert [stop.job_id for stop in answer.stop] == [flow.id("b")]
    assert flow.statuses() == {"a": "canceled", "b": "canceled"}
    ((result_id,),) = flow.select("SELECT id FROM result")
    assert flow.value("current_result_id", "a") == result_id


@pytest.mark.parametrize(("gently", "how"), [(True, "terminate"), (False, "kill")])
def test_a_runner_is_told_to_stop_a_canceled_job(build, gently, how):
    flow = build(Step("a", stops_gently=gently)).initialize()
    runner = flow.runner()
    runner.take("a")
    lifecycle.cancel(flow.database, flow.workflow_id)
    (stop,) = runner.sync().stop
    assert (stop.job_id, stop.attempt_id, stop.how) == (flow.id("a"), 1, how)


def test_a_start_never_reopens_a_settled_job(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    runner.sync(started=[StartedJob(job_id=flow.id("a"), attempt_id=1, start_time=1.0)])
    assert flow.status("a") == "completed"


def test_a_report_of_a_job_that_does_not_exist_is_lost(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a")
    job_deletion.delete(flow.database, flow.id("a"), force=True)
    assert runner.sync().lost == [(flow.id("a"), 1)]
    assert flow.select("SELECT count(*) FROM result") == [(0,)]


def test_a_report_that_is_no_outcome_is_refused(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a", "ready")
    with pytest.raises(Unprocessable, match="'ready'"):
        runner.sync()
    assert flow.status("a") == "running"


def test_reports_of_two_runs_of_one_job_are_told_apart(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    old = runner.end("a")
    runner.finished.clear()
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.UNINITIALIZED, run_id=1)
    flow.initialize()
    runner.jobs.clear()
    runner.take("a")
    new = runner.end("a", "failed")
    assert (old.run_id, new.run_id, old.attempt_id, new.attempt_id) == (1, 2, 1, 1)
    runner.sync(finished=[old, new])
    assert flow.status("a") == "failed"
    assert flow.select("SELECT run_id FROM result WHERE id = ?", flow.value("current_result_id", "a")) == [(2,)]


def test_a_demoted_job_is_not_taken_up_again_by_the_node_that_had_lost_it(build, clock):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    runner.take("b")
    runner.die(clock)
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.UNINITIALIZED, run_id=1)
    assert flow.status("b") == "blocked"
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.READY, run_id=1)
    heir = flow.runner()
    heir.take("a")
    heir.finish("a")
    assert flow.status("b") == "ready"
    assert runner.sync().lost == [(flow.id("b"), 1)], "it ran on what a made the first time"
    assert flow.status("b") == "ready"
