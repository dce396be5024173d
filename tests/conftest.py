"""Fixtures every test may use: a real server process, HTTP to it, and waiting without sleeping."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import pytest

os.environ["XDG_CONFIG_HOME"] = os.devnull  # nobody's own settings get into the tests

T = TypeVar("T")
PORT_LINE = "TORC_SERVER_PORT="


def wait_until(observe: Callable[[], T], accept: Callable[[T], object] = bool, *, timeout_s: float = 20.0) -> T:
    """Poll until ``accept`` likes what ``observe`` returns; a timeout shows the last thing seen."""
    deadline = time.monotonic() + timeout_s
    while not accept(seen := observe()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s; last seen: {seen!r}"
        time.sleep(0.01)
    return seen


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """``eventually(observe, accept=bool, *, timeout_s=20)``: the first observation that is accepted."""
    return wait_until


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """A path for a database of this test alone; nothing is there yet."""
    return tmp_path / "torc.db"


@dataclass
class Reply:
    """An HTTP answer with its JSON decoded."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The sentence of an error answer."""
        return str(self.json["error"]["message"])


class Http:
    """Requests below the base path, one connection each so that threads can share this object."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.headers = headers or {}

    def request(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Reply:
        """``body`` is sent as JSON, or as it is when it is bytes; ``query`` values may be lists."""
        parts = urlsplit(self.url)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        target = parts.path + path + ("?" + urlencode(query, doseq=True) if query else "")
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        try:
            connection.request(method, target, data, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            sent = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, sent, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **query: Any) -> Reply:
        return self.request("GET", path, **query)

    def post(self, path: str, body: Any = None, **query: Any) -> Reply:
        return self.request("POST", path, body, **query)

    def put(self, path: str, body: Any = None, **query: Any) -> Reply:
        return self.request("PUT", path, body, **query)

    def delete(self, path: str, **query: Any) -> Reply:
        return self.request("DELETE", path, **query)


@dataclass
class Server:
    """A ``torc-server run`` process."""

    database: Path
    process: subprocess.Popen[str]
    port: int
    log: Path
    http: Http = field(init=False)

    def __post_init__(self) -> None:
        self.http = Http(self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/torc-service/v1"

    def worker_pid(self) -> int:
        """The process that serves; its parent only watches it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    def stop(self) -> int:
        """End it with SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """``kill -9`` of the whole server, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)


def launch(database: Path, *options: str, log: Path, env: dict[str, str] | None = None) -> Server:
    """Start ``torc-server run --port 0`` in its own process group and wait for its port."""
    with log.open("a") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "torc.server", "run", "--port", "0", "--database", str(database), *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(env or {})},
            process_group=0,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(PORT_LINE):
            return Server(database, process, int(line.removeprefix(PORT_LINE)), log)
    raise AssertionError(f"the server ended with {process.wait(timeout=20)}: {log.read_text()}")


def end(server: Server) -> None:
    """Leave nothing behind, whatever state a test left the server in."""
    if server.process.poll() is None:
        server.stop()
    if server.process.stdout is not None:
        server.process.stdout.close()


@pytest.fixture
def start_server(database_path: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """``start_server(*options, database=..., env=...)``: a server of this test alone, on ``database_path``."""
    started: list[Server] = []

    def start(*options: str, database: Path = database_path, env: dict[str, str] | None = None) -> Server:
        started.append(launch(database, *options, log=tmp_path / "server.log", env=env))
        return started[-1]

    yield start
    for server in started:
        end(server)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only need their own workflow; it must end clean."""
    directory = tmp_path_factory.mktemp("server")
    server = launch(directory / "torc.db", log=directory / "server.log")
    yield server
    problems = server.http.get("/doctor")
    end(server)
    assert problems.json == {"problems": []}
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def http(server: Server) -> Http:
    """Requests to the shared server."""
    return server.http


@pytest.fixture
def workflow(http: Http) -> int:
    """The id of a new, empty workflow on the shared server."""
    return int(http.post("/workflows", {"name": "test", "user": "tester"}).json["id"])
