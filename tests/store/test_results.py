"""Results as records, and the start and end of jobs of existing runners (rules 20, 33)."""

import pytest

from tests.store.scenario import WHEN, every_field
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.job import ComputeNodesResources
from torc.models.queries import Paging
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.store import claims, lifecycle, manual, nodes, results, workflows
from torc.store.leases import START_WITHIN_S


class OldRunner:
    """Speaks the contract's own calls."""

    def __init__(self, flow):
        self.flow = flow
        self.node_id = flow.runner(spool_path=None).node_id

    def claim(self, limit=10):
        answer = claims.claim_next(self.flow.database, self.flow.leases, self.flow.workflow_id, limit)
        return [job.name for job in answer.jobs]

    def start(self, name, run_id=1, node_id=None):
        return results.start(
            self.flow.database, job_id=self.flow.id(name), run_id=run_id, compute_node_id=node_id or self.node_id
        )

    def result(self, name, status="completed", run_id=1, **fields):
        return Result(
            **{
                "job_id": self.flow.id(name),
                "workflow_id": self.flow.workflow_id,
                "run_id": run_id,
                "compute_node_id": self.node_id,
                "return_code": 0 if status == "completed" else 1,
                "exec_time_minutes": 1.0,
                "completion_time": WHEN,
                "status": JobStatus(status),
            }
            | fields
        )

    def complete(self, name, status="completed", run_id=1, **fields):
        return results.complete(
            self.flow.database,
            job_id=self.flow.id(name),
            status=JobStatus(status),
            run_id=run_id,
            result=self.result(name, status, run_id, **fields),
        )


def stored(flow):
    return flow.select("SELECT run_id, attempt_id, status FROM result ORDER BY id")


def test_claim_start_and_complete_of_an_existing_runner(build):
    flow = build("a", "b: a").initialize()
    runner = OldRunner(flow)
    assert runner.claim() == ["a"]
    assert flow.job("a").active_compute_node_id is None
    job = runner.start("a")
    assert (job.status, job.active_compute_node_id, job.attempt_id) == ("running", runner.node_id, 1)
    assert runner.complete("a").status == "completed"
    assert flow.status("b") == "ready"
    assert stored(flow) == [(1, 1, "completed")]


def test_a_job_that_nobody_claimed_can_be_started(build):
    flow = build("a").initialize()
    runner = OldRunner(flow)
    job = runner.start("a")
    assert (job.status, job.run_id, job.attempt_id) == ("running", 1, 1)


def test_the_same_start_again_changes_nothing(build):
    flow = build("a").initialize()
    runner = OldRunner(flow)
    runner.start("a")
    assert runner.start("a").attempt_id == 1
    assert len(flow.events("job")) == 1


def test_a_job_of_another_node_cannot_be_started(build):
    flow = build("a", "b").initialize()
    runner, other = OldRunner(flow), flow.runner()
    other.claim()
    other.start("b")
    for name in "ab":
        with pytest.raises(Unprocessable, match=f"on compute node {other.node_id}"):
            runner.start(name)
    assert flow.statuses() == {"a": "pending", "b": "running"}


def test_a_start_must_name_the_run_and_a_node_of_the_workflow(build):
    flow, other = build("a").initialize(), build("z").initialize()
    runner = OldRunner(flow)
    with pytest.raises(Unprocessable, match="provided 9 but workflow status has 1"):
        runner.start("a", run_id=9)
    with pytest.raises(Unprocessable, match="no compute node"):
        runner.start("a", node_id=other.runner().node_id)
    assert flow.status("a") == "ready"


def test_a_claim_that_is_not_started_in_time_goes_back(build, clock):
    flow = build("a", "b").initialize()
    runner = OldRunner(flow)
    runner.claim()
    runner.start("b")
    clock.advance(START_WITHIN_S - 1)
    nodes.expire(flow.database, flow.leases)
    assert flow.statuses() == {"a": "pending", "b": "running"}
    clock.advance(1)
    nodes.expire(flow.database, flow.leases)
    assert flow.statuses() == {"a": "ready", "b": "running"}


