"""A workflow as one document, and what comes of the document: an export of the import is equal to it."""

import io
import json
from typing import Any

import msgspec
import pytest

from tests.store.scenario import Step
from tests.store.test_retries import handle
from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.catalogue import COMPUTE_NODES, FILES, REQUIREMENTS, SCHEDULED_NODES, SLURM_SCHEDULERS
from torc.models.draft import DraftBatch, DraftCounts, DraftRequest, DraftRequirements, DraftUserData
from torc.models.event import Event
from torc.models.export import Export
from torc.models.file import File
from torc.models.job import Job
from torc.models.queries import Paging, UserDataLinks
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import NewResult
from torc.models.scheduler import ScheduledComputeNode, SlurmScheduler
from torc.models.status import Cause
from torc.models.user_data import UserData
from torc.models.workflow import InitializeRequest, Workflow, WorkflowStatus
from torc.store import (
    actions,
    drafts,
    events,
    exports,
    groups,
    job_deletion,
    jobs,
    lifecycle,
    posted,
    requirements,
    results,
    table,
    user_data,
    workflows,
)
from torc.store.database import Database
from torc.workflow.create import batches

EVERYTHING = {"include_results": True, "include_events": True}
EVERY_JSON = [
    None,
    True,
    False,
    0,
    -(2**63),
    2**64 - 1,
    1.5,
    -0.0,
    1e300,
    "",
    "ü\u0000\u2028",
    [],
    {},
    [[None]],
    {"ü": {}},
]

RICH: dict[str, Any] = {
    "workflow": {
        "name": "every kind: ü 𝄞 'quoted' \"twice\"",
        "user": "ann",
        "description": "two\nlines",
        "compute_node_expiration_buffer_seconds": 1,
        "compute_node_wait_for_new_jobs_seconds": 2,
        "compute_node_ignore_workflow_completion": True,
        "compute_node_wait_for_healthy_database_minutes": 3,
        "jobs_sort_method": "none",
        "resource_monitor_config": '{"enabled":true}',
    },
    "files": [
        {"name": "in", "path": "/in", "st_mtime": 1.25, "size": 7},
        {"name": "same", "path": "a"},
        {"name": "same", "path": "a"},
    ],
    "user_data": [
        *({"name": "same name", "data": value} for value in EVERY_JSON[1:]),
        {"name": "nobody wrote it", "is_ephemeral": True},
    ],
    "resource_requirements": [
        {"name": "big", "num_cpus": 4, "num_gpus": 1, "num_nodes": 2, "memory": "2g", "runtime": "PT1H"},
        {"name": "big", "num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory": "1m", "runtime": "P0DT1M"},
    ],
    "slurm_schedulers": [
        {"account": "a", "nodes": 1, "walltime": "01:00:00"},
        {
            "name": "gpu", "account": "b", "gres": "gpu:1", "mem": "1G", "nodes": 2, "ntasks_per_node": 3,
            "partition": "p", "qos": "q", "tmp": "1G", "walltime": "2-00:00:00", "extra": "--x",
        },
    ],
    "local_schedulers": [{}, {"name": "here", "memory": "8g", "num_cpus": 4}],
    "failure_handlers": [
        {"name": "again", "rules": [{"exit_codes": [1, 2], "max_retries": 5}, {"match_all_exit_codes": True}]},
        {"name": "never", "rules": []},
    ],
    "groups": [{"members": [0, 1]}],
    "jobs": [
        {"name": "same", "command": "echo 'ü'", "invocation_script": "#!/bin/bash", "output_files": [1]},
        {"name": "same", "command": "", "resource_requirements": 1, "scheduler": 1, "failure_handler": 0},
        {
            "name": "last", "command": "x", "cancel_on_blocking_job_failure": False, "supports_termination": True,
            "resource_requirements": 0, "depends_on": [0], "depends_on_groups": [0], "input_files": [0, 1],
            "input_user_data": [0, 3], "output_user_data": [14],
        },
    ],
    "actions": [
        {
            "trigger_type": "on_workflow_start", "action_type": "run_commands",
            "action_config": {"commands": ["a", "ü"]}, "persistent": False,
        },
        {
            "trigger_type": "on_jobs_ready", "action_type": "schedule_nodes",
            "action_config": {"scheduler_type": "slurm", "num_allocations": 2}, "jobs": [0, 2], "scheduler": 1,
            "persistent": False,
        },
        {
            "trigger_type": "on_worker_start", "action_type": "schedule_nodes",
            "action_config": {"scheduler_type": "local"}, "scheduler": 1, "persistent": True,
        },
        {
            "trigger_type": "on_jobs_complete", "action_type": "run_commands",
            "action_config": {"commands": ["b"]}, "jobs": [1], "persistent": False,
        },
    ],
}  # fmt: skip


