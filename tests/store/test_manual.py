"""Jobs made pending or running by hand: attempts that no node has (rule 20)."""

import pytest

from tests.store.scenario import every_field
from tests.store.test_results import OldRunner, stored
from tests.store.test_retries import handle
from torc.errors import Conflict, Unprocessable
from torc.models.result import NO_NODE
from torc.models.status import JobStatus
from torc.store import lifecycle, manual, nodes, workflows
from torc.store.leases import START_WITHIN_S


def set_status(flow, name, status, run_id=None):
    return manual.set_status(flow.database, flow.leases, job_id=flow.id(name), status=JobStatus(status), run_id=run_id)


def complete(flow, name, status="completed", run_id=1, **fields):
    return OldRunner(flow).complete(name, status, run_id, **{"compute_node_id": NO_NODE} | fields)


def test_a_ready_job_set_running_takes_an_attempt_without_a_node(build):
    flow = build("a", "b: a").initialize()
    job = set_status(flow, "a", "running")
    assert (job.status, job.run_id, job.attempt_id, job.active_compute_node_id) == ("running", 1, 1, None)
    assert flow.value("start_time", "a") is not None
    (event,) = flow.events("job")
    assert (event["type"], event["message"]) == ("job_started", "Job with name = a started by hand.")
    assert flow.runner().claim() == []
    assert complete(flow, "a").status == "completed"
    assert stored(flow) == [(1, 1, "completed")]
    assert flow.status("b") == "ready"


def test_a_job_that_was_never_initialized_is_started_when_it_waits_for_nothing(build):
    flow = build("a", "b: a")
    job = set_status(flow, "a", "running")
    assert (job.status, job.run_id, job.attempt_id) == ("running", 0, 1)
    with pytest.raises(Unprocessable, match="job 2 cannot be running: 1 of its dependencies are not finished"):
        set_status(flow, "b", "running")
    assert flow.status("b") == "uninitialized"
    complete(flow, "a", run_id=0)
    assert set_status(flow, "b", "running").status == "running"


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_job_with_unmet_dependencies_stays_what_it_is(build, status):
    flow = build("a", "b", "c: a b").initialize()
    with pytest.raises(Unprocessable, match=f"cannot be {status}: 2 of its dependencies"):
        set_status(flow, "c", status)
    assert flow.status("c") == "blocked"


def test_a_job_behind_a_failure_is_not_started(build):
    flow = build("a", "b: a").initialize()
    complete(flow, "a", "failed")
    with pytest.raises(Unprocessable, match="did not succeed"):
        set_status(flow, "b", "running")
    assert flow.statuses() == {"a": "failed", "b": "canceled"}


def test_a_job_set_pending_goes_back_when_nobody_starts_it(build, clock):
    flow = build("a", "b").initialize()
    for name in "ab":
        assert set_status(flow, name, "pending").status == "pending"
    assert set_status(flow, "b", "running").attempt_id == 1, "the attempt that was claimed goes on"
    clock.advance(START_WITHIN_S)
    nodes.expire(flow.database, flow.leases)
    assert flow.statuses() == {"a": "ready", "b": "running"}


def test_an_existing_runner_starts_what_was_set_pending(build):
    flow = build("a").initialize()
    set_status(flow, "a", "pending")
    runner = OldRunner(flow)
    assert runner.start("a").attempt_id == 1
    assert runner.complete("a").status == "completed"


@pytest.mark.parametrize("outcome", ["completed", "failed"])
def test_a_finished_job_set_running_begins_a_new_attempt(build, outcome):
    flow = build("a", "b: a").initialize()
    complete(flow, "a", outcome)
    assert set_status(flow, "a", "running").attempt_id == 2
    assert complete(flow, "a").status == "completed"
    assert stored(flow) == [(1, 1, outcome), (1, 2, "completed")]


def test_a_disabled_job_set_running_is_enabled(build):
    flow = build("a").initialize()
    set_status(flow, "a", "disabled")
    assert set_status(flow, "a", "running").status == "running"


def test_a_finished_job_whose_dependent_runs_is_not_set_running(build):
    flow = build("a", "b: a").initialize()
    complete(flow, "a")
    set_status(flow, "b", "running")
    with pytest.raises(Unprocessable, match="pending or running"):
        set_status(flow, "a", "running")


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_job_taken_from_a_node_is_lost_to_it(build, status):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    assert runner.claim(1) == ["a"]
    if status == "pending":
        runner.start("a")
    assert set_status(flow, "a", status).active_compute_node_id is None
    assert runner.sync().lost == [(flow.id("a"), 1)]
    assert (flow.status("a"), flow.job("a").attempt_id) == (status, 2)


@pytest.mark.parametrize("status", ["pending", "running"])
def test_nothing_starts_by_hand_while_the_workflow_is_canceled_or_busy(build, status):
    flow = build("a").initialize()
    flow.alter("UPDATE workflow_status SET busy = 'initialize'")
    with pytest.raises(Conflict, match="busy with initialize"):
        set_status(flow, "a", status)
    flow.alter("UPDATE workflow_status SET busy = NULL")
    lifecycle.cancel(flow.database, flow.workflow_id)
    with pytest.raises(Conflict, match="canceled; reset its status first"):
        set_status(flow, "a", status)
    assert flow.status("a") == "canceled"


def test_a_job_that_waits_for_its_next_try_may_be_started_by_hand(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "backoff_s": 1000.0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    assert set_status(flow, "a", "running").attempt_id == 2
    assert runner.sync().workflow.waiting_until_s is None


def test_a_recovery_script_runs_wherever_a_job_without_a_node_is_claimed(build):
    flow = build("a")
    handle(flow, "a", {"match_all_exit_codes": True, "recovery_script": "mend"})
    flow.initialize()
    set_status(flow, "a", "running")
    assert complete(flow, "a", "failed").status == "ready"
    runner = flow.runner()
    runner.claim()
    assert (runner.jobs["a"].recovery_script, runner.jobs["a"].attempt_id) == ("mend", 2)


def test_a_job_running_by_hand_ends_in_the_run_it_was_started_in(build):
    flow = build("a").initialize()
    set_status(flow, "a", "running")
    status = workflows.status(flow.database, flow.workflow_id)
    status.run_id = 2
    workflows.update_status(flow.database, flow.workflow_id, status, every_field(status))
    with pytest.raises(Unprocessable, match="provided 2 but workflow status has 1"):
        complete(flow, "a", run_id=2)
    assert complete(flow, "a", run_id=1).status == "completed"


def test_a_new_run_does_not_begin_under_a_job_that_runs_by_hand(build):
    flow = build("a").initialize()
    set_status(flow, "a", "running")
    with pytest.raises(Unprocessable, match="currently running"):
        flow.initialize()
    assert flow.status("a") == "running"
