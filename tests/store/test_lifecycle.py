"""Verbs over a whole workflow: in chunks, refused or whole, resumed after a crash (rules 10, 13, 14, 15)."""

import sqlite3

import pytest

from tests.store.scenario import Step, an_offer, every_field
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.draft import DraftUserData
from torc.models.job import ComputeNodesResources
from torc.models.status import JobStatus
from torc.models.workflow import InitializeRequest
from torc.store import busy, claims, deletion, lifecycle, manual, workflows


@pytest.fixture
def small_chunks(monkeypatch):
    """Two jobs in a transaction."""
    monkeypatch.setattr(busy, "CHUNK_JOBS", 2)


def begin(flow, verb, **arguments):
    """The first, short transaction of a verb, as if the server ended right after it."""
    with flow.database.write() as db:
        busy.begin(db, flow.workflow_id, verb, **arguments)


def verb_of(flow):
    return workflows.status(flow.database, flow.workflow_id).busy


def break_down_at(flow, name, status):
    """Let SQLite refuse to give this job this status, as a full disk in the middle of a verb would."""
    with flow.database.write() as db:
        db.execute(
            f"""
            CREATE TRIGGER breakdown BEFORE UPDATE OF status ON job
              WHEN NEW.id = {flow.id(name)} AND NEW.status = '{status}'
             BEGIN SELECT raise(ABORT, 'disk full'); END
            """
        )


def repair(flow):
    with flow.database.write() as db:
        db.execute("DROP TRIGGER breakdown")


SIX = ("a", "b: a", "c: a", "d: b c", "e", "f: d e")


def test_initializing_in_chunks_decides_every_job(build, small_chunks):
    flow = build(*SIX)
    answer = lifecycle.initialize(flow.database, flow.workflow_id, InitializeRequest(user="me", hostname="here"))
    assert (answer.run_id, answer.jobs_ready) == (1, 2)
    assert flow.statuses() == {
        "a": "ready",
        "b": "blocked",
        "c": "blocked",
        "d": "blocked",
        "e": "ready",
        "f": "blocked",
    }
    assert verb_of(flow) is None
    (event,) = flow.events("workflow")
    assert (event["type"], event["user"], event["hostname"]) == ("start", "me", "here")


def test_every_verb_over_many_jobs_writes_in_short_transactions(build, small_chunks):
    flow = build(*(f"j{n}" for n in range(10)))
    statements = []
    with flow.database.read() as db:
        db.set_trace_callback(statements.append)
    flow.initialize()
    db.set_trace_callback(None)
    assert sum(text.startswith("BEGIN IMMEDIATE") for text in statements) >= 10 / busy.CHUNK_JOBS
    assert flow.statuses() == {f"j{n}": "ready" for n in range(10)}


def test_initializing_again_starts_everything_over_in_a_new_run(build, small_chunks):
    flow = build(*SIX).initialize()
    runner = flow.runner()
    runner.take("a", "e")
    runner.finish("a", "failed")
    runner.finish("e")
    assert flow.statuses()["f"] == "canceled"
    flow.initialize()
    assert flow.run_id() == 2
    assert flow.statuses() == {
        "a": "ready",
        "b": "blocked",
        "c": "blocked",
        "d": "blocked",
        "e": "ready",
        "f": "blocked",
    }
    for name in "abcdef":
        assert flow.job(name).cause is None
        assert flow.value("current_result_id", name) is None
    assert flow.select("SELECT count(*) FROM result") == [(2,)], "history stays"


@pytest.mark.parametrize("stage", ["pending", "running"])
def test_initializing_is_refused_while_jobs_are_handed_out_and_changes_nothing(build, stage):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.claim()
    if stage == "running":
        runner.start("a")
    before = flow.select("SELECT * FROM job"), flow.run_id()
    with pytest.raises(Unprocessable, match="running or pending"):
        flow.initialize()
    assert (flow.select("SELECT * FROM job"), flow.run_id()) == before
    assert verb_of(flow) is None


def test_a_cycle_is_refused_by_name_and_changes_nothing(build):
    flow = build("a", "b: a", "c: b", "d")
    with flow.database.write() as db:
        db.execute("INSERT INTO job_depends_on (job_id, depends_on_job_id) VALUES (?, ?)", (flow.id("a"), flow.id("c")))
        db.execute("UPDATE job SET unmet = 1 WHERE id = ?", (flow.id("a"),))
    before = flow.select("SELECT * FROM job")
    with pytest.raises(Unprocessable) as caught:
        lifecycle.initialize(flow.database, flow.workflow_id, InitializeRequest(files=[(1, 2.0, 3)], user="me"))
    for name in "abc":
        assert f"'{name}'" in str(caught.value)
    assert "'d'" not in str(caught.value)
    assert flow.select("SELECT * FROM job") == before
    assert flow.run_id() == 0
    with pytest.raises(Unprocessable, match="Circular"):
        lifecycle.initialize_jobs(flow.database, flow.workflow_id)
    assert flow.select("SELECT * FROM job") == before
    assert verb_of(flow) is None


