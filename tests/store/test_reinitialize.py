"""Reinitialize: what runs again and why, refused or whole, resumed after a crash (rules 4, 10, 14, 16)."""

import random

import msgspec
import pytest

from tests.store.scenario import Step, every_field
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.catalogue import REQUIREMENTS, USER_DATA
from torc.models.draft import DraftRequirements, DraftUserData
from torc.models.status import BAD, COMPLETE, JobStatus
from torc.models.workflow import RaisedNeeds, ReinitializeRequest
from torc.store import busy, doctor, escalation, jobs, lifecycle, manual, reinitialize, table, workflows


@pytest.fixture
def small_chunks(monkeypatch):
    """Two jobs in a transaction."""
    monkeypatch.setattr(busy, "CHUNK_JOBS", 2)


def again(flow, **request):
    """Begin a new run; why each job runs again, by name."""
    answer = lifecycle.reinitialize(flow.database, flow.workflow_id, ReinitializeRequest(**request))
    assert doctor.problems(flow.database) == []
    return {job.name: job.reason for job in answer.jobs}


def told(flow, **request):
    """What a dry run says; nothing changes."""
    before = everything(flow)
    answer = lifecycle.reinitialize(flow.database, flow.workflow_id, ReinitializeRequest(dry_run=True, **request))
    assert everything(flow) == before
    return answer


def everything(flow):
    return [flow.select(f"SELECT * FROM {table}") for table in ("job", "workflow_status", "file", "user_data", "event")]


def refuses(flow, error, match, **request):
    """Refused, and nothing has changed."""
    before = everything(flow)
    with pytest.raises(error, match=match):
        lifecycle.reinitialize(flow.database, flow.workflow_id, ReinitializeRequest(**request))
    assert everything(flow) == before


def set_status(flow, name, status):
    manual.set_status(flow.database, flow.leases, job_id=flow.id(name), status=JobStatus(status), run_id=None)


def edit(flow, name, /, **fields):
    job = flow.job(name)
    jobs.update(flow.database, flow.id(name), msgspec.structs.replace(job, **fields), every_field(job))


def write_data(flow, name, data):
    ((record_id,),) = flow.select("SELECT id FROM user_data WHERE name = ?", name)
    record = msgspec.structs.replace(table.get(flow.database, USER_DATA, record_id), data=data)
    table.update(flow.database, USER_DATA, record_id, record, every_field(record))


def run(flow, **statuses):
    """Run everything that gets ready, all to completed but those named otherwise."""
    runner = flow.runner()
    while names := runner.claim():
        runner.start(*names)
        for name in names:
            runner.end(name, statuses.get(name, "completed"))
        runner.sync()
    return flow


def files_of(flow):
    return dict(flow.select("SELECT name, id FROM file"))


def on_disk(flow, **times):
    """What a client finds: every file of the workflow as it is stored, but those named with another time."""
    known = flow.select("SELECT id, name, st_mtime, size FROM file")
    return [(file_id, times.get(name, st_mtime), size) for file_id, name, st_mtime, size in known]


DIAMOND = ("a", "b: a", "c: a", "d: b c", "e")


def test_after_a_failure_what_failed_and_what_it_canceled_runs_again(build, small_chunks):
    flow = run(build(*DIAMOND).initialize(), b="failed")
    assert again(flow) == {"b": "failed", "d": "canceled"}
    assert flow.statuses() == {"a": "completed", "b": "ready", "c": "completed", "d": "blocked", "e": "completed"}
    assert flow.run_id() == 2
    assert workflows.status(flow.database, flow.workflow_id).busy is None
    run(flow)
    assert set(flow.statuses().values()) == {"completed"}
    assert flow.value("run_id", "a") == 1
    assert flow.value("run_id", "b") == 2


def test_failed_jobs_may_be_kept_and_what_they_cancel_stays_canceled(build):
    flow = run(build(*DIAMOND, "late: d").initialize(), b="failed", e="terminated")
    assert again(flow, keep_failed=True) == {"e": "terminated"}
    assert flow.status("d") == flow.status("late") == "canceled"
    assert flow.value("cause_job_id", "late") == flow.id("b")