def exported(database, workflow_id: int, **include: bool) -> dict[str, Any]:
    """The document of a workflow, without what is never the same twice."""
    out = io.BytesIO()
    exports.write(database, workflow_id, out, **include)
    document: dict[str, Any] = json.loads(out.getvalue())
    assert document.pop("exported_at").endswith("Z")
    assert (document.pop("format"), document.pop("version")) == ("torc-workflow", 1)
    assert document.pop("torc_version")
    return document


def made(database, document: dict[str, Any]) -> int:
    """The workflow that an import makes of a document."""
    whole = {"version": 1, "torc_version": "0", "exported_at": "", **{name: [] for name in LISTS}, **document}
    found = msgspec.convert(whole, Export).document()
    answer = drafts.create(
        database, DraftRequest(workflow=found.workflow, counts=found.counts(), status=found.status), None
    )
    for batch in batches(found):
        drafts.add(database, answer.workflow_id, answer.token, batch)
    drafts.finalize(database, answer.workflow_id, answer.token)
    return answer.workflow_id


LISTS = ("files", "user_data", "resource_requirements", "slurm_schedulers", "local_schedulers", "failure_handlers",
         "groups", "jobs", "actions")  # fmt: skip


def copied(database, workflow_id: int) -> int:
    """An import of everything, whose export is equal to that of the original."""
    before = exported(database, workflow_id, **EVERYTHING)
    copy = made(database, before)
    assert exported(database, copy, **EVERYTHING) == before
    assert exported(database, made(database, exported(database, workflow_id))) == exported(database, workflow_id)
    return copy


def states(database, workflow_id: int) -> list[str]:
    return [str(job.status) for job in jobs.page(database, workflow_id, Paging()).items]


def test_every_kind_of_record_travels(database):
    document = exported(database, made(database, RICH))
    assert {key: document[key] for key in RICH} == RICH, "as it was written"
    assert exported(database, made(database, document)) == document
    assert set(document) == set(RICH), "only the definition"


def test_an_empty_workflow_travels(database):
    copied(database, workflows.create(database, Workflow(name="", user=""), None).id)


def test_a_workflow_that_has_run_travels_with_everything(build, database):
    flow = build(
        *("a", "b: a", Step("c", after=["b"], keep_going=True), "d: b"),
        groups={"g": ["a", "b"]},
    )
    flow.action("on_jobs_complete", "a", "b")
    flow.action("on_workflow_complete")
    runner = flow.initialize().runner(scheduler={"slurm_job_id": "7"}, time_limit="PT1H")
    runner.take("a")
    runner.finish("a", gpu_ids=["0", "1"], peak_memory_bytes=5, avg_cpu_percent=1.5)
    runner.take("b")
    runner.finish("b", "failed", return_code=-9, signal=9)
    runner.take("c")
    runner.finish("c")
    events.create(database, Event(workflow_id=flow.workflow_id, data={"category": "note", "ü": [1]}))
    copy = copied(database, flow.workflow_id)
    assert states(database, copy) == ["completed", "failed", "completed", "canceled"]
    assert workflows.status(database, copy).run_id == flow.run_id()
    assert workflows.is_complete(database, copy).is_complete
    (canceled,) = jobs.page(database, copy, Paging(), status="canceled").items
    first = canceled.id - 3
    assert (canceled.cause, canceled.cause_job_id) == ("dependency", first + 1)
    listed = results.page(database, copy, Paging(), {}).items
    assert [(found.job_id - first, found.status) for found in listed] == [
        (0, "completed"), (1, "failed"), (2, "completed"),
    ]  # fmt: skip


def test_what_is_under_way_is_still_to_come_in_the_copy(build, database):
    flow = build("done", "pending", "running", "blocked: running")
    runner = flow.initialize().runner(num_cpus=3)
    runner.take("done", "pending", "running")
    runner.finish("done")
    (joined,) = flow.select("SELECT count(*) FROM compute_node WHERE is_active AND spool_path IS NOT NULL")
    assert joined == (1,)
    copy = copied(database, flow.workflow_id)
    assert states(database, copy) == ["completed", "uninitialized", "uninitialized", "uninitialized"]
    (node,) = table.page(database, COMPUTE_NODES, copy, Paging(), {}).items
    assert (node.is_active, node.spool_path, node.last_seq, node.duration_seconds) == (False, None, 0, None)
    lifecycle.initialize_jobs(database, copy, only_uninitialized=True)
    assert states(database, copy) == ["completed", "ready", "ready", "blocked"]


