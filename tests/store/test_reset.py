"""Starting jobs over: runs bumped and set back, resets, and the verbs of existing clients (rules 14, 15)."""

import pytest

from tests.store.scenario import Step, every_field
from torc.errors import Unprocessable
from torc.models.job import Job
from torc.models.status import JobStatus
from torc.store import busy, jobs, lifecycle, manual, workflows


@pytest.fixture
def small_chunks(monkeypatch):
    """Two jobs in a transaction."""
    monkeypatch.setattr(busy, "CHUNK_JOBS", 2)


# The run number.


def test_a_bump_of_the_run_while_jobs_run_changes_no_job_and_loses_no_report(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    status = workflows.status(flow.database, flow.workflow_id)
    status.run_id = 2
    workflows.update_status(flow.database, flow.workflow_id, status, every_field(status))
    assert flow.statuses() == {"a": "running", "b": "running"}
    assert runner.finish("a").lost == []
    assert flow.status("a") == "completed"
    assert flow.select("SELECT run_id FROM result") == [(1,)]


def test_a_run_set_back_does_not_take_new_reports_for_repeats(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    flow.initialize()
    status = workflows.status(flow.database, flow.workflow_id)
    status.run_id = 1
    workflows.update_status(flow.database, flow.workflow_id, status, every_field(status))
    runner.take("a")
    assert runner.finish("a").lost == []
    assert flow.status("a") == "completed"
    assert flow.select("SELECT run_id, attempt_id, status FROM result") == [(1, 1, "failed"), (1, 2, "completed")]


# The verbs of existing clients.


def test_the_verb_of_existing_clients_does_not_begin_a_run(build):
    flow = build("a", "b: a")
    lifecycle.initialize_jobs(flow.database, flow.workflow_id)
    assert flow.run_id() == 0
    assert flow.statuses() == {"a": "ready", "b": "blocked"}


@pytest.mark.parametrize("stage", ["pending", "running"])
def test_the_verb_of_existing_clients_refuses_to_touch_jobs_that_are_handed_out(build, stage):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    if stage == "running":
        runner.start("a")
    with pytest.raises(Unprocessable):
        lifecycle.initialize_jobs(flow.database, flow.workflow_id)
    assert flow.status("a") == stage


def test_the_verb_of_existing_clients_brings_back_only_terminated_jobs(build):
    flow = build("done", "bad", "ended", "off", "left").initialize()
    manual.set_status(flow.database, flow.leases, job_id=flow.id("off"), status=JobStatus.DISABLED, run_id=1)
    runner = flow.runner()
    runner.take("done", "bad", "ended", "left")
    for name, status in (("done", "completed"), ("bad", "failed"), ("ended", "terminated")):
        runner.finish(name, status)
    lifecycle.cancel(flow.database, flow.workflow_id)
    lifecycle.initialize_jobs(flow.database, flow.workflow_id)
    assert flow.statuses() == {
        "done": "completed", "bad": "failed", "ended": "ready", "off": "disabled", "left": "canceled"
    }  # fmt: skip


def test_new_jobs_are_initialized_beside_running_ones(build):
    flow = build("a", "b: a", "c").initialize()
    runner = flow.runner()
    runner.take("a", "c")
    runner.finish("c")
    flow.add("x")
    flow.add("y: a c")
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.statuses() == {"a": "running", "b": "blocked", "c": "completed", "x": "ready", "y": "blocked"}
    assert runner.finish("a").lost == []
    assert flow.statuses() == {"a": "completed", "b": "ready", "c": "completed", "x": "ready", "y": "ready"}


def test_what_lies_behind_an_uninitialized_job_starts_over_at_any_depth_and_through_groups(build):
    flow = build("a", "b: a", Step("c", after_groups=["g"]), "d: c", "other", groups={"g": ["a", "b"]}).initialize()
    runner = flow.runner()
    for ready in (["a", "other"], ["b"], ["c"], ["d"]):
        runner.take(*ready)
        for name in ready:
            runner.finish(name)
    manual.set_status(flow.database, flow.leases, job_id=flow.id("b"), status=JobStatus.UNINITIALIZED, run_id=1)
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.statuses() == {"a": "completed", "b": "ready", "c": "blocked", "d": "blocked", "other": "completed"}


def test_resetting_failed_jobs_takes_what_lies_downstream_along(build, small_chunks):
    flow = build("a", "b: a", "c", Step("d", after=["a"], keep_going=True), "e: d").initialize()
    runner = flow.runner()
    runner.take("a", "c")
    runner.finish("a", "failed")
    runner.finish("c")
    runner.take("d")
    runner.finish("d")
    runner.take("e")
    runner.finish("e")
    assert lifecycle.reset_job_status(flow.database, flow.workflow_id, failed_only=True) == 1
    assert flow.statuses() == dict.fromkeys("abde", "uninitialized") | {"c": "completed"}


def test_a_job_that_went_on_after_a_failure_waits_again_when_the_failed_one_is_reset(build):
    flow = build("a", Step("b", after=["a"], keep_going=True)).initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    assert flow.status("b") == "ready"
    lifecycle.reset_job_status(flow.database, flow.workflow_id, failed_only=True)
    assert flow.statuses() == {"a": "uninitialized", "b": "blocked"}, "nobody may claim it now"


def test_a_completed_reader_starts_over_when_a_new_job_writes_what_it_read(build):
    flow = build(Step("reader", reads=["f"])).initialize()
    runner = flow.runner()
    runner.take("reader")
    runner.finish("reader")
    ((file_id,),) = flow.select("SELECT id FROM file")
    writer = Job(workflow_id=flow.workflow_id, name="writer", command="true", output_file_ids=[file_id])
    jobs.create_many(flow.database, [writer])
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.statuses() == {"reader": "blocked", "writer": "ready"}


def test_resetting_all_jobs_leaves_disabled_ones(build):
    flow = build("a", "b: a", "off").initialize()
    manual.set_status(flow.database, flow.leases, job_id=flow.id("off"), status=JobStatus.DISABLED, run_id=1)
    assert lifecycle.reset_job_status(flow.database, flow.workflow_id) == 2
    assert flow.statuses() == {"a": "uninitialized", "b": "uninitialized", "off": "disabled"}
    assert flow.run_id() == 1


def test_a_reset_is_refused_while_jobs_run_and_changes_nothing(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    for act in (
        lambda: lifecycle.reset_job_status(flow.database, flow.workflow_id),
        lambda: lifecycle.reset_job_status(flow.database, flow.workflow_id, failed_only=True),
        lambda: lifecycle.reset_status(flow.database, flow.workflow_id),
    ):
        with pytest.raises(Unprocessable, match="running or pending"):
            act()
    assert flow.statuses() == {"a": "failed", "b": "running"}
    assert not lifecycle.reset_status(flow.database, flow.workflow_id, force=True).is_canceled


def test_thousands_of_readers_behind_thousands_of_writers_start_over_quickly(build):
    """Group by group: 2,000 x 2,000 would be 4,000,000 pairs."""
    writers = [f"w{n}" for n in range(2000)]
    flow = build(
        *writers, *(Step(f"r{n}", after_groups=["all"]) for n in range(2000)), groups={"all": writers}
    ).initialize()
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with flow.database.read() as db:
        db.set_progress_handler(count, 1000)
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    lifecycle.reset_job_status(flow.database, flow.workflow_id)
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    db.set_progress_handler(None, 0)
    assert steps < 10_000, "thousands of SQLite's own instructions"
    assert workflows.job_counts(flow.database, flow.workflow_id) == {"ready": 2000, "blocked": 2000}