def test_a_new_server_watches_the_claims_it_finds(build, clock):
    flow = build("a").initialize()
    OldRunner(flow).claim()
    flow.leases = type(flow.leases)(300.0, tick_s=100.0, clock=clock)
    nodes.adopt(flow.database, flow.leases)
    clock.advance(START_WITHIN_S)
    nodes.expire(flow.database, flow.leases)
    assert flow.status("a") == "ready"


def test_the_claim_by_need_packs_what_fits(build):
    flow = build("a", "b", "c").initialize()
    offer = ComputeNodesResources(num_cpus=2, memory_gb=1, num_gpus=0, num_nodes=1)
    answer = claims.claim_by_resources(flow.database, flow.leases, flow.workflow_id, offer, 10, None)
    assert [job.name for job in answer.jobs] == ["a", "b"]
    offer.time_limit = "soon"
    with pytest.raises(Unprocessable, match="'soon'"):
        claims.claim_by_resources(flow.database, flow.leases, flow.workflow_id, offer, 10, None)


def test_a_completion_repeated_is_fine_and_another_outcome_is_not(build):
    flow = build("a", "b: a").initialize()
    runner = OldRunner(flow)
    runner.start("a")
    runner.complete("a", "failed")
    assert runner.complete("a", "failed").status == "failed"
    with pytest.raises(Conflict, match="already complete with status Failed"):
        runner.complete("a", "completed")
    assert stored(flow) == [(1, 1, "failed")]
    assert flow.statuses() == {"a": "failed", "b": "canceled"}


def test_a_canceled_job_keeps_its_status_and_its_result(build):
    flow = build("a").initialize()
    runner = OldRunner(flow)
    runner.start("a")
    lifecycle.cancel(flow.database, flow.workflow_id)
    assert runner.complete("a").status == "canceled"
    assert runner.complete("a").status == "canceled"
    assert stored(flow) == [(1, 1, "completed")]
    assert flow.value("current_result_id", "a") is not None


def test_a_completion_counts_in_the_run_the_job_was_claimed_in(build):
    flow = build("a").initialize()
    runner = OldRunner(flow)
    runner.start("a")
    status = workflows.status(flow.database, flow.workflow_id)
    status.run_id = 2
    workflows.update_status(flow.database, flow.workflow_id, status, every_field(status))
    with pytest.raises(Unprocessable, match="provided 2 but workflow status has 1"):
        runner.complete("a", run_id=2)
    assert runner.complete("a", run_id=1).status == "completed"


@pytest.mark.parametrize("status", ["ready", "blocked", "running", "pending", "uninitialized", "disabled"])
def test_a_job_completes_with_an_outcome(build, status):
    flow = build("a").initialize()
    with pytest.raises(Unprocessable, match=f"not as '{status}'"):
        OldRunner(flow).complete("a", status)


@pytest.mark.parametrize(
    ("field", "other"), [("job_id", 77), ("workflow_id", 77), ("run_id", 77), ("status", "failed")]
)
def test_path_and_body_of_a_completion_must_agree(build, field, other):
    flow = build("a").initialize()
    body = OldRunner(flow).result("a", **{field: other})
    with pytest.raises(Unprocessable, match=f"^{field}: the body says {other}"):
        results.complete(flow.database, job_id=flow.id("a"), status=JobStatus.COMPLETED, run_id=1, result=body)
    assert flow.status("a") == "ready"


def test_a_job_reset_and_completed_again_without_a_claim_takes_a_new_attempt(build):
    flow = build("a").initialize()
    runner = OldRunner(flow)
    runner.complete("a", "failed")
    manual.set_status(flow.database, flow.leases, job_id=flow.id("a"), status=JobStatus.READY, run_id=1)
    assert runner.complete("a").status == "completed"
    assert stored(flow) == [(1, 1, "failed"), (1, 2, "completed")]


def test_a_job_that_does_not_exist_is_neither_started_nor_completed(build):
    flow = build("a")
    runner = OldRunner(flow)
    flow.ids["ghost"] = 99
    for act in (runner.start, runner.complete):
        with pytest.raises(NotFound, match="99"):
            act("ghost")


def test_results_are_filtered(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed", return_code=3)
    runner.finish("b")
    for wanted in ({"return_code": 3}, {"status": "failed"}, {"job_id": flow.id("a")}):
        found = results.page(flow.database, flow.workflow_id, Paging(), wanted).items
        assert [result.job_id for result in found] == [flow.id("a")]
