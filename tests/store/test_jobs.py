"""Jobs as records: dependencies as outsiders see them, and deleting behind the counters (rules 17, 18)."""

import pytest

from tests.store.scenario import Step, every_field
from torc.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from torc.models.draft import DraftRequirements
from torc.models.job import Job
from torc.models.queries import Paging
from torc.models.status import JobStatus
from torc.store import groups, job_deletion, jobs


def put(flow, name, **changes):
    """Send a job back as an existing client does: whole, with what it changes."""
    job = flow.job(name)
    for field, value in changes.items():
        setattr(job, field, value)
    return jobs.update(flow.database, flow.id(name), job, every_field(job))


def delete(flow, name, *, force=False):
    deleted = job_deletion.delete(flow.database, flow.id(name), force=force)
    del flow.ids[name]
    return deleted


def edges(flow):
    return flow.select("SELECT count(*) FROM job_depends_on")[0][0], flow.select(
        "SELECT count(*) FROM job_depends_on_group"
    )[0][0]


# Dependencies from outside.


def test_a_job_lists_edges_and_members_of_its_groups_together(build):
    flow = build(
        "a", "b", "c", Step("d", after=["c"], after_groups=["one", "two"]), groups={"one": "ab", "two": ["b", "c"]}
    )
    assert flow.job("d").depends_on_job_ids == [flow.id("a"), flow.id("b"), flow.id("c")]
    assert flow.job("a").depends_on_job_ids is None


def test_dependencies_sent_back_as_they_were_leave_groups_alone(build):
    flow = build("a", "b", Step("c", after_groups=["g"]), groups={"g": "ab"})
    put(flow, "c", command="other", depends_on_job_ids=[flow.id("b"), flow.id("a")])
    assert flow.job("c").command == "other"
    assert edges(flow) == (0, 1)


def test_other_dependencies_take_the_job_out_of_all_its_groups(build):
    flow = build("a", "b", Step("c", after_groups=["g"]), Step("d", after_groups=["g"]), groups={"g": "ab"})
    put(flow, "c", depends_on_job_ids=[flow.id("a")])
    assert flow.job("c").depends_on_job_ids == [flow.id("a")]
    assert flow.job("d").depends_on_job_ids == [flow.id("a"), flow.id("b")]
    assert edges(flow) == (1, 1)
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    assert (flow.status("c"), flow.status("d")) == ("ready", "blocked")


@pytest.mark.parametrize("nothing", [[], None])
def test_dependencies_left_out_stay_and_nothing_removes_them(build, nothing):
    flow = build("a", "b: a")
    job = Job(workflow_id=flow.workflow_id, name="b", command="true")
    jobs.update(flow.database, flow.id("b"), job, frozenset({"name", "command"}))
    assert flow.job("b").depends_on_job_ids == [flow.id("a")]
    put(flow, "b", depends_on_job_ids=nothing)
    assert flow.job("b").depends_on_job_ids is None


def test_too_many_plain_dependencies_are_refused(build, monkeypatch):
    monkeypatch.setattr(groups, "MAX_PLAIN_EDGES", 2)
    flow = build("a", "b", "c", "d")
    ids = [flow.id(name) for name in "abc"]
    with pytest.raises(Unprocessable, match="dependency group"):
        put(flow, "d", depends_on_job_ids=ids)
    assert flow.job("d").depends_on_job_ids is None
    put(flow, "d", depends_on_job_ids=ids[:2])
    assert flow.job("d").depends_on_job_ids == ids[:2]


@pytest.mark.parametrize("other", ["itself", "foreign", "missing"])
def test_a_job_depends_on_other_jobs_of_its_workflow_only(build, other):
    flow, foreign = build("a"), build("z")
    wanted = {"itself": flow.id("a"), "foreign": foreign.id("z"), "missing": 99}[other]
    with pytest.raises(Unprocessable, match="depends_on_job_ids"):
        put(flow, "a", depends_on_job_ids=[wanted])


def test_a_page_that_would_expand_too_far_is_shortened_and_says_there_is_more(build, monkeypatch):
    members = [f"m{n}" for n in range(10)]
    flow = build(*members, *(Step(f"d{n}", after_groups=["all"]) for n in range(4)), groups={"all": members})
    monkeypatch.setattr(jobs, "MAX_PAGE_IDS", 25)
    seen: list[int] = []
    pages = 0
    while True:
        page = jobs.page(flow.database, flow.workflow_id, Paging(offset=len(seen)), include_relationships=True)
        seen += [job.id for job in page.items]
        assert sum(len(job.depends_on_job_ids or []) for job in page.items) <= 25
        pages += 1
        if not page.has_more:
            break
    assert seen == sorted(flow.ids.values())
    assert pages == 2