def test_a_kept_failed_job_whose_command_was_mended_runs_again(build):
    flow = run(build("a", "b: a").initialize(), a="failed")
    flow.alter("UPDATE job SET command = 'mended' WHERE id = ?", flow.id("a"))
    assert again(flow, keep_failed=True) == {"a": "changed", "b": "canceled"}


def test_what_stays_canceled_makes_nobody_run_again(build):
    """w goes on without y, so it completed; y stays canceled behind the failure that is kept."""
    flow = build("x", "y: x", Step("w", after=["y"], keep_going=True)).initialize()
    run(flow, x="failed")
    assert flow.status("w") == "completed"
    assert again(flow, keep_failed=True) == {}
    assert again(flow) == {"x": "failed", "y": "canceled", "w": "upstream"}


def test_disabled_jobs_stay_and_what_they_canceled_stays_with_them(build):
    flow = build("a", "b: a", "c")
    set_status(flow, "a", "disabled")
    run(flow.initialize())
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "completed"}
    assert again(flow) == {}
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "completed"}
    set_status(flow, "a", "uninitialized")
    assert again(flow) == {"b": "canceled"}
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "completed"}


def test_a_changed_job_behind_a_disabled_one_is_canceled(build, small_chunks):
    flow = run(build("a", "b: a", "c: b").initialize())
    set_status(flow, "a", "disabled")
    flow.alter("UPDATE job SET command = 'other' WHERE id = ?", flow.id("b"))
    assert again(flow) == {}
    assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "completed"}


def test_jobs_that_have_not_run_go_on_waiting_and_are_not_told(build):
    flow = build(*DIAMOND).initialize()
    flow.add("new: e")
    answer = told(flow)
    assert (answer.jobs, answer.jobs_waiting, answer.jobs_ready, answer.run_id) == ([], 6, 2, 2)
    assert again(flow) == {}
    assert flow.status("new") == "blocked"


def test_a_job_added_before_a_completed_one_makes_that_run_again(build):
    flow = build("a", "b: a").initialize()
    run(flow)
    flow.add("new")
    set_status(flow, "b", "uninitialized")
    edit(flow, "b", depends_on_job_ids=[flow.id("a"), flow.id("new")])
    flow.add("c: b")
    assert again(flow) == {}
    assert flow.statuses() == {"a": "completed", "b": "blocked", "new": "ready", "c": "blocked"}


# Files and user data.

FILES = (
    Step("make", reads=["given"], writes=["made"]),
    Step("use", reads=["made"], writes=["end"]),
    Step("other", reads=["rest"]),
)


@pytest.fixture
def flow(build):
    """A workflow with files that has run; all of them have a time."""
    flow = run(build(*FILES).initialize())
    flow.alter("UPDATE file SET st_mtime = 100.0, size = 10")
    return flow


def test_nothing_runs_again_when_nothing_has_changed(flow):
    assert again(flow, files=on_disk(flow, given=100.005)) == {}
    assert again(flow) == {}


@pytest.mark.parametrize("now", [100.02, 99.9, 200.0])
def test_an_input_with_another_time_reruns_its_readers_and_what_follows(flow, now):
    assert again(flow, files=on_disk(flow, given=now)) == {"make": "changed_file", "use": "upstream"}
    assert flow.select("SELECT st_mtime FROM file WHERE name = 'given'") == [(now,)]


def test_the_reason_names_the_file_and_the_job(flow):
    answer = told(flow, files=on_disk(flow, given=7.0))
    ((path,),) = flow.select("SELECT path FROM file WHERE name = 'given'")
    assert [(job.name, job.detail) for job in answer.jobs] == [("make", path), ("use", "make")]
    assert [str(job.status) for job in answer.jobs] == ["completed", "completed"]


def test_a_file_of_another_size_has_changed_though_its_time_is_the_same(flow):
    files = [(file_id, st_mtime, 11) for file_id, st_mtime, _ in on_disk(flow) if file_id == files_of(flow)["rest"]]
    assert again(flow, files=files) == {"other": "changed_file"}


