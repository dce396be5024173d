"""Dependencies that follow from files and user data: few rows, whoever reads waits for whoever writes."""

import random

import pytest

from tests.store.scenario import Step
from torc.errors import Unprocessable
from torc.models.queries import Paging
from torc.store import groups, implied, jobs

KINDS = pytest.mark.parametrize("kind", ["file", "user_data"])


def step(name, kind, *, reads=(), writes=()):
    """A job that reads and writes records of one kind."""
    if kind == "file":
        return Step(name, reads=reads, writes=writes)
    return Step(name, reads_data=reads, writes_data=writes)


def listed(flow):
    """Every group as (members, dependents) by name."""
    found = groups.page(flow.database, flow.workflow_id, Paging()).items
    return [
        ([flow.name(job) for job in group.member_job_ids], [flow.name(job) for job in group.dependent_job_ids])
        for group in found
    ]


def edges(flow):
    """Every plain edge as (waiting, waited for) by name."""
    rows = flow.select("SELECT job_id, depends_on_job_id FROM job_depends_on")
    return [(flow.name(job_id), flow.name(other)) for job_id, other in rows]


@KINDS
def test_who_reads_waits_for_who_writes(build, kind):
    flow = build(step("w", kind, writes=["x"]), step("r", kind, reads=["x"])).initialize()
    assert flow.statuses() == {"w": "ready", "r": "blocked"}
    assert flow.job("r").depends_on_job_ids == [flow.id("w")]


@pytest.mark.parametrize(("writers", "readers"), [("a", "xyz"), ("abc", "x"), ("ab", "xy")])
def test_few_pairs_stay_plain_edges(build, writers, readers):
    flow = build(*(Step(n, writes=["f"]) for n in writers), *(Step(n, reads=["f"]) for n in readers)).initialize()
    assert listed(flow) == []
    assert sorted(edges(flow)) == sorted((reader, writer) for reader in readers for writer in writers)


@KINDS
def test_many_writers_and_readers_of_one_record_are_one_group(build, kind):
    flow = build(*(step(n, kind, writes=["f"]) for n in "abcd"), *(step(n, kind, reads=["f"]) for n in "uvwxyz"))
    flow.initialize()
    assert (listed(flow), edges(flow)) == ([(list("abcd"), list("uvwxyz"))], [])
    assert flow.statuses() == dict.fromkeys("abcd", "ready") | dict.fromkeys("uvwxyz", "blocked")


@KINDS
def test_many_records_of_one_writer_each_that_the_same_jobs_read_are_one_group(build, kind):
    flow = build(
        *(step(n, kind, writes=[f"out_{n}"]) for n in "abcd"),
        *(step(n, kind, reads=[f"out_{w}" for w in "abcd"]) for n in "uvwxyz"),
    ).initialize()
    assert (listed(flow), edges(flow)) == ([(list("abcd"), list("uvwxyz"))], [])


def test_what_each_reader_has_for_itself_does_not_break_up_the_group(build):
    flow = build(
        *(Step(n, writes=[f"out_{n}"]) for n in "abcd"),
        *(Step(f"{n}1", writes=[f"own_{n}"]) for n in "uvwxyz"),
        *(Step(n, reads=["config", f"own_{n}", *(f"out_{w}" for w in "abcd")]) for n in "uvwxyz"),
    ).initialize()
    assert listed(flow) == [(list("abcd"), list("uvwxyz"))]
    assert sorted(edges(flow)) == [(n, f"{n}1") for n in "uvwxyz"]


def test_one_job_that_writes_much_is_no_group(build):
    files = [f"f{i}" for i in range(9)]
    flow = build(Step("a", writes=files), *(Step(n, reads=files) for n in "uvwxyz")).initialize()
    assert (listed(flow), len(edges(flow))) == ([], 6)


def test_what_nobody_writes_makes_no_dependencies(build):
    flow = build(*(Step(n, reads=["f", "g"]) for n in "uvwxyz")).initialize()
    assert (listed(flow), edges(flow)) == ([], [])


def test_hundreds_of_readers_of_hundreds_of_files_cost_their_sum_in_rows(build):
    files = [f"f{i}" for i in range(300)]
    flow = build(
        *(Step(f"w{i}", writes=[f]) for i, f in enumerate(files)), *(Step(f"r{i}", reads=files) for i in range(300))
    )
    flow.initialize()
    count = "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {})".format
    assert flow.select(count("dependency_group_member", "job_depends_on_group")) == [(300, 300)]
    assert flow.select(count("job_depends_on", "dependency_group")) == [(0, 1)]


def test_dependencies_are_the_same_after_a_second_run(build):
    flow = build(*(Step(n, writes=["f"]) for n in "abcd"), *(Step(n, reads=["f"]) for n in "uvwxyz"), "e: a")
    before = listed(flow.initialize()), edges(flow)
    assert before == ([(list("abcd"), list("uvwxyz"))], [("e", "a")])
    assert (listed(flow.initialize()), edges(flow)) == before


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_groups_and_edges_together_say_the_same_as_pairs(build, monkeypatch, seed, chunk):
    monkeypatch.setattr(implied, "CHUNK_LINKS", chunk)
    chance = random.Random(seed)
    files = [f"f{i}" for i in range(8)]
    sets = [chance.sample(files, chance.randint(1, 8)) for _ in range(3)]
    writers = {f"w{i}": chance.sample(files, chance.randint(0, 2)) for i in range(12)}
    readers = {f"r{i}": chance.choice(sets) for i in range(20)}
    flow = build(
        *(Step(name, writes=made) for name, made in writers.items()),
        *(Step(name, reads=read) for name, read in readers.items()),
    ).initialize()
    for name, read in readers.items():
        expected = [flow.id(writer) for writer, made in writers.items() if set(made) & set(read)]
        assert (flow.job(name).depends_on_job_ids or []) == expected


def test_jobs_of_another_workflow_in_between_are_left_alone(build):
    flow, other = build(Step("w", writes=["f"])), build(Step("w", writes=["f"]), Step("r", reads=["f"]))
    late = flow.add("late")
    with flow.database.write() as db:
        db.execute(
            "INSERT INTO job_input_file (job_id, file_id) SELECT ?, id FROM file WHERE workflow_id = ?",
            (late, flow.workflow_id),
        )
    flow.initialize()
    assert flow.job("late").depends_on_job_ids == [flow.id("w")]
    assert other.job("r").depends_on_job_ids == [other.id("w")]
    assert other.statuses() == {"w": "uninitialized", "r": "uninitialized"}


def test_a_job_that_reads_what_it_writes_is_refused_by_name(build):
    with pytest.raises(Unprocessable, match="'a' -> 'a'"):
        build(Step("a", reads=["f"], writes=["f"]))


def test_files_that_close_a_cycle_are_refused_by_name(build):
    with pytest.raises(Unprocessable) as caught:
        build(Step("a", reads=["f"], writes=["g"]), Step("b", reads=["g"], writes=["f"]), "c")
    assert "'a'" in str(caught.value) and "'b'" in str(caught.value) and "'c'" not in str(caught.value)


def test_files_of_jobs_added_by_hand_count_from_the_next_initialization(build):
    flow = build(Step("w", writes=["f"]), "r")
    ((file_id,),) = flow.select("SELECT id FROM file")
    job = flow.job("r")
    job.name, job.input_file_ids = "late", [file_id]
    (late,) = jobs.create_many(flow.database, [job])
    flow.ids["late"] = late.id
    assert flow.job("late").depends_on_job_ids is None
    flow.initialize()
    assert flow.status("late") == "blocked"
    assert flow.job("late").depends_on_job_ids == [flow.id("w")]
