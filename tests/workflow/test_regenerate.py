"""Allocations for jobs that are ready: of their own scheduler, of a bigger one like it, or of one from the profile."""

from typing import Any

import pytest

from torc.errors import Conflict
from torc.hpc.profile import Partition, Profile
from torc.models.draft import DraftAction, DraftRequirements, DraftScheduler
from torc.models.scheduler import ScheduledComputeNode
from torc.workflow.regenerate import Site, make_schedulers, plan, waiting_jobs
from torc.workflow.sizing import Options

PROFILE = Profile(
    name="ours",
    display_name="Ours",
    partitions=[
        Partition(name="batch", cpus_per_node=16, memory_mb=64_000, max_walltime_secs=86_400),
        Partition(
            name="big", cpus_per_node=16, memory_mb=256_000, max_walltime_secs=43_200, requires_explicit_request=True
        ),
    ],
)


def scheduler(**fields: Any) -> DraftScheduler:
    usual = {"name": "nodes", "account": "a", "nodes": 1, "mem": "32g", "walltime": "04:00:00"}
    return DraftScheduler(**{**usual, "extra": "--cpus-per-task=8", **fields})


def at_start(**config: Any) -> DraftAction:
    return DraftAction(
        trigger_type="on_workflow_start",
        action_type="schedule_nodes",
        action_config={"scheduler_type": "slurm", **config},
        scheduler=0,
    )


def planned(ended, profile=PROFILE, account="", **options):
    site = Site(profile, Options(account=account, **options))
    jobs = waiting_jobs(ended.client, ended.workflow_id)
    return plan(ended.client, ended.workflow_id, jobs, site, run_id=1)


def test_as_many_allocations_of_their_own_scheduler_as_the_jobs_need(ended):
    ended.create(*(f"j{n}" for n in range(9)), schedulers=(scheduler(),), bound=0)
    (ask,) = planned(ended)
    assert (ask.scheduler.name, ask.scheduler.id is None, len(ask.jobs)) == ("nodes", False, 9)
    assert ask.count == 3  # four at a time, by CPUs and by memory


def test_never_more_than_the_workflow_asks_for_itself_and_what_is_there_counts(ended):
    ended.create(
        *(f"j{n}" for n in range(40)), schedulers=(scheduler(),), bound=0, actions=(at_start(num_allocations=2),)
    )
    assert planned(ended)[0].count == 2
    (stored,) = ended.client.slurm_schedulers.list(ended.workflow_id)
    there = {"workflow_id": ended.workflow_id, "scheduler_config_id": stored.id, "scheduler_type": "slurm"}
    for number, status in enumerate(("pending", "failed")):
        ended.client.scheduled_compute_nodes.create(ScheduledComputeNode(scheduler_id=number, status=status, **there))
    assert planned(ended)[0].count == 1


def test_jobs_that_are_bound_to_nothing_go_to_the_first_scheduler_with_room(ended):
    ended.create("j", schedulers=(scheduler(name="small", mem="1g"), scheduler(name="large", mem="16g")))
    (ask,) = planned(ended)
    assert (ask.scheduler.name, ask.count) == ("large", 1)


@pytest.mark.parametrize("profile", [None, PROFILE])
def test_a_scheduler_without_room_is_copied_with_more(ended, profile):
    small = scheduler(mem="4g", walltime="00:30:00", partition="big", qos="q", extra="--cpus-per-task=4 -C fast")
    ended.create("j", "k", schedulers=(small,), bound=0, actions=(at_start(max_parallel_jobs=3),))
    (ask,) = planned(ended, profile)
    assert ask.scheduler.id is None
    assert (ask.scheduler.name, ask.scheduler.mem, ask.scheduler.walltime) == ("nodes_run1", "8g", "01:02:00")
    assert (ask.scheduler.partition, ask.scheduler.qos, ask.scheduler.extra) == (
        "big",
        "q",
        "--cpus-per-task=4 -C fast",
    )
    assert (ask.count, ask.max_parallel_jobs) == (1, 3)
    make_schedulers(ended.client, [ask])
    assert ended.job("j").scheduler_id == ended.job("k").scheduler_id == ask.scheduler.id


def test_what_slurm_chose_the_partition_for_gets_one_from_the_profile(ended):
    ended.create(*"jklmn", schedulers=(scheduler(mem="4g"),), bound=0)
    (ask,) = planned(ended, walltime="runtime")
    assert ask.scheduler.name == "batch_run1"
    assert (ask.scheduler.account, ask.scheduler.partition, ask.scheduler.mem) == ("a", None, "40g")
    assert (ask.scheduler.walltime, ask.count) == ("01:33:00", 1)


def test_where_nobody_has_asked_for_memory_past_runners_tell_how_much_there_was(ended):
    ended.create("j", schedulers=(scheduler(mem=None),), bound=0)
    (ask,) = planned(ended)
    assert ask.scheduler.id is not None
    ended.client.compute_nodes.change(ended.node(5, scheduler_id=ask.scheduler.id), {"memory_gb": 4.0})
    (ask,) = planned(ended, None)
    assert (ask.scheduler.id, ask.scheduler.mem) == (None, "8g")


def test_a_job_that_fits_nowhere_is_refused_by_name(ended):
    huge = DraftRequirements(name="huge", num_cpus=2, memory="900g", runtime="PT1H")
    ended.create("j", schedulers=(scheduler(),), bound=0, needs=huge)
    with pytest.raises(Conflict, match=r"job \d+ 'j' fits on no partition of Ours \(ours\): it needs 2 CPUs, 900g"):
        planned(ended)
    assert len(list(ended.client.slurm_schedulers.list(ended.workflow_id))) == 1


def test_without_scheduler_and_profile_there_is_no_way(ended):
    ended.create("j")
    with pytest.raises(Conflict, match="no profile of this cluster is known"):
        planned(ended, None)
    with pytest.raises(Conflict, match="no account for allocations on Ours"):
        planned(ended)
    (ask,) = planned(ended, account="mine")
    assert (ask.scheduler.account, ask.count) == ("mine", 1)


def test_a_scheduler_with_too_few_cpus_is_not_copied_for_ever(ended):
    ended.create("j", schedulers=(scheduler(extra="--cpus-per-task=1"),), bound=0)
    with pytest.raises(Conflict, match="fits in no allocation of its scheduler nodes: .* torc slurm update"):
        planned(ended, None)
