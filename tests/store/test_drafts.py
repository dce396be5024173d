"""Workflows under construction: batches, their repeats and gaps, who may see them (rule 26)."""

import msgspec
import pytest

from torc.errors import Conflict, NotFound, Unprocessable
from torc.models.catalogue import PLAIN, SLURM_SCHEDULERS
from torc.models.draft import (
    DraftAction,
    DraftBatch,
    DraftCounts,
    DraftFailureHandler,
    DraftFile,
    DraftGroup,
    DraftJob,
    DraftRequest,
    DraftRequirements,
    DraftScheduler,
    DraftUserData,
)
from torc.models.event import Event
from torc.models.failure_handler import FailureRule
from torc.models.file import File
from torc.models.queries import Paging
from torc.models.workflow import InitializeRequest, Workflow
from torc.store import (
    actions,
    claims,
    deletion,
    drafts,
    events,
    groups,
    inputs,
    job_deletion,
    jobs,
    lifecycle,
    results,
    table,
    workflows,
)


class Draft:
    """A draft and its token."""

    def __init__(self, database, **counts):
        self.database = database
        record = Workflow(name="draft", user="tester")
        answer = drafts.create(database, DraftRequest(workflow=record, counts=DraftCounts(**counts)), "alice")
        self.id, self.token = answer.workflow_id, answer.token

    def add(self, number, token=None, **records):
        drafts.add(self.database, self.id, token or self.token, DraftBatch(batch=number, **records))

    def finalize(self, token=None):
        return drafts.finalize(self.database, self.id, token or self.token)

    def names(self):
        with self.database.read() as db:
            rows = db.execute("SELECT name FROM job WHERE workflow_id = ? ORDER BY id", (self.id,)).fetchall()
        return [name for (name,) in rows]


def job(name, *after, **fields):
    return DraftJob(name=name, command="true", depends_on=list(after), **fields)


def rows_of(database, workflow_id):
    """How many rows of any kind belong to a workflow."""
    with database.read() as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        with_workflow = [
            name
            for name in names
            if any(column[1] == "workflow_id" for column in db.execute(f"PRAGMA table_info({name})"))
        ]
        return {
            name: count
            for name in with_workflow
            if (count := db.execute(f"SELECT count(*) FROM {name} WHERE workflow_id = ?", (workflow_id,)).fetchone()[0])
        }


def test_batches_become_one_visible_workflow(database):
    draft = Draft(database, jobs=3)
    draft.add(1, jobs=[job("a")])
    draft.add(2, jobs=[job("b", 0), job("c", 0, 1)])
    workflow = draft.finalize()
    assert (workflow.id, workflow.name, workflow.owner) == (draft.id, "draft", "alice")
    found = jobs.page(database, draft.id, Paging(), include_relationships=True).items
    assert [one.name for one in found] == ["a", "b", "c"], "ids in document order"
    assert found[2].depends_on_job_ids == [found[0].id, found[1].id]


def test_a_repeated_batch_is_acknowledged_and_not_applied_again(database):
    draft = Draft(database, jobs=2)
    draft.add(1, jobs=[job("a")])
    draft.add(1, jobs=[job("a")])
    draft.add(2, jobs=[job("b")])
    draft.add(2, jobs=[job("b")])
    draft.finalize()
    assert draft.names() == ["a", "b"]


def test_a_member_named_twice_belongs_to_its_group_once(database):
    draft = Draft(database, jobs=3, groups=1)
    group = DraftGroup(members=[1, 0, 1])
    draft.add(1, groups=[group], jobs=[job("a"), job("b"), job("c", depends_on_groups=[0])])
    draft.finalize()
    (found,) = groups.page(database, draft.id, Paging()).items
    assert len(found.member_job_ids) == 2


@pytest.mark.parametrize("number", [0, 3, 7])
def test_a_batch_that_does_not_follow_is_refused(database, number):
    draft = Draft(database, jobs=2)
    draft.add(1, jobs=[job("a")])
    with pytest.raises(Conflict, match=f"batch {number} .* does not follow batch 1"):
        draft.add(number, jobs=[job("b")])
    assert draft.names() == ["a"]


def test_the_first_batch_is_number_one(database):
    draft = Draft(database, jobs=1)
    with pytest.raises(Conflict, match="batch 0"):
        draft.add(0, jobs=[job("a")])