def test_a_job_that_was_tried_before_goes_on_counting(build, database):
    flow = build("a")
    runner = flow.initialize().runner()
    runner.take("a")
    runner.finish("a", "failed")
    lifecycle.reset_job_status(database, flow.workflow_id, failed_only=True)
    copy = copied(database, flow.workflow_id)
    lifecycle.initialize_jobs(database, copy, only_uninitialized=True)
    (job,) = jobs.page(database, copy, Paging()).items
    assert (job.status, job.run_id, job.attempt_id) == ("ready", 1, 1)


@pytest.mark.parametrize("flags", [{"is_archived": True}, {"is_canceled": True}, {"run_id": 7}])
def test_run_and_flags_travel_with_the_results_alone(build, database, flags):
    flow = build("a")
    flow.initialize()
    wanted = WorkflowStatus(**{"run_id": 1, "is_canceled": False} | flags)
    workflows.update_status(database, flow.workflow_id, wanted, frozenset(flags))
    status = workflows.status(database, copied(database, flow.workflow_id))
    assert {name: getattr(status, name) for name in flags} == flags
    fresh = workflows.status(database, made(database, exported(database, flow.workflow_id)))
    assert (fresh.run_id, fresh.is_archived, fresh.is_canceled) == (0, False, False)


def test_a_canceled_workflow_travels(build, database):
    flow = build("a", "b: a")
    flow.action("on_jobs_complete", "a", "b")
    flow.initialize()
    lifecycle.cancel(database, flow.workflow_id)
    copy = copied(database, flow.workflow_id)
    assert states(database, copy) == ["canceled", "canceled"]
    assert [action.state for action in actions.list_all(database, copy)] == ["waiting"], "as cancel left it"


def test_disabled_jobs_stay_disabled(build, database):
    flow = build("a", "b: a")
    flow.alter("UPDATE job SET status = 'disabled' WHERE id = ?", flow.id("b"))
    assert states(database, copied(database, flow.workflow_id)) == ["uninitialized", "disabled"]


def test_dependencies_that_nobody_has_written_down_yet_travel(database):
    """As in workflows that existing clients make, until they are initialized."""
    workflow_id = workflows.create(database, Workflow(name="w", user="u"), None).id
    ids = {
        name: table.insert(database, FILES, File(workflow_id=workflow_id, name=name, path=name)).id
        for name in ("one", "many", "twin", "shared")
    }
    writers, readers = range(8), range(8)
    new = [
        Job(workflow_id=workflow_id, name=f"w{n}", command="x", output_file_ids=[ids["many"], ids["twin"]])
        for n in writers
    ]
    new += [
        Job(workflow_id=workflow_id, name=f"r{n}", command="x", input_file_ids=[ids["many"], ids["twin"]])
        for n in readers
    ]
    new.append(Job(workflow_id=workflow_id, name="first", command="x", output_file_ids=[ids["one"]]))
    new.append(Job(workflow_id=workflow_id, name="second", command="x", input_file_ids=[ids["one"]]))
    stored = jobs.create_many(database, new)
    user_data.create(
        database,
        UserData(workflow_id=workflow_id, name="d"),
        UserDataLinks(producer_job_id=stored[0].id, consumer_job_id=stored[1].id),
    )
    copy = copied(database, workflow_id)
    for one in (workflow_id, copy):
        lifecycle.initialize(database, one, InitializeRequest())
    assert exported(database, copy) == exported(database, workflow_id), "nothing was lacking"
    assert len(groups.page(database, copy, Paging()).items) == 1


def test_what_was_deleted_leaves_no_trace(build, database):
    flow = build("a", "b", "c: a b", groups={"g": ["a", "b"]})
    flow.action("on_jobs_complete", "a", "c")
    with database.write() as db:
        job_deletion.remove(db, flow.workflow_id, [flow.id("a")])
    document = exported(database, copied(database, flow.workflow_id))
    assert [job.get("depends_on") for job in document["jobs"]] == [None, [0]]
    assert document["groups"] == [{"members": [0]}]
    assert document["actions"][0]["jobs"] == [1]


