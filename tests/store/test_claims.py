"""Which ready jobs a runner gets, in which order, and what it hears when nothing fits (rule 34)."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.store.scenario import GIB, Step, an_offer
from torc.errors import InvalidRequest, NotFound
from torc.models.draft import DraftRequirements, DraftUserData
from torc.models.workflow import Workflow
from torc.store import claims, misfits
from torc.store.shapes import Room


def needs(name, **fields):
    return DraftRequirements(name=name, **fields)


NEEDS = (
    needs("plain"),
    needs("long", runtime="PT10M"),
    needs("fat", memory="9g"),
    needs("gpu", num_gpus=1),
    needs("big", num_cpus=4),
    needs("wide", num_nodes=3),
)


@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("gpus_runtime_memory", ["gpu", "long", "fat", "plain"]),
        ("gpus_memory_runtime", ["gpu", "fat", "long", "plain"]),
        ("none", ["plain", "long", "fat", "gpu"]),
    ],
)
def test_jobs_come_in_the_order_of_the_workflow(build, method, order):
    flow = build(
        *(Step(name, needs=name) for name in ("plain", "long", "fat", "gpu")),
        needs=NEEDS,
        workflow=Workflow(name="w", user="u", jobs_sort_method=method),
    ).initialize()
    assert flow.runner(num_gpus=1).claim(num_gpus=1) == order


def test_jobs_of_one_shape_come_by_age(build):
    flow = build(*"abcdef").initialize()
    assert flow.runner().claim(limit=4) == ["a", "b", "c", "d"]


def test_a_queue_of_big_jobs_does_not_hide_a_small_one(build):
    flow = build(*(Step(f"big{n}", needs="big") for n in range(50)), "small", needs=NEEDS).initialize()
    assert flow.runner().claim(limit=2, cpus=2) == ["small"]


def test_what_is_left_beside_a_big_job_is_filled_with_small_ones(build):
    flow = build(Step("long", needs="long"), *"abc", Step("big", needs="big"), needs=NEEDS).initialize()
    runner = flow.runner()
    assert runner.claim(cpus=3) == ["long", "a", "b"]
    assert runner.claim(cpus=4) == ["c"]
    assert runner.claim(cpus=4) == ["big"]


def test_a_limit_counts_over_all_shapes(build):
    flow = build(Step("gpu", needs="gpu"), Step("long", needs="long"), "a", "b", needs=NEEDS).initialize()
    assert flow.runner().claim(limit=3, num_gpus=1) == ["gpu", "long", "a"]


@pytest.mark.parametrize(("left", "claimed"), [(599, ["a"]), (600, ["long", "a"]), (None, ["long", "a"]), (59, [])])
def test_a_job_must_fit_into_the_time_that_is_left(build, left, claimed):
    flow = build(Step("long", needs="long"), "a", needs=NEEDS).initialize()
    assert flow.runner().claim(time_left_s=left) == claimed


@pytest.mark.parametrize(("config", "claimed"), [(None, ["bound", "free"]), (1, ["bound", "free"]), (2, ["free"])])
def test_a_job_bound_to_a_scheduler_goes_to_its_runners(build, config, claimed):
    flow = build("bound", "free")
    with flow.database.write() as db:
        for _ in range(2):
            db.execute(
                "INSERT INTO slurm_scheduler (workflow_id, account, nodes, walltime) VALUES (?, 'x', 1, '1')",
                (flow.workflow_id,),
            )
        db.execute("UPDATE job SET scheduler_id = 1 WHERE id = ?", (flow.id("bound"),))
    flow.initialize()
    assert sorted(flow.runner().claim(scheduler_config_id=config)) == claimed


def test_slots_count_jobs_whatever_they_need(build):
    flow = build(Step("big", needs="big"), Step("wide", needs="wide"), "a", needs=NEEDS).initialize()
    assert len(flow.runner().sync(slots=2).jobs) == 2


def test_a_runner_that_offers_nothing_gets_nothing(build):
    flow = build("a").initialize()
    runner = flow.runner()
    assert runner.sync().jobs == []
    assert runner.sync(offer=an_offer(), limit=0).jobs == []
    assert runner.sync(slots=0).jobs == []
    assert flow.status("a") == "ready"


@pytest.mark.parametrize("seed", range(20))
def test_a_claim_takes_what_a_plain_walk_over_the_sorted_queue_would(build, seed):
    rng = random.Random(seed)
    kinds = [
        needs(f"n{n}", num_cpus=rng.randint(1, 5), memory=f"{rng.randint(1, 4)}g", num_gpus=rng.choice([0, 0, 1]))
        for n in range(6)
    ]
    by_name = {kind.name: kind for kind in kinds}
    steps = [Step(f"j{n}", needs=rng.choice(kinds).name) for n in range(40)]
    flow = build(*steps, needs=kinds).initialize()
    cpus, memory, gpus = rng.randint(1, 30), rng.randint(1, 30), rng.randint(0, 3)
    claimed = flow.runner().claim(cpus=cpus, memory_gb=memory, num_gpus=gpus)

    def gib(kind):
        return int(kind.memory[:-1])

    first = {kind.name: n for n, kind in reversed([*enumerate(by_name[step.needs] for step in steps)])}
    queue = sorted(
        range(len(steps)),
        key=lambda n: (-by_name[steps[n].needs].num_gpus, -gib(by_name[steps[n].needs]), first[steps[n].needs], n),
    )
    expected = []
    for n in queue:
        kind = by_name[steps[n].needs]
        if kind.num_cpus <= cpus and gib(kind) <= memory and kind.num_gpus <= gpus:
            cpus, memory, gpus = cpus - kind.num_cpus, memory - gib(kind), gpus - kind.num_gpus
            expected.append(steps[n].name)
    assert claimed == expected


def test_a_claim_reads_shapes_and_not_the_queue(build):
    """The same steps inside SQLite whether 100 or 3,000 jobs are ready."""
    steps = []
    for count in (100, 3000):
        flow = build(*(Step(f"big{n}", needs="big") for n in range(count)), "a", needs=NEEDS).initialize()
        taken = []
        with flow.database.write() as db:
            db.set_progress_handler(lambda taken=taken: taken.append(1) and None, 1)
            room = Room(2, 9 * GIB, 0, 1)
            run = claims.run_of(db, flow.workflow_id)
            queue = claims.Queue(db, flow.workflow_id, run)
            assert queue.choose(node_id=None, room=room, limit=5) == [flow.id("a")]
            queue.hand_out()
            db.set_progress_handler(None, 0)
        steps.append(len(taken))
    assert steps[1] < 1.3 * steps[0]


def test_no_job_is_claimed_twice(build):
    flow = build(*(f"j{n}" for n in range(200))).initialize()
    runners = [flow.runner() for _ in range(8)]

    def work(runner):
        names = []
        while claimed := runner.claim(limit=5):
            names += claimed
        return names

    with ThreadPoolExecutor(8) as pool:
        claimed = [name for names in pool.map(work, runners) for name in names]
    assert sorted(claimed) == sorted(flow.ids)


def test_a_workflow_that_does_not_exist_has_nothing_to_claim(database, leases):
    with pytest.raises(NotFound, match="7"):
        claims.claim_next(database, leases, 7, 1)


def test_a_negative_limit_is_refused(build):
    flow = build("a").initialize()
    with pytest.raises(InvalidRequest, match="-1"):
        claims.claim_next(flow.database, flow.leases, flow.workflow_id, -1)


# References to user data.


@pytest.mark.parametrize(
    ("command", "resolved"),
    [
        ("${user_data.input.d}", "{id}"),
        ("${user_data.output.d}", "{id}"),
        ("${user_data_json.input.d}", '{"a":[1,"x"]}'),
        ("${user_data_json.output.empty}", "null"),
        ("${user_data.input.nowhere} ${HOME} $d", "${user_data.input.nowhere} ${HOME} $d"),
        ("plain", "plain"),
    ],
)
def test_user_data_in_a_command_is_filled_in_when_the_job_is_handed_out(build, command, resolved):
    data = [DraftUserData(name="d", data={"a": [1, "x"]}), DraftUserData(name="empty")]
    flow = build(Step("a", command=command), user_data=data).initialize()
    ((data_id,),) = flow.select("SELECT id FROM user_data WHERE name = 'd'")
    runner = flow.runner()
    runner.claim()
    assert runner.jobs["a"].command == resolved.replace("{id}", str(data_id))
    assert flow.job("a").command == command


# Nothing fits.


@pytest.fixture
def look_again(monkeypatch):
    """Make the second look due at once, and forget what other tests' workflows looked like."""
    monkeypatch.setattr(misfits, "SECOND_LOOK_S", 0.0)
    monkeypatch.setattr(misfits, "_first_look", {})