def test_a_workflow_that_does_not_exist_cannot_be_initialized(database):
    for act in (
        lambda: lifecycle.initialize(database, 5, InitializeRequest()),
        lambda: lifecycle.initialize_jobs(database, 5),
        lambda: lifecycle.cancel(database, 5),
        lambda: lifecycle.reset_status(database, 5),
        lambda: lifecycle.reset_job_status(database, 5),
    ):
        with pytest.raises(NotFound, match="5"):
            act()


def test_an_archived_workflow_is_not_initialized(build):
    flow = build("a")
    status = workflows.status(flow.database, flow.workflow_id)
    status.is_archived = True
    workflows.update_status(flow.database, flow.workflow_id, status, every_field(status))
    with pytest.raises(Unprocessable, match="archived"):
        flow.initialize()
    assert flow.run_id() == 0


def test_mtimes_are_stored_with_the_run_and_only_for_files_of_the_workflow(build):
    flow, other = build(Step("a", reads=["in", "gone"])), build(Step("a", reads=["in"]))
    ids = dict(flow.select("SELECT name, id FROM file WHERE workflow_id = ?", flow.workflow_id))
    ((foreign,),) = flow.select("SELECT id FROM file WHERE workflow_id = ?", other.workflow_id)
    request = InitializeRequest(files=[(ids["in"], 5.5, 7), (ids["gone"], None, None), (foreign, 9.0, 1)])
    lifecycle.initialize(flow.database, flow.workflow_id, request)
    assert dict(flow.select("SELECT id, st_mtime FROM file")) == {ids["in"]: 5.5, ids["gone"]: None, foreign: None}


def test_ephemeral_data_that_jobs_write_is_cleared_by_a_new_run(build):
    flow = build(
        Step("a", writes_data=["made", "kept"], reads_data=["given"]),
        user_data=[
            DraftUserData(name="made", is_ephemeral=True, data=1),
            DraftUserData(name="kept", data=2),
            DraftUserData(name="given", is_ephemeral=True, data=3),
        ],
    ).initialize()
    assert dict(flow.select("SELECT name, data FROM user_data")) == {"made": None, "kept": "2", "given": "3"}


@pytest.mark.parametrize("clear", [True, False])
def test_the_verb_of_existing_clients_clears_ephemeral_data_if_asked(build, clear):
    flow = build(Step("a", writes_data=["made"]), user_data=[DraftUserData(name="made", is_ephemeral=True, data=1)])
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, clear_ephemeral=clear)
    assert flow.select("SELECT data FROM user_data") == [(None if clear else "1",)]


# Busy: what other callers meet while a verb is under way.


def test_nothing_is_claimed_while_a_verb_is_under_way(build):
    flow = build("a").initialize()
    runner = flow.runner()
    begin(flow, "cancel")
    assert runner.claim() == []
    room = ComputeNodesResources(num_cpus=1, memory_gb=1, num_gpus=0, num_nodes=1)
    for answer in (
        claims.claim_by_resources(flow.database, flow.leases, flow.workflow_id, room, 1, None),
        claims.claim_next(flow.database, flow.leases, flow.workflow_id, 1),
    ):
        assert (answer.jobs, answer.reason) == ([], "Workflow is busy: cancel")
    lifecycle.resume_busy(flow.database)


def test_no_second_verb_starts_while_one_is_under_way(build):
    flow = build("a").initialize()
    begin(flow, "reset_job_status", failed_only=True)
    before = flow.select("SELECT * FROM job"), flow.run_id()
    for act in (
        flow.initialize,
        lambda: lifecycle.initialize_jobs(flow.database, flow.workflow_id),
        lambda: lifecycle.cancel(flow.database, flow.workflow_id),
        lambda: lifecycle.reset_status(flow.database, flow.workflow_id),
        lambda: lifecycle.reset_job_status(flow.database, flow.workflow_id),
        lambda: deletion.delete(flow.database, flow.workflow_id),
    ):
        with pytest.raises(Conflict, match="busy with reset_job_status"):
            act()
    assert (flow.select("SELECT * FROM job"), flow.run_id()) == before
    lifecycle.resume_busy(flow.database)
    assert flow.status("a") == "ready"


def test_reports_still_count_while_a_verb_is_under_way(build):
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    begin(flow, "initialize_jobs", only_uninitialized=True, clear_ephemeral=False)
    runner.end("a")
    answer = runner.sync(offer=an_offer())
    assert (answer.lost, answer.jobs) == ([], [])
    assert flow.statuses() == {"a": "completed", "b": "ready"}
    lifecycle.resume_busy(flow.database)
    assert flow.statuses() == {"a": "completed", "b": "ready"}


