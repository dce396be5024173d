"""Jobs whose inputs are no longer what they became ready with: found exactly, started over, refused while in use."""

import sqlite3

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.scenario import Step, every_field
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.catalogue import FILES, REQUIREMENTS, USER_DATA
from torc.models.draft import DraftUserData
from torc.models.status import JobStatus
from torc.store import busy, job_deletion, jobs, lifecycle, manual, table, workflows


@pytest.fixture
def small_chunks(monkeypatch):
    """Two jobs in a transaction."""
    monkeypatch.setattr(busy, "CHUNK_JOBS", 2)


def changed(flow):
    """The jobs that have changed; nothing is done about it."""
    before = flow.select("SELECT * FROM job")
    found = lifecycle.process_changed_job_inputs(flow.database, flow.workflow_id, dry_run=True)
    assert flow.select("SELECT * FROM job") == before
    return found


def process(flow):
    """Start over the jobs that have changed."""
    return lifecycle.process_changed_job_inputs(flow.database, flow.workflow_id)


def set_status(flow, name, status):
    manual.set_status(flow.database, flow.leases, job_id=flow.id(name), status=JobStatus(status), run_id=flow.run_id())


def edit(flow, name, /, **fields):
    """Change an uninitialized job as a client does."""
    job = flow.job(name)
    jobs.update(flow.database, flow.id(name), msgspec.structs.replace(job, **fields), every_field(job))


def edit_record(flow, resource, name, /, **fields):
    """Change a file, user data or requirements."""
    ((record_id,),) = flow.select(
        f"SELECT id FROM {resource.table} WHERE workflow_id = ? AND name = ?", flow.workflow_id, name
    )
    record = msgspec.structs.replace(table.get(flow.database, resource, record_id), **fields)
    table.update(flow.database, resource, record_id, record, every_field(record))
    return record_id


def run_all(flow, *waves):
    """Run the jobs in this order, each wave together."""
    runner = flow.runner()
    for wave in waves:
        names = wave.split()
        runner.take(*names)
        for name in names:
            runner.finish(name)
    return flow


def begin(flow):
    """The first, short transaction of the verb, as if the server ended right after it."""
    with flow.database.write() as db:
        busy.begin(db, flow.workflow_id, "process_changed_job_inputs")


CONFIG = DraftUserData(name="config", data={"n": 1})
LINKED = (
    Step("first", writes=["made"], writes_data=["told"]),
    Step("second", after=["first"], reads=["made", "given"], reads_data=["told", "config"], writes=["end"]),
    Step("third", after=["second"]),
)


@pytest.fixture
def flow(build):
    """A workflow that has run: first, second, third."""
    return run_all(build(*LINKED, user_data=[CONFIG]).initialize(), "first", "second", "third")


# What counts as a change.


def test_nothing_has_changed_after_a_run(flow):
    assert changed(flow) == []


def test_what_a_job_told_another_during_the_run_is_no_change(build):
    flow = build(*LINKED, user_data=[CONFIG]).initialize()
    runner = flow.runner()
    runner.take("first")
    edit_record(flow, USER_DATA, "told", data={"seen": 7})
    runner.finish("first")
    run_all(flow, "second", "third")
    assert changed(flow) == []


