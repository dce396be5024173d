"""Events with a replay cursor, and as a stream of server-sent events."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from itertools import islice
from typing import Any

import pytest

from tests.conftest import Http, Server, wait_until
from torc.client.api import Client

Start = Callable[..., Server]


def post(http: Http, workflow: int, number: int, **data: Any) -> int:
    body = {"workflow_id": workflow, "timestamp": 0, "data": {"category": "note", "number": number, **data}}
    return int(http.post("/events", body).json["id"])


def ask(server: Server, path: str, headers: dict[str, str] | None = None) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", f"/torc-service/v1{path}", headers=headers or {})
    return connection, connection.getresponse()


@contextmanager
def listening(server: Server, path: str, headers: dict[str, str] | None = None) -> Iterator[HTTPResponse]:
    """A stream, once the server has noticed that earlier listeners left."""

    def is_open(asked: tuple[HTTPConnection, HTTPResponse]) -> bool:
        if asked[1].status == 503:
            asked[0].close()
        return asked[1].status != 503

    connection, answer = wait_until(lambda: ask(server, path, headers), is_open)
    try:
        yield answer
    finally:
        connection.close()


def sent(answer: HTTPResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream, each with the id that came on the line before it."""
    last_id = b""
    for line in answer:
        if line.startswith(b"id: "):
            last_id = line.removeprefix(b"id: ").strip()
        if line.startswith(b"data: "):
            event = json.loads(line.removeprefix(b"data: "))
            assert event["id"] == int(last_id)
            yield event


def numbers(events: Iterator[dict[str, Any]], count: int) -> list[int]:
    return [event["data"]["number"] for event in islice(events, count)]


def test_the_cursor_skips_nothing_and_repeats_nothing(http: Http, workflow: int) -> None:
    ids = [post(http, workflow, number) for number in range(5)]
    path = f"/workflows/{workflow}/events"
    first = http.get(path, after_id=0, limit=2).json
    assert [event["id"] for event in first["items"]] == ids[:2]
    assert first["has_more"]
    rest = http.get(path, after_id=ids[1]).json
    assert [event["id"] for event in rest["items"]] == ids[2:]
    assert rest["events"] == rest["items"]
    assert http.get(path, after_id=ids[-1]).json["items"] == []


def test_events_are_listed_from_a_level_up(http: Http, workflow: int) -> None:
    for number, level in enumerate(["debug", "info", "warning", "error", "loud", None]):
        post(http, workflow, number, **({"level": level} if level else {}))

    def found(level: str) -> list[int]:
        items = http.get(f"/workflows/{workflow}/events", level=level).json["items"]
        return [event["data"]["number"] for event in items]

    assert found("debug") == [0, 1, 2, 3, 4, 5]
    assert found("info") == [1, 2, 3, 4, 5], "a level nobody knows is information"
    assert found("warning") == [2, 3]
    assert found("error") == [3]
    assert http.get(f"/workflows/{workflow}/events", level="loud").status == 400


def test_a_stream_replays_after_the_cursor_and_goes_on(server: Server, http: Http, workflow: int) -> None:
    ids = [post(http, workflow, number) for number in range(3)]
    with listening(server, f"/workflows/{workflow}/events/stream?after_id={ids[0]}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        events = sent(answer)
        assert numbers(events, 2) == [1, 2]
        post(http, workflow, 3)
        assert numbers(events, 1) == [3]


def test_a_browser_that_comes_back_goes_on_where_it_was(server: Server, http: Http, workflow: int) -> None:
    ids = [post(http, workflow, number) for number in range(3)]
    path = f"/workflows/{workflow}/events/stream?after_id=0"
    with listening(server, path, {"Last-Event-ID": str(ids[1])}) as answer:
        assert numbers(sent(answer), 1) == [2]


def test_a_stream_without_cursor_begins_now(server: Server, http: Http, workflow: int) -> None:
    post(http, workflow, 1)
    with listening(server, f"/workflows/{workflow}/events/stream?level=warning") as answer:
        assert answer.readline() == b": nothing new\n", "a first sign comes at once"
        post(http, workflow, 2)
        post(http, workflow, 3, level="error")
        assert numbers(sent(answer), 1) == [3]


def test_more_streams_than_a_quarter_of_the_threads_are_refused(start_server: Start) -> None:
    server = start_server("--threads", "8")
    workflow = server.http.post("/workflows", {"name": "w", "user": "u"}).json["id"]
    path = f"/workflows/{workflow}/events/stream"
    with listening(server, path) as first, listening(server, path) as second:
        assert (first.status, second.status) == (200, 200)
        connection, third = ask(server, path)
        assert third.status == 503
        assert "after_id" in json.loads(third.read())["error"]["message"]
        connection.close()
        assert server.http.get("/ping").status == 200
    with listening(server, path) as fourth:
        assert fourth.status == 200, "places of listeners that left are free again"


def test_the_server_ends_while_somebody_listens(start_server: Start) -> None:
    server = start_server()
    workflow = server.http.post("/workflows", {"name": "w", "user": "u"}).json["id"]
    with listening(server, f"/workflows/{workflow}/events/stream") as answer:
        answer.readline()
        assert server.stop() == 0
        assert answer.read() in (b"\n", b"\n: nothing new\n\n"), "the stream ends, it does not break"


def test_a_stream_ends_with_its_workflow(server: Server, http: Http) -> None:
    workflow = http.post("/workflows", {"name": "w", "user": "u"}).json["id"]
    with listening(server, f"/workflows/{workflow}/events/stream") as answer:
        answer.readline()
        http.delete(f"/workflows/{workflow}")
        answer.read()
    assert http.get(f"/workflows/{workflow}/events/stream").status == 404


@pytest.mark.parametrize("query", ["after_id=x", "level=loud", "limit=5"])
def test_a_stream_that_cannot_be_meant_is_refused(http: Http, workflow: int, query: str) -> None:
    name, _, value = query.partition("=")
    assert http.get(f"/workflows/{workflow}/events/stream", **{name: value}).status == 400


def test_our_own_client_listens_too(start_server: Start) -> None:
    server = start_server()
    http = server.http
    workflow = http.post("/workflows", {"name": "w", "user": "u"}).json["id"]
    ids = [post(http, workflow, number) for number in range(3)]
    with closing(Client(server.url)) as client:
        assert [event.id for event in client.workflows.events(workflow)] == ids
        stream = client.workflows.stream(workflow, after_id=ids[0])
        assert [event.id for event in islice(stream, 2)] == ids[1:]
