"""``--standalone``: clients share one private server, which lives as long as the last of them (R5, R7)."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from tests.conftest import Http, Server
from torc.client.standalone import Attachment, attach
from torc.errors import Conflict, DatabaseUnusable
from torc.rendezvous import Lock, Places, ServerRecord, is_held, read_server_file, write_lock_owner, write_server_file

Eventually = Callable[..., object]
Start = Callable[..., Server]

HOLD = """
import pathlib, sys, time
from torc.client.standalone import attach
with attach(pathlib.Path(sys.argv[1])) as attachment:
    print(attachment.url, flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that uses the database until its stdin is closed."""

    def __init__(self, database: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.communicate(timeout=30)


@pytest.fixture
def hold(database_path: Path) -> Iterator[Callable[[], Holder]]:
    """``hold()``: one more process attached to ``database_path``."""
    holders: list[Holder] = []

    def start() -> Holder:
        holders.append(Holder(database_path))
        return holders[-1]

    yield start
    for holder in holders:
        holder.end()
        for stream in (holder.process.stdin, holder.process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture(autouse=True)
def no_server_is_left(database_path: Path, eventually: Eventually) -> Iterator[None]:
    """Servers end by themselves; the tests that are not about it do not wait for that."""
    yield
    for pid in serving(database_path):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    eventually(lambda: serving(database_path) == [])


def serving(database: Path) -> list[int]:
    """The processes whose command line names the database."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "torc.server" in command and str(database) in command:
            found.append(process.pid)
    return found


def http(attachment: Attachment) -> Http:
    from base64 import b64encode

    secret = b64encode(f"{attachment.username}:{attachment.password}".encode()).decode()
    return Http(attachment.url, {"Authorization": f"Basic {secret}"})


def test_one_server_serves_all_who_attach(database_path: Path) -> None:
    with attach(database_path) as first:
        created = http(first).post("/workflows", {"name": "w", "user": "u"}).json
        with attach(database_path) as second:
            assert second == first
            assert http(second).get(f"/workflows/{created['id']}").json == created
        assert http(first).get("/ping").status == 200


@pytest.mark.slow
def test_the_data_is_there_for_the_next_command(database_path: Path, eventually: Eventually) -> None:
    with attach(database_path) as first:
        created = http(first).post("/workflows", {"name": "w", "user": "u"}).json
    eventually(lambda: not is_held(Places.of(database_path).lock))
    with attach(database_path) as second:
        assert second.password != first.password
        assert http(second).get(f"/workflows/{created['id']}").json == created


@pytest.mark.slow
def test_the_server_stays_when_its_starter_leaves_before_the_others(
    database_path: Path, hold: Callable[[], Holder], eventually: Eventually
) -> None:
    starter = hold()
    url = starter.url()
    with attach(database_path) as other:
        assert other.url == url
        starter.end()
        still = http(other)
        with pytest.raises(AssertionError, match="not within"):  # longer than a server lingers without users
            eventually(lambda: still.get("/ping").status, lambda status: status != 200, timeout_s=3.5)


@pytest.mark.slow
def test_kill_9_of_the_only_client_ends_the_server(
    database_path: Path, hold: Callable[[], Holder], eventually: Eventually
) -> None:
    client = hold()
    assert client.url()
    client.process.kill()
    client.process.wait(timeout=20)
    eventually(lambda: serving(database_path) == [], timeout_s=10)
    assert not Places.of(database_path).server.exists()


def test_kill_9_of_the_server_is_survived_by_the_next_command(database_path: Path) -> None:
    with attach(database_path) as first:
        created = http(first).post("/workflows", {"name": "w", "user": "u"}).json
        for pid in serving(database_path):
            os.kill(pid, signal.SIGKILL)
        with attach(database_path) as second:
            assert second.url != first.url
            assert http(second).get(f"/workflows/{created['id']}").json == created


@pytest.mark.slow
def test_many_who_start_at_once_share_one_server(hold: Callable[[], Holder]) -> None:
    holders = [hold() for _ in range(6)]
    urls = {holder.url() for holder in holders}
    assert len(urls) == 1
    assert urls != {""}


@pytest.mark.slow
def test_threads_that_attach_at_once_share_one_server(database_path: Path) -> None:
    def use(_: int) -> str:
        with attach(database_path) as attachment:
            assert http(attachment).get("/ping").status == 200
            return attachment.url

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(use, range(12)))) <= 2  # a second one only if the first had already ended


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(hold: Callable[[], Holder], database_path: Path) -> None:
    holder = hold()
    assert holder.url()
    for pid in serving(database_path):
        assert os.getsid(pid) != os.getsid(holder.process.pid)
        assert os.getpgid(pid) != os.getpgid(holder.process.pid)


@pytest.mark.slow
def test_a_client_that_comes_while_the_server_ends_gets_a_new_one(database_path: Path, eventually: Eventually) -> None:
    with attach(database_path) as first:
        pass
    # The server takes the users lock for good when it decides to end; the next client meets that moment.
    users = Lock(Places.of(database_path).users)
    eventually(lambda: not users.acquire(shared=True) or users.release(), timeout_s=10)
    users.close()
    with attach(database_path) as second:
        assert second.password != first.password
        assert http(second).get("/ping").status == 200


