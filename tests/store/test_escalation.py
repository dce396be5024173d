"""A job that ran out of memory or time gets more of it for its next try."""

import pytest

from tests.store.scenario import GIB, Step, an_offer
from tests.store.test_job_commands import command
from tests.store.test_retries import handle
from torc import raising
from torc.errors import Conflict, Unprocessable
from torc.models.catalogue import REQUIREMENTS
from torc.models.draft import DraftRequirements
from torc.models.queries import Paging
from torc.models.resource_requirements import ResourceRequirements
from torc.models.status import Cause
from torc.store import misfits, requirements, table
from torc.units import parse_memory

BIG = DraftRequirements(name="big", num_cpus=2, memory="8g", runtime="PT1H")


@pytest.fixture
def start(build):
    """``start("a", "b", memory_gb=64, **rule)``: jobs that need BIG and have a handler, and a runner of that memory."""

    def make(*names, memory_gb=64.0, **rule):
        flow = build(*[Step(name, needs="big") for name in names], needs=[BIG])
        for name in names:
            handle(flow, name, {"causes": ["oom", "timeout"], "backoff_s": 0, "max_retries": 9} | rule)
        flow.initialize()
        return flow, flow.runner(memory_gb=memory_gb)

    return make


def fail(runner, *names, cause=Cause.OOM, **fields):
    """One attempt each, that ends so."""
    runner.take(*names)
    for name in names:
        runner.end(name, "failed", cause=cause, return_code=-9, **fields)
    return runner.sync()


def needs(flow, name):
    found = table.get(flow.database, REQUIREMENTS, flow.job(name).resource_requirements_id)
    return found.name, found.memory, found.runtime


def listed(flow):
    return [one.name for one in table.page(flow.database, REQUIREMENTS, flow.workflow_id, Paging(), {}).items]


def test_a_job_out_of_memory_gets_half_as_much_again_and_the_others_nothing(start):
    flow, runner = start("a", "b")
    runner.take("a", "b")
    runner.finish("a", "failed", cause=Cause.OOM, return_code=-9)
    assert needs(flow, "a") == ("big, raised to 12g", "12g", "PT1H")
    assert needs(flow, "b") == ("big", "8g", "PT1H")
    assert runner.claim() == ["a"]
    assert (runner.jobs["a"].memory_bytes, runner.jobs["a"].num_cpus) == (12 * GIB, 2)
    (event,) = [event for event in flow.events("job") if event["type"] == "job_retried"]
    assert (event["memory"], event["cause"]) == ("12g", "oom")


def test_a_job_out_of_time_gets_half_as_much_again(start):
    flow, runner = start("a")
    fail(runner, "a", cause=Cause.TIMEOUT)
    assert needs(flow, "a") == ("big, raised to PT1H30M", "8g", "PT1H30M")
    assert flow.events("job")[-1]["runtime"] == "PT1H30M"
    runner.claim()
    assert runner.jobs["a"].runtime_s == 5400


def test_what_was_measured_counts_where_it_is_more(start):
    flow, runner = start("a")
    fail(runner, "a", peak_memory_bytes=10 * GIB)
    assert needs(flow, "a")[1] == "15g"


@pytest.mark.parametrize(
    ("rule", "memory"),
    [({"memory_factor": 2.0}, "16g"), ({"memory_factor": 3.9}, "32g"), ({"memory_factor": 9.0}, "32g")],
)
def test_the_rule_says_how_much_more_up_to_four_times_the_request(start, rule, memory):
    flow, runner = start("a", **rule)
    fail(runner, "a")
    assert needs(flow, "a")[1] == memory


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_factor_that_is_not_more_leaves_a_job_what_it_has(start, factor):
    flow, runner = start("a", memory_factor=factor, runtime_factor=factor)
    fail(runner, "a")
    fail(runner, "a", cause=Cause.TIMEOUT)
    assert needs(flow, "a") == ("big", "8g", "PT1H")


def test_nobody_needs_more_than_the_largest_node_there_was(start):
    flow, runner = start("a", memory_gb=10.7)
    fail(runner, "a")
    assert needs(flow, "a")[1] == "10.5g"
    assert runner.claim() == ["a"]


def test_a_job_that_can_get_no_more_is_still_tried_again(start):
    flow, runner = start("a")
    seen = []
    for _ in range(5):
        fail(runner, "a")
        seen.append(needs(flow, "a")[1])
    assert seen == ["12g", "18g", "27g", "32g", "32g"]
    assert (flow.status("a"), flow.job("a").retries) == ("ready", 5)
    assert "memory" not in flow.events("job")[-1]


def test_time_ends_at_four_times_the_request(start):
    flow, runner = start("a")
    for _ in range(5):
        fail(runner, "a", cause=Cause.TIMEOUT)
    assert needs(flow, "a")[2] == "PT4H"


def test_what_is_raised_twice_comes_from_the_original_and_keeps_both(start):
    flow, runner = start("a")
    fail(runner, "a")
    fail(runner, "a", cause=Cause.TIMEOUT)
    assert needs(flow, "a") == ("big, raised to 12g and PT1H30M", "12g", "PT1H30M")
    raised = table.get(flow.database, REQUIREMENTS, flow.job("a").resource_requirements_id)
    original = table.get(flow.database, REQUIREMENTS, raised.raised_from)
    assert (original.name, original.raised_from) == ("big", None)


