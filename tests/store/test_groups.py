"""Dependency groups and cycles (rules 18, 19)."""

import pytest

from tests.store.scenario import Step
from torc.errors import NotFound, Unprocessable
from torc.models.job import DependencyGroup
from torc.models.queries import Paging
from torc.store import graph, groups


def make(flow, members, dependents):
    return groups.create(
        flow.database,
        flow.workflow_id,
        DependencyGroup(
            member_job_ids=[flow.id(name) for name in members], dependent_job_ids=[flow.id(name) for name in dependents]
        ),
    )


def listed(flow):
    """Every group as (members, dependents) by name."""
    found = groups.page(flow.database, flow.workflow_id, Paging()).items
    return [
        ("".join(map(flow.name, group.member_job_ids)), "".join(map(flow.name, group.dependent_job_ids)))
        for group in found
    ]


def test_all_of_one_set_come_before_all_of_another(build):
    flow = build(*"abxy")
    group = make(flow, "ab", "xy")
    assert (group.remaining, group.failed) == (2, 0)
    flow.initialize()
    assert flow.statuses() == {"a": "ready", "b": "ready", "x": "blocked", "y": "blocked"}
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    assert flow.status("x") == "blocked"
    runner.finish("b")
    assert (flow.status("x"), flow.status("y")) == ("ready", "ready")


def test_there_is_one_group_for_each_distinct_set_of_members(build):
    flow = build(*"abcxyz")
    first, again, other = make(flow, "ab", "x"), make(flow, "ba", "y"), make(flow, "abc", "z")
    assert first.id == again.id != other.id
    assert listed(flow) == [("ab", "xy"), ("abc", "z")]


def test_a_group_cannot_contain_its_dependent(build):
    flow = build(*"abc")
    with pytest.raises(Unprocessable, match="'c'"):
        make(flow, "abc", "c")
    assert listed(flow) == []
    assert {flow.value("unmet", name) for name in "abc"} == {0}


def test_a_cycle_through_groups_names_the_jobs_in_it(build):
    flow = build("a", "b: a", "c", "x")
    with pytest.raises(Unprocessable) as caught:
        make(flow, ["b", "c"], ["a"])
    assert "'a'" in str(caught.value) and "'b'" in str(caught.value)
    assert "'c'" not in str(caught.value) and "'x'" not in str(caught.value)
    assert listed(flow) == []


def test_two_jobs_that_wait_for_each_others_groups_are_a_cycle(build):
    flow = build(*"abc")
    make(flow, "ac", "b")
    with pytest.raises(Unprocessable, match="Circular"):
        make(flow, "bc", "a")
    assert listed(flow) == [("ac", "b")]


def test_a_group_may_hold_settled_members(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    flow.add("x")
    group = make(flow, "ab", "x")
    assert (group.remaining, group.failed) == (1, 1)
    assert (flow.value("unmet", "x"), flow.value("bad", "x")) == (1, 1)


def test_only_uninitialized_jobs_get_new_dependencies(build):
    flow = build("a", "b").initialize()
    with pytest.raises(Unprocessable, match=f"job {flow.id('b')} is not"):
        make(flow, "a", "b")
    assert listed(flow) == []


@pytest.mark.parametrize(("members", "dependents"), [("", "a"), ("a", "")])
def test_a_group_needs_members_and_dependents(build, members, dependents):
    with pytest.raises(Unprocessable, match="needs member_job_ids and dependent_job_ids"):
        make(build(*"ab"), members, dependents)


def test_a_group_holds_jobs_of_its_workflow_only(build):
    flow, other = build("a"), build("z")
    flow.ids["z"] = other.id("z")
    with pytest.raises(Unprocessable, match="only hold jobs of workflow"):
        make(flow, "z", "a")


def test_groups_are_paged(build):
    flow = build(*"abcx")
    for name in "abc":
        make(flow, name, "x")
    page = groups.page(flow.database, flow.workflow_id, Paging(offset=1, limit=1))
    assert [flow.name(job) for job in page.items[0].member_job_ids] == ["b"]
    assert (page.total_count, page.has_more) == (3, True)
    with pytest.raises(NotFound):
        groups.page(flow.database, 99, Paging())


def test_what_lies_downstream_is_found_through_groups_and_stops_at_jobs_handed_out(build):
    flow = build("a", "b: a", Step("c", after_groups=["g"]), "d: c", "e: d", "f", groups={"g": ["b", "f"]}).initialize()

    def behind(name):
        with flow.database.read() as db:
            return "".join(sorted(flow.name(job) for job in groups.downstream(db, [flow.id(name)])))

    assert behind("a") == "abcde"
    assert behind("f") == "cdef"
    flow.alter("UPDATE job SET status = 'running', run_id = 1, attempt_id = 1 WHERE id = ?", flow.id("d"))
    assert behind("a") == "abcd"
    flow.alter("UPDATE job SET status = 'blocked' WHERE id = ?", flow.id("d"))


# Cycles, without a database.


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ({}, []),
        ({1: [2], 2: [3]}, []),
        ({1: [2, 3], 2: [4], 3: [4]}, []),
        ({1: [1]}, [1]),
        ({1: [2], 2: [1]}, [1, 2]),
        ({9: [1], 1: [2], 2: [3], 3: [1]}, [1, 2, 3]),
        ({1: [-5], -5: [2], 2: [-6], -6: [1]}, [1, 2]),
        ({1: [2], 2: [], 3: [4], 4: [3]}, [3, 4]),
    ],
)
def test_a_cycle_is_found_with_the_jobs_in_it_alone(edges, cycle):
    assert sorted(graph.find_cycle(edges)) == cycle


def test_a_long_chain_is_no_cycle_and_needs_no_deep_stack():
    assert graph.find_cycle({n: [n + 1] for n in range(100_000)}) == []
