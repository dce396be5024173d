"""Pages of pairs: every pair once, in a stable order, and no product of a group is ever built."""

from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.scenario import Step
from torc.models.draft import DraftBatch, DraftCounts, DraftFile, DraftGroup, DraftJob, DraftRequest
from torc.models.queries import MAX_RELATIONSHIPS
from torc.models.workflow import Workflow
from torc.store import drafts, job_deletion, relationships
from torc.store.relationships import Part, cut

EVERY_LIST = (
    relationships.job_dependencies,
    relationships.job_file_relationships,
    relationships.job_user_data_relationships,
)


def dependencies(flow, **paging):
    """The pairs of a page by name."""
    found = relationships.job_dependencies(flow.database, flow.workflow_id, **paging)
    return [f"{item.job_name} after {item.depends_on_job_name}" for item in found.items]


def through_files(flow, **paging):
    """The rows of a page by name."""
    found = relationships.job_file_relationships(flow.database, flow.workflow_id, **paging)
    return [(item.file_name, item.producer_job_name, item.consumer_job_name) for item in found.items]


def through_user_data(flow, **paging):
    """The rows of a page by name."""
    found = relationships.job_user_data_relationships(flow.database, flow.workflow_id, **paging)
    return [(item.user_data_name, item.producer_job_name, item.consumer_job_name) for item in found.items]


def draft(database, batch):
    """Store a large document; the id of its workflow and of its first job."""
    counts = DraftCounts(
        files=len(batch.files),
        user_data=0,
        resource_requirements=0,
        jobs=len(batch.jobs),
        groups=len(batch.groups),
    )
    answer = drafts.create(database, DraftRequest(workflow=Workflow(name="large", user="u"), counts=counts), None)
    drafts.add(database, answer.workflow_id, answer.token, batch)
    drafts.finalize(database, answer.workflow_id, answer.token)
    with database.read() as db:
        (first_id,) = db.execute("SELECT min(id) FROM job WHERE workflow_id = ?", (answer.workflow_id,)).fetchone()
    return answer.workflow_id, first_id


# Dependencies.


def test_a_dependency_names_both_jobs(build):
    flow = build("a", "b: a")
    page = relationships.job_dependencies(flow.database, flow.workflow_id)
    (item,) = page.items
    assert (item.job_id, item.job_name) == (flow.id("b"), "b")
    assert (item.depends_on_job_id, item.depends_on_job_name) == (flow.id("a"), "a")
    assert item.workflow_id == flow.workflow_id
    assert (page.offset, page.count, page.total_count, page.has_more) == (0, 1, 1, False)
    assert page.max_limit == MAX_RELATIONSHIPS


def test_groups_and_edges_are_listed_together_by_the_ids_of_the_jobs(build):
    flow = build(
        "a",
        "b",
        Step("c", after=["a"]),
        Step("d", after=["c"], after_groups=["ab"]),
        Step("e", after_groups=["ab"]),
        groups={"ab": ["a", "b"]},
    )
    assert dependencies(flow) == ["c after a", "d after a", "d after b", "d after c", "e after a", "e after b"]


def test_a_pair_with_several_reasons_is_listed_once(build):
    flow = build(
        "a",
        "b",
        "c",
        Step("d", after=["a", "c"], after_groups=["ab", "bc"]),
        Step("e", after=["b"], after_groups=["ab"]),
        groups={"ab": ["a", "b"], "bc": ["b", "c"]},
    )
    page = relationships.job_dependencies(flow.database, flow.workflow_id)
    assert dependencies(flow) == ["d after a", "d after b", "d after c", "e after a", "e after b"]
    assert page.total_count == 5


def test_what_files_imply_is_listed_with_the_dependencies(build):
    flow = build(Step("w", writes=["f"]), Step("r", reads=["f"]))
    assert dependencies(flow) == ["r after w"]


def test_a_group_whose_members_are_gone_stands_for_nothing(build):
    flow = build("a", "b", Step("c", after=["b"]), Step("d", after_groups=["just a"]), groups={"just a": ["a"]})
    job_deletion.delete(flow.database, flow.id("a"), force=True)
    assert dependencies(flow) == ["c after b"]