def test_jobs_of_two_workflows_whose_ids_alternate_are_kept_apart(database):
    both = [workflows.create(database, Workflow(name=name, user="u"), None).id for name in "xy"]
    last: dict[int, int] = {}
    for number in range(5):
        for workflow_id in both:
            (job,) = jobs.create_many(
                database,
                [
                    Job(
                        workflow_id=workflow_id,
                        name=f"{number}",
                        command="x",
                        depends_on_job_ids=[last[workflow_id]] if number else None,
                    )
                ],
            )
            last[workflow_id] = job.id
    for workflow_id in both:
        copied(database, workflow_id)
        assert exported(database, workflow_id)["jobs"][4]["depends_on"] == [3]


def test_the_default_requirements_travel_only_if_somebody_has_changed_them(build, database):
    flow = build("a")
    assert exported(database, flow.workflow_id)["resource_requirements"] == []
    with database.read() as db:
        default_id = workflows.default_requirements(db, flow.workflow_id)
    changed = ResourceRequirements(workflow_id=flow.workflow_id, name="default", num_cpus=3)
    requirements.update(database, default_id, changed, frozenset({"num_cpus"}))
    copy = copied(database, flow.workflow_id)
    (job,) = jobs.page(database, copy, Paging()).items
    assert table.get(database, REQUIREMENTS, job.resource_requirements_id).num_cpus == 3


def test_requirements_that_were_raised_for_a_retry_stay_here_and_jobs_travel_with_what_they_asked_for(build, database):
    flow = build("a", Step("b", needs="late"), needs=[DraftRequirements(name="late", memory="1g")])
    handle(flow, "a", {"causes": ["oom"], "memory_factor": 3.0})
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a", "failed", cause=Cause.OOM)
    assert flow.job("a").resource_requirements_id > flow.job("b").resource_requirements_id
    document = exported(database, flow.workflow_id, include_results=True)
    assert [needs["name"] for needs in document["resource_requirements"]] == ["late"]
    assert [job.get("resource_requirements") for job in document["jobs"]] == [None, 0]
    made(database, document)


def test_allocations_that_are_over_travel_and_others_do_not(build, database):
    flow = build("a")
    scheduler = table.insert(
        database, SLURM_SCHEDULERS, SlurmScheduler(workflow_id=flow.workflow_id, account="a", nodes=1, walltime="1")
    )
    for number, status in enumerate(("pending", "active", "complete")):
        node = ScheduledComputeNode(
            workflow_id=flow.workflow_id,
            scheduler_id=number,
            scheduler_config_id=scheduler.id,
            scheduler_type="slurm",
            status=status,
        )
        table.insert(database, SCHEDULED_NODES, node)
    (found,) = table.page(database, SCHEDULED_NODES, copied(database, flow.workflow_id), Paging(), {}).items
    assert (found.scheduler_id, found.status) == (2, "complete")
    assert found.scheduler_config_id != scheduler.id


def test_output_and_results_posted_by_hand_travel(build, database):
    flow = build("a").initialize()
    posted.create(
        database,
        NewResult(
            workflow_id=flow.workflow_id, job_id=flow.id("a"), run_id=4, return_code=1, stdout="ü\x00", stderr="e"
        ),
    )
    copy = copied(database, flow.workflow_id)
    (found,) = results.page(database, copy, Paging(), {}, all_runs=True).items
    assert (found.run_id, found.compute_node_id) == (4, 0)


def finished(build):
    """A workflow of two jobs that has run; the second reads user data."""
    flow = build(
        "a",
        Step("b", after=["a"], reads_data=["d"]),
        user_data=[DraftUserData(name="d", data=1)],
    )
    runner = flow.initialize().runner()
    for name in "ab":
        runner.take(name)
        runner.finish(name)
    return flow


def test_nothing_has_changed_in_a_copy_that_nobody_touched(build, database):
    copy = copied(database, finished(build).workflow_id)
    assert lifecycle.process_changed_job_inputs(database, copy) == []
    lifecycle.initialize_jobs(database, copy, only_uninitialized=True)
    assert states(database, copy) == ["completed", "completed"]


def test_a_change_in_the_copy_is_noticed(build, database):
    copy = copied(database, finished(build).workflow_id)
    with database.write() as db:
        db.execute("UPDATE user_data SET data = '2' WHERE workflow_id = ?", (copy,))
    assert lifecycle.process_changed_job_inputs(database, copy) == ["b"]


