"""The file: opening, refusing, migrating, the order of writers, and readers that hold nothing (rules 5, 22, 23, 24)."""

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import pytest

from tests.store.scenario import Builder
from torc.errors import DatabaseUnusable
from torc.models.catalogue import FILES
from torc.models.queries import Paging
from torc.models.workflow import Workflow
from torc.store import database as module
from torc.store import doctor, events, groups, jobs, results, table, workflows
from torc.store.database import Database, TicketLock, schema_version


def raw(path, *statements):
    """What another program does to a file."""
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


# Opening.


def test_a_database_is_made_opened_again_and_stays_the_same(database_path):
    first = Database(database_path)
    workflow = workflows.create(first, Workflow(name="kept", user="u"), None)
    first.close()
    second = Database(database_path)
    assert (second.database_id, second.generation) == (first.database_id, 1)
    assert workflows.get(second, workflow.id).name == "kept"
    second.close()


def test_an_empty_file_becomes_a_database(database_path):
    database_path.touch()
    database = Database(database_path)
    assert doctor.problems(database) == []
    database.close()


def test_two_databases_have_two_identities(database_path):
    first, second = Database(database_path), Database(database_path.with_name("other.db"))
    assert first.database_id != second.database_id
    first.close()
    second.close()


def test_a_database_from_the_future_is_refused_unchanged(database_path):
    Database(database_path).close()
    raw(database_path, "UPDATE meta SET schema_version = 999")
    before = database_path.read_bytes()
    with pytest.raises(
        DatabaseUnusable, match=rf"newer torc \(schema 999, this one knows {schema_version()}\); upgrade"
    ):
        Database(database_path)
    assert database_path.read_bytes() == before


@pytest.mark.parametrize("name", ["recipe", "meta"])
def test_the_database_of_another_program_is_refused_unchanged(database_path, name):
    raw(database_path, f"CREATE TABLE {name} (x)", f"INSERT INTO {name} VALUES (1)")
    before = database_path.read_bytes()
    with pytest.raises(DatabaseUnusable, match="another program; name another file with --database"):
        Database(database_path)
    assert database_path.read_bytes() == before
    assert [path.name for path in database_path.parent.iterdir()] == [database_path.name]


def test_a_file_that_is_no_database_is_refused_unchanged(database_path):
    text = "name: diamond\njobs: []\n" * 100
    database_path.write_text(text)
    with pytest.raises(DatabaseUnusable, match=r"torc.db cannot be opened: .* no intact SQLite file"):
        Database(database_path)
    assert database_path.read_text() == text


def test_a_database_in_a_folder_that_does_not_exist_is_refused(database_path):
    with pytest.raises(DatabaseUnusable, match="check the folder and its permissions"):
        Database(database_path.parent / "nowhere" / "torc.db")