@st.composite
def graphs(draw):
    """Jobs that wait for earlier ones, by edges and by groups."""
    size = draw(st.integers(1, 7))
    groups = draw(st.lists(st.sets(st.integers(0, size - 1), min_size=1), max_size=3))
    steps = []
    for n in range(size):
        edges = draw(st.sets(st.integers(0, n - 1))) if n else set()
        fitting = [index for index, members in enumerate(groups) if max(members) < n]
        chosen = draw(st.sets(st.sampled_from(fitting))) if fitting else set()
        steps.append((edges, chosen))
    return groups, steps


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs(), offset=st.integers(0, 25), limit=st.integers(0, 12))
def test_any_page_of_any_graph_is_that_part_of_the_product(build, graph, offset, limit):
    groups, steps = graph
    flow = build(
        *(
            Step(f"j{n}", after=[f"j{other}" for other in edges], after_groups=[f"g{index}" for index in chosen])
            for n, (edges, chosen) in enumerate(steps)
        ),
        groups={f"g{index}": [f"j{n}" for n in members] for index, members in enumerate(groups)},
    )
    product = [
        f"j{n} after j{other}"
        for n, (edges, chosen) in enumerate(steps)
        for other in sorted(edges.union(*(groups[index] for index in chosen)))
    ]
    page = relationships.job_dependencies(flow.database, flow.workflow_id, offset=offset, limit=limit)
    assert dependencies(flow, offset=offset, limit=limit) == product[offset : offset + limit]
    assert (page.total_count, page.has_more) == (len(product), offset + page.count < len(product))


def test_a_page_in_the_middle_of_a_large_group_holds_exactly_its_rows(database):
    width, offset, limit = 3000, 4_499_000, 2500
    workflow_id, first = draft(
        database,
        DraftBatch(
            batch=1,
            groups=[DraftGroup(members=list(range(width)))],
            jobs=[DraftJob(name=f"a{n}", command="true") for n in range(width)]
            + [DraftJob(name=f"b{n}", command="true", depends_on_groups=[0]) for n in range(width)],
        ),
    )
    page = relationships.job_dependencies(database, workflow_id, offset=offset, limit=limit)
    assert (page.count, page.total_count, page.has_more) == (limit, width * width, True)
    expected = [divmod(row, width) for row in range(offset, offset + limit)]
    assert [(item.job_id, item.depends_on_job_id) for item in page.items] == [
        (first + width + dependent, first + member) for dependent, member in expected
    ]
    last = relationships.job_dependencies(database, workflow_id, offset=width * width - 1)
    assert (last.items[0].job_name, last.items[0].depends_on_job_name) == (f"b{width - 1}", f"a{width - 1}")
    assert (last.count, last.has_more) == (1, False)


def test_many_groups_that_share_most_members_are_counted_exactly(build):
    """Every job waits for a large group, a small one of its own, and a job it names itself."""
    size = 40
    flow = build(
        *(f"a{n}" for n in range(size)),
        *(Step(f"b{n}", after=[f"a{(n * 7) % size}"], after_groups=["most", f"own {n}"]) for n in range(size)),
        groups={"most": [f"a{n}" for n in range(size - 5)]}
        | {f"own {n}": {f"a{n}", f"a{size - 1 - n % 3}"} for n in range(size)},
    )
    expected = [
        len({*range(size - 5), n, size - 1 - n % 3, (n * 7) % size}) for n in range(size)
    ]  # fmt: skip
    page = relationships.job_dependencies(flow.database, flow.workflow_id)
    assert page.total_count == page.count == sum(expected)


# Files and user data.


def test_each_writer_of_a_file_stands_with_each_reader(build):
    flow = build(
        Step("w1", writes=["f"]), Step("w2", writes=["f"]), Step("r1", reads=["f"]), Step("r2", reads=["f"])
    )  # fmt: skip
    assert through_files(flow) == [("f", "w1", "r1"), ("f", "w1", "r2"), ("f", "w2", "r1"), ("f", "w2", "r2")]
    page = relationships.job_file_relationships(flow.database, flow.workflow_id, offset=1, limit=1)
    (item,) = page.items
    assert (item.producer_job_id, item.consumer_job_id) == (flow.id("w1"), flow.id("r2"))
    assert (item.file_path, item.workflow_id) == ("f", flow.workflow_id)
    assert (page.total_count, page.has_more, page.max_limit) == (4, True, MAX_RELATIONSHIPS)


def test_a_file_without_writers_or_readers_leaves_that_side_out(build):
    flow = build(Step("a", reads=["in"], writes=["out"]))
    assert through_files(flow) == [("in", None, "a"), ("out", "a", None)]


def test_a_file_that_no_job_is_linked_to_is_left_out(build):
    flow = build(Step("a", reads=["used"]))
    flow.alter("INSERT INTO file (workflow_id, name, path) VALUES (?, 'unused', 'unused')", flow.workflow_id)
    assert through_files(flow) == [("used", None, "a")]


