"""Deleting a workflow: hidden at once, removed in chunks, finished after a crash (rule 10)."""

import sqlite3

import pytest

from tests.store.scenario import Step
from torc.errors import NotFound
from torc.models.catalogue import FILES
from torc.models.draft import DraftUserData
from torc.models.queries import Paging
from torc.store import deletion, events, jobs, table, workflows


def rich(build):
    """A workflow with rows in as many tables as this issue fills."""
    flow = build(
        Step("a", writes=["f"], writes_data=["d"]),
        Step("b", writes=["f"]),
        *(Step(name, after=["a"], after_groups=["g"], reads=["f"], reads_data=["d"]) for name in "xyz"),
        groups={"g": ["a", "b"]},
        user_data=[DraftUserData(name="d", data=1)],
    )
    flow.action("on_jobs_complete", "a", "b")
    worker = flow.action("on_worker_start")
    flow.initialize()
    runner = flow.runner()
    runner.take("a", "b")
    runner.finish("a")
    with flow.database.write() as db:
        db.execute(
            "INSERT INTO workflow_action_node (action_id, compute_node_id, run_id, state) VALUES (?, ?, 1, 'done')",
            (worker, runner.node_id),
        )
        for name, columns in (
            ("failure_handler", "name, rules"),
            ("local_scheduler", "name, memory"),
            ("slurm_scheduler", "name, account, nodes, walltime"),
            ("scheduled_compute_node", "scheduler_id, scheduler_config_id, scheduler_type, status"),
        ):
            marks = ", ".join("?" for _ in columns.split(","))
            db.execute(
                f"INSERT INTO {name} (workflow_id, {columns}) VALUES (?, {marks})",
                [flow.workflow_id, *("1" for _ in columns.split(","))],
            )
    return flow, runner


def counts(flow):
    """Rows in every table, those of SQLite and of the database as a whole aside."""
    names = [
        name
        for (name,) in flow.select("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name != "meta" and not name.startswith("sqlite_")
    ]
    return {name: flow.select(f"SELECT count(*) FROM {name}")[0][0] for name in names}


def test_a_deleted_workflow_leaves_no_row_in_any_table(build, monkeypatch):
    monkeypatch.setattr(deletion, "CHUNK_ROWS", 2)
    flow, _ = rich(build)
    before = counts(flow)
    assert [name for name, count in before.items() if not count] == [], "a table this test forgot"
    assert deletion.delete(flow.database, flow.workflow_id).id == flow.workflow_id
    assert {name: count for name, count in counts(flow).items() if count} == {}


def test_other_workflows_keep_every_row(build):
    kept, runner = rich(build)
    before = counts(kept)
    doomed, _ = rich(build)
    deletion.delete(doomed.database, doomed.workflow_id)
    assert counts(kept) == before
    runner.finish("b")
    assert kept.statuses() == {"a": "completed", "b": "completed", "x": "ready", "y": "ready", "z": "ready"}


def test_a_workflow_is_hidden_before_its_rows_go(build, monkeypatch):
    flow, runner = rich(build)
    monkeypatch.setattr(deletion, "purge", lambda database, workflow_id: None)
    deletion.delete(flow.database, flow.workflow_id)
    assert workflows.page(flow.database, Paging()).items == []
    assert jobs.page(flow.database, flow.workflow_id, Paging()).items == []
    told = events.page(flow.database, flow.workflow_id, Paging())
    assert (told.items, told.total_count, told.has_more) == ([], 0, False)
    for act in (
        lambda: workflows.get(flow.database, flow.workflow_id),
        lambda: jobs.get(flow.database, flow.id("a")),
        lambda: table.get(flow.database, FILES, 1),
        lambda: deletion.delete(flow.database, flow.workflow_id),
    ):
        with pytest.raises(NotFound):
            act()
    runner.end("b")
    assert runner.sync().lost == [(flow.id("b"), 1)]


def test_a_deletion_that_was_interrupted_is_finished(build, monkeypatch):
    monkeypatch.setattr(deletion, "CHUNK_ROWS", 2)
    flow, _ = rich(build)
    with flow.database.write() as db:
        db.execute(
            f"CREATE TRIGGER breakdown BEFORE DELETE ON job WHEN OLD.id = {flow.id('x')} "
            "BEGIN SELECT raise(ABORT, 'disk full'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        deletion.delete(flow.database, flow.workflow_id)
    assert flow.select("SELECT count(*) FROM job") == [(3,)], "the first chunk is gone"
    with flow.database.write() as db:
        db.execute("DROP TRIGGER breakdown")
    assert deletion.purge_hidden(flow.database) == 1
    assert {name: count for name, count in counts(flow).items() if count} == {}
    assert deletion.purge_hidden(flow.database) == 0


def test_a_workflow_that_does_not_exist_is_not_deleted(database):
    with pytest.raises(NotFound, match="3"):
        deletion.delete(database, 3)


def test_ids_are_never_given_again(build):
    flow, _ = rich(build)
    used = flow.workflow_id, max(flow.ids.values())
    deletion.delete(flow.database, flow.workflow_id)
    again, _ = rich(build)
    assert again.workflow_id > used[0]
    assert min(again.ids.values()) > used[1]