def test_references_reach_forward_over_batches(database):
    draft = Draft(database, jobs=3, files=1, user_data=1, resource_requirements=1)
    draft.add(1, jobs=[job("a", 2, input_files=[0], output_user_data=[0], resource_requirements=0)])
    draft.add(2, jobs=[job("b")])
    draft.add(
        3,
        jobs=[job("c", output_files=[0])],
        files=[DraftFile(name="f", path="f")],
        user_data=[DraftUserData(name="d")],
        resource_requirements=[DraftRequirements(name="big", num_cpus=9)],
    )
    draft.finalize()
    first, _, last = jobs.page(database, draft.id, Paging(), include_relationships=True).items
    assert first.depends_on_job_ids == [last.id]
    assert first.input_file_ids == last.output_file_ids
    assert first.output_user_data_ids is not None
    with database.read() as db:
        (name,) = db.execute(
            "SELECT name FROM resource_requirements WHERE id = ?", (first.resource_requirements_id,)
        ).fetchone()
    assert name == "big"


def test_groups_and_actions_may_name_jobs_that_come_later(database):
    draft = Draft(database, jobs=3, groups=1)
    action = DraftAction(
        trigger_type="on_jobs_complete",
        action_type="run_commands",
        action_config={"commands": ["x"]},
        jobs=[2],
    )
    draft.add(1, groups=[DraftGroup(members=[1, 2])], jobs=[job("x", depends_on_groups=[0])], actions=[action])
    draft.add(2, jobs=[job("a"), job("b")])
    draft.finalize()
    x, a, b = jobs.page(database, draft.id, Paging(), include_relationships=True).items
    assert x.depends_on_job_ids == [a.id, b.id]
    assert actions.list_all(database, draft.id)[0].job_ids == [b.id]


def test_two_drafts_written_in_turns_do_not_mix(database):
    one, other = Draft(database, jobs=2), Draft(database, jobs=2)
    one.add(1, jobs=[job("a")])
    other.add(1, jobs=[job("x")])
    visible = workflows.create(database, Workflow(name="now", user="u"), None)
    jobs.create_many(database, [jobs.Job(workflow_id=visible.id, name="between", command="true")])
    other.add(2, jobs=[job("y", 0)])
    one.add(2, jobs=[job("b", 0)])
    for draft, names in ((one, ["a", "b"]), (other, ["x", "y"])):
        draft.finalize()
        first, second = jobs.page(database, draft.id, Paging(), include_relationships=True).items
        assert [first.name, second.name] == names
        assert second.depends_on_job_ids == [first.id]


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_draft_does_not_exist_for_who_lacks_its_token(database, token):
    draft, other = Draft(database, jobs=1), Draft(database, jobs=1)
    for tried in (token or None, other.token):
        for act in (
            lambda tried=tried: drafts.add(database, draft.id, tried, DraftBatch(batch=1, jobs=[job("a")])),
            lambda tried=tried: drafts.finalize(database, draft.id, tried),
            lambda tried=tried: drafts.discard(database, draft.id, tried),
        ):
            with pytest.raises(NotFound, match=f"Draft not found with ID: {draft.id}"):
                act()
    assert draft.names() == []
    with database.read() as db:
        assert draft.token not in {value for row in db.execute("SELECT * FROM draft") for value in row}


def test_finalizing_again_gives_the_same_answer(database):
    draft = Draft(database, jobs=1)
    draft.add(1, jobs=[job("a")])
    first = draft.finalize()
    assert draft.finalize() == first
    lifecycle.initialize(database, draft.id, InitializeRequest())
    assert draft.finalize().id == first.id
    assert jobs.page(database, draft.id, Paging()).items[0].status == "ready"


def test_a_finished_draft_takes_no_more_batches_and_is_not_discarded(database):
    draft = Draft(database, jobs=1)
    draft.add(1, jobs=[job("a")])
    draft.finalize()
    with pytest.raises(Conflict, match="finished"):
        draft.add(2, jobs=[job("b")])
    with pytest.raises(Conflict, match="delete the workflow"):
        drafts.discard(database, draft.id, draft.token)
    assert draft.names() == ["a"]


def test_a_draft_that_lacks_records_is_not_finished(database):
    draft = Draft(database, jobs=2)
    draft.add(1, jobs=[job("a")])
    with pytest.raises(Conflict, match="1 of 2 announced jobs"):
        draft.finalize()
    draft.add(2, jobs=[job("b")])
    draft.finalize()


