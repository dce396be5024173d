"""A plan as people read it."""

from typing import Any

import pytest

from torc.models.plan import Allocation, ExecutionPlan, PlanStage
from torc.views.plan import ITEMS_SHOWN, text

STAGES = [
    ("Workflow Start", ["prep_a", "prep_b"]),
    ("When jobs 'prep_a', 'prep_b' complete", [f"work_{x}_{i}" for x in "ab" for i in range(1, 6)]),
    ("When 10 jobs complete", ["post"]),
]


def allocation(scheduler: str, *jobs: str, **fields: Any) -> Allocation:
    given = {"scheduler_type": "slurm", "num_allocations": 1, "trigger_type": "on_workflow_start", **fields}
    return Allocation(scheduler=scheduler, job_names=list(jobs), **given)


def plan(stages: list[tuple[str, list[str]]], *allocations: list[Allocation], **fields: Any) -> ExecutionPlan:
    made = [
        PlanStage(stage=i, trigger_description=when, events=[], scheduler_allocations=[], jobs_becoming_ready=jobs)
        for i, (when, jobs) in enumerate(stages, 1)
    ]
    for stage, requested in zip(made, allocations, strict=False):
        stage.scheduler_allocations = requested
    given = {"source": "spec_file", "independent_subworkflows": 1, "other_allocations": [], **fields}
    return ExecutionPlan(
        workflow_name="pipeline",
        total_events=0,
        total_jobs=sum(len(jobs) for _, jobs in stages),
        total_stages=len(stages),
        root_events=[],
        leaf_events=[],
        events=[],
        stages=made,
        **given,
    )


def test_stages_are_paragraphs():
    assert (
        text(plan(STAGES))
        == """\
Workflow: pipeline
Total Jobs: 13

▶ Stage 1: Workflow Start
  Jobs Becoming Ready:
    • prep_a
    • prep_b

→ Stage 2: When jobs 'prep_a', 'prep_b' complete
  Jobs Becoming Ready:
    • work_a_{1..5}
    • work_b_{1..5}

→ Stage 3: When 10 jobs complete
  Jobs Becoming Ready:
    • post

Total Stages: 3"""
    )


def test_allocations_stand_before_the_jobs():
    works = [f"work_{i}" for i in range(1, 6)]
    requested = [allocation("prep_sched"), allocation("work_sched", *works, num_allocations=2)]
    shown = text(plan([("Workflow Start", ["prep"])], requested))
    assert (
        """\
▶ Stage 1: Workflow Start
  Scheduler Allocations:
    • prep_sched (slurm) - 1 allocation(s)
    • work_sched (slurm) - 2 allocation(s)
      For jobs: work_{1..5}
  Jobs Becoming Ready:
    • prep
"""
        in shown
    )


def test_the_jobs_of_an_allocation_stay_on_a_line():
    names = [f"fit_{i}_x" for i in range(9)]
    shown = text(plan([("Workflow Start", names)], [allocation("wide", *names)]))
    assert "\n      For jobs: fit_0_x, fit_1_x, fit_2_x, fit_3_x, fit_4_x, ... and 4 more\n" in shown


def test_allocations_that_belong_to_no_stage_come_last():
    late = allocation("late", trigger_type="on_workflow_complete")
    shown = text(plan([("Workflow Start", ["prep"])], other_allocations=[late]))
    assert shown.endswith(
        """\
Scheduler Allocations outside the stages:
    • late (slurm) - 1 allocation(s), on_workflow_complete

Total Stages: 1"""
    )


def test_a_stored_workflow_shows_its_id_and_a_described_one_its_description():
    shown = text(plan(STAGES, source="database", workflow_id=12, workflow_description="all of it"))
    assert shown.splitlines()[:4] == [
        "Workflow ID: 12",
        "Workflow: pipeline",
        "Description: all of it",
        "Total Jobs: 13",
    ]


@pytest.mark.parametrize(("parts", "lines"), [(0, 0), (1, 0), (2, 1)])
def test_independent_parts_are_mentioned(parts, lines):
    assert text(plan(STAGES, independent_subworkflows=parts)).count("independent and can run in parallel") == lines


def test_long_lists_are_cut_and_the_rest_is_counted():
    names = [f"run_{i}_x" for i in range(1000)] + [f"late_{i}" for i in range(50)]
    shown = text(plan([("Workflow Start", names)]))
    bullets = [line for line in shown.splitlines() if line.startswith("    •")]
    assert len(bullets) == ITEMS_SHOWN + 1
    assert bullets[-1] == "    • ... and 1030 more"
