"""Which jobs become ready together, and in which stage and event."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument, DraftFile, DraftGroup, DraftJob, DraftUserData
from torc.models.plan import ExecutionPlan, PlanEvent
from torc.models.workflow import Workflow
from torc.workflow.plan import make_plan
from torc.workflow.waves import SMALL_SET


def document(jobs: Any, **kinds: Any) -> DraftDocument:
    return DraftDocument(workflow=Workflow(name="planned", user="ann"), jobs=jobs, **kinds)


def job(name: str, *depends_on: int, **fields: Any) -> DraftJob:
    return DraftJob(name=name, command="true", depends_on=list(depends_on), **fields)


def groups(*members: list[int]) -> list[DraftGroup]:
    return [DraftGroup(members=each) for each in members]


def files(count: int) -> list[DraftFile]:
    return [DraftFile(name=f"f{i}", path=f"f{i}") for i in range(count)]


def stages(plan: ExecutionPlan) -> list[tuple[str, list[str]]]:
    return [(stage.trigger_description, stage.jobs_becoming_ready) for stage in plan.stages]


def by_id(plan: ExecutionPlan) -> dict[str, PlanEvent]:
    found = {event.id: event for event in plan.events}
    assert len(found) == plan.total_events == len(plan.events)
    return found


def trigger_jobs(event: PlanEvent) -> list[str]:
    found: list[str] = msgspec.to_builtins(event.trigger)["data"]["jobs"]
    return found


TWO_SUBGRAPHS = [
    job("prep_a"),
    job("prep_b"),
    *(job(f"work_a_{i}", 0) for i in range(1, 6)),
    *(job(f"work_b_{i}", 1) for i in range(1, 6)),
    job("post_a", *range(2, 7)),
    job("post_b", *range(7, 12)),
    job("final", 12, 13),
]


def test_the_example_of_the_book_has_its_stages():
    plan = make_plan(document(TWO_SUBGRAPHS))
    assert plan.total_jobs == 15
    assert stages(plan) == [
        ("Workflow Start", ["prep_a", "prep_b"]),
        ("When jobs 'prep_a', 'prep_b' complete", [f"work_{x}_{i}" for x in "ab" for i in range(1, 6)]),
        ("When 10 jobs complete", ["post_a", "post_b"]),
        ("When jobs 'post_a', 'post_b' complete", ["final"]),
    ]


def test_jobs_that_wait_for_the_same_are_one_event():
    events = by_id(make_plan(document(TWO_SUBGRAPHS)))
    assert {event_id: len(event.jobs_becoming_ready) for event_id, event in events.items()} == {
        "start": 2,
        "after_prep_a": 5,
        "after_prep_b": 5,
        "after_work_a_jobs": 1,
        "after_work_b_jobs": 1,
        "after_post_jobs": 1,
    }
    after = events["after_work_a_jobs"]
    assert trigger_jobs(after) == [f"work_a_{i}" for i in range(1, 6)]
    assert after.trigger_description == "When 5 jobs complete"
    assert (after.depends_on_events, after.unlocks_events) == (["after_prep_a"], ["after_post_jobs"])


def test_the_document_has_the_keys_that_existing_readers_know():
    found = msgspec.to_builtins(make_plan(document([job("a"), job("b", 0)])))
    assert found | {"stages": 0} == {
        "status": "success",
        "source": "spec_file",
        "workflow_name": "planned",
        "total_events": 2,
        "total_jobs": 2,
        "total_stages": 2,
        "independent_subworkflows": 1,
        "root_events": ["start"],
        "leaf_events": ["after_a"],
        "events": [
            {
                "id": "start",
                "trigger": {"type": "WorkflowStart"},
                "trigger_description": "Workflow Start",
                "scheduler_allocations": [],
                "jobs_becoming_ready": ["a"],
                "depends_on_events": [],
                "unlocks_events": ["after_a"],
            },
            {
                "id": "after_a",
                "trigger": {"type": "JobsComplete", "data": {"jobs": ["a"]}},
                "trigger_description": "When job 'a' completes",
                "scheduler_allocations": [],
                "jobs_becoming_ready": ["b"],
                "depends_on_events": ["start"],
                "unlocks_events": [],
            },
        ],
        "stages": 0,
        "other_allocations": [],
    }


def test_a_stored_workflow_is_named_by_its_id():
    plan = make_plan(document([job("a")]), workflow_id=7)
    assert (plan.source, plan.workflow_id) == ("database", 7)


def test_events_whose_jobs_are_called_alike_have_different_ids():
    jobs = [job(f"work_{i}") for i in range(1, 5)]
    plan = make_plan(document([*jobs, job("x", 0, 1), job("y", 2, 3), job("z", 1, 2)]))
    assert [event.id for event in plan.events] == [
        "start",
        "after_work_jobs",
        "after_work_jobs_2",
        "after_work_jobs_3",
    ]


def test_an_event_does_not_take_the_id_that_another_was_given_for_being_second():
    jobs = [job("work_1"), job("work_2"), job("work_3"), job("work_jobs_2")]
    plan = make_plan(document([*jobs, job("x", 0, 1), job("y", 1, 2), job("z", 3), job("last", 0, 2)]))
    assert [event.id for event in plan.events][1:] == [
        "after_work_jobs",
        "after_work_jobs_2",
        "after_work_jobs_2_2",
        "after_work_jobs_3",
    ]


def test_jobs_without_a_common_name_are_counted_in_the_id():
    plan = make_plan(document([job("left"), job("right"), job("x", 0, 1)]))
    assert plan.leaf_events == ["after_left_and_1_more"]


def test_a_job_stands_one_stage_after_the_last_that_it_waits_for():
    plan = make_plan(document([job("a"), job("b", 0), job("c", 1), job("d", 0, 2)]))
    assert [stage.jobs_becoming_ready for stage in plan.stages] == [["a"], ["b"], ["c"], ["d"]]
    assert plan.stages[-1].trigger_description == "When job 'c' completes"
    assert plan.events[-1].trigger_description == "When jobs 'a', 'c' complete"


@pytest.mark.parametrize(
    ("kinds", "writes", "reads"),
    [
        ({"files": files(2)}, "output_files", "input_files"),
        ({"user_data": [DraftUserData(name="u"), DraftUserData(name="v")]}, "output_user_data", "input_user_data"),
    ],
)
def test_who_reads_waits_for_everybody_who_writes(kinds, writes, reads):
    first, second = job("first", **{writes: [0]}), job("second", **{writes: [0]})
    reader, outsider = job("reader", **{reads: [0]}), job("outsider", **{reads: [1]})
    plan = make_plan(document([reader, first, second, outsider], **kinds))
    assert stages(plan) == [
        ("Workflow Start", ["first", "second", "outsider"]),
        ("When jobs 'first', 'second' complete", ["reader"]),
    ]


def test_a_job_does_not_wait_for_what_it_writes_itself():
    both = {"input_files": [0], "output_files": [0]}
    plan = make_plan(document([job("first", output_files=[0]), job("second", **both)], files=files(1)))
    assert [stage.jobs_becoming_ready for stage in plan.stages] == [["first"], ["second"]]


@pytest.mark.parametrize("size", [2, SMALL_SET, SMALL_SET + 1, 100])
def test_the_same_jobs_in_a_group_behind_a_file_or_by_name_are_one_set(size):
    members = list(range(size))
    writers = [job(f"w_{i}", output_files=[0]) for i in members]
    readers = [job("r", input_files=[0]), job("g", depends_on_groups=[0]), job("both", 0, depends_on_groups=[0])]
    plan = make_plan(document([*writers, *readers], files=files(1), groups=groups(members)))
    assert plan.leaf_events == [plan.events[-1].id]
    assert plan.events[-1].jobs_becoming_ready == ["r", "g", "both"]
    assert trigger_jobs(plan.events[-1]) == [one.name for one in writers]


def test_many_events_that_wait_for_one_large_set_write_it_once():
    size = 10 * SMALL_SET
    singles = [job(f"own_{i}") for i in range(size)]
    members = [job(f"member_{i}", i) for i in range(size)]
    waiting = [job(f"w_{i}", i, depends_on_groups=[0]) for i in range(size)]
    plan = make_plan(document([*singles, *members, *waiting], groups=groups(list(range(size, 2 * size)))))
    events = by_id(plan)
    barrier = events["after_member_jobs"]
    assert (len(trigger_jobs(barrier)), barrier.jobs_becoming_ready) == (size, [])
    assert len(barrier.depends_on_events) == len(barrier.unlocks_events) == size
    one = events[barrier.unlocks_events[3]]
    assert one.jobs_becoming_ready == ["w_3"]
    assert (trigger_jobs(one), one.depends_on_events) == (["own_3"], ["start", barrier.id])
    assert one.trigger_description == f"When {size + 1} jobs complete"
    assert len(msgspec.json.encode(plan)) < 3 * size * 1000


def test_stages_that_wait_for_one_old_set_do_not_repeat_it():
    length = 4 * SMALL_SET
    members = list(range(length))
    chain = [job(f"c{i}", *([length + i - 1] if i else []), depends_on_groups=[0]) for i in range(length)]
    plan = make_plan(document([*(job(f"m{i}") for i in members), *chain], groups=groups(members)))
    assert [stage.trigger_description for stage in plan.stages[:3]] == [
        "Workflow Start",
        f"When {length} jobs complete",
        "When job 'c0' completes",
    ]
    assert plan.events[-1].trigger_description == f"When {length + 1} jobs complete"


class MadeAnew:
    """Jobs that exist only while they are looked at."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.passes = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[DraftJob]:
        self.passes += 1
        return (job(f"j{i}", *([i - 1] if i % 2 else [])) for i in range(self.count))