def test_a_database_that_another_process_has_locked_is_refused(database_path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    Database(database_path).close()
    with sqlite3.connect(database_path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnusable, match="another process has it open; stop that one"):
            Database(database_path)
        other.execute("COMMIT")
    other.close()


@pytest.mark.parametrize("network_filesystem", [True, False])
def test_every_connection_is_safe_against_power_loss_and_dangling_rows(database_path, network_filesystem):
    database = Database(database_path, network_filesystem=network_filesystem)

    def pragmas():
        with database.read() as db:
            return [
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
            ]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(pragmas).result() == pragmas() == ["wal", 2, 1]
    database.close()


refused = []


def refusal(path):
    """Why a database is not opened. Keeps the error, whose frames hold whatever was not closed."""
    with pytest.raises(DatabaseUnusable) as caught:
        Database(path, network_filesystem=True)
    refused.append(caught)
    return str(caught.value)


@pytest.mark.parametrize("damage", ["UPDATE meta SET schema_version = 999", "DROP TABLE meta"])
def test_a_refused_database_is_let_go(database_path, monkeypatch, damage):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    Database(database_path).close()
    raw(database_path, damage)
    assert len({refusal(database_path) for _ in range(2)}) == 1, "were it still held, the second would say so"


# Migrations.


def described(db):
    """Every table and index of a database, comments and layout aside."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetchall()
    return [(kind, name, re.findall(r"\w+|[^\w\s]", re.sub(r"--.*", "", sql))) for kind, name, sql in rows]


def test_the_schema_is_the_sum_of_the_migrations():
    folder = resources.files("torc.store").joinpath("migrations")
    scripts = sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    summed, whole = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    for _, script in scripts:
        module.run_script(summed, script)
    module.run_script(whole, resources.files("torc.store").joinpath("schema.sql").read_text())
    assert len(described(whole)) > 30
    assert described(summed) == described(whole)
    assert [int(name[:4]) for name, _ in scripts] == list(range(1, schema_version() + 1))


@pytest.fixture
def older(database_path, monkeypatch):
    """An existing database, and a call that adds a migration to what this code knows."""
    database = Database(database_path)
    workflows.create(database, Workflow(name="old", user="u"), None)
    database.close()
    known = module._migrations()

    def add(script):
        monkeypatch.setattr(module, "_migrations", lambda: [*known, (len(known) + 1, script)])

    return add


def test_a_database_whose_migration_broke_is_let_go(database_path, older, monkeypatch):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    older("CREATE TABLE workflow (x);\n")
    assert len({refusal(database_path) for _ in range(2)}) == 1, "were it still held, the second would say so"


def test_an_older_database_is_migrated(database_path, older):
    older("CREATE TABLE extra (x);\n-- a comment; with a semicolon\nUPDATE workflow SET name = 'new';\n")
    database = Database(database_path)
    with database.read() as db:
        assert db.execute("SELECT schema_version FROM meta").fetchall() == [(schema_version(),)]
        assert db.execute("SELECT * FROM extra").fetchall() == []
    assert workflows.page(database, Paging()).items[0].name == "new"
    database.close()
    Database(database_path).close()


def test_a_migration_that_breaks_in_the_middle_leaves_the_database_as_it_was(database_path, older, monkeypatch):
    older("UPDATE workflow SET name = 'new';\nCREATE TABLE workflow (x);\n")
    with pytest.raises(DatabaseUnusable, match="already exists"):
        Database(database_path)
    monkeypatch.undo()
    database = Database(database_path)
    assert workflows.page(database, Paging()).items[0].name == "old"
    database.close()


# Writers queue in order; readers hold nothing.


def test_writers_are_served_in_the_order_of_their_coming(eventually):
    lock, served = TicketLock(), []

    def write(number):
        with lock:
            served.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    with lock:
        for count, thread in enumerate(threads, 1):
            thread.start()
            eventually(lambda count=count: len(lock._waiting) == count)
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_bulk_work_lets_all_go_first_who_wait(eventually):
    lock, served = TicketLock(), []

    def bulk():
        for chunk in range(3):
            with lock:
                served.append(f"chunk {chunk}")
                if chunk == 0:
                    eventually(lambda: len(lock._waiting) == 2)

    def short(name):
        with lock:
            served.append(name)

    worker = threading.Thread(target=bulk)
    with lock:
        worker.start()
        eventually(lambda: len(lock._waiting) == 1)
    eventually(lambda: served == ["chunk 0"])
    writers = [threading.Thread(target=short, args=(name,)) for name in ("a", "b")]
    for count, writer in enumerate(writers, 1):
        writer.start()
        eventually(lambda count=count: len(lock._waiting) >= count or len(served) > 1)
    for thread in (worker, *writers):
        thread.join()
    assert served == ["chunk 0", "a", "b", "chunk 1", "chunk 2"]


def test_a_lock_whose_holder_failed_is_free():
    lock = TicketLock()
    with pytest.raises(ZeroDivisionError), lock:
        1 / 0  # noqa: B018
    with lock:
        pass
    assert not lock._held


def test_a_transaction_that_fails_writes_nothing(database):
    with pytest.raises(ZeroDivisionError), database.write() as db:
        db.execute("INSERT INTO workflow (name, user, timestamp) VALUES ('half', 'u', 't')")
        1 / 0  # noqa: B018
    assert workflows.page(database, Paging()).items == []
    workflows.create(database, Workflow(name="next", user="u"), None)


def test_a_read_sees_one_moment_and_waits_for_no_writer(database):
    workflows.create(database, Workflow(name="one", user="u"), None)

    def count():
        return len(workflows.page(database, Paging()).items)

    with ThreadPoolExecutor(1) as pool:
        with database.read() as db:
            assert db.execute("SELECT count(*) FROM workflow").fetchone() == (1,)
            pool.submit(workflows.create, database, Workflow(name="two", user="u"), None).result(timeout=20)
            assert db.execute("SELECT count(*) FROM workflow").fetchone() == (1,)
        assert count() == 2
        with database.write() as db:
            db.execute("INSERT INTO workflow (name, user, timestamp) VALUES ('three', 'u', 't')")
            assert pool.submit(count).result(timeout=20) == 2
    assert count() == 3
    with database.write() as db:
        db.execute("DELETE FROM workflow WHERE name = 'three'")


def test_no_read_keeps_the_log_from_being_emptied(build):
    """Every kind of list and get, from a thread that stays, as in the server."""
    flow = build("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    database, workflow_id = flow.database, flow.workflow_id
    reads = (
        lambda: workflows.page(database, Paging(limit=1)),
        lambda: jobs.page(database, workflow_id, Paging(limit=1), include_relationships=True),
        lambda: jobs.get(database, flow.id("b")),
        lambda: events.page(database, workflow_id, Paging(limit=1)),
        lambda: results.page(database, workflow_id, Paging(limit=1), {}),
        lambda: groups.page(database, workflow_id, Paging()),
        lambda: table.page(database, FILES, workflow_id, Paging(), {}),
        lambda: workflows.is_complete(database, workflow_id),
        lambda: workflows.job_counts(database, workflow_id),
        lambda: workflows.is_uninitialized(database, workflow_id),
        lambda: doctor.problems(database),
    )
    with ThreadPoolExecutor(1) as pool:
        for read in reads:
            pool.submit(read).result()
            flow.add(f"j{len(flow.ids)}")
            with database.write():
                pass
            with database.read() as db:
                db.execute("COMMIT")
                blocked, in_log, moved = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                db.execute("BEGIN")
            assert (blocked, in_log, moved) == (0, 0, 0)


def test_a_checkpoint_waits_for_its_turn_at_the_write_lock(database, eventually):
    workflows.create(database, Workflow(name="w", user="u"), None)
    assert database.wal_bytes() > 0
    with ThreadPoolExecutor(1) as pool:
        with database.write():
            moved = pool.submit(database.checkpoint)
            eventually(lambda: len(database._write_lock._waiting) == 1)
            assert not moved.done()
        moved.result(timeout=20)


# Network file systems.


@pytest.fixture
def on_network(database_path):
    database = Database(database_path, network_filesystem=True)
    yield database
    assert doctor.problems(database) == []
    database.close()


def test_a_database_on_a_network_file_system_makes_no_shared_memory_file(on_network, leases):
    flow = Builder(on_network, leases)("a", "b: a").initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    on_network.checkpoint()
    found = {path.name for path in on_network.path.parent.iterdir()}
    assert found == {"torc.db", "torc.db-wal"}


def test_a_database_on_a_network_file_system_works_from_several_threads(on_network, leases):
    flow = Builder(on_network, leases)(*(f"j{n}" for n in range(60))).initialize()
    runners = [flow.runner() for _ in range(6)]

    def work(runner):
        while names := runner.claim(limit=3):
            runner.start(*names)
            for name in names:
                assert flow.status(name) == "running"
                runner.finish(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, runners))
    assert set(flow.statuses().values()) == {"completed"}
    assert flow.is_complete()


@pytest.mark.parametrize("network_filesystem", [True, False])
def test_a_database_on_a_network_file_system_has_one_opener(on_network, monkeypatch, network_filesystem):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    with pytest.raises(DatabaseUnusable, match="another process has it open"):
        Database(on_network.path, network_filesystem=network_filesystem)


def test_a_database_moves_between_kinds_of_file_system(database_path):
    first = Database(database_path)
    workflow = workflows.create(first, Workflow(name="kept", user="u"), None)
    first.close()
    for network_filesystem in (True, False):
        database = Database(database_path, network_filesystem=network_filesystem)
        assert workflows.get(database, workflow.id).name == "kept"
        database.close()