def test_a_page_always_has_a_job(build, monkeypatch):
    flow = build("a", "b", Step("c", after_groups=["g"]), groups={"g": "ab"})
    monkeypatch.setattr(jobs, "MAX_PAGE_IDS", 1)
    page = jobs.page(flow.database, flow.workflow_id, Paging(offset=2), include_relationships=True)
    assert [job.depends_on_job_ids for job in page.items] == [[flow.id("a"), flow.id("b")]]


def test_a_new_job_may_depend_on_one_that_is_done(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    flow.add("b: a")
    assert (flow.status("b"), flow.value("unmet", "b")) == ("uninitialized", 0)


# Deleting.


def test_deleting_the_last_dependency_of_a_job_releases_it(build):
    flow = build("a", "b: a").initialize()
    delete(flow, "a", force=True)
    assert flow.statuses() == {"b": "ready"}
    assert edges(flow) == (0, 0)


def test_deleting_a_member_releases_those_that_wait_for_its_group(build):
    flow = build("a", "b", Step("c", after_groups=["g"]), groups={"g": "ab"}).initialize()
    runner = flow.runner()
    runner.claim(limit=1)
    runner.start("a")
    runner.finish("a")
    delete(flow, "b", force=True)
    assert flow.statuses() == {"a": "completed", "c": "ready"}
    assert flow.select("SELECT remaining, failed FROM dependency_group") == [(0, 0)]


def test_deleting_a_failed_job_lifts_its_blame_from_the_counters(build):
    flow = build("a", "b", Step("c", after=["a", "b"], keep_going=True)).initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed")
    delete(flow, "a", force=True)
    assert (flow.value("bad", "c"), flow.value("unmet", "c")) == (0, 1)
    assert flow.status("c") == "blocked"


@pytest.mark.parametrize("stage", ["pending", "running"])
def test_a_job_that_is_handed_out_is_deleted_only_by_force(build, stage):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    if stage == "running":
        runner.start("a")
    with pytest.raises(Conflict, match=stage):
        delete(flow, "a")
    assert flow.status("a") == stage
    gone = flow.id("a")
    delete(flow, "a", force=True)
    assert runner.sync().lost == [(gone, 1)]


def test_a_job_with_results_is_deleted_only_by_force(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    with pytest.raises(Conflict, match=r"1 result\(s\) and 0 dependent"):
        delete(flow, "a")
    delete(flow, "a", force=True)
    assert flow.select("SELECT * FROM result") == []


@pytest.mark.parametrize("through_group", [False, True])
def test_a_job_with_dependents_is_deleted_only_by_force(build, through_group):
    step = Step("b", after_groups=["g"]) if through_group else Step("b", after=["a"])
    flow = build("a", step, groups={"g": "a"} if through_group else None)
    with pytest.raises(Conflict, match=r"0 result\(s\) and 1 dependent"):
        delete(flow, "a")
    assert set(flow.statuses()) == {"a", "b"}


def test_a_job_that_nobody_needs_is_deleted_with_its_links(build):
    flow = build(Step("a", writes=["f"], reads_data=["d"]), "b")
    delete(flow, "a")
    assert set(flow.statuses()) == {"b"}
    for table in ("job_output_file", "job_input_user_data"):
        assert flow.select(f"SELECT * FROM {table}") == []


def test_all_jobs_are_deleted_unless_some_are_handed_out_or_have_results(build):
    flow = build("a", "b: a", Step("c", after_groups=["g"]), groups={"g": "ab"}).initialize()
    runner = flow.runner()
    runner.take("a")
    with pytest.raises(Conflict, match="torc workflows cancel"):
        job_deletion.delete_all(flow.database, flow.workflow_id)
    runner.finish("a")
    with pytest.raises(Conflict, match=r"1 result\(s\) that would be lost"):
        job_deletion.delete_all(flow.database, flow.workflow_id)
    assert job_deletion.delete_all(flow.database, flow.workflow_id, force=True) == 3
    assert job_deletion.delete_all(flow.database, flow.workflow_id) == 0
    for table in ("job", "job_depends_on", "job_depends_on_group", "dependency_group", "dependency_group_member"):
        assert flow.select(f"SELECT * FROM {table}") == []


# Creating, changing, listing.


def test_jobs_created_together_belong_to_one_workflow(build):
    flow, other = build(), build()
    batch = [Job(workflow_id=w.workflow_id, name="x", command="true") for w in (flow, other)]
    with pytest.raises(Unprocessable, match="same workflow_id"):
        jobs.create_many(flow.database, batch)
    assert flow.statuses() == {}


def test_a_batch_with_one_bad_job_creates_nothing(build):
    flow = build()
    batch = [Job(workflow_id=flow.workflow_id, name=name, command="true") for name in ("a", " ")]
    with pytest.raises(Unprocessable, match="needs a name"):
        jobs.create_many(flow.database, batch)
    assert flow.statuses() == {}


@pytest.mark.parametrize(
    "field",
    ["resource_requirements_id", "input_file_ids", "output_user_data_ids", "scheduler_id", "failure_handler_id"],
)
def test_what_a_job_refers_to_must_be_of_its_workflow(build, field):
    flow, other = (
        build(),
        build(Step("z", needs="n", reads=["f"], writes_data=["d"]), needs=[DraftRequirements(name="n")]),
    )
    table = field.removesuffix("_ids").removesuffix("_id").replace("input_", "").replace("output_", "")
    found = other.select(f"SELECT max(id) FROM {table.replace('scheduler', 'slurm_scheduler')}")[0][0] or 1
    job = Job(workflow_id=flow.workflow_id, name="a", command="true", **{field: [found] if "ids" in field else found})
    with pytest.raises(Unprocessable, match=f"{field} of job 'a'"):
        jobs.create_many(flow.database, [job])
    assert flow.statuses() == {}


def test_only_an_uninitialized_job_is_changed(build):
    flow = build("a").initialize()
    with pytest.raises(Unprocessable, match="'ready'"):
        put(flow, "a", command="other")
    assert flow.job("a").command == "true"


@pytest.mark.parametrize("field", ["input_file_ids", "output_file_ids", "input_user_data_ids", "output_user_data_ids"])
def test_the_links_of_a_job_are_not_changed(build, field):
    flow = build("a", Step("b", reads=["f"], reads_data=["d"]))
    with pytest.raises(Unprocessable, match=field):
        put(flow, "a", **{field: [1]})


def test_a_status_is_not_changed_through_the_record(build):
    flow = build("a")
    with pytest.raises(Unprocessable, match="immutable"):
        put(flow, "a", status=JobStatus.READY)
    assert flow.status("a") == "uninitialized"


def test_lists_are_filtered_sorted_and_paged(build):
    flow = build("c", Step("a", reads=["f"]), "b: c a").initialize()

    def names(paging=Paging(), **filters):
        return [job.name for job in jobs.page(flow.database, flow.workflow_id, paging, **filters).items]

    assert names(Paging(sort_by="name")) == ["a", "b", "c"]
    assert names(Paging(sort_by="name", reverse_sort=True, limit=2)) == ["c", "b"]
    assert names(Paging(sort_by="status")) == ["b", "c", "a"], "in the order of a job's life"
    assert names(status="blocked") == ["b"]
    assert names(upstream_job_id=flow.id("a")) == ["b"]
    assert names(needs_file_id=flow.select("SELECT id FROM file")[0][0]) == ["a"]
    page = jobs.page(flow.database, flow.workflow_id, Paging(offset=1, limit=1))
    assert (page.count, page.total_count, page.has_more, page.offset) == (1, 3, True, 1)


@pytest.mark.parametrize(("filters", "paging"), [({"status": "lost"}, Paging()), ({}, Paging(sort_by="command; DROP"))])
def test_a_list_that_makes_no_sense_is_refused(build, filters, paging):
    with pytest.raises(InvalidRequest):
        jobs.page(build("a").database, 1, paging, **filters)


def test_a_job_that_does_not_exist_is_not_found(database):
    for act in (
        lambda: jobs.get(database, 9),
        lambda: job_deletion.delete(database, 9),
        lambda: jobs.update(database, 9, Job(workflow_id=1, name="a", command="b"), frozenset()),
    ):
        with pytest.raises(NotFound, match="9"):
            act()
