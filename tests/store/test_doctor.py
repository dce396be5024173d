"""doctor finds every kind of damage it looks for: each row altered by hand is named."""

import pytest

from tests.store.scenario import Builder, Step
from torc.models.sync import ActionReport
from torc.store import doctor
from torc.store.database import Database


@pytest.fixture
def flow(database_path, leases):
    """A workflow in the middle of a run, in a database nobody checks at the end."""
    database = Database(database_path)
    flow = Builder(database, leases)(
        "done", "bad", "running", "waits: running", Step("after", after=["bad", "running"], keep_going=True),
        Step("grouped", after_groups=["g"], keep_going=True), groups={"g": ["done", "bad", "running"]},
    )  # fmt: skip
    flow.action("on_jobs_complete", "done", "running")
    flow.action("on_jobs_ready", "waits")
    start = flow.action("on_workflow_start")
    flow.action("on_worker_start")
    flow.initialize()
    runner = flow.runner()
    runner.take("done", "bad", "running")
    runner.finish("done")
    runner.finish("bad", "failed")
    runner.sync(runs_actions=["run_commands"])
    runner.sync(actions=[ActionReport(action_id=start, state="done")], runs_actions=["run_commands"])
    flow.alter("UPDATE workflow_action SET state = 'running' WHERE id = ?", start)
    assert doctor.problems(database) == []
    yield flow
    database.close()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE job SET unmet = 5 WHERE name = 'after'", "job {after} counts 5 unmet dependencies, 1 are"),
        ("UPDATE job SET unmet = 0 WHERE name = 'waits'", "job {waits} counts 0 unmet dependencies, 1 are"),
        ("UPDATE job SET unmet = 1 WHERE name = 'running'", "job {running} counts 1 unmet dependencies, 0 are"),
        ("UPDATE job SET bad = 0 WHERE name = 'after'", "job {after} counts 0 bad dependencies, 1 are"),
        ("UPDATE job SET bad = 2 WHERE name = 'grouped'", "job {grouped} counts 2 bad dependencies, 1 are"),
        ("UPDATE dependency_group SET remaining = 0", "dependency group {g} counts 0 remaining members, 1 are"),
        ("UPDATE dependency_group SET failed = 3", "dependency group {g} counts 3 failed members, 1 are"),
        ("DELETE FROM job_depends_on WHERE job_id = {waits}", "job {waits} counts 1 unmet dependencies, 0 are"),
        ("UPDATE job SET status = 'ready' WHERE name = 'waits'", "job {waits} is ready with 1 unmet dependencies"),
        (
            "UPDATE job SET status = 'blocked' WHERE name = 'running'",
            "job {running} is blocked although nothing is unmet",
        ),
        (
            "UPDATE job SET cancel_on_blocking_job_failure = 1 WHERE name = 'after'",
            "job {after} is blocked although a dependency failed and its flag says cancel",
        ),
        ("UPDATE job SET attempt_id = NULL WHERE name = 'running'", "job {running} is running without an attempt"),
        ("UPDATE job SET run_id = NULL WHERE name = 'running'", "job {running} is running without an attempt"),
        (
            "UPDATE compute_node SET is_active = 0",
            "job {running} is running on compute node {node}, which is not active",
        ),
        ("DELETE FROM compute_node", "job {running} is running on compute node {node}, which does not exist"),
        (
            "UPDATE job SET current_result_id = 99 WHERE name = 'done'",
            "job {done} has current result 99, which does not exist or is another job's",
        ),
        (
            "UPDATE job SET current_result_id = (SELECT id FROM result WHERE job_id = {bad}) WHERE name = 'done'",
            "job {done} has current result 2, which does not exist or is another job's",
        ),
        ("UPDATE job SET status = 'lost' WHERE name = 'running'", "job {running} has the unknown status 'lost'"),
        ("UPDATE workflow_action SET trigger_count = 2 WHERE id = 1", "action 1 counts 2 triggers, 1 are"),
        ("UPDATE workflow_action SET trigger_count = 1 WHERE id = 2", "action 2 counts 1 triggers, 0 are"),
        (
            "UPDATE compute_node SET is_active = 0",
            "action 3 is running on compute node {node}, which is not active",
        ),
        (
            "UPDATE compute_node SET is_active = 0",
            "action 4 is claimed on compute node {node}, which is not active",
        ),
        ("DELETE FROM workflow_status", "workflow 1 has no status"),
        ("DELETE FROM job WHERE name = 'bad'", "job {after} depends on job {bad}, which does not exist"),
        ("DELETE FROM job WHERE name = 'bad'", "dependency group {g} has member {bad}, which does not exist"),
        ("DELETE FROM dependency_group", "foreign key: row"),
        (
            "UPDATE job SET resource_requirements_id = 99 WHERE name = 'waits'",
            "job {waits} has resource requirements 99, which do not exist",
        ),
    ],
)
def test_damage_is_found_and_named(flow, damage, problem):
    names = flow.ids | {"g": flow.select("SELECT id FROM dependency_group")[0][0]}
    names["node"] = flow.select("SELECT id FROM compute_node")[0][0]
    with flow.database.read() as db:  # foreign keys can only be switched off outside a transaction
        db.execute("COMMIT")
        db.execute("PRAGMA foreign_keys = OFF")
        assert db.execute(damage.format(**names)).rowcount > 0
        db.execute("BEGIN")
    found = doctor.problems(flow.database)
    assert any(text.startswith(problem.format(**names)) for text in found), found


def test_a_page_that_was_overwritten_is_found(flow):
    flow.database.checkpoint()
    path = flow.database.path
    flow.database.close()
    content = bytearray(path.read_bytes())
    place = content.rfind(b"grouped")
    content[place - 4000 : place - 3000] = b"\xff" * 1000
    path.write_bytes(content)
    damaged = Database(path)
    assert any(text.startswith("SQLite: ") for text in doctor.problems(damaged))
    damaged.close()


def test_many_problems_of_a_kind_are_summed_up(database_path, leases):
    database = Database(database_path)
    flow = Builder(database, leases)(*(f"j{n}" for n in range(30)))
    flow.alter("UPDATE job SET unmet = 1")
    found = doctor.problems(database)
    assert len(found) == doctor.FIRST + 1
    assert found[-1] == "... and 10 more of this kind"
    database.close()


def test_a_verb_under_way_is_no_damage(flow):
    """Halfway through a reset there are blocked jobs whose dependencies are met already."""
    flow.alter("UPDATE workflow_status SET busy = 'initialize'")
    flow.alter("UPDATE job SET status = 'blocked' WHERE name = 'running'")
    assert doctor.problems(flow.database) == []