def test_a_size_that_was_not_known_is_learned_and_is_no_change(flow):
    flow.alter("UPDATE file SET size = NULL")
    rest = files_of(flow)["rest"]
    assert again(flow, files=[(rest, 100.0, 12)]) == {}
    assert again(flow, files=[(rest, 100.0, None)]) == {}
    assert again(flow, files=[(rest, 100.0, 13)]) == {"other": "changed_file"}


def test_an_input_that_appeared_was_not_there_when_its_reader_ran(flow):
    flow.alter("UPDATE file SET st_mtime = NULL, size = NULL WHERE name = 'rest'")
    assert again(flow, files=on_disk(flow, rest=5.0)) == {"other": "changed_file"}


def test_a_missing_output_is_made_again_with_all_that_read_it(flow):
    files = on_disk(flow, made=None)
    assert again(flow, files=files) == {"make": "missing_output", "use": "changed_file"}


def test_only_the_last_job_runs_again_when_only_its_output_is_gone(flow):
    assert again(flow, files=on_disk(flow, end=None)) == {"use": "missing_output"}


def test_an_input_that_is_gone_is_refused_unless_that_is_ignored(flow):
    files = on_disk(flow, given=None)
    refuses(flow, Unprocessable, r"reads files that are not there: .*given.*--force", files=files)
    assert told(flow, files=files).missing_files == [files_of(flow)["given"]]
    assert again(flow, files=files, ignore_missing=True) == {"make": "changed_file", "use": "upstream"}


def test_an_input_that_never_was_there_is_no_matter_for_a_job_that_does_not_run(flow):
    flow.alter("UPDATE file SET st_mtime = NULL WHERE name = 'rest'")
    assert again(flow, files=on_disk(flow)) == {}


def test_the_outputs_that_will_be_written_again_are_told(flow):
    files = on_disk(flow, given=1.0)
    ids = files_of(flow)
    assert told(flow, files=files).existing_outputs == sorted([ids["made"], ids["end"]])
    assert told(flow, files=on_disk(flow, rest=1.0)).existing_outputs == []


DATA = [DraftUserData(name="config", data={"n": 1}), DraftUserData(name="notes", is_ephemeral=True)]


@pytest.fixture
def with_data(build):
    """Two pairs of jobs; the one writes ephemeral notes for the other."""
    steps = (Step("first", reads_data=["config"], writes_data=["notes"]), Step("second", reads_data=["notes"]))
    flow = build(*steps, "third: second", user_data=DATA).initialize()
    runner = flow.runner()
    runner.take("first")
    write_data(flow, "notes", "seen")
    runner.finish("first")
    return run(flow)


def test_changed_user_data_reruns_its_readers(with_data):
    write_data(with_data, "config", {"n": 2})
    assert again(with_data) == {"first": "changed", "second": "upstream", "third": "upstream"}
    assert with_data.select("SELECT data FROM user_data WHERE name = 'notes'") == [(None,)]


def test_ephemeral_data_lasts_while_its_writer_does_not_run_again(with_data):
    with_data.alter("UPDATE job SET command = 'other' WHERE id = ?", with_data.id("second"))
    assert again(with_data) == {"second": "changed", "third": "upstream"}
    assert with_data.select("SELECT data FROM user_data WHERE name = 'notes'") == [('"seen"',)]


def test_user_data_without_a_value_is_refused_by_name_even_if_missing_files_are_ignored(with_data):
    write_data(with_data, "config", None)
    refuses(with_data, Unprocessable, "lacks user data .*'config'", ignore_missing=True)


# Refusals and repeats.


def test_running_jobs_refuse_and_are_named(build):
    flow = build("a", "b").initialize()
    flow.runner().take("a", "b")
    refuses(flow, Unprocessable, "job .* 'a' is running")
    assert again(flow, although_running=True) == {"a": "taken_away", "b": "taken_away"}
    assert flow.statuses() == {"a": "ready", "b": "ready"}


