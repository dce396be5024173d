"""Results stored by hand, after a job has ended or while it runs without a node (rule 33)."""

import pytest

from tests.store.test_manual import complete, set_status
from tests.store.test_results import OldRunner, stored
from torc.errors import Conflict, Unprocessable
from torc.models.queries import Paging
from torc.models.result import NO_NODE, NewResult
from torc.models.status import JobStatus
from torc.store import manual, nodes, posted, results


def post(flow, name, **fields):
    return posted.create(
        flow.database, NewResult(**{"workflow_id": flow.workflow_id, "job_id": flow.id(name), "exit_code": 0} | fields)
    )


def test_a_result_posted_without_attempt_gets_the_jobs(build):
    flow = build("a").initialize()
    runner = flow.runner()
    for _ in range(2):
        runner.claim()
        runner.start("a")
        manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.READY, run_id=1)
        runner.sync()
    made = posted.create(flow.database, OldRunner(flow).result("a"))
    assert made.attempt_id == 2


def test_a_result_posted_later_does_not_become_the_current_one(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    made = posted.create(flow.database, OldRunner(flow).result("a", "failed", attempt_id=7))
    current = results.page(flow.database, flow.workflow_id, Paging(), {}).items
    assert [result.attempt_id for result in current] == [1]
    everything = results.page(flow.database, flow.workflow_id, Paging(), {}, all_runs=True).items
    assert [result.id for result in everything][1] == made.id


def test_a_second_result_of_one_attempt_is_refused(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    with pytest.raises(Conflict, match="already has a result for run 1, attempt 1"):
        posted.create(flow.database, OldRunner(flow).result("a"))


def test_the_report_of_a_running_attempt_cannot_be_forestalled_by_hand(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    with pytest.raises(Conflict, match="still under way"):
        posted.create(flow.database, OldRunner(flow).result("a"))
    runner.finish("a")
    assert flow.status("a") == "completed"


def test_a_posted_result_must_be_of_the_workflow(build):
    flow, other = build("a").initialize(), build("z").initialize()
    runner = OldRunner(flow)
    with pytest.raises(Unprocessable, match="job_id"):
        posted.create(flow.database, runner.result("a", job_id=other.id("z")))
    with pytest.raises(Unprocessable, match="compute_node_id"):
        posted.create(flow.database, runner.result("a", compute_node_id=other.runner().node_id))


def test_what_a_result_leaves_out_is_the_jobs(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.READY, run_id=1)
    runner.take("a")
    runner.finish("a")
    nodes.delete(flow.database, flow.leases, runner.node_id, force=True)
    with pytest.raises(Conflict, match="run 1, attempt 2"):
        post(flow, "a")
    made = post(flow, "a", attempt_id=3)
    assert (made.run_id, made.attempt_id, made.compute_node_id) == (1, 3, NO_NODE), "its node is gone"
    flow.initialize()
    made = post(flow, "a")
    assert (made.run_id, made.attempt_id) == (2, 1)
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    assert stored(flow)[-1] == (2, 2, "completed")
    assert post(flow, "a", attempt_id=7).compute_node_id == runner.node_id


# Results posted while a job runs by hand.


def test_a_result_posted_while_a_job_runs_by_hand_does_not_end_it(build):
    flow = build("a", "b: a").initialize()
    set_status(flow, "a", "running")
    made = post(flow, "a", exit_code=3, stdout="so far", stderr="")
    assert (made.run_id, made.attempt_id, made.compute_node_id) == (1, 1, NO_NODE)
    assert (made.status, made.return_code, made.exit_code) == ("failed", 3, 3)
    assert flow.statuses() == {"a": "running", "b": "blocked"}
    assert results.page(flow.database, flow.workflow_id, Paging(), {}).items == []


def test_the_end_of_the_job_is_written_over_the_result_that_was_posted(build):
    flow = build("a", "b: a").initialize()
    set_status(flow, "a", "running")
    made = post(flow, "a", exit_code=3, stdout="so far", stderr="hm")
    complete(flow, "a", stderr="done")
    complete(flow, "a", stderr="done")
    assert flow.statuses() == {"a": "completed", "b": "ready"}
    assert flow.value("current_result_id", "a") == made.id
    assert flow.select("SELECT id, status, return_code, exec_time_minutes, stdout, stderr FROM result") == [
        (made.id, "completed", 0, 1.0, "so far", "done")
    ]


def test_an_attempt_begun_by_hand_after_a_posted_result_is_the_next_one(build):
    flow = build("a").initialize()
    set_status(flow, "a", "running")
    post(flow, "a")
    set_status(flow, "a", "ready")
    runner = flow.runner()
    runner.take("a")
    assert flow.job("a").attempt_id == 2
    runner.finish("a")
    assert stored(flow) == [(1, 1, "completed"), (1, 2, "completed")]


def test_a_second_result_of_an_attempt_by_hand_is_refused(build):
    flow = build("a").initialize()
    set_status(flow, "a", "running")
    post(flow, "a")
    with pytest.raises(Conflict, match="already has a result"):
        post(flow, "a")


def test_the_result_of_a_claim_that_nobody_started_is_not_posted(build):
    flow = build("a").initialize()
    OldRunner(flow).claim()
    with pytest.raises(Conflict, match="still under way"):
        post(flow, "a")