def test_jobs_are_looked_at_once():
    jobs = MadeAnew(10)
    assert [len(stage.jobs_becoming_ready) for stage in make_plan(document(jobs)).stages] == [5, 5]
    assert jobs.passes == 1


def test_a_workflow_without_jobs_has_a_start():
    assert stages(make_plan(document([]))) == [("Workflow Start", [])]


def test_jobs_that_wait_for_each_other_are_named():
    jobs = [job("free"), job("a", 2), job("b", depends_on_groups=[0])]
    with pytest.raises(InvalidSpec, match=r"'planned' wait for each other .*: a -> b -> a; remove one"):
        make_plan(document(jobs, groups=groups([0, 1])))


@pytest.mark.parametrize(
    ("jobs", "parts"),
    [
        ([job("a"), job("b")], 0),
        ([job("a"), job("b", 0), job("alone")], 1),
        ([job("a"), job("b", 0), job("c"), job("d", 2), job("e", 2)], 2),
        ([job("a"), job("b", 0), job("c"), job("d", 2), job("e", 1, 3)], 1),
        ([job("a"), job("b"), job("c", depends_on_groups=[0])], 1),
    ],
)
def test_independent_parts_are_counted(jobs, parts):
    assert make_plan(document(jobs, groups=groups([0, 1]))).independent_subworkflows == parts