def test_a_report_between_the_steps_of_initializing_finds_the_counters_true(build):
    """A file gives a new job a dependency on a running one; that one ends before the new job is decided."""
    flow = build(Step("a", writes=["f"]), "z").initialize()
    runner = flow.runner()
    runner.take("a", "z")
    new = flow.add("new")
    with flow.database.write() as db:
        db.execute("INSERT INTO job_input_file (job_id, file_id) SELECT ?, id FROM file", (new,))
    begin(flow, "initialize_jobs", only_uninitialized=True, clear_ephemeral=False)
    lifecycle.implied.add(flow.database, flow.workflow_id)
    runner.finish("a")
    lifecycle.resume_busy(flow.database)
    assert flow.statuses() == {"a": "completed", "z": "running", "new": "ready"}


# Interrupted: what the next start of the server finds and finishes.


def test_an_interrupted_initialization_is_finished_in_the_same_run(build, small_chunks):
    flow = build(*SIX).initialize()
    runner = flow.runner()
    runner.take("a", "e")
    runner.finish("a", "failed")
    runner.finish("e")
    break_down_at(flow, "e", "ready")
    with pytest.raises(sqlite3.IntegrityError):
        flow.initialize()
    assert verb_of(flow) == "initialize"
    assert runner.claim() == []
    repair(flow)
    assert lifecycle.resume_busy(flow.database) == 1
    assert verb_of(flow) is None
    assert flow.run_id() == 2
    assert flow.statuses() == {
        "a": "ready",
        "b": "blocked",
        "c": "blocked",
        "d": "blocked",
        "e": "ready",
        "f": "blocked",
    }


def test_an_interrupted_cancel_is_finished(build, small_chunks):
    flow = build(*SIX).initialize()
    runner = flow.runner()
    runner.take("a", "e")
    break_down_at(flow, "e", "canceled")
    with pytest.raises(sqlite3.IntegrityError):
        lifecycle.cancel(flow.database, flow.workflow_id)
    assert flow.statuses()["a"] == "canceled"
    assert flow.statuses()["e"] == "running"
    repair(flow)
    lifecycle.resume_busy(flow.database)
    assert set(flow.statuses().values()) == {"canceled"}
    assert flow.is_complete()


def test_an_interrupted_reset_is_finished(build, small_chunks):
    flow = build(*SIX).initialize()
    runner = flow.runner()
    runner.take("a", "e")
    runner.finish("a", "failed")
    runner.finish("e")
    break_down_at(flow, "d", "uninitialized")
    with pytest.raises(sqlite3.IntegrityError):
        lifecycle.reset_job_status(flow.database, flow.workflow_id, failed_only=True)
    repair(flow)
    lifecycle.resume_busy(flow.database)
    assert flow.statuses() == dict.fromkeys("abcdf", "uninitialized") | {"e": "completed"}


def test_there_is_nothing_to_resume_after_a_clean_end(build):
    flow = build("a").initialize()
    assert lifecycle.resume_busy(flow.database) == 0


# Cancel.


def test_cancel_settles_everything_but_uninitialized_jobs(build, small_chunks):
    flow = build("done", "running", "waiting", Step("later", after=["running"], keep_going=True), "off").initialize()
    manual.set_status(flow.database, flow.leases, job_id=flow.id("off"), status=JobStatus.DISABLED, run_id=1)
    flow.add("new")
    runner = flow.runner()
    runner.take("done", "running", "waiting")
    runner.finish("done")
    status = lifecycle.cancel(flow.database, flow.workflow_id)
    assert status.is_canceled
    assert flow.statuses() == {
        "done": "completed",
        "running": "canceled",
        "waiting": "canceled",
        "later": "canceled",
        "off": "disabled",
        "new": "uninitialized",
    }
    assert {flow.job(name).cause for name in ("running", "waiting", "later")} == {"user"}
    (event,) = [event for event in flow.events("workflow") if event["type"] == "cancel"]
    assert (event["count"], event["cause"]) == (3, "user")


def test_nothing_canceled_starts_again_when_the_flag_is_cleared(build):
    flow = build("a", Step("b", after=["a"], keep_going=True)).initialize()
    runner = flow.runner()
    runner.take("a")
    lifecycle.cancel(flow.database, flow.workflow_id)
    assert not lifecycle.reset_status(flow.database, flow.workflow_id).is_canceled
    assert runner.claim() == []
    assert runner.finish("a").lost == []
    assert runner.claim() == []
    assert flow.statuses() == {"a": "canceled", "b": "canceled"}


def test_initializing_brings_canceled_jobs_back(build):
    flow = build("a", "b: a").initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    flow.initialize()
    assert flow.statuses() == {"a": "ready", "b": "blocked"}
    assert not workflows.status(flow.database, flow.workflow_id).is_canceled


def test_nothing_is_claimed_of_a_canceled_workflow(build):
    flow = build("a").initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    answer = flow.runner().sync(offer=an_offer())
    assert (answer.jobs, answer.workflow.is_canceled, answer.workflow.is_complete) == ([], True, True)