def test_data_that_was_written_before_a_second_attempt_is_what_that_attempt_was_given(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == ["second"]
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    run_all(flow, "second", "third")
    assert changed(flow) == []


@pytest.mark.parametrize(
    "fields",
    [{"command": "other"}, {"invocation_script": "module load x"}, {"depends_on_job_ids": []}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_job_edited_since_it_became_ready_has_changed(flow, fields):
    set_status(flow, "third", "uninitialized")
    assert changed(flow) == []
    edit(flow, "third", **fields)
    assert changed(flow) == ["third"]


def test_an_edit_that_was_taken_back_is_no_change(flow):
    set_status(flow, "third", "uninitialized")
    edit(flow, "third", command="other", depends_on_job_ids=[flow.id("first")])
    edit(flow, "third", command="true", depends_on_job_ids=[flow.id("second")])
    assert changed(flow) == []


def test_input_data_edited_after_the_job_has_ended_is_a_change(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert changed(flow) == ["second"]
    edit_record(flow, USER_DATA, "config", data={"n": 1})
    assert changed(flow) == []


def test_data_that_another_job_wrote_and_somebody_edited_is_a_change(flow):
    edit_record(flow, USER_DATA, "told", data="by hand")
    assert changed(flow) == ["second"]


def test_a_job_whose_input_data_was_deleted_has_changed(flow):
    ((record_id,),) = flow.select("SELECT id FROM user_data WHERE name = 'config'")
    table.delete(flow.database, USER_DATA, record_id, force=True)
    assert changed(flow) == ["second"]


@pytest.mark.parametrize("name", ["made", "end"])
def test_jobs_linked_to_a_file_that_was_deleted_have_changed(flow, name):
    ((record_id,),) = flow.select("SELECT id FROM file WHERE name = ?", name)
    table.delete(flow.database, FILES, record_id, force=True)
    assert changed(flow) == [job for job in ("first", "second") if job == "second" or name == "made"]


def test_a_job_has_changed_when_one_it_depended_on_is_gone(flow):
    job_deletion.delete(flow.database, flow.id("first"), force=True)
    del flow.ids["first"]
    assert changed(flow) == ["second"]


def test_a_job_has_changed_when_a_member_of_its_group_is_gone(build):
    flow = build("a", "b", Step("c", after_groups=["ab"]), groups={"ab": ["a", "b"]})
    run_all(flow.initialize(), "a b", "c")
    job_deletion.delete(flow.database, flow.id("a"), force=True)
    assert changed(flow) == ["c"]


def test_names_files_needs_and_outputs_are_no_inputs(flow):
    edit_record(flow, FILES, "given", st_mtime=99.0, path="elsewhere")
    edit_record(flow, REQUIREMENTS, "default", num_cpus=2)
    set_status(flow, "third", "uninitialized")
    edit(flow, "third", name="renamed", cancel_on_blocking_job_failure=False)
    run_all(flow.initialize(), "first", "second")
    edit_record(flow, USER_DATA, "told", name="renamed too")
    assert changed(flow) == []


def test_ephemeral_data_that_a_new_run_cleared_is_no_change(build):
    """A keeps going without B, whose data is cleared, and finds what it was decided with."""
    told = DraftUserData(name="told", is_ephemeral=True, data="of an earlier run")
    flow = build(Step("b", writes_data=["told"]), Step("a", reads_data=["told"], keep_going=True), user_data=[told])
    set_status(flow, "b", "disabled")
    flow.alter("UPDATE user_data SET data = '\"old\"'")
    flow.initialize()
    assert flow.select("SELECT data FROM user_data") == [(None,)]
    assert (flow.status("a"), changed(flow)) == ("ready", [])


# The same dependencies, put together in different ways.


def test_plain_edges_to_the_members_of_a_group_are_the_same_dependencies(build):
    flow = build("a", "b", Step("c", after_groups=["ab"]), groups={"ab": ["a", "b"]}).initialize()
    lifecycle.reset_job_status(flow.database, flow.workflow_id)
    edit(flow, "c", depends_on_job_ids=[])
    assert changed(flow) == ["c"]
    edit(flow, "c", depends_on_job_ids=[flow.id("a"), flow.id("b")])
    assert flow.select("SELECT count(*) FROM job_depends_on_group") == [(0,)]
    assert changed(flow) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.sets(st.integers(0, 4), min_size=1), max_size=3),
    waits=st.lists(st.tuples(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 2))), min_size=2, max_size=6),
)
def test_jobs_are_told_apart_by_the_set_they_wait_for_and_by_nothing_else(build, groups, waits):
    chosen = [[index for index in sorted(indexes) if index < len(groups)] for _, indexes in waits]
    flow = build(
        *(f"j{n}" for n in range(5)),
        *(
            Step(f"w{n}", after=[f"j{other}" for other in edges], after_groups=[f"g{index}" for index in chosen[n]])
            for n, (edges, _) in enumerate(waits)
        ),
        groups={f"g{index}": [f"j{n}" for n in members] for index, members in enumerate(groups)},
    )
    flow.initialize()
    sets = [frozenset(edges).union(*(groups[index] for index in chosen[n])) for n, (edges, _) in enumerate(waits)]
    prints = [flow.value("input_hash", f"w{n}") for n in range(len(waits))]
    assert len(set(zip(sets, prints, strict=True))) == len(set(sets)) == len(set(prints))


# What is done about it.