def test_jobs_with_nearly_the_same_peak_share_a_shape(start):
    names = [f"j{n}" for n in range(8)]
    flow, runner = start(*names)
    runner.take(*names)
    for n, name in enumerate(names):
        runner.end(name, "failed", cause=Cause.OOM, return_code=-9, peak_memory_bytes=9 * GIB + n * 1024**2)
    runner.sync()
    assert {needs(flow, name)[1] for name in names} == {"13.5g", "14g"}
    assert listed(flow) == ["default", "big", "big, raised to 13.5g", "big, raised to 14g"]


def test_other_failures_raise_nothing(start):
    flow, runner = start("a", causes=["exit"])
    fail(runner, "a", cause=Cause.EXIT, peak_memory_bytes=20 * GIB)
    assert (flow.status("a"), needs(flow, "a")[0]) == ("ready", "big")


def test_a_job_that_is_not_tried_again_keeps_what_it_has(start):
    flow, runner = start("a", max_retries=0)
    fail(runner, "a")
    assert (flow.status("a"), needs(flow, "a")[0]) == ("failed", "big")


def test_a_raised_job_with_a_recovery_script_is_claimed_anew_for_its_node_may_be_too_small(start):
    flow, runner = start("a", recovery_script="mend")
    fail(runner, "a")
    assert (flow.status("a"), flow.job("a").active_compute_node_id) == ("ready", None)
    runner.claim()
    job = runner.jobs["a"]
    assert (job.recovery_script, job.last_return_code, job.attempt_id) == ("mend", -9, 2)


@pytest.mark.parametrize("back", ["retry", "initialize"])
def test_what_starts_over_needs_what_it_asked_for(start, back):
    flow, runner = start("a")
    fail(runner, "a")
    runner.take("a")
    runner.finish("a")
    if back == "retry":
        command(flow, "retry", "a")
    else:
        flow.initialize()
    assert needs(flow, "a") == ("big", "8g", "PT1H")


def test_a_ready_job_whose_raised_needs_exceed_every_node_is_named(start, monkeypatch):
    flow, runner = start("a")
    fail(runner, "a")
    runner.sync(closing=True)
    small = flow.runner(memory_gb=8.0, num_cpus=4)
    offer = an_offer(cpus=4, memory_gb=8)
    assert small.sync(offer=offer).misfit is None
    monkeypatch.setattr(misfits, "SECOND_LOOK_S", 0.0)
    misfit = small.sync(offer=offer).misfit
    assert (misfit.job_name, misfit.need, misfit.offer) == ("a", "2 CPUs, 12g memory", "4 CPUs, 8g memory")


@pytest.mark.parametrize(
    ("wanted", "most", "text"),
    [
        (1, 2**60, "1"),
        (700.5, 2**60, "704"),
        (1.5 * 1024**2, 2**60, "1.5m"),
        (GIB + 1, 2**60, "1.0625g"),
        (12 * GIB, 2**60, "12g"),
        (12 * GIB + 1, 2**60, "12.5g"),
        (2**40 - 1, 2**60, "1t"),
        (12 * GIB, 12 * GIB - 1, "11.5g"),
        (2**62, 2**40 * 3 + 5, "3t"),
    ],
)
def test_sizes_are_rounded_to_short_texts_that_say_exactly_what_they_are(wanted, most, text):
    size = raising._rounded(wanted, most)
    assert raising.memory_text(size) == text
    assert parse_memory(text) == size


def test_requirements_others_were_raised_from_stay_while_a_job_has_more(start):
    flow, runner = start("a")
    original = flow.job("a").resource_requirements_id
    fail(runner, "a")
    with pytest.raises(Conflict, match="1 jobs have more, raised from them"):
        requirements.delete(flow.database, original)
    requirements.delete(flow.database, original, force=True)
    assert needs(flow, "a")[0] == "default"
    assert listed(flow) == ["default"]


def test_raised_requirements_that_are_deleted_leave_the_job_what_it_asked_for(start):
    flow, runner = start("a")
    fail(runner, "a")
    raised = flow.job("a").resource_requirements_id
    with pytest.raises(Conflict, match="1 jobs use it"):
        requirements.delete(flow.database, raised)
    requirements.delete(flow.database, raised, force=True)
    assert needs(flow, "a")[0] == "big"


def test_only_the_server_says_what_requirements_were_raised_from(start):
    flow, runner = start("a")
    made = ResourceRequirements(workflow_id=flow.workflow_id, name="mine", raised_from=1)
    with pytest.raises(Unprocessable, match="only the server raises"):
        requirements.create(flow.database, made)
    fail(runner, "a")
    raised = table.get(flow.database, REQUIREMENTS, flow.job("a").resource_requirements_id)
    requirements.update(flow.database, raised.id, raised, frozenset(raised.__struct_fields__))
    raised.raised_from = 1
    with pytest.raises(Unprocessable, match="cannot be changed"):
        requirements.update(flow.database, raised.id, raised, frozenset({"raised_from"}))