def test_a_ready_job_that_fits_no_node_is_named_with_need_and_offer(build, look_again):
    flow = build(Step("huge", needs="big"), needs=NEEDS).initialize()
    misfit = flow.runner(num_cpus=2, memory_gb=1.5).sync(offer=an_offer(cpus=2)).misfit
    assert (misfit.job_name, misfit.job_id) == ("huge", flow.id("huge"))
    assert misfit.need == "4 CPUs, 1m memory"
    assert misfit.offer == "2 CPUs, 1.5g memory"


def test_a_runner_is_asked_back_when_a_misfit_can_be_named(build, monkeypatch):
    monkeypatch.setattr(misfits, "_first_look", {})
    flow = build(Step("huge", needs="big"), needs=NEEDS).initialize()
    answer = flow.runner(num_cpus=2).sync(offer=an_offer(cpus=2))
    assert answer.misfit is None
    assert 0 < answer.retry_after_s <= misfits.SECOND_LOOK_S


@pytest.mark.parametrize(
    ("kind", "need"),
    [
        ("gpu", "1 CPU, 1m memory, 1 GPU"),
        ("wide", "1 CPU, 1m memory, 3 nodes"),
        ("fat", "1 CPU, 9g memory"),
    ],
)
def test_a_misfit_says_what_is_needed_in_words(build, look_again, kind, need):
    flow = build(Step("a", needs=kind), needs=NEEDS).initialize()
    assert flow.runner(memory_gb=1.0).sync(offer=an_offer(memory_gb=1)).misfit.need == need