def test_changed_jobs_start_over_and_what_lies_behind_them_stays(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == ["second"]
    assert flow.statuses() == {"first": "completed", "second": "uninitialized", "third": "completed"}
    assert flow.value("current_result_id", "second") is None
    assert workflows.status(flow.database, flow.workflow_id).busy is None


def test_initializing_then_starts_over_what_lies_behind(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    process(flow)
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.statuses() == {"first": "completed", "second": "ready", "third": "blocked"}
    assert changed(flow) == []


def test_a_ready_job_behind_a_changed_one_waits_again(build):
    flow = build(Step("a", reads_data=["config"]), "b: a", user_data=[CONFIG]).initialize()
    run_all(flow, "a")
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == ["a"]
    assert flow.statuses() == {"a": "uninitialized", "b": "blocked"}


@pytest.mark.parametrize("status", ["failed", "terminated", "canceled", "ready", "blocked"])
def test_a_job_that_is_not_handed_out_starts_over_whatever_its_status(build, status):
    flow = build("up", Step("a", after=["up"], reads_data=["config"]), user_data=[CONFIG]).initialize()
    runner = flow.runner()
    if status != "blocked":
        runner.take("up")
        runner.finish("up", "failed" if status == "canceled" else "completed")
    if status in ("failed", "terminated"):
        runner.take("a")
        runner.finish("a", status)
    assert flow.status("a") == status
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == ["a"]
    assert flow.status("a") == "uninitialized"


def test_an_uninitialized_job_is_named_and_stays(flow):
    set_status(flow, "third", "uninitialized")
    edit(flow, "third", command="other")
    assert process(flow) == ["third"]
    assert flow.statuses() == {"first": "completed", "second": "completed", "third": "uninitialized"}


def test_disabled_jobs_and_jobs_that_were_never_initialized_are_left_alone(flow):
    flow.add("new")
    edit(flow, "new", command="other")
    set_status(flow, "second", "disabled")
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == []
    assert flow.statuses() == {
        "first": "completed",
        "second": "disabled",
        "third": "completed",
        "new": "uninitialized",
    }


def test_names_come_in_the_order_of_the_ids(build, small_chunks):
    names = ["z", "b", "y", "a", "c"]
    flow = build(*(Step(name, reads_data=["config"]) for name in names), user_data=[CONFIG]).initialize()
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == names
    assert set(flow.statuses().values()) == {"uninitialized"}


# Refused.


@pytest.mark.parametrize("started", [False, True])
def test_a_changed_job_that_a_runner_has_refuses_and_nothing_changes(build, started):
    flow = build(Step("a", reads_data=["config"]), Step("b", reads_data=["config"]), user_data=[CONFIG]).initialize()
    runner = flow.runner()
    assert runner.claim(limit=1) == ["a"]
    if started:
        runner.start("a")
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    before = flow.select("SELECT * FROM job"), flow.select("SELECT * FROM workflow_status")
    with pytest.raises(Unprocessable, match=f"job {flow.id('a')} 'a' is {'running' if started else 'pending'}"):
        process(flow)
    assert (flow.select("SELECT * FROM job"), flow.select("SELECT * FROM workflow_status")) == before
    assert changed(flow) == ["a", "b"]


def test_a_changed_job_that_a_running_one_was_built_on_refuses(build):
    flow = build(Step("a", reads_data=["config"]), "b: a", "c: b", user_data=[CONFIG]).initialize()
    run_all(flow, "a", "b")
    flow.runner().take("c")
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    with pytest.raises(Unprocessable, match="'c' is running"):
        process(flow)
    assert flow.statuses() == {"a": "completed", "b": "completed", "c": "running"}


def test_running_jobs_that_have_nothing_to_do_with_it_do_not_matter(build):
    flow = build(Step("a", reads_data=["config"]), "other", user_data=[CONFIG]).initialize()
    runner = flow.runner()
    runner.take("a", "other")
    runner.finish("a")
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    assert process(flow) == ["a"]
    assert flow.statuses() == {"a": "uninitialized", "other": "running"}


def test_an_unknown_workflow_is_not_found(database):
    with pytest.raises(NotFound, match="Workflow not found with ID: 999"):
        lifecycle.process_changed_job_inputs(database, 999)


def test_it_is_refused_while_another_verb_is_under_way(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    with flow.database.write() as db:
        busy.begin(db, flow.workflow_id, "cancel")
    with pytest.raises(Conflict, match="busy with cancel"):
        process(flow)
    assert changed(flow) == ["second"]
    lifecycle.resume_busy(flow.database)


# Interrupted.


def test_it_is_finished_after_a_crash(build, small_chunks):
    flow = build(*(Step(f"j{n}", reads_data=["config"]) for n in range(5)), user_data=[CONFIG]).initialize()
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    with flow.database.write() as db:
        db.execute(
            f"""
            CREATE TRIGGER breakdown BEFORE UPDATE OF status ON job WHEN NEW.id = {flow.id("j3")}
             BEGIN SELECT raise(ABORT, 'disk full'); END
            """
        )
    with pytest.raises(sqlite3.IntegrityError):
        process(flow)
    assert (flow.status("j0"), flow.status("j3")) == ("uninitialized", "ready")
    with flow.database.write() as db:
        db.execute("DROP TRIGGER breakdown")
    assert lifecycle.resume_busy(flow.database) == 1
    assert set(flow.statuses().values()) == {"uninitialized"}
    assert workflows.status(flow.database, flow.workflow_id).busy is None


def test_a_job_that_was_changed_back_before_the_crash_is_mended_is_left_alone(flow):
    edit_record(flow, USER_DATA, "config", data={"n": 2})
    begin(flow)
    edit_record(flow, USER_DATA, "config", data={"n": 1})
    assert lifecycle.resume_busy(flow.database) == 1
    assert set(flow.statuses().values()) == {"completed"}


def test_a_fingerprint_is_the_same_in_every_version(build):
    """It is compared across upgrades of the server: if this fails, every job of every user has changed."""
    flow = build("a", "b: a").initialize()
    assert flow.select("SELECT id, input_hash FROM job ORDER BY id") == [
        (1, "950ff0ed6c0d34c845a1b64390502451"),
        (2, "d3436184c8f1e006eb527a247923c5c9"),
    ]
