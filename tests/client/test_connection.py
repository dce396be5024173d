"""What the client makes of answers, and of none. The other side is a plain socket that says what a test wants."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from torc.client.api import Client
from torc.errors import Conflict, NotFound, ServerAway, TorcError, Unauthorized, Unavailable, UsageError
from torc.models.workflow import Workflow

DROP = b""
"""Close the connection instead of answering."""


def reply(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


class Listener:
    """Answers one connection after the other with what it was given, and keeps what was asked."""

    def __init__(self, replies: list[bytes]) -> None:
        self.requests: list[str] = []
        self._replies = replies
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:{1}/torc-service/v1".format(*self._socket.getsockname())
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._replies:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536).decode())
                connection.sendall(answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(*replies: bytes) -> Listener:
        listeners.append(Listener(list(replies)))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


WORKFLOW = reply(200, '{"id": 3, "name": "w", "user": "u"}')


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/torc-service/v1", "http://no-such-host.invalid/torc-service/v1"])
def test_nobody_there_is_said_with_the_url_and_a_cure(url):
    with pytest.raises(ServerAway) as away:
        Client(url).workflows.get(1)
    assert url in away.value.message
    assert "torc-server run" in away.value.message
    assert "--standalone" in away.value.message


@pytest.mark.parametrize("url", ["", "localhost", "ftp://host/", "http://", "http://[::1/"])
def test_what_is_no_url_is_refused_at_once(url):
    with pytest.raises(UsageError, match="is not the URL of a server"):
        Client(url)


def test_a_get_is_repeated_after_a_lost_connection(listen):
    listener = listen(DROP, DROP, WORKFLOW)
    assert Client(listener.url).workflows.get(3).name == "w"
    assert len(listener.requests) == 3


def test_a_get_is_not_repeated_for_ever(listen):
    listener = listen(DROP, DROP, DROP, WORKFLOW)
    with pytest.raises(ServerAway):
        Client(listener.url).workflows.get(3)
    assert len(listener.requests) == 3


def test_a_server_without_room_is_asked_again(listen):
    listener = listen(reply(503, '{"error": {"message": "no room"}}'), WORKFLOW)
    assert Client(listener.url).workflows.get(3).id == 3


def test_a_server_that_stays_without_room_is_quoted(listen):
    listener = listen(*[reply(503, '{"error": {"message": "no room"}}')] * 3)
    with pytest.raises(Unavailable, match="no room"):
        Client(listener.url).workflows.get(3)


def test_a_post_is_sent_once(listen):
    listener = listen(DROP, WORKFLOW)
    with pytest.raises(ServerAway):
        Client(listener.url).workflows.create(Workflow(name="w", user="u"))
    assert len(listener.requests) == 1


def test_a_post_that_found_nobody_is_sent_again():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:{1}/torc-service/v1".format(*door.getsockname())
        opening = threading.Timer(0.05, door.listen)  # the first pause is at least twice as long
        opening.start()
        with pytest.raises(ServerAway, match="time-out"):
            Client(url, timeout_s=1.0).workflows.create(Workflow(name="w", user="u"))
        opening.join()
        connection, _ = door.accept()
        with connection:
            assert connection.recv(65536).startswith(b"POST /torc-service/v1/workflows ")


def test_silence_ends_after_the_time_allowed(listen):
    listener = listen()
    with pytest.raises(ServerAway, match="time-out"):
        Client(listener.url, timeout_s=0.2).workflows.get(3)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (409, Conflict), (500, TorcError)])
def test_a_refusal_is_the_servers_own_sentence(listen, status, kind):
    listener = listen(reply(status, '{"error": {"message": "Workflow not found with ID: 3", "hint": 7}}'))
    with pytest.raises(TorcError) as refused:
        Client(listener.url).workflows.get(3)
    assert type(refused.value) is kind
    assert refused.value.message == "Workflow not found with ID: 3"
    assert refused.value.details == {"hint": 7}


def test_missing_credentials_name_the_variables(listen):
    listener = listen(reply(401, "Unauthorized"))
    with pytest.raises(Unauthorized, match="TORC_USERNAME and TORC_PASSWORD"):
        Client(listener.url).workflows.get(3)


def test_credentials_are_sent_with_every_request(listen):
    listener = listen(WORKFLOW)
    Client(listener.url, username="ann", password="secret").workflows.create(Workflow(name="w", user="u"))
    assert "Authorization: Basic YW5uOnNlY3JldA==" in listener.requests[0]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (reply(200, "<html>"), "something else than torc"),
        (reply(200, '{"id": "x", "name": "w", "user": "u"}'), r"Expected `int \| null`, got `str` - at `\$.id`"),
        (reply(404, "<html>"), "Is it a torc server"),
        (reply(405, '{"error": "text"}'), "Is it a torc server"),
        (reply(302, ""), "with status 302"),
    ],
)
def test_an_answer_that_is_not_ours_is_explained(listen, answer, sentence):
    with pytest.raises(TorcError, match=sentence):
        Client(listen(answer).url).workflows.get(3)


def test_a_proxy_without_its_server_counts_as_away(listen):
    with pytest.raises(ServerAway, match="status 502"):
        Client(listen(*[reply(502, "<html>")] * 3).url).workflows.get(3)
