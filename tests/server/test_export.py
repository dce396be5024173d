"""``GET /workflows/{id}/export``: the document over HTTP, and readers who take their time."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.conftest import Http, Server
from tests.server.scenario import Flow
from torc.client.api import Client
from torc.errors import ServerAway
from torc.models.export import Export

MORE_THAN_SOCKETS_HOLD = 24 * 1024 * 1024


def export(http: Http, workflow: int, **query: Any) -> Any:
    reply = http.get(f"/workflows/{workflow}/export", **query)
    assert reply.status == 200, reply.text
    return reply.json


def test_the_document_says_what_it_is(http: Http, workflow: int) -> None:
    http.post("/jobs", {"workflow_id": workflow, "name": "ü", "command": "true"})
    reply = http.get(f"/workflows/{workflow}/export")
    assert reply.headers["content-type"] == "application/json"
    assert int(reply.headers["content-length"]) == len(reply.text.encode())
    document = msgspec.json.decode(reply.text, type=Export)
    assert (document.format, document.version) == ("torc-workflow", 1)
    assert document.jobs[0].name == "ü"
    assert "results" not in reply.json
    assert "events" not in reply.json


def test_results_and_events_come_when_asked_for(http: Http, workflow: int) -> None:
    http.post("/events", {"workflow_id": workflow, "data": {"category": "note"}})
    assert export(http, workflow, include_results="true")["results"] == []
    assert len(export(http, workflow, include_events="true")["events"]) == 1


@pytest.mark.parametrize("query", [{"include_result": "true"}, {"include_results": "yes"}, {"include_events": ""}])
def test_a_query_that_is_not_understood_is_refused(http: Http, workflow: int, query: dict[str, str]) -> None:
    reply = http.get(f"/workflows/{workflow}/export", **query)
    assert reply.status == 400
    assert next(iter(query)) in reply.message


def test_there_is_no_document_of_a_draft_or_of_nothing(http: Http) -> None:
    draft = http.post("/drafts", {"workflow": {"name": "d", "user": "u"}, "counts": {}}).json["workflow_id"]
    for workflow in (draft, 99999999):
        reply = http.get(f"/workflows/{workflow}/export")
        assert (reply.status, reply.message) == (404, f"Workflow not found with ID: {workflow}")


def test_a_workflow_that_runs_can_be_exported(flow: Flow) -> None:
    flow.graph("a", "b: a").begin()
    flow.claim()
    flow.start("a")
    document = export(flow.http, flow.id, include_results="true")
    assert [job["name"] for job in document["jobs"]] == ["a", "b"]
    assert all("status" not in job.get("state", {}) for job in document["jobs"])


@pytest.fixture
def small_server(start_server: Any) -> Server:
    """A server that lets one reader at a time take an export."""
    server: Server = start_server("--threads", "4")
    return server


@pytest.fixture
def big(small_server: Server) -> int:
    """A workflow whose document does not fit into the buffers between a server and a reader."""
    http = small_server.http
    workflow = int(http.post("/workflows", {"name": "big", "user": "u"}).json["id"])
    http.post("/user_data", {"workflow_id": workflow, "name": "d", "data": "x" * MORE_THAN_SOCKETS_HOLD})
    return workflow


@pytest.fixture
def stalled(small_server: Server, big: int) -> Iterator[socket.socket]:
    """A reader who has seen the beginning of the document and reads no more."""
    parts = urlsplit(small_server.url)
    with socket.create_connection((parts.hostname, parts.port)) as reader:
        reader.sendall(f"GET {parts.path}/workflows/{big}/export HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert reader.recv(12) == b"HTTP/1.1 200"
        yield reader


def test_a_reader_who_stalls_holds_up_nobody_who_works(small_server: Server, stalled: socket.socket) -> None:
    http = small_server.http
    workflow = http.post("/workflows", {"name": "other", "user": "u"}).json["id"]
    assert http.post("/jobs", {"workflow_id": workflow, "name": "a", "command": "x"}).status == 200
    assert [http.get("/ping").status for _ in range(8)] == [200] * 8


def test_readers_who_stall_do_not_take_every_thread(small_server: Server, big: int, stalled: socket.socket) -> None:
    reply = small_server.http.get(f"/workflows/{big}/export")
    assert reply.status == 503
    assert "--threads" in reply.message


def test_a_reader_who_goes_away_leaves_nothing(
    small_server: Server, big: int, stalled: socket.socket, eventually: Any
) -> None:
    stalled.close()
    eventually(lambda: small_server.http.get(f"/workflows/{big}/export").status, lambda status: status == 200)
    folder = small_server.database.parent
    assert not list(folder.glob("tmp*"))
    nameless = f"{folder}/"
    eventually(
        lambda: [name for name in open_files(small_server.worker_pid()) if "(deleted)" in name and nameless in name],
        lambda left: not left,
    )


def open_files(pid: int) -> list[str]:
    """What a process has open, by name."""
    folder = f"/proc/{pid}/fd"
    found: list[str] = []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def test_a_refused_export_gives_its_place_back(small_server: Server) -> None:
    assert [small_server.http.get("/workflows/7/export").status for _ in range(5)] == [404] * 5


def test_a_server_that_dies_in_the_middle_is_noticed(
    small_server: Server, big: int, tmp_path: Any, stalled: socket.socket
) -> None:
    small_server.kill()
    received = b""
    while chunk := read(stalled):
        received += chunk
    with pytest.raises(json.JSONDecodeError):
        json.loads(received.partition(b"\r\n\r\n")[2])


def read(reader: socket.socket) -> bytes:
    try:
        return reader.recv(1 << 20)
    except ConnectionResetError:
        return b""


def test_the_client_reads_the_definition(server: Server, http: Http, workflow: int) -> None:
    http.post("/jobs", {"workflow_id": workflow, "name": "a", "command": "true"})
    with closing(Client(server.url)) as client:
        document = client.workflows.export(workflow)
    assert [job.name for job in document.jobs] == ["a"]
    assert document.counts().jobs == 1
    assert document.status is None


def test_the_client_notices_an_answer_that_breaks_off(tmp_path: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        with closing(Client(f"http://{host}:{port}")) as client, (tmp_path / "out").open("wb") as out:
            answer_in_part(listener)
            with pytest.raises(ServerAway, match="broke off"):
                client.workflows.export_to(1, out)


def answer_in_part(listener: socket.socket) -> None:
    """Let the next request get the beginning of a longer answer."""

    def answer() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")

    threading.Thread(target=answer, daemon=True).start()
