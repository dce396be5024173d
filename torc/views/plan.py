"""How an execution plan reads: a paragraph for each stage."""

from collections.abc import Iterator, Sequence

from torc.models.plan import Allocation, ExecutionPlan, PlanStage
from torc.views.name_ranges import compress

ITEMS_SHOWN = 20
"""Most names or ranges of names in one list; the rest is counted."""

ITEMS_IN_A_LINE = 5
"""The same for a list that is not a column."""


def text(plan: ExecutionPlan) -> str:
    """The plan for people. Lists of many jobs are cut short."""
    return "\n".join(_lines(plan))


def _lines(plan: ExecutionPlan) -> Iterator[str]:
    if plan.workflow_id is not None:
        yield f"Workflow ID: {plan.workflow_id}"
    yield f"Workflow: {plan.workflow_name}"
    if plan.workflow_description:
        yield f"Description: {plan.workflow_description}"
    yield f"Total Jobs: {plan.total_jobs}"
    yield ""
    if plan.independent_subworkflows > 1:
        yield f"Note: {plan.independent_subworkflows} parts of this workflow are independent and can run in parallel."
        yield ""
    for stage in plan.stages:
        yield from _stage(stage)
        yield ""
    if plan.other_allocations:
        yield "Scheduler Allocations outside the stages:"
        for allocation in plan.other_allocations:
            yield from _allocation(allocation, f", {allocation.trigger_type}")
        yield ""
    yield f"Total Stages: {plan.total_stages}"


def _stage(stage: PlanStage) -> Iterator[str]:
    mark = "▶" if stage.stage == 1 else "→"
    yield f"{mark} Stage {stage.stage}: {stage.trigger_description}"
    if stage.scheduler_allocations:
        yield "  Scheduler Allocations:"
        for allocation in stage.scheduler_allocations:
            yield from _allocation(allocation)
    if stage.jobs_becoming_ready:
        yield "  Jobs Becoming Ready:"
        yield from (f"    • {item}" for item in _shortened(stage.jobs_becoming_ready, ITEMS_SHOWN))


def _allocation(allocation: Allocation, remark: str = "") -> Iterator[str]:
    count = allocation.num_allocations
    yield f"    • {allocation.scheduler} ({allocation.scheduler_type}) - {count} allocation(s){remark}"
    if allocation.job_names:
        yield f"      For jobs: {', '.join(_shortened(allocation.job_names, ITEMS_IN_A_LINE))}"


def _shortened(names: Sequence[str], most: int) -> list[str]:
    """Names compressed, and the jobs of those that are too many counted; JSON has all of them."""
    ranges = compress(names)
    left_out = sum(each.size for each in ranges[most:])
    return [each.text for each in ranges[:most]] + ([f"... and {left_out} more"] if left_out else [])
