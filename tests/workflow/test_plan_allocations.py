"""Where in a plan nodes are requested."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from torc.models.draft import DraftAction, DraftDocument, DraftJob, DraftScheduler
from torc.models.plan import ExecutionPlan
from torc.models.workflow import Workflow
from torc.workflow.plan import make_plan


def document(jobs: list[DraftJob], **kinds: Any) -> DraftDocument:
    return DraftDocument(workflow=Workflow(name="planned", user="ann"), jobs=jobs, **kinds)


def job(name: str, *depends_on: int) -> DraftJob:
    return DraftJob(name=name, command="true", depends_on=list(depends_on))


TWO_SUBGRAPHS = [
    job("prep_a"),
    job("prep_b"),
    *(job(f"work_a_{i}", 0) for i in range(1, 6)),
    *(job(f"work_b_{i}", 1) for i in range(1, 6)),
    job("post_a", *range(2, 7)),
    job("post_b", *range(7, 12)),
    job("final", 12, 13),
]
"""Two branches, five jobs wide, that meet in the last job."""


def schedule(trigger: str, jobs: list[int] | None = None, scheduler: int | None = 0, **config: Any) -> DraftAction:
    return DraftAction(
        trigger_type=trigger,  # type: ignore[arg-type]  # one of the literals
        action_type="schedule_nodes",
        action_config={"scheduler_type": "slurm", **config},
        jobs=jobs,
        scheduler=scheduler,
    )


Planned = Callable[..., ExecutionPlan]


@pytest.fixture
def planned() -> Planned:
    """The plan of TWO_SUBGRAPHS with actions."""
    schedulers = [DraftScheduler(name="big", account="x"), DraftScheduler(account="x")]

    def plan(*actions: DraftAction) -> ExecutionPlan:
        return make_plan(document(TWO_SUBGRAPHS, slurm_schedulers=schedulers, actions=list(actions)))

    return plan


def places(plan: ExecutionPlan) -> list[tuple[int, str]]:
    """Stage and event of each allocation."""
    of_events = {event.id: event.scheduler_allocations for event in plan.events}
    found = [(stage.stage, event) for stage in plan.stages for event in stage.events if of_events[event]]
    assert [len(stage.scheduler_allocations) for stage in plan.stages] == [
        sum(len(of_events[event]) for event in stage.events) for stage in plan.stages
    ]
    return found


@pytest.mark.parametrize(
    ("action", "place"),
    [
        (schedule("on_workflow_start"), (1, "start")),
        (schedule("on_jobs_ready", [7, 8, 9, 10, 11]), (2, "after_prep_b")),
        (schedule("on_jobs_ready", [0, 2, 13]), (3, "after_work_b_jobs")),
        (schedule("on_jobs_complete", [0, 1]), (2, "after_prep_b")),
        (schedule("on_jobs_complete", [0]), (2, "after_prep_a")),
        (schedule("on_jobs_complete", [2, 13]), (4, "after_post_jobs")),
    ],
)
def test_nodes_are_requested_once_where_the_last_of_the_watched_jobs_gets_there(planned, action, place):
    assert places(planned(action)) == [place]


def test_a_request_behind_jobs_that_nobody_waits_for_is_in_the_next_stage():
    jobs = [job("a"), job("b"), job("c", 0)]
    plan = make_plan(document(jobs, actions=[schedule("on_jobs_complete", [1], scheduler=None)]))
    assert places(plan) == [(2, "after_a")]


@pytest.mark.parametrize(
    "action",
    [
        schedule("on_jobs_complete", [14]),
        schedule("on_workflow_complete"),
        schedule("on_worker_start"),
        schedule("on_jobs_ready", None),
    ],
)
def test_a_request_outside_all_stages_is_kept_apart(planned, action):
    plan = planned(action)
    assert places(plan) == []
    assert [other.trigger_type for other in plan.other_allocations] == [action.trigger_type]


def test_an_allocation_says_what_is_requested_and_for_which_jobs(planned):
    (allocation,) = planned(schedule("on_jobs_ready", [0, 1], num_allocations=3)).stages[0].scheduler_allocations
    assert msgspec.to_builtins(allocation) == {
        "scheduler": "big",
        "scheduler_type": "slurm",
        "num_allocations": 3,
        "trigger_type": "on_jobs_ready",
        "job_names": ["prep_a", "prep_b"],
    }


@pytest.mark.parametrize("scheduler", [1, None])
def test_a_scheduler_without_a_name_is_called_after_its_type(planned, scheduler):
    (allocation,) = planned(schedule("on_workflow_start", scheduler=scheduler)).stages[0].scheduler_allocations
    assert (allocation.scheduler, allocation.num_allocations) == ("slurm_scheduler", 1)


def test_commands_are_no_allocation(planned):
    commands = DraftAction(
        trigger_type="on_workflow_start", action_type="run_commands", action_config={"commands": ["true"]}
    )
    assert places(planned(commands)) == []
