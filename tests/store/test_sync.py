"""The one call of our runners, whatever gets lost, repeated or reordered on the way (rules 3, 8, 21, 28, 29)."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tests.store.scenario import Step, an_offer, report_of
from torc.errors import Conflict, NotFound, UpgradeRequired
from torc.models.draft import DraftRequirements, DraftUserData
from torc.models.sync import PROTOCOL, OutputFile, SyncRequest
from torc.store import deletion, nodes, sync


def test_a_claimed_job_comes_with_everything_its_start_needs(build):
    flow = build(
        Step(
            "a",
            needs="big",
            command="use ${user_data.input.params} '${user_data_json.input.params}' ${HOME}",
            reads_data=["params"],
            writes=["out.txt"],
            stops_gently=True,
        ),
        needs=[DraftRequirements(name="big", num_cpus=3, memory="1.5g", runtime="PT2M")],
        user_data=[DraftUserData(name="params", data={"x": 1})],
    ).initialize()
    ((data_id,),) = flow.select("SELECT id FROM user_data")
    ((file_id,),) = flow.select("SELECT id FROM file")
    runner = flow.runner()
    runner.claim()
    job = runner.jobs["a"]
    assert job.command == f"use {data_id} '{{\"x\":1}}' ${{HOME}}"
    assert (job.num_cpus, job.num_gpus, job.num_nodes) == (3, 0, 1)
    assert (job.memory_bytes, job.runtime_s) == (3 * 512 * 1024 * 1024, 120)
    assert job.output_files == [(file_id, "out.txt", "out.txt")]
    assert (job.run_id, job.attempt_id, job.supports_termination, job.recover) == (1, 1, True, False)


def test_an_answer_that_got_lost_is_delivered_again_with_the_same_attempts(build):
    flow = build(*"abc").initialize()
    runner = flow.runner()
    first = runner.lose_answer(offer=an_offer())
    again = runner.sync(offer=an_offer())
    assert [(job.id, job.attempt_id) for job in again.jobs] == [(job.id, job.attempt_id) for job in first.jobs]
    assert flow.select("SELECT DISTINCT attempt_id FROM job") == [(1,)]


def test_jobs_delivered_again_are_charged_to_the_limit(build):
    flow = build(*"abcd").initialize()
    runner = flow.runner()
    runner.lose_answer(offer=an_offer(), limit=2)
    assert runner.claim(limit=3) == ["a", "b", "c"]
    assert flow.status("d") == "ready"


def test_jobs_delivered_again_are_charged_to_the_slots(build):
    flow = build(*"abcd").initialize()
    runner = flow.runner()
    runner.lose_answer(slots=2)
    assert [job.name for job in runner.sync(slots=3).jobs] == ["a", "b", "c"]


def test_jobs_delivered_again_are_charged_to_the_offer(build):
    flow = build(*(Step(name, needs="one") for name in "abc"), needs=[DraftRequirements(name="one", num_cpus=2)])
    flow.initialize()
    runner = flow.runner()
    runner.lose_answer(offer=an_offer(cpus=2))
    assert runner.claim(cpus=4) == ["a", "b"]


@pytest.mark.parametrize(("num_nodes", "names"), [(3, ["a", "b"]), (2, ["a"])])
def test_a_job_on_one_node_delivered_again_takes_the_first_node(build, num_nodes, names):
    flow = build("a", Step("b", needs="wide"), needs=[DraftRequirements(name="wide", num_nodes=2)]).initialize()
    runner = flow.runner(num_nodes=num_nodes)
    runner.lose_answer(offer=an_offer(num_nodes=num_nodes), limit=1)
    assert runner.claim(num_nodes=num_nodes) == names


def test_nodes_of_jobs_delivered_again_are_charged_to_the_offer(build):
    flow = build(*(Step(name, needs="wide") for name in "ab"), needs=[DraftRequirements(name="wide", num_nodes=2)])
    flow.initialize()
    runner = flow.runner(num_nodes=2)
    runner.lose_answer(offer=an_offer(num_nodes=2))
    assert runner.claim(num_nodes=2) == ["a"]


def test_nothing_is_delivered_again_to_a_runner_that_asks_for_nothing(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.lose_answer(offer=an_offer())
    assert runner.sync().jobs == []
    assert flow.status("a") == "pending"
    assert runner.claim() == ["a"]


def test_a_first_copy_that_arrives_after_its_retry_is_refused_and_changes_nothing(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.end("a")
    delayed = runner.request(offer=an_offer())
    retry = runner.request(offer=an_offer())
    runner.end("b", "failed")
    sneaky = msgspec.structs.replace(delayed, finished=runner.finished)
    runner.receive(retry, runner.send(retry))
    before = flow.select("SELECT * FROM job")
    with pytest.raises(Conflict, match="nothing was applied"):
        runner.send(sneaky)
    assert flow.select("SELECT * FROM job") == before
    assert flow.select("SELECT count(*) FROM result") == [(1,)]
    assert flow.statuses() == {"a": "completed", "b": "running"}


def test_a_copy_with_the_same_number_is_refused(build):
    flow = build("a").initialize()
    runner = flow.runner()
    request = runner.request(offer=an_offer())
    runner.send(request)
    with pytest.raises(Conflict):
        runner.send(request)
    assert flow.job("a").attempt_id == 1


def test_a_report_repeated_after_a_lost_answer_is_stored_and_told_once(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.claim()
    job = runner.jobs["a"]
    runner.start("a")
    runner.end("a")
    runner.lose_answer()
    answer = runner.sync()
    assert (answer.lost, runner.finished) == ([], [])
    assert flow.select("SELECT count(*) FROM result") == [(1,)]
    assert [event["type"] for event in flow.events() if event.get("job_id") == job.id] == [
        "job_started",
        "job_completed",
    ]


def test_a_job_that_started_and_ended_within_one_round_trip_has_both_events_once(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    started = [{"job_id": flow.id("a"), "attempt_id": 1, "start_time": 1.5}]
    runner.end("a")
    sections = {"started": msgspec.convert(started, SyncRequest.__annotations__["started"])}
    runner.lose_answer(**sections)
    runner.sync(**sections)
    assert sorted(event["type"] for event in flow.events() if event.get("job_id")) == ["job_completed", "job_started"]


def test_a_running_job_that_its_runner_does_not_hold_becomes_ready(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.jobs.clear()
    runner.sync()
    job = flow.job("a")
    assert (job.status, job.active_compute_node_id, job.cause) == ("ready", None, "lost_node")
    assert flow.value("lost_nodes", "a") == 1
    assert runner.claim() == ["a"]
    assert runner.jobs["a"].attempt_id == 2


def test_what_a_runner_holds_without_right_is_named_as_lost(build):
    flow = build("a", "b").initialize()
    owner, other = flow.runner(), flow.runner()
    owner.take("a", "b")
    assert other.sync(holding=[(flow.id("a"), 1), (99, 1)]).lost == [(flow.id("a"), 1), (99, 1)]
    assert owner.sync(holding=[(flow.id("a"), 2), (flow.id("b"), 1)]).lost == [(flow.id("a"), 2)]


def test_a_job_of_another_workflow_is_lost(build):
    mine, other = build("a").initialize(), build("b").initialize()
    runner = mine.runner()
    runner.take("a")
    other.runner().take("b")
    assert runner.sync(holding=[(mine.id("a"), 1), (other.id("b"), 1)]).lost == [(other.id("b"), 1)]
    assert other.status("b") == "running"


def test_a_finished_job_frees_its_dependent_in_the_same_round_trip(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.end("a")
    answer = runner.sync(offer=an_offer())
    assert [job.name for job in answer.jobs] == ["b"]
    assert not answer.workflow.is_complete


def test_output_files_get_the_time_and_size_the_runner_saw(build):
    flow = build(Step("a", writes=["out"]), Step("b", writes=["other"])).initialize()
    ids = dict(flow.select("SELECT name, id FROM file"))
    runner = flow.runner()
    runner.take("a", "b")
    seen = [OutputFile(file_id=ids[name], st_mtime=5.0, size=7) for name in ("out", "other")]
    runner.finish("a", output_files=seen)
    assert dict(flow.select("SELECT name, size FROM file")) == {"out": 7, "other": None}


def test_a_job_given_back_never_ran(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    runner.give_back("a")
    runner.sync()
    job = flow.job("a")
    assert (job.status, job.active_compute_node_id, job.attempt_id) == ("ready", None, 0)
    assert flow.value("lost_nodes", "a") == 0
    other = flow.runner()
    assert other.claim() == ["a"]
    assert other.jobs["a"].attempt_id == 1


def test_a_gift_repeated_after_another_node_took_the_job_changes_nothing(build):
    flow = build("a").initialize()
    runner, other = flow.runner(), flow.runner()
    runner.claim()
    runner.give_back("a")
    runner.lose_answer()
    other.claim()
    runner.sync()
    job = flow.job("a")
    assert (job.status, job.active_compute_node_id, job.attempt_id) == ("pending", other.node_id, 1)


def test_a_running_job_cannot_be_given_back(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.sync(released=[(flow.id("a"), 1)])
    assert flow.status("a") == "running"


def test_a_stock_is_handed_out_beyond_what_fits(build):
    flow = build(*"abcdefgh").initialize()
    runner = flow.runner(num_cpus=2)
    assert len(runner.sync(offer=an_offer(cpus=2), prefetch=3).jobs) == 5


def test_no_stock_is_handed_out_while_fewer_jobs_are_ready_than_nodes_hold(build):
    flow = build(*"abcdef").initialize()
    first, second = flow.runner(num_cpus=2), flow.runner(num_cpus=2)
    assert first.claim(cpus=2) == ["a", "b"]
    assert len(second.sync(offer=an_offer(cpus=2), prefetch=2).jobs) == 2, "2 are ready, 4 are held"
    assert flow.statuses()["e"] == "ready"


def test_no_stock_is_made_of_jobs_that_the_node_could_never_run(build):
    flow = build("a", *(Step(name, needs="big") for name in "bcdef"), needs=[DraftRequirements(name="big", num_cpus=3)])
    flow.initialize()
    runner = flow.runner(num_cpus=2)
    assert [job.name for job in runner.sync(offer=an_offer(cpus=2), prefetch=3).jobs] == ["a"]


def test_a_successor_delivers_under_the_old_node_and_then_closes_it(build):
    flow = build("done", "killed", "waiting").initialize()
    dead = flow.runner()
    dead.claim()
    dead.start("done", "killed")
    dead.end("done")
    dead.jobs = {}
    answer = dead.sync(closing=True, offer=an_offer())
    assert answer.jobs == []
    assert flow.statuses() == {"done": "completed", "killed": "ready", "waiting": "ready"}
    assert flow.job("killed").active_compute_node_id is None
    ((is_active, duration),) = flow.select("SELECT is_active, duration_seconds FROM compute_node")
    assert (is_active, duration > 0) == (0, True)
    assert not flow.leases.has(dead.node_id)


def test_a_runner_that_leaves_gives_its_waiting_jobs_to_others(build):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.claim()
    runner.sync(closing=True)
    assert set(flow.statuses().values()) == {"ready"}
    assert set(flow.runner().claim()) == {"a", "b"}


@pytest.mark.parametrize("change", [{"generation": 2}, {"database_id": "another"}])
def test_a_runner_of_another_life_of_the_database_must_register_again(build, change):
    flow = build("a").initialize()
    runner = flow.runner()
    with pytest.raises(Conflict, match="restored") as caught:
        runner.send(runner.request(offer=an_offer(), **change))
    assert caught.value.details == {"reregister": True}
    assert flow.status("a") == "ready"


def test_the_protocol_before_this_one_is_still_spoken(build):
    runner = build("a").initialize().runner()
    assert len(runner.sync(protocol=PROTOCOL - 1, offer=an_offer()).jobs) == 1


@pytest.mark.parametrize("protocol", [PROTOCOL + 1, PROTOCOL - 2])
def test_other_protocols_are_refused_with_a_sentence(build, protocol):
    flow = build("a").initialize()
    runner = flow.runner()
    with pytest.raises(UpgradeRequired, match="install the same torc"):
        runner.send(runner.request(protocol=protocol, offer=an_offer()))
    assert flow.status("a") == "ready"


def test_a_section_this_server_does_not_know_is_an_error():
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(
            {"protocol": 1, "seq": 1, "database_id": "", "generation": 1, "holding": [], "new": 1}, SyncRequest
        )


def test_a_node_that_does_not_exist_cannot_sync(build):
    flow = build("a")
    runner = flow.runner()
    with pytest.raises(NotFound, match="77"):
        sync.sync(flow.database, flow.leases, 77, runner.request())


def test_runners_of_a_workflow_being_deleted_lose_everything(build, monkeypatch):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    monkeypatch.setattr(deletion, "purge", lambda database, workflow_id: None)  # as if the server ended there
    deletion.delete(flow.database, flow.workflow_id)
    answer = runner.sync(offer=an_offer())
    assert answer.lost == [(flow.id("a"), 1)]
    assert (answer.jobs, answer.workflow.is_complete) == ([], True)


def test_a_runner_hears_that_jobs_wait_for_initialization(build):
    flow = build("a")
    runner = flow.runner()
    assert runner.sync(offer=an_offer()).workflow.jobs_uninitialized
    flow.initialize()
    assert not runner.sync(offer=an_offer()).workflow.jobs_uninitialized


def test_the_same_report_twice_in_one_sync_counts_once(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    report = report_of(runner.jobs["a"])
    runner.sync(finished=[report, report])
    assert flow.select("SELECT count(*) FROM result") == [(1,)]
    assert flow.status("a") == "completed"


def test_renewing_needs_no_turn_at_the_write_lock(build, clock):
    flow = build("a")
    runner = flow.runner()
    with flow.database.write():
        clock.advance(200)
        assert nodes.renew(flow.database, flow.leases, runner.node_id).lease_s == 300
    clock.advance(200)
    assert not flow.leases.is_expired(runner.node_id)


def test_a_sync_renews_the_lease_before_it_waits_for_its_turn(build, clock, eventually):
    flow = build("a").initialize()
    runner = flow.runner()
    clock.advance(299)
    request = runner.request()
    with ThreadPoolExecutor(1) as pool:
        with flow.database.write():
            answer = pool.submit(runner.send, request)
            eventually(lambda: len(flow.database._write_lock._waiting) == 1)
            clock.advance(200)
            assert not flow.leases.is_expired(runner.node_id)
        assert answer.result(timeout=20).lease_s == 300


def sync_at_once(eventually, flow, *sends):
    """The outcomes of sends that all wait for the write lock, in their order, and so are applied together."""
    calls = flow.database._together
    with ThreadPoolExecutor(len(sends)) as pool:
        with flow.database.write():
            futures = []
            for count, (runner, request) in enumerate(sends, start=1):
                futures.append(pool.submit(runner.send, request))
                eventually(lambda count=count: sum(len(one._waiting) for one in calls.values()) == count)
    return futures


def test_syncs_applied_together_hand_every_job_to_one_runner(build, eventually):
    flow = build(*"abcdefgh").initialize()
    runners = [flow.runner() for _ in range(4)]
    sends = [(runner, runner.request(offer=an_offer(), limit=2)) for runner in runners]
    answers = [future.result() for future in sync_at_once(eventually, flow, *sends)]
    assert [[job.name for job in answer.jobs] for answer in answers] == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    owners = flow.select("SELECT active_compute_node_id FROM job ORDER BY id")
    assert owners == [(runner.node_id,) for runner in runners for _ in range(2)]


def test_reports_told_together_count_before_anyone_claims(build, eventually):
    flow = build("a", "b", "c: a b").initialize()
    first, second, idle = flow.runner(), flow.runner(), flow.runner()
    for runner, name in ((first, "a"), (second, "b")):
        assert runner.claim(limit=1) == [name]
        runner.end(name)
    answers = sync_at_once(
        eventually, flow, (idle, idle.request(offer=an_offer())), (first, first.request()), (second, second.request())
    )
    assert [job.name for job in answers[0].result().jobs] == ["c"]
    assert not any(future.result().workflow.is_complete for future in answers)
    assert flow.statuses() == {"a": "completed", "b": "completed", "c": "pending"}


def test_a_sync_refused_among_others_changes_nothing_and_does_not_disturb_them(build, eventually):
    flow = build("a", "b").initialize()
    good, stale = flow.runner(), flow.runner()
    old = stale.request(offer=an_offer())
    stale.sync()
    refused, taken = sync_at_once(eventually, flow, (stale, old), (good, good.request(offer=an_offer(), limit=1)))
    with pytest.raises(Conflict, match="nothing was applied"):
        refused.result()
    assert [job.name for job in taken.result().jobs] == ["a"]
    assert flow.status("b") == "ready"


def test_a_retry_that_arrives_together_with_its_first_copy_delivers_the_same_jobs_again(build, eventually):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    copy, retry = runner.request(offer=an_offer(), limit=1), runner.request(offer=an_offer(), limit=1)
    first, second = (future.result() for future in sync_at_once(eventually, flow, (runner, copy), (runner, retry)))
    assert [(job.name, job.attempt_id) for job in first.jobs] == [("a", 1)]
    assert [(job.name, job.attempt_id) for job in second.jobs] == [("a", 1)]
    assert flow.status("b") == "ready"


def test_a_retry_that_overtakes_its_first_copy_wins(build, eventually):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    copy, retry = runner.request(offer=an_offer(), limit=1), runner.request(offer=an_offer(), limit=1)
    applied, late = sync_at_once(eventually, flow, (runner, retry), (runner, copy))
    assert [job.name for job in applied.result().jobs] == ["a"]
    with pytest.raises(Conflict, match="nothing was applied"):
        late.result()


def test_syncs_of_several_workflows_are_applied_together(build, eventually):
    mine, other = build("a").initialize(), build("b", "c").initialize()
    one, two = mine.runner(), other.runner()
    futures = sync_at_once(eventually, mine, (one, one.request(offer=an_offer())), (two, two.request(offer=an_offer())))
    assert [[job.name for job in future.result().jobs] for future in futures] == [["a"], ["b", "c"]]


def test_a_runner_that_leaves_among_others_gives_them_its_jobs(build, eventually):
    flow = build("a", "b").initialize()
    leaving, staying = flow.runner(), flow.runner()
    leaving.take("a", "b")
    leaving.jobs.clear()
    futures = sync_at_once(
        eventually, flow, (staying, staying.request(offer=an_offer())), (leaving, leaving.request(closing=True))
    )
    assert [[job.name for job in future.result().jobs] for future in futures] == [["a", "b"], []]
    assert (flow.leases.has(staying.node_id), flow.leases.has(leaving.node_id)) == (True, False)


def test_the_last_two_reports_told_together_complete_the_workflow_once(build, eventually):
    flow = build("a", "b").initialize()
    flow.action("on_workflow_complete")
    runners = {name: flow.runner() for name in "ab"}
    for name, runner in runners.items():
        assert runner.claim(limit=1) == [name]
        runner.end(name)
    able = {"runs_actions": ["run_commands"]}
    futures = sync_at_once(eventually, flow, *((runner, runner.request(**able)) for runner in runners.values()))
    assert all(future.result().workflow.is_complete for future in futures)
    assert sum(len(future.result().actions) for future in futures) == 1, "the action of the end is given to one of them"
    assert [event["type"] for event in flow.events("workflow")].count("complete") == 1