def test_user_data_relates_jobs_as_files_do(build):
    flow = build(
        Step("a", writes_data=["x"]), Step("b", reads_data=["x", "y"]), Step("c", reads_data=["x"], writes_data=["z"])
    )  # fmt: skip
    assert through_user_data(flow) == [("x", "a", "b"), ("x", "a", "c"), ("y", None, "b"), ("z", "c", None)]
    page = relationships.job_user_data_relationships(flow.database, flow.workflow_id, offset=3)
    (item,) = page.items
    assert (item.producer_job_id, item.consumer_job_id) == (flow.id("c"), None)
    assert page.total_count == 4


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    links=st.lists(st.tuples(st.sets(st.integers(0, 2)), st.sets(st.integers(3, 5))), max_size=4),
    offset=st.integers(0, 20),
    limit=st.integers(0, 10),
)
def test_any_page_of_files_and_user_data_is_that_part_of_the_product(build, links, offset, limit):
    steps = [
        (
            [f"r{index}" for index, (writers, _) in enumerate(links) if n in writers],
            [f"r{index}" for index, (_, readers) in enumerate(links) if n in readers],
        )
        for n in range(6)
    ]
    flow = build(
        *(Step(f"j{n}", writes=w, reads=r, writes_data=w, reads_data=r) for n, (w, r) in enumerate(steps))
    )  # fmt: skip
    product = [
        (f"r{index}", producer, consumer)
        for index, (writers, readers) in enumerate(links)
        if writers or readers
        for producer in [f"j{n}" for n in sorted(writers)] or [None]
        for consumer in [f"j{n}" for n in sorted(readers)] or [None]
    ]
    wanted = product[offset : offset + limit]
    assert through_files(flow, offset=offset, limit=limit) == wanted
    assert through_user_data(flow, offset=offset, limit=limit) == wanted


def test_a_page_in_the_middle_of_a_file_that_many_jobs_share_holds_exactly_its_rows(database):
    width, offset, limit = 3000, 4_499_000, 2500
    workflow_id, first = draft(
        database,
        DraftBatch(
            batch=1,
            files=[DraftFile(name="shared", path="shared")],
            jobs=[DraftJob(name=f"w{n}", command="true", output_files=[0]) for n in range(width)]
            + [DraftJob(name=f"r{n}", command="true", input_files=[0]) for n in range(width)],
        ),
    )
    page = relationships.job_file_relationships(database, workflow_id, offset=offset, limit=limit)
    assert (page.count, page.total_count, page.has_more) == (limit, width * width, True)
    expected = [divmod(row, width) for row in range(offset, offset + limit)]
    assert [(item.producer_job_id, item.consumer_job_id) for item in page.items] == [
        (first + writer, first + width + reader) for writer, reader in expected
    ]


# All of them.


@pytest.mark.parametrize("list_pairs", EVERY_LIST, ids=lambda function: function.__name__)
def test_an_unknown_workflow_has_no_pairs(database, list_pairs):
    page = list_pairs(database, 999, offset=3)
    assert (page.items, page.offset, page.count, page.total_count, page.has_more) == ([], 3, 0, 0, False)


@pytest.mark.parametrize("list_pairs", EVERY_LIST, ids=lambda function: function.__name__)
def test_a_deleted_workflow_and_other_workflows_are_not_listed(build, list_pairs):
    steps = (Step("a", writes=["f"], writes_data=["x"]), Step("b", reads=["f"], reads_data=["x"]))
    flow, hidden = build(*steps), build(*steps)
    assert list_pairs(flow.database, hidden.workflow_id).total_count == 1
    flow.alter("UPDATE workflow SET hidden = 'deleted' WHERE id = ?", hidden.workflow_id)
    assert list_pairs(flow.database, hidden.workflow_id).items == []
    assert {item.workflow_id for item in list_pairs(flow.database, flow.workflow_id).items} == {flow.workflow_id}


@given(sizes=st.lists(st.integers(1, 6), max_size=8), offset=st.integers(0, 50), limit=st.integers(0, 50))
def test_cutting_gives_every_row_of_the_page_and_no_other(sizes, offset, limit):
    starts = [0, *accumulate(sizes)]
    rows = [
        starts[part.key] + index
        for part in cut(list(enumerate(sizes)), offset, limit)
        for index in range(part.first, part.end)
    ]
    assert rows == list(range(starts[-1]))[offset : offset + limit]


def test_a_page_is_never_longer_than_the_most_a_page_may_hold():
    assert cut([(1, 10**8)], 7, 10**6) == [Part(1, 7, 7 + MAX_RELATIONSHIPS)]