def test_a_file_without_a_held_lock_is_ignored(database_path: Path) -> None:
    asked: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        """Whoever got the port of a server that is gone."""

        def do_GET(self) -> None:
            asked.append(self.path)

    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        Thread(target=stranger.serve_forever, daemon=True).start()
        places = Places.of(database_path)
        write_server_file(places.server, record(places, url=f"http://127.0.0.1:{stranger.server_port}/torc-service/v1"))
        with attach(database_path) as attachment:
            assert str(stranger.server_port) not in attachment.url
            assert http(attachment).get("/ping").status == 200
        stranger.shutdown()
    assert asked == []


def record(places: Places, **changes: object) -> ServerRecord:
    made = ServerRecord(
        instance="gone",
        url="http://127.0.0.1:1/torc-service/v1",
        host=os.uname().nodename,
        pid=os.getpid(),
        master_pid=os.getpid(),
        started="2026-01-01T00:00:00.000Z",
        version="1",
        database_inode=1,
        token="x",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_server_that_holds_the_lock_and_does_not_answer_is_named(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torc.client.standalone.ATTACH_S", 0.5)
    places = Places.of(database_path)
    lock = Lock(places.lock)
    assert lock.acquire()
    write_lock_owner(places.lock, record(places))
    write_server_file(places.server, record(places))
    with pytest.raises(DatabaseUnusable, match=f"pid {os.getpid()} .*does not answer"), attach(database_path):
        pass
    lock.close()


def test_a_server_on_another_host_is_named_at_once(database_path: Path) -> None:
    places = Places.of(database_path)
    lock = Lock(places.lock)
    assert lock.acquire()
    write_lock_owner(places.lock, record(places, host="login7"))
    with pytest.raises(Conflict, match="login7"), attach(database_path):
        pass
    lock.close()


def test_a_planted_server_file_is_not_trusted(database_path: Path) -> None:
    places = Places.of(database_path)
    with attach(database_path):
        places.server.chmod(0o644)
        with pytest.raises(DatabaseUnusable, match="not trusting"), attach(database_path):
            pass


def test_another_version_is_a_clear_error(database_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with attach(database_path):
        monkeypatch.setattr("torc.__version__", "99.0")
        with pytest.raises(Conflict, match=r"version .* while this is 99\.0"), attach(database_path):
            pass


@pytest.mark.slow
def test_a_database_that_was_deleted_is_begun_anew(database_path: Path) -> None:
    with attach(database_path) as first:
        pass
    database_path.unlink()
    with attach(database_path) as second:
        assert second.url != first.url
        assert database_path.exists()


@pytest.mark.slow
def test_the_end_of_a_server_leaves_the_files_of_its_successor_alone(
    database_path: Path, eventually: Eventually
) -> None:
    with attach(database_path):
        old = read_server_file(Places.of(database_path).server)
        for path in database_path.parent.glob("torc.db*"):
            path.unlink()
    assert old is not None
    with attach(database_path) as second:
        assert second.url != old.url
        eventually(lambda: not psutil.pid_exists(old.pid))
        with attach(database_path) as third:
            assert third.url == second.url


@pytest.mark.slow
def test_a_replaced_database_that_others_still_use_is_a_clear_error(database_path: Path) -> None:
    with attach(database_path):
        database_path.rename(database_path.with_suffix(".old"))
        database_path.write_bytes(database_path.with_suffix(".old").read_bytes())
        with pytest.raises(Conflict, match="replaced"), attach(database_path):
            pass


def test_the_last_sentence_of_a_server_that_cannot_start_is_shown(tmp_path: Path) -> None:
    (tmp_path / "torc.db").write_text("no database " * 100)
    with pytest.raises(DatabaseUnusable, match="torc.db cannot be opened") as caught, attach(tmp_path / "torc.db"):
        pass
    assert "\n" not in caught.value.message


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="--database"), attach(tmp_path / "missing" / "torc.db"):
        pass


def test_a_shared_file_system_is_said_in_one_line(
    database_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("torc.rendezvous.LOCAL_FILESYSTEMS", frozenset())
    with attach(database_path) as attachment:
        assert http(attachment).get("/ping").status == 200
    (record,) = [each for each in caplog.records if each.name == "torc.client.standalone"]
    assert "shared file system" in record.message


def test_who_did_not_sign_off_on_another_host_can_be_taken_over(database_path: Path) -> None:
    # The client passes the flag on; what it means is the server's, on shared file systems.
    places = Places.of(database_path)
    write_lock_owner(places.lock, record(places, host="another-host"))
    with attach(database_path, take_over=True) as attachment:
        assert http(attachment).get("/ping").status == 200


@pytest.mark.slow
def test_a_public_server_of_the_database_is_used_as_it_is(start_server: Start, eventually: Eventually) -> None:
    server = start_server()
    with attach(server.database) as attachment:
        assert attachment.url == server.url
        assert attachment.password is None
    with pytest.raises(AssertionError, match="not within"):
        eventually(lambda: server.process.poll(), lambda status: status is not None, timeout_s=3)
    server.stop()


def test_a_module_in_the_folder_of_the_database_is_not_run(tmp_path: Path, database_path: Path) -> None:
    for name in ("torc.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('planted code ran')")
    with attach(database_path) as attachment:
        assert http(attachment).get("/ping").status == 200


def test_the_files_beside_the_database_are_private(database_path: Path) -> None:
    with attach(database_path):
        places = Places.of(database_path)
        for path in (places.lock, places.users, places.server, places.log):
            assert path.stat().st_mode & 0o077 == 0
        found = read_server_file(places.server)
        assert found is not None
        assert found.database_inode == database_path.stat().st_ino