def test_a_job_that_needs_more_time_than_any_node_has_is_a_misfit(build, look_again):
    flow = build(Step("a", needs="long"), needs=NEEDS).initialize()
    misfit = flow.runner(time_limit="PT5M").sync(offer=an_offer(time_left_s=300)).misfit
    assert misfit.need == "1 CPU, 1m memory, PT10M of time"
    assert misfit.offer == "64 CPUs, 64g memory, PT5M of time"


def test_a_job_that_only_does_not_fit_into_what_is_left_is_no_misfit(build, look_again):
    flow = build(Step("a", needs="long"), needs=NEEDS).initialize()
    answer = flow.runner(time_limit="PT20M").sync(offer=an_offer(time_left_s=300))
    assert (answer.jobs, answer.misfit) == ([], None)


def test_a_misfit_is_said_only_at_the_second_look(build, monkeypatch, eventually):
    monkeypatch.setattr(misfits, "SECOND_LOOK_S", 0.1)
    monkeypatch.setattr(misfits, "_first_look", {})
    flow = build(Step("a", needs="big"), needs=NEEDS).initialize()
    runner = flow.runner(num_cpus=2)
    assert runner.sync(offer=an_offer(cpus=2)).misfit is None
    assert eventually(lambda: runner.sync(offer=an_offer(cpus=2)).misfit).job_name == "a"


def test_looking_starts_again_when_something_fitted_in_between(build, monkeypatch):
    monkeypatch.setattr(misfits, "SECOND_LOOK_S", 1e9)
    monkeypatch.setattr(misfits, "_first_look", {})
    flow = build(Step("a", needs="big"), needs=NEEDS).initialize()
    small = flow.runner(num_cpus=2)
    small.sync(offer=an_offer(cpus=2))
    assert flow.workflow_id in misfits._first_look
    flow.runner(num_cpus=8)
    small.sync(offer=an_offer(cpus=2))
    assert flow.workflow_id not in misfits._first_look


def test_a_node_that_could_take_the_job_is_waited_for(build, look_again):
    flow = build(Step("a", needs="big"), needs=NEEDS).initialize()
    small, large = flow.runner(num_cpus=2), flow.runner(num_cpus=4)
    assert small.sync(offer=an_offer(cpus=2)).misfit is None
    large.sync(closing=True)
    assert small.sync(offer=an_offer(cpus=2)).misfit.job_name == "a"


def test_what_runs_may_release_jobs_that_fit(build, look_again):
    flow = build("a", Step("big", needs="big"), "c: a", needs=NEEDS).initialize()
    runner, idle = flow.runner(num_cpus=2), flow.runner(num_cpus=2)
    assert runner.claim(cpus=2) == ["a"]
    assert idle.sync(offer=an_offer(cpus=2)).misfit is None


def test_a_job_whose_allocation_is_on_its_way_is_waited_for(build, look_again):
    flow = build(Step("a", needs="big"), needs=NEEDS)
    with flow.database.write() as db:
        db.execute("UPDATE job SET scheduler_id = 5")
        db.execute(
            """
            INSERT INTO scheduled_compute_node (workflow_id, scheduler_id, scheduler_config_id, scheduler_type, status)
            VALUES (?, 1, 5, 'slurm', 'pending')
            """,
            (flow.workflow_id,),
        )
    flow.initialize()
    runner = flow.runner(num_cpus=2)
    assert runner.sync(offer=an_offer(cpus=2)).misfit is None
    flow.alter("UPDATE scheduled_compute_node SET status = 'complete'")
    assert runner.sync(offer=an_offer(cpus=2)).misfit.job_name == "a"