def test_what_had_changed_before_the_export_has_changed_in_the_copy(build, database):
    flow = finished(build)
    flow.alter("UPDATE job SET command = 'other' WHERE id = ?", flow.id("a"))
    copy = copied(database, flow.workflow_id)
    assert lifecycle.process_changed_job_inputs(database, copy, dry_run=True) == ["a"]


def test_an_action_that_was_executed_is_not_executed_again(build, database):
    flow = build("a")
    done = flow.action("on_jobs_complete", "a")
    failed, claimed, waiting = (flow.action("on_workflow_complete") for _ in range(3))
    runner = flow.initialize().runner()
    runner.take("a")
    runner.finish("a")
    for action_id, state in ((done, "done"), (failed, "failed"), (claimed, "claimed"), (waiting, "waiting")):
        flow.alter(
            "UPDATE workflow_action SET state = ?, executed_by = ?, executed_at = 'then' WHERE id = ?",
            state,
            runner.node_id,
            action_id,
        )
    copy = copied(database, flow.workflow_id)
    found = actions.list_all(database, copy)
    assert [action.state for action in found] == ["done", "failed", "pending", "waiting"]
    assert [action.executed_at for action in found] == ["then", "then", None, None]
    assert found[0].executed_by not in (None, runner.node_id)
    assert [action.id for action in actions.pending(database, copy, [])] == [found[2].id]


def test_without_results_an_import_begins_anew(build, database):
    flow = finished(build)
    flow.action("on_jobs_complete", "a")
    copy = made(database, exported(database, flow.workflow_id))
    assert states(database, copy) == ["uninitialized", "uninitialized"]
    assert workflows.status(database, copy).run_id == 0
    assert [action.state for action in actions.list_all(database, copy)] == ["waiting"]
    assert results.page(database, copy, Paging(), {}, all_runs=True).items == []


def test_events_travel_without_the_results_too(build, database):
    flow = finished(build)
    document = exported(database, flow.workflow_id, include_events=True)
    assert "results" not in document
    assert len(document["compute_nodes"]) == 1
    copy = made(database, document)
    assert exported(database, copy, include_events=True) == document
    happened = [event.data for event in events.page(database, copy, Paging(), category="job_completion").items]
    copies = [job.id for job in jobs.page(database, copy, Paging()).items]
    assert [event["job_id"] for event in happened] == copies
    assert "Job with name = a completed" in happened[0]["message"]


def test_an_event_from_a_clock_that_was_ahead_happens_now(build, database):
    document = exported(database, build("a").workflow_id, include_events=True)
    document["events"] = [{"timestamp": 2**60, "kind": "posted", "data": 1}]
    (event,) = events.page(database, made(database, document), Paging()).items
    assert event.timestamp < 2**50


def test_a_draft_and_a_workflow_that_does_not_exist_cannot_be_exported(database):
    answer = drafts.create(
        database, DraftRequest(workflow=Workflow(name="w", user="u"), counts=DraftCounts(jobs=1)), None
    )
    for workflow_id in (answer.workflow_id, 999):
        out = io.BytesIO()
        with pytest.raises(NotFound, match=f"Workflow not found with ID: {workflow_id}"):
            exports.write(database, workflow_id, out)
        assert out.getvalue() == b""


def test_results_wait_for_a_verb_that_is_under_way(build, database):
    flow = build("a")
    flow.alter("UPDATE workflow_status SET busy = 'reset_job_status' WHERE id = ?", flow.workflow_id)
    with pytest.raises(Conflict, match="busy with reset_job_status"):
        exports.write(database, flow.workflow_id, io.BytesIO(), include_results=True)
    assert exported(database, flow.workflow_id)["jobs"], "the definition is not concerned"
    flow.alter("UPDATE workflow_status SET busy = NULL WHERE id = ?", flow.workflow_id)


PAST: dict[str, Any] = {
    "workflow": {"name": "w", "user": "u"},
    "status": {"run_id": 1},
    "slurm_schedulers": [{"account": "a", "nodes": 1, "walltime": "1"}],
    "jobs": [{"name": "a", "command": "x", "state": {"status": "completed", "run_id": 1, "attempt_id": 1}}],
    "actions": [
        {
            "trigger_type": "on_workflow_start", "action_type": "run_commands", "action_config": {"commands": ["a"]},
            "state": {"state": "done"},
        }
    ],
    "compute_nodes": [
        {
            "hostname": "h", "pid": 1, "start_time": "then", "num_cpus": 1, "memory_gb": 1.0, "num_gpus": 0,
            "num_nodes": 1, "compute_node_type": "local",
        }
    ],
    "scheduled_compute_nodes": [{"scheduler_id": 1, "scheduler_type": "slurm", "status": "complete"}],
    "results": [
        {
            "job": 0, "run_id": 1, "attempt_id": 1, "return_code": 0, "exec_time_minutes": 1.0,
            "completion_time": "then", "status": "completed", "is_current": True,
        }
    ],
    "events": [{"timestamp": 1, "kind": "posted", "data": {}}],
}  # fmt: skip


