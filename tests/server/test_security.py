"""Who may talk to a server: R1."""

import base64
import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.conftest import Http, Server
from torc.rendezvous import Lock, Places, read_server_file

Start = Callable[..., Server]
Attach = Callable[[], Lock]

BASE = "/torc-service/v1"


def ask(port: int, headers: dict[str, str], method: str = "GET", path: str = "/ping", body: str | None = None) -> int:
    """The status for a request whose Host is what the test says, or nothing."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, BASE + path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if body is not None else None)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200 or json.loads(text)["error"]["message"]
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9", "[::1]:8080", "10.0.0.7", socket.gethostname()]
)
def test_addresses_and_own_names_are_good_hosts(server: Server, host: str) -> None:
    assert ask(server.port, {"Host": host}) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "", "[evil]"]
)
def test_a_rebound_name_is_refused(server: Server, host: str) -> None:
    assert ask(server.port, {"Host": host}) == 403


def test_an_allowed_host_is_answered(start_server: Start) -> None:
    server = start_server("--allowed-host", "Torc.Example.org")
    assert ask(server.port, {"Host": "torc.example.org:8080"}) == 200
    assert ask(server.port, {"Host": "other.example.org"}) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://localhost", "null", "http://127.0.0.1:1", "", "http://127.0.0.1"]
)
def test_a_page_of_another_site_is_refused(server: Server, http: Http, origin: str) -> None:
    before = http.get("/workflows").json["total_count"]
    headers = {"Host": f"127.0.0.1:{server.port}", "Origin": origin, "Content-Type": "text/plain"}
    assert ask(server.port, headers, "POST", "/workflows", '{"name": "planted", "user": "evil"}') == 403
    assert http.get("/workflows").json["total_count"] == before


def test_a_page_of_this_server_may_talk_to_it(server: Server) -> None:
    own = f"127.0.0.1:{server.port}"
    assert ask(server.port, {"Host": own, "Origin": f"http://{own}"}) == 200


def test_preflights_are_not_answered(http: Http) -> None:
    reply = http.request("OPTIONS", "/workflows")
    assert reply.status == 405
    assert not any(name.startswith("access-control") for name in reply.headers)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_standalone_server_answers_only_to_its_token(start_server: Start, attached_users: Attach) -> None:
    attached_users()
    server = start_server("--standalone")
    record = read_server_file(Places.of(server.database).server)
    assert record is not None and record.token is not None
    assert len(record.token) >= 43  # 256 bits
    wrong = [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic %%%"},
        {"Authorization": f"Bearer {record.token}"},
        {"Authorization": basic(f"torc:{record.token}x")},
        {"Authorization": basic(f"other:{record.token}")},
        {"Authorization": basic(record.token)},
    ]
    for headers in wrong:
        for path in ("/ping", "/version", "/workflows", "/nothing"):
            reply = server.http.request("GET", path, headers=headers)
            assert reply.status == 401
            assert reply.headers["www-authenticate"] == 'Basic realm="Torc"'
    good = {"Authorization": basic(f"torc:{record.token}")}
    assert server.http.request("GET", "/ping", headers=good).json["status"] == "ok"


def test_the_token_is_in_no_command_line_and_no_log(start_server: Start, attached_users: Attach) -> None:
    attached_users()
    server = start_server("--standalone", "--log-level", "debug")
    record = read_server_file(Places.of(server.database).server)
    assert record is not None and record.token is not None
    server.http.request("GET", "/ping", headers={"Authorization": basic(f"torc:{record.token}")})
    lock = Places.of(server.database).lock
    for pid in (server.process.pid, server.worker_pid()):
        with open(f"/proc/{pid}/cmdline") as command:
            assert record.token not in command.read()
        with open(f"/proc/{pid}/environ") as environ:
            assert record.token not in environ.read()
    assert record.token not in server.log.read_text()
    assert record.token not in lock.read_text()


def test_listening_to_the_network_without_authentication_is_warned_about(start_server: Start) -> None:
    server = start_server("--host", "0.0.0.0")
    assert "without authentication" in server.log.read_text()


def test_listening_on_loopback_is_not_warned_about(start_server: Start) -> None:
    assert "WARNING" not in start_server().log.read_text()
