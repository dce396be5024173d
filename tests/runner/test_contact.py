"""The lease is kept without the loop, and silence is noticed. A stand-in answers, because its leases are short."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import pytest

from torc.client.api import Client
from torc.errors import ServerAway
from torc.models.sync import PROTOCOL, SyncRequest
from torc.runner.contact import LONGEST_PAUSE_S, Contact
from torc.runner.events import Answered, Failed, Inbox

LEASE_S = 0.8


class Heard(ThreadingHTTPServer):
    """Answers every sync and renewal with a short lease, and notes when."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answerer)
        self.requests: list[tuple[str, float]] = []
        self.is_silent = False


class Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        assert isinstance(self.server, Heard)
        if self.server.is_silent:
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path.rpartition("/")[2], time.monotonic()))
        workflow = {"run_id": 1, "is_complete": False, "is_canceled": False}
        body = json.dumps({"jobs": [], "workflow": workflow, "lease_s": LEASE_S}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[Heard]:
    server = Heard()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def inbox() -> Inbox:
    return SimpleQueue()


@pytest.fixture
def contact(heard: Heard, inbox: Inbox) -> Iterator[Contact]:
    client = Client(f"http://127.0.0.1:{heard.server_port}/torc-service/v1")
    contact = Contact(client, 7, inbox)
    yield contact
    contact.close()
    client.close()


def sync(contact: Contact) -> SyncRequest:
    request = SyncRequest(protocol=PROTOCOL, seq=contact.next_seq(), database_id="d", generation=1, holding=[])
    contact.send(request)
    return request


def test_every_send_has_a_number_of_its_own(contact: Contact, inbox: Inbox) -> None:
    first = sync(contact)
    answered = inbox.get(timeout=10)
    assert isinstance(answered, Answered) and answered.request is first
    assert sync(contact).seq == first.seq + 1
    assert isinstance(inbox.get(timeout=10), Answered)


def test_a_silent_loop_keeps_its_lease(
    contact: Contact, heard: Heard, inbox: Inbox, eventually: Callable[..., Any]
) -> None:
    sync(contact)
    inbox.get(timeout=10)
    requests = eventually(lambda: list(heard.requests), lambda found: len(found) >= 6)
    assert [kind for kind, _ in requests[:6]] == ["sync", *["renew"] * 5]
    gaps = [later - earlier for (_, earlier), (_, later) in zip(requests, requests[1:], strict=False)]
    assert sorted(gaps)[len(gaps) // 2] <= LEASE_S / 4 + 0.1
    assert not contact.is_stale()


def test_contact_gets_stale_after_half_a_lease_of_silence(
    contact: Contact, heard: Heard, inbox: Inbox, eventually: Callable[..., Any]
) -> None:
    sync(contact)
    inbox.get(timeout=10)
    assert not contact.is_stale()
    heard.is_silent = True
    eventually(contact.is_stale)


def test_a_server_that_is_not_there_fails_the_request(inbox: Inbox) -> None:
    contact = Contact(Client("http://127.0.0.1:9/torc-service/v1"), 7, inbox)
    request = sync(contact)
    failed = inbox.get(timeout=10)
    contact.close()
    assert isinstance(failed, Failed)
    assert failed.request is request
    assert isinstance(failed.error, ServerAway)


def test_pauses_grow_up_to_a_limit(contact: Contact) -> None:
    pauses = [contact.pause_s(failures) for failures in range(1, 12)]
    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert contact.pause_s(10_000) == LONGEST_PAUSE_S