def changed(kind: str, /, **fields: Any) -> dict[str, Any]:
    """PAST with other fields in the first record of a kind."""
    return PAST | {kind: [PAST[kind][0] | fields]}


STATE = PAST["jobs"][0]["state"]
TWICE = [PAST["results"][0], PAST["results"][0] | {"attempt_id": 2}]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (changed("jobs", state=STATE | {"status": "running"}), r"jobs\[0\].state.status: .* not running"),
        (changed("jobs", state=STATE | {"cause_job": 1}), r"jobs\[0\].state.cause_job: index 1 is outside the 1 jobs"),
        (changed("jobs", state=STATE | {"compute_node": 9}), r"jobs\[0\].state.compute_node: index 9 is outside"),
        (changed("actions", state={"state": "done", "executed_by": 1}), r"actions\[0\].state.executed_by: index 1"),
        (changed("compute_nodes", scheduler_config=1), r"compute_nodes\[0\].scheduler_config: index 1 is outside"),
        (changed("scheduled_compute_nodes", status="active"), r"scheduled_compute_nodes\[0\].status: .* not active"),
        (changed("scheduled_compute_nodes", scheduler_config=-1), "scheduler_config: index -1 is outside the 1 slurm"),
        (changed("results", job=1), r"results\[0\].job: index 1 is outside the 1 jobs"),
        (changed("results", compute_node=1), r"results\[0\].compute_node: index 1 is outside the 1 compute_nodes"),
        (PAST | {"results": [PAST["results"][0]] * 2}, r"results\[0\] to results\[1\]: an attempt .* has two results"),
        (PAST | {"results": TWICE}, "a job has two results that are its current one"),
        (changed("events", job=3), r"events\[0\].job: index 3 is outside"),
        (changed("events", data=None), r"events\[0\].data: an event of kind 'posted' needs data"),
        (changed("events", kind="job_started", data=[1]), r"events\[0\].data: the details .* are an object"),
        (PAST | {"status": {"run_id": 2**31}}, "status.run_id must be between 0 and 2147483647"),
    ],
)  # fmt: skip
def test_a_past_that_cannot_be_is_refused(database, document, sentence):
    with pytest.raises(Unprocessable, match=sentence):
        made(database, document)
    with database.read() as db:
        assert db.execute("SELECT count(*) FROM workflow WHERE hidden IS NULL").fetchone() == (0,)


def test_a_past_that_can_be_is_taken(database):
    assert states(database, made(database, PAST)) == ["completed"]


def test_results_come_after_their_jobs(database):
    request = DraftRequest(workflow=Workflow(name="w", user="u"), counts=DraftCounts(jobs=1))
    answer = drafts.create(database, request, None)
    batch = msgspec.convert({"batch": 1, "results": PAST["results"]}, DraftBatch)
    batch.results[0].compute_node = None
    with pytest.raises(Unprocessable, match="send the jobs before their results"):
        drafts.add(database, answer.workflow_id, answer.token, batch)


def test_a_database_on_a_network_file_system_can_be_exported(database_path):
    database = Database(database_path, network_filesystem=True)
    assert exported(database, made(database, RICH))["jobs"] == RICH["jobs"]
    database.close()


def test_an_action_waits_when_what_it_was_pending_for_is_still_to_come(database):
    action = {
        "trigger_type": "on_jobs_complete", "action_type": "run_commands", "action_config": {"commands": ["a"]},
        "jobs": [0, 1], "state": {"state": "pending"},
    }  # fmt: skip
    more = {"jobs": [*PAST["jobs"], {"name": "b", "command": "x"}], "actions": [action]}
    (found,) = actions.list_all(database, made(database, PAST | more))
    assert (found.state, found.trigger_count) == ("waiting", 1)


def test_an_export_changes_nothing(build, database):
    flow = finished(build)
    before = database_text(database)
    exported(database, flow.workflow_id, **EVERYTHING)
    assert database_text(database) == before


def database_text(database) -> str:
    with database.read() as db:
        return "\n".join(db.iterdump())