def test_a_large_set_holds_its_jobs_together():
    members = list(range(SMALL_SET + 1))
    readers = [job("x", depends_on_groups=[0]), job("y", depends_on_groups=[0])]
    plan = make_plan(document([*(job(f"m{i}") for i in members), *readers], groups=groups(members)))
    assert plan.independent_subworkflows == 1


def waits_of(document: DraftDocument) -> list[set[int]]:
    """The plain definition: everything multiplied out."""
    jobs = list(document.jobs)
    waits = []
    for number, one in enumerate(jobs):
        found = set(one.depends_on).union(*(document.groups[group].members for group in one.depends_on_groups))
        found |= {i for i, other in enumerate(jobs) if set(other.output_files) & set(one.input_files)}
        waits.append(found - {number})
    return waits


def random_document(seed: int) -> DraftDocument:
    """Jobs that wait for earlier ones in all ways, in sets smaller and larger than SMALL_SET."""
    dice = random.Random(seed)
    count = dice.choice([5, 40, 120])
    cuts = sorted(dice.sample(range(count), min(count, 3)))
    members = [sorted(dice.sample(range(cut + 1), dice.randint(1, cut + 1))) for cut in cuts]

    def some(choices: list[int], most: int) -> list[int]:
        return sorted(dice.sample(choices, dice.randint(0, min(most, len(choices)))))

    jobs = []
    for number in range(count):
        usable = [i for i, each in enumerate(members) if each[-1] < number]
        past = [i for i, cut in enumerate(cuts) if cut < number]
        made = job(f"j{number}", *some(list(range(number)), 2), depends_on_groups=some(usable, 2))
        made.input_files = some(past, 1)
        made.output_files = some([i for i, cut in enumerate(cuts) if number <= cut], 2)
        jobs.append(made)
    return document(jobs, groups=groups(*members), files=files(len(cuts)))


@pytest.mark.parametrize("seed", range(40))
def test_the_plan_is_what_multiplying_everything_out_would_give(seed):
    made = random_document(seed)
    waits = waits_of(made)
    stage: list[int] = []
    for needs in waits:
        stage.append(1 + max((stage[other] for other in needs), default=0))
    plan = make_plan(made)
    events = by_id(plan)
    for each in plan.stages:
        assert each.jobs_becoming_ready == [f"j{i}" for i, found in enumerate(stage) if found == each.stage]
        assert [name for event in each.events for name in events[event].jobs_becoming_ready] != []
    ready = [name for event in plan.events for name in event.jobs_becoming_ready]
    assert sorted(ready) == sorted(f"j{i}" for i in range(len(waits)))
    born = {name: event.id for event in plan.events for name in event.jobs_becoming_ready}
    for event in plan.events[1:]:
        listed = set(trigger_jobs(event))
        for barrier in event.depends_on_events:
            if not events[barrier].jobs_becoming_ready:
                listed |= set(trigger_jobs(events[barrier]))
        for name in event.jobs_becoming_ready:
            assert listed == {f"j{i}" for i in waits[int(name[1:])]}
        assert {born[name] for name in trigger_jobs(event)} <= set(event.depends_on_events)
        assert all(event.id in events[earlier].unlocks_events for earlier in event.depends_on_events)
