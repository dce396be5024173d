"""The server as processes: starting, refusing to start, stopping, dying (R5, R7, R9, R25)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.conftest import PORT_LINE, Http, Server, launch
from torc.rendezvous import Places, ServerRecord, read_server_file, write_lock_owner
from torc.server.serve import main

Start = Callable[..., Server]
Eventually = Callable[..., object]

pytestmark = pytest.mark.slow  # servers of their own, started and stopped


def refused(*options: str, env: dict[str, str] | None = None) -> str:
    """The one sentence of a server that does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "torc.server", *options],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **(env or {})},
    )
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def test_a_server_without_database_says_how_to_name_one() -> None:
    assert "--database" in refused("run", "--port", "0", env={"DATABASE_URL": ""})
    assert "--database" in refused(env={"DATABASE_URL": ""})
    assert "memory" in refused("run", "--database", "sqlite::memory:")


@pytest.mark.parametrize("form", ["sqlite:{}", "sqlite://{}", "{}", "sqlite:{}?mode=rwc"])
def test_the_database_may_come_from_the_environment(tmp_path: Path, form: str) -> None:
    path = tmp_path / "from_environment.db"
    ended = subprocess.Popen(
        [sys.executable, "-m", "torc.server", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DATABASE_URL": form.format(path)},
    )
    assert ended.stdout is not None
    assert ended.stdout.readline().startswith(PORT_LINE)
    assert path.exists()
    ended.terminate()
    assert ended.wait(timeout=20) == 0
    assert ended.stdout.read() == ""
    ended.stdout.close()


def test_the_port_is_announced_once_and_nothing_else_goes_to_stdout(start_server: Start) -> None:
    server = start_server()
    assert server.http.get("/ping").status == 200
    assert server.stop() == 0
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""


def test_a_port_in_use_is_one_sentence(database_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused("run", "--port", port, "--database", str(database_path))
    assert not database_path.exists()


def test_an_unknown_host_is_one_sentence(database_path: Path) -> None:
    assert "no.such.host.invalid" in refused(
        "run", "--port", "0", "--host", "no.such.host.invalid", "--database", str(database_path)
    )


@pytest.mark.parametrize(
    "options",
    [["--port", "65536"], ["--port", "x"], ["--threads", "0"], ["-c", "0"], ["-c", "nan"], ["--databas", "x"]],
)
def test_a_wrong_option_is_a_usage_error(options: list[str], database_path: Path) -> None:
    command = [sys.executable, "-m", "torc.server", "run", "--database", str(database_path), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert not database_path.exists()


def test_version_names_torc_and_sqlite() -> None:
    ended = subprocess.run([sys.executable, "-m", "torc.server", "version"], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "SQLite 3." in ended.stdout


def test_a_second_server_is_refused_and_touches_nothing(start_server: Start) -> None:
    first = start_server()
    files = {path: path.read_bytes() for path in first.database.parent.glob("torc.db*")}
    sentence = refused("run", "--port", "0", "--database", str(first.database))
    assert str(first.worker_pid()) in sentence
    assert socket.gethostname() in sentence
    assert f":{first.port}/" in sentence
    assert {path: path.read_bytes() for path in first.database.parent.glob("torc.db*")} == files
    assert first.http.get("/ping").status == 200


def test_a_second_server_is_refused_under_another_name_of_the_database(start_server: Start, tmp_path: Path) -> None:
    first = start_server()
    link = tmp_path / "link.db"
    link.symlink_to(first.database)
    assert str(first.worker_pid()) in refused("run", "--port", "0", "--database", str(link))


def test_a_directory_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    sentence = refused("run", "--port", "0", "--database", str(tmp_path / "missing" / "torc.db"))
    assert "--database" in sentence
    assert "missing" in sentence


def test_a_database_that_is_none_is_one_sentence(database_path: Path) -> None:
    database_path.write_text("this is not a database " * 100)
    assert str(database_path) in refused("run", "--port", "0", "--database", str(database_path))
    assert database_path.read_text().startswith("this is not")


@pytest.mark.parametrize(
    "variables", [{"WEB_CONCURRENCY": "4"}, {"GUNICORN_CMD_ARGS": "--workers=3"}, {"GUNICORN_CMD_ARGS": "-w 2"}]
)
def test_more_than_one_worker_is_an_error(variables: dict[str, str], database_path: Path) -> None:
    assert "exactly one worker" in refused("run", "--port", "0", "--database", str(database_path), env=variables)


def test_signals_that_add_workers_or_replace_the_server_do_nothing(start_server: Start, eventually: Eventually) -> None:
    server = start_server()
    worker = server.worker_pid()
    for number in (signal.SIGTTIN, signal.SIGUSR2):
        server.process.send_signal(number)
        eventually(lambda: server.log.read_text().count("is ignored"), lambda count: count > 0)
    eventually(lambda: server.log.read_text().count("is ignored"), lambda count: count == 2)
    assert [child.pid for child in psutil.Process(server.process.pid).children()] == [worker]
    assert server.http.get("/ping").status == 200


def test_no_control_socket_is_made_in_the_home(start_server: Start, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    start_server(env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home)})
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopping_is_clean_and_quick_with_open_connections(start_server: Start, number: signal.Signals) -> None:
    server = start_server()
    idle = [HTTPConnection("127.0.0.1", server.port, timeout=5) for _ in range(3)]
    for connection in idle:
        connection.request("GET", "/torc-service/v1/ping")
        assert connection.getresponse().read()
    begun = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 5  # about 0.4 s; 75 s if idle connections were waited for
    for connection in idle:
        connection.close()
    assert not Places.of(server.database).server.exists()
    assert not server.database.with_name("torc.db-wal").exists()
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_does_not_close_its_end_does_not_hold_up_the_others(start_server: Start) -> None:
    server = start_server()
    stuck = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
    for one in stuck:
        one.sendall(b"GET /torc-service/v1/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert one.recv(100).startswith(b"HTTP/1.1 200")
    begun = time.monotonic()
    assert server.http.get("/ping").status == 200
    assert time.monotonic() - begun < 1.5  # 2 s for each of the four when the event loop waits for them
    for one in stuck:
        one.close()


def test_connections_that_say_nothing_do_not_occupy_the_threads(start_server: Start) -> None:
    server = start_server("--threads", "2")
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    assert server.http.get("/ping").status == 200
    for one in silent:
        one.close()


def test_clients_that_stop_in_the_middle_of_a_request_lose_their_threads(
    start_server: Start, eventually: Eventually
) -> None:
    # a machine that crashes closes nothing; without a time-out two of these would end a server with two threads
    server = start_server("--threads", "2")
    stuck = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    head = b"POST /torc-service/v1/workflows HTTP/1.1\r\nHost: localhost\r\n"
    stuck[0].sendall(head)
    stuck[1].sendall(head + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
    assert stuck[1].recv(100).startswith(b"HTTP/1.1 100")
    stuck[1].sendall(b'{"name": ')
    assert server.http.get("/ping").status == 200  # it waits at most STALL_S for a thread
    for one in stuck:
        one.close()
    assert "Traceback" not in server.log.read_text()


def test_ctrl_c_in_the_terminal_reaches_both_processes_and_ends_them_clean(start_server: Start) -> None:
    server = start_server()
    assert server.http.get("/ping").status == 200
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(timeout=20) == 0
    places = Places.of(server.database)
    assert not places.server.exists()
    assert places.lock.read_text() == ""
    assert "Traceback" not in server.log.read_text()


def test_a_killed_worker_is_replaced_on_the_same_port(start_server: Start, eventually: Eventually) -> None:
    server = start_server()
    created = server.http.post("/workflows", {"name": "w", "user": "u"}).json
    worker = server.worker_pid()
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: server.http.get(f"/workflows/{created['id']}").json == created)
    assert server.worker_pid() != worker
    record = read_server_file(Places.of(server.database).server)
    assert record is not None
    eventually(lambda: read_server_file(Places.of(server.database).server), lambda now: now.pid == server.worker_pid())
    assert server.stop() == 0
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""


def test_a_killed_server_frees_the_database_at_once(start_server: Start) -> None:
    first = start_server()
    created = first.http.post("/workflows", {"name": "w", "user": "u"}).json
    first.kill()
    assert start_server().http.get(f"/workflows/{created['id']}").json == created


def test_a_worker_whose_parent_was_killed_ends_and_frees_the_database(
    start_server: Start, eventually: Eventually
) -> None:
    server = start_server()
    worker = psutil.Process(server.worker_pid())
    server.process.kill()
    server.process.wait(timeout=20)
    eventually(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert start_server().http.get("/ping").status == 200


def test_a_stopped_server_goes_on_where_it_was(start_server: Start) -> None:
    # with gunicorn's own time-out of 30 s the parent kills a worker that was stopped, or is busy, for longer
    server = start_server()
    worker = server.worker_pid()
    os.killpg(server.process.pid, signal.SIGSTOP)
    time.sleep(1.2)  # not waiting for a result: this is how long it is stopped
    os.killpg(server.process.pid, signal.SIGCONT)
    assert server.http.get("/ping").status == 200
    assert server.worker_pid() == worker


def test_a_server_whose_folder_was_deleted_still_ends_clean(
    start_server: Start, tmp_path: Path, eventually: Eventually
) -> None:
    folder = tmp_path / "short-lived"
    folder.mkdir()
    server = start_server(database=folder / "torc.db")
    # A thread of the server may open the database, and make files, while they are being deleted.
    eventually(lambda: shutil.rmtree(folder, ignore_errors=True) or folder.exists(), lambda left: not left)
    assert server.stop() == 0
    assert "worker exit" not in server.log.read_text()


def test_a_request_under_way_is_answered_before_the_server_ends(start_server: Start) -> None:
    server = start_server()
    body = b'{"name": "slow", "user": "u"}'
    head = "POST /torc-service/v1/workflows HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 100")  # a thread has the request now
    server.process.send_signal(signal.SIGTERM)
    connection.sendall(body)
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    connection.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert server.process.wait(timeout=20) == 0
    (workflow,) = start_server().http.get("/workflows").json["items"]
    assert workflow["name"] == "slow"


def test_a_shared_file_system_has_to_be_allowed_and_then_needs_no_shared_memory(start_server: Start) -> None:
    server = start_server("--network-filesystem")
    assert server.http.post("/workflows", {"name": "w", "user": "u"}).status == 200
    assert not server.database.with_name("torc.db-shm").exists()
    assert server.http.get("/workflows").json["count"] == 1


def test_on_a_shared_file_system_the_flag_is_named(
    database_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torc.rendezvous.LOCAL_FILESYSTEMS", frozenset())  # so that this one counts as shared
    with pytest.raises(SystemExit) as ended:
        main(["run", "--port", "0", "--database", str(database_path)])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--network-filesystem" in said
    assert list(database_path.parent.iterdir()) == []


def foreign_owner(database: Path) -> ServerRecord:
    return ServerRecord(
        instance="0",
        url="http://127.0.0.1:1/torc-service/v1",
        host="another-host",
        pid=7,
        master_pid=6,
        started="2026-01-01T00:00:00.000Z",
        version="0",
        database_inode=0,
    )


def test_a_server_of_another_host_that_did_not_sign_off_is_believed(start_server: Start, database_path: Path) -> None:
    write_lock_owner(Places.of(database_path).lock, foreign_owner(database_path))
    sentence = refused("run", "--port", "0", "--network-filesystem", "--database", str(database_path))
    assert "another-host" in sentence
    assert "--take-over" in sentence
    assert not database_path.exists()
    server = start_server("--network-filesystem", "--take-over")
    assert server.stop() == 0
    start_server("--network-filesystem")  # the one before signed off


def test_on_a_local_file_system_the_lock_is_the_truth(start_server: Start, database_path: Path) -> None:
    write_lock_owner(Places.of(database_path).lock, foreign_owner(database_path))
    assert start_server().http.get("/ping").status == 200


def test_an_idle_server_is_small_and_quiet(start_server: Start) -> None:
    server = start_server()
    Http(server.url).get("/workflows")
    processes = [psutil.Process(server.process.pid), psutil.Process(server.worker_pid())]
    assert sum(process.memory_info().rss for process in processes) < 100 * 2**20


def test_many_connections_do_not_run_out_of_files(database_path: Path, tmp_path: Path) -> None:
    server = launch(database_path, log=tmp_path / "server.log")
    crowd = []
    try:
        for _ in range(300):
            crowd.append(socket.create_connection(("127.0.0.1", server.port)))
        crowd[0].sendall(b"GET /torc-service/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert crowd[0].recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for connection in crowd:
            connection.close()
        assert server.stop() == 0
        assert server.process.stdout is not None
        server.process.stdout.close()