def test_a_cycle_over_batches_is_refused_by_name_and_nothing_becomes_visible(database):
    draft = Draft(database, jobs=3)
    draft.add(1, jobs=[job("a", 2), job("b")])
    draft.add(2, jobs=[job("c", 0)])
    with pytest.raises(Unprocessable) as caught:
        draft.finalize()
    assert "'a'" in str(caught.value) and "'c'" in str(caught.value) and "'b'" not in str(caught.value)
    with pytest.raises(NotFound):
        workflows.get(database, draft.id)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ({"jobs": [job("a", 5)]}, r"jobs\[0\].depends_on: index 5 is outside the 2 jobs"),
        ({"jobs": [job("x"), job("a", -1)]}, r"jobs\[1\].depends_on: index -1"),
        ({"jobs": [job("a", 0)]}, "itself"),
        ({"jobs": [job("a", 1, 1)]}, "twice"),
        ({"jobs": [job("a", input_files=[0])]}, r"jobs\[0\].input_files: index 0 is outside the 0 files"),
        ({"jobs": [job("a", resource_requirements=3)]}, r"jobs\[0\].resource_requirements: index 3"),
        ({"jobs": [job("a", depends_on_groups=[0])]}, "not sent yet"),
        ({"groups": [DraftGroup(members=[9])]}, r"groups\[0\].members: index 9"),
        ({"jobs": [job("a"), job("b"), job("c")]}, "jobs: more records than the 2 that were announced"),
        ({"files": [DraftFile(name="f", path="f")]}, "files: more records than the 0"),
    ],
)
def test_a_bad_batch_is_refused_and_leaves_nothing(database, records, reason):
    draft = Draft(database, jobs=2, groups=1)
    before = rows_of(database, draft.id)
    with pytest.raises(Unprocessable, match=reason):
        draft.add(1, **records)
    assert rows_of(database, draft.id) == before
    draft.add(1, groups=[DraftGroup(members=[0])], jobs=[job("a"), job("b", depends_on_groups=[0])])
    draft.finalize()


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        (DraftRequirements(name="n", memory="1x"), "Invalid memory format '1x'"),
        (DraftRequirements(name="n", runtime="1h"), "Invalid runtime format '1h'"),
        (DraftRequirements(name="n", num_cpus=0), "num_cpus of requirements 'n' must be at least 1"),
    ],
)
def test_requirements_of_a_draft_are_checked(database, needs, reason):
    draft = Draft(database, resource_requirements=1)
    with pytest.raises(Unprocessable, match=reason):
        draft.add(1, resource_requirements=[needs])


def test_actions_of_a_draft_are_checked(database):
    draft = Draft(database)
    action = DraftAction(trigger_type="on_workflow_start", action_type="run_commands", action_config={})
    with pytest.raises(Unprocessable, match="'commands' must be an array"):
        draft.add(1, actions=[action])


@pytest.mark.parametrize("count", [-1, 2**31])
def test_counts_that_cannot_be_are_refused(database, count):
    with pytest.raises(Unprocessable, match="counts.jobs"):
        Draft(database, jobs=count)


def test_a_draft_is_in_no_list_and_no_get(database):
    draft = Draft(database, jobs=2, files=1, user_data=1, groups=1)
    action = DraftAction(
        trigger_type="on_workflow_start", action_type="run_commands", action_config={"commands": ["x"]}
    )
    draft.add(
        1,
        files=[DraftFile(name="f", path="f")],
        user_data=[DraftUserData(name="d")],
        groups=[DraftGroup(members=[0])],
        jobs=[job("a", input_files=[0], input_user_data=[0]), job("b", depends_on_groups=[0])],
        actions=[action],
    )
    with database.read() as db:
        ids = {name: db.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in ("job", "file", "user_data")}

    assert workflows.page(database, Paging()).items == []
    assert jobs.page(database, draft.id, Paging()).items == []
    assert events.page(database, draft.id, Paging()).items == []
    assert results.page(database, draft.id, Paging(), {}).items == []
    for resource in PLAIN[:-1]:  # events are listed by events.py
        assert table.page(database, resource, draft.id, Paging(), {}).items == []
    for resource in PLAIN[:2]:
        with pytest.raises(NotFound):
            table.get(database, resource, ids[resource.table])
    for act in (
        lambda: inputs.required_existing_files(database, draft.id),
        lambda: inputs.missing_user_data(database, draft.id),
        lambda: workflows.get(database, draft.id),
        lambda: workflows.status(database, draft.id),
        lambda: workflows.is_complete(database, draft.id),
        lambda: workflows.job_counts(database, draft.id),
        lambda: jobs.get(database, ids["job"]),
        lambda: job_deletion.delete(database, ids["job"], force=True),
        lambda: groups.page(database, draft.id, Paging()),
        lambda: actions.list_all(database, draft.id),
        lambda: actions.pending(database, draft.id, []),
        lambda: claims.claim_next(database, claims.Leases(), draft.id, 1),
        lambda: lifecycle.initialize(database, draft.id, InitializeRequest()),
        lambda: lifecycle.cancel(database, draft.id),
        lambda: deletion.delete(database, draft.id),
        lambda: table.insert(database, PLAIN[0], File(workflow_id=draft.id, name="x", path="x")),
        lambda: events.create(database, Event(workflow_id=draft.id, data={})),
        lambda: jobs.create_many(database, [jobs.Job(workflow_id=draft.id, name="x", command="x")]),
    ):
        with pytest.raises(NotFound):
            act()
    draft.finalize()
    assert len(jobs.page(database, draft.id, Paging()).items) == 2


