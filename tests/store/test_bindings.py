"""Jobs are kept for the allocations of a scheduler."""

import pytest

from tests.store.scenario import an_offer
from torc.errors import NotFound, Unprocessable
from torc.models.catalogue import SLURM_SCHEDULERS
from torc.models.job import BoundJobs
from torc.models.scheduler import SlurmScheduler
from torc.store import bindings, table


def scheduler(flow):
    made = SlurmScheduler(workflow_id=flow.workflow_id, account="a", nodes=1, walltime="1:00:00")
    return table.insert(flow.database, SLURM_SCHEDULERS, made).id


def bind(flow, scheduler_id, *names):
    job_ids = [flow.id(name) for name in names]
    return bindings.bind(flow.database, BoundJobs(job_ids=job_ids, scheduler_id=scheduler_id))


def test_a_bound_job_is_claimed_by_runners_of_its_scheduler_only(build):
    flow = build("a", "b").initialize()
    first, second = scheduler(flow), scheduler(flow)
    assert bind(flow, first, "a", "b").count == 2
    assert bind(flow, second, "b").job_ids == [flow.id("b")]
    runner = flow.runner()
    assert [job.name for job in runner.sync(offer=an_offer(scheduler_config_id=second)).jobs] == ["b"]


def test_what_a_runner_has_stays_as_it_is(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.claim(limit=1)
    assert bind(flow, scheduler(flow), "a", "b").job_ids == [flow.id("b")]
    assert flow.job("a").scheduler_id is None


def test_strangers_are_refused_and_nothing_is_bound(build):
    flow, other = build("a"), build("a")
    mine = scheduler(flow)
    with pytest.raises(Unprocessable, match="not every job belongs to workflow"):
        bindings.bind(flow.database, BoundJobs(job_ids=[flow.id("a"), other.id("a")], scheduler_id=mine))
    assert flow.job("a").scheduler_id is None
    with pytest.raises(NotFound, match="Slurm scheduler not found with ID: 77"):
        bind(flow, 77, "a")