def test_the_runner_of_a_job_that_was_taken_away_hears_it_and_its_report_is_history(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    again(flow, although_running=True)
    assert runner.finish("a").lost
    assert flow.status("a") == "ready"


def test_a_job_pending_on_a_living_node_refuses_and_one_of_nobody_is_lost(build):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.claim()
    refuses(flow, Unprocessable, "'a' is pending")
    flow.alter("UPDATE job SET active_compute_node_id = NULL")
    assert again(flow) == {"a": "lost"}
    assert flow.status("a") == "ready"


def test_a_job_whose_node_died_runs_again_and_its_late_report_is_history(build, clock):
    flow = build("a", "b").initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.die(clock)
    assert again(flow) == {"a": "lost", "b": "lost"}
    assert runner.finish("a").lost
    assert flow.status("a") == "ready"


def test_archived_busy_and_unknown_workflows_are_refused(build):
    flow = run(build("a").initialize(), a="failed")
    workflows.archive(flow.database, flow.workflow_id, True)
    refuses(flow, Unprocessable, r"Cannot reset archived workflow status\. Unarchive the workflow first\.")
    workflows.archive(flow.database, flow.workflow_id, False)
    with flow.database.write() as db:
        busy.begin(db, flow.workflow_id, "cancel")
    refuses(flow, Conflict, "busy with cancel")
    with pytest.raises(NotFound, match="99"):
        lifecycle.reinitialize(flow.database, 99, ReinitializeRequest())


def test_a_repeat_of_a_request_whose_answer_was_lost_begins_no_second_run(build):
    flow = run(build("a").initialize(), a="failed")
    assert again(flow, from_run_id=1) == {"a": "failed"}
    refuses(flow, Conflict, r"in run 2 and no longer in run 1", from_run_id=1)


def test_a_canceled_workflow_is_open_again(build):
    flow = build("a", "b: a").initialize()
    lifecycle.cancel(flow.database, flow.workflow_id)
    assert again(flow) == {"a": "canceled", "b": "canceled"}
    assert not workflows.status(flow.database, flow.workflow_id).is_canceled
    assert flow.runner().claim() == ["a"]


def test_one_event_says_what_happened(build):
    flow = run(build(*DIAMOND).initialize(), b="failed")
    again(flow, user="ann", hostname="here")
    event = flow.events("workflow")[-1]
    assert (event["type"], event["run_id"], event["count"], event["user"]) == ("reinitialize", 2, 2, "ann")
    assert event["job_ids"] == [flow.id("b"), flow.id("d")]


def test_everything_may_be_started_over(build):
    flow = run(build(*DIAMOND).initialize(), b="failed")
    reasons = again(flow, reset_all=True)
    assert reasons == {"a": "reset", "b": "failed", "c": "reset", "d": "canceled", "e": "reset"}
    assert flow.statuses() == {"a": "ready", "b": "blocked", "c": "blocked", "d": "blocked", "e": "ready"}


def test_what_was_raised_for_a_retry_and_asked_to_stop_is_forgotten(build):
    flow = run(build("a").initialize(), a="failed")
    asked = flow.value("resource_requirements_id", "a")
    flow.alter(
        """
        INSERT INTO resource_requirements (workflow_id, name, memory, raised_from)
        SELECT workflow_id, 'raised', '9g', id FROM resource_requirements WHERE id = ?
        """,
        asked,
    )
    flow.alter("UPDATE job SET resource_requirements_id = (SELECT max(id) FROM resource_requirements), retries = 2")
    flow.alter("UPDATE job SET stop_requested = 1")
    again(flow)
    assert flow.value("resource_requirements_id", "a") == asked
    assert flow.value("stop_requested", "a") == 0
    assert flow.value("retries", "a") == 0


# Actions (rule 16).


def test_actions_fire_again_in_a_new_run_with_completed_jobs_counted(build):
    """The example of the book: job2 stays completed and counts, the action fires when job1 is done too."""
    flow = build("job1", "job2", "post: job1 job2")
    action = flow.action("on_jobs_complete", "job1", "job2")
    flow.initialize()
    run(flow, job1="failed")
    flow.alter("UPDATE workflow_action SET state = 'done'")
    again(flow)
    assert (flow.actions()[action].state, flow.actions()[action].trigger_count) == ("waiting", 1)
    run(flow)
    assert flow.actions()[action].state == "pending"


def test_initialize_jobs_during_a_run_leaves_actions_that_ran_alone(build):
    flow = build("a", "b: a")
    start, both = flow.action("on_workflow_start"), flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    flow.alter("UPDATE workflow_action SET state = 'done' WHERE id = ?", start)
    run(flow)
    flow.add("c")
    lifecycle.initialize_jobs(flow.database, flow.workflow_id, only_uninitialized=True)
    assert flow.actions()[start].state == "done"
    assert flow.actions()[both].state == "pending"


def test_initialize_jobs_sets_actions_back_when_the_client_has_bumped_the_run(build):
    flow = build("a")
    start = flow.action("on_workflow_start")
    flow.initialize()
    flow.alter("UPDATE workflow_action SET state = 'done' WHERE id = ?", start)
    status = workflows.status(flow.database, flow.workflow_id)
    status.run_id += 1
    workflows.update_status(flow.database, flow.workflow_id, status, frozenset({"run_id"}))
    lifecycle.initialize_jobs(flow.database, flow.workflow_id)
    assert flow.actions()[start].state == "pending"


# A crash in the middle.


@pytest.mark.parametrize("broken", ["uninitialized", "ready", "blocked"])
def test_a_crash_in_the_middle_is_resumed(build, small_chunks, broken):
    flow = run(build(*(f"f{n}" for n in range(5)), "g: f0 f4").initialize(), f1="failed", f3="failed", f4="failed")
    victim = {"uninitialized": "f3", "ready": "f4", "blocked": "g"}[broken]
    with flow.database.write() as db:
        db.execute(
            f"""
            CREATE TRIGGER breakdown BEFORE UPDATE OF status ON job
              WHEN NEW.id = {flow.id(victim)} AND NEW.status = '{broken}'
             BEGIN SELECT raise(ABORT, 'disk full'); END
            """
        )
    with pytest.raises(Exception, match="disk full"):
        lifecycle.reinitialize(flow.database, flow.workflow_id, ReinitializeRequest(user="ann"))
    assert workflows.status(flow.database, flow.workflow_id).busy == reinitialize.VERB
    assert flow.runner().claim() == []
    with flow.database.write() as db:
        db.execute("DROP TRIGGER breakdown")
    assert lifecycle.resume_busy(flow.database) == 1
    expected = {"f0": "completed", "f1": "ready", "f2": "completed", "f3": "ready", "f4": "ready", "g": "blocked"}
    assert flow.statuses() == expected
    assert flow.run_id() == 2
    assert [event["user"] for event in flow.events("workflow") if event["type"] == "reinitialize"] == ["ann"]
    assert doctor.problems(flow.database) == []


# Random graphs with random statuses against a few lines that say the same in another way.


def oracle(after, flags, statuses, changed):
    """Which jobs run again, and which end without success: by a reason of their own, or by what they depend on."""
    again, runs, bad = set(), set(), set()
    for job in sorted(after):  # dependencies have smaller numbers
        upstream, status = after[job], statuses[job]
        has_reason = status in BAD or job in changed or bool(upstream & runs)
        if status == JobStatus.DISABLED:
            bad.add(job)
        elif status in COMPLETE and not has_reason:
            continue
        elif flags[job] and upstream & bad:
            bad.add(job)
        else:
            runs.add(job)
            if status in COMPLETE:
                again.add(job)
    return again, bad


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_run_again_as_a_simple_rule_says(build, small_chunks, seed):
    rng = random.Random(seed)
    names = [f"j{n}" for n in range(rng.randint(3, 14))]
    after = {n: {m for m in range(n) if rng.random() < 0.2} for n in range(len(names))}
    flags = {n: rng.random() < 0.7 for n in after}
    group = {m for m in range(len(names) // 2) if rng.random() < 0.5}
    behind = {n for n in range(len(names) // 2, len(names)) if group and rng.random() < 0.4}
    steps = [
        Step(name, [names[m] for m in sorted(after[n])], ["g"] if n in behind else [], keep_going=not flags[n])
        for n, name in enumerate(names)
    ]
    flow = build(*steps, groups={"g": [names[m] for m in sorted(group)]} if behind else None).initialize()
    for n in behind:
        after[n] |= group
    outcomes = [JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TERMINATED]
    runner = flow.runner()
    while True:
        taken = runner.claim(limit=rng.randint(1, 3))
        if not taken or rng.random() < 0.1:
            runner.give_back(*taken)
            runner.sync()
            break
        runner.start(*taken)
        for name in taken:
            runner.finish(name, str(rng.choice(outcomes)))
    for name in names:
        if flow.status(name) not in ("pending", "running") and rng.random() < 0.1:
            set_status(flow, name, "disabled")
    changed = {n for n in after if rng.random() < 0.15}
    for n in changed:
        flow.alter("UPDATE job SET command = 'other' WHERE id = ?", flow.id(names[n]))
    statuses = {n: JobStatus(flow.status(name)) for n, name in enumerate(names)}
    expected, bad = oracle(after, flags, statuses, changed)
    assert again(flow).keys() == {names[n] for n in expected}
    now = flow.statuses()
    assert {n for n in after if JobStatus(now[names[n]]) in BAD} == bad
    run(flow)
    assert {flow.statuses()[names[n]] for n in expected} <= {"completed"}


NEEDS = [DraftRequirements(name="big", num_cpus=2, memory="8g", runtime="PT1H")]


def needs_of(flow, name):
    found = table.get(flow.database, REQUIREMENTS, flow.job(name).resource_requirements_id)
    return found.memory, found.runtime


def raised(flow, name, **fields):
    return RaisedNeeds(job_id=flow.id(name), **fields)


@pytest.mark.usefixtures("small_chunks")
def test_a_new_run_gives_jobs_what_they_lacked_and_what_was_raised_before_stays(build):
    flow = build(*(Step(name, needs="big") for name in "abc"), needs=NEEDS).initialize()
    run(flow, a="failed", b="failed")
    again(flow, raised=[raised(flow, "a", memory="12g"), raised(flow, "b", runtime="PT2H")])
    assert [needs_of(flow, name) for name in "abc"] == [("12g", "PT1H"), ("8g", "PT2H"), ("8g", "PT1H")]
    run(flow, a="failed", b="failed")
    again(flow, raised=[raised(flow, "b", memory="9g")])
    assert [needs_of(flow, name) for name in "abc"] == [("12g", "PT1H"), ("9g", "PT2H"), ("8g", "PT1H")]
    run(flow, a="failed", b="failed")
    again(flow)
    assert [needs_of(flow, name) for name in "abc"] == [("8g", "PT1H")] * 3


def test_jobs_that_are_left_stay_as_they_are_with_what_waits_for_them(build):
    flow = build("a", "b", Step("c", after=["a"]), Step("d", after=["b"])).initialize()
    run(flow, a="failed", b="failed")
    assert again(flow, leave=[flow.id("a")]) == {"b": "failed", "d": "canceled"}
    assert flow.statuses() == {"a": "failed", "b": "ready", "c": "canceled", "d": "blocked"}


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"memory": "lots"}, "Invalid memory format 'lots' of job"),
        ({"memory": "0"}, "needs more than nothing"),
        ({"runtime": "2h"}, "Invalid runtime format '2h' of job"),
    ],
)
def test_figures_that_make_no_sense_are_refused(build, fields, match):
    flow = run(build("a").initialize(), a="failed")
    refuses(flow, Unprocessable, match, raised=[raised(flow, "a", **fields)])
    refuses(flow, Unprocessable, "has no job 77777", raised=[RaisedNeeds(job_id=77777)])
    refuses(flow, Unprocessable, "named twice", raised=[raised(flow, "a"), raised(flow, "a")])


def test_a_crash_between_two_chunks_leaves_no_job_without_what_it_was_to_get(build, monkeypatch):
    flow = build(*(Step(name, needs="big") for name in "ab"), needs=NEEDS).initialize()
    run(flow, a="failed", b="failed")
    whole = escalation.give_all

    def half(database, wanted):
        whole(database, wanted[:1])
        raise OSError("power failure")

    monkeypatch.setattr(escalation, "give_all", half)
    with pytest.raises(OSError, match="power"):
        again(flow, raised=[raised(flow, name, memory="12g") for name in "ab"])
    monkeypatch.undo()
    assert lifecycle.resume_busy(flow.database) == 1
    assert [needs_of(flow, name) for name in "ab"] == [("12g", "PT1H")] * 2
    assert flow.statuses() == {"a": "ready", "b": "ready"}