def test_a_discarded_draft_leaves_nothing(database):
    draft = Draft(database, jobs=1, files=1)
    draft.add(1, jobs=[job("a", output_files=[0])], files=[DraftFile(name="f", path="f")])
    drafts.discard(database, draft.id, draft.token)
    assert rows_of(database, draft.id) == {}
    with pytest.raises(NotFound):
        draft.add(2)


@pytest.fixture
def hour(monkeypatch):
    """The time that a draft may be idle, as a call that sets it."""
    return lambda seconds: monkeypatch.setattr(drafts, "IDLE_S", seconds)


def test_a_draft_that_nobody_writes_to_is_deleted(database, hour):
    draft = Draft(database, jobs=1)
    draft.add(1, jobs=[job("a")])
    assert drafts.delete_idle(database) == 0
    hour(0.0)
    assert drafts.delete_idle(database) == 1
    assert rows_of(database, draft.id) == {}
    with pytest.raises(NotFound):
        draft.finalize()


def test_a_finished_draft_outlives_its_token(database, hour):
    draft = Draft(database, jobs=1)
    draft.add(1, jobs=[job("a")])
    draft.finalize()
    hour(0.0)
    assert drafts.delete_idle(database) == 0
    assert draft.names() == ["a"]
    with database.read() as db:
        assert db.execute("SELECT * FROM draft").fetchall() == []


def test_a_restart_starts_the_hour_again(database, hour, monkeypatch):
    draft = Draft(database, jobs=1)
    monkeypatch.setattr(drafts, "_last_used", {})  # a new process remembers nothing
    hour(0.0001)
    assert drafts.delete_idle(database) == 0
    draft.add(1, jobs=[job("a")])
    draft.finalize()


def test_schedulers_and_handlers_are_stored_and_jobs_and_actions_point_at_them(database):
    draft = Draft(database, jobs=2, slurm_schedulers=2, failure_handlers=1)
    rule = FailureRule(exit_codes=[7], max_retries=1)
    action = DraftAction(
        trigger_type="on_workflow_start",
        action_type="schedule_nodes",
        action_config={"scheduler_type": "slurm", "num_allocations": 2},
        scheduler=1,
    )
    draft.add(
        1,
        slurm_schedulers=[DraftScheduler(name="s", account="a"), DraftScheduler(name="t", account="b", nodes=3)],
        failure_handlers=[DraftFailureHandler(name="again", rules=[rule])],
        jobs=[job("bound", scheduler=1, failure_handler=0), job("free")],
        actions=[action],
    )
    draft.finalize()
    stored = table.page(database, SLURM_SCHEDULERS, draft.id, Paging(), {}).items
    assert [(one.name, one.account, one.nodes, one.walltime) for one in stored] == [
        ("s", "a", 1, "01:00:00"),
        ("t", "b", 3, "01:00:00"),
    ]
    bound, free = jobs.page(database, draft.id, Paging()).items
    assert (bound.scheduler_id, free.scheduler_id or 0) == (stored[1].id, 0)
    assert free.failure_handler_id is None
    with database.read() as db:
        rows = db.execute("SELECT id, name, rules FROM failure_handler").fetchall()
    assert [(row[0], row[1]) for row in rows] == [(bound.failure_handler_id, "again")]
    assert msgspec.json.decode(rows[0][2], type=list[FailureRule]) == [rule]
    (found,) = actions.list_all(database, draft.id)
    assert msgspec.json.decode(msgspec.json.encode(found.action_config)) == {
        "scheduler_id": stored[1].id,
        "scheduler_type": "slurm",
        "num_allocations": 2,
    }


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"jobs": [job("a", scheduler=1)]}, r"jobs\[0\].scheduler: index 1 is outside the 1 slurm_schedulers"),
        ({"jobs": [job("a", failure_handler=5)]}, r"jobs\[0\].failure_handler: index 5 is outside the 0"),
        (
            {
                "actions": [
                    DraftAction(
                        trigger_type="on_workflow_start", action_type="schedule_nodes", action_config={}, scheduler=9
                    )
                ]
            },
            r"actions\[0\].scheduler: index 9 is outside",
        ),
    ],
)
def test_what_points_at_no_scheduler_or_handler_is_refused(database, record, place):
    draft = Draft(database, jobs=1, slurm_schedulers=1)
    with pytest.raises(Unprocessable, match=place):
        draft.add(1, slurm_schedulers=[DraftScheduler(name="s", account="a")], **record)
