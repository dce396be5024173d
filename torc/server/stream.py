"""Events as they happen: server-sent events, each stream a thread of its own for as long as somebody listens."""

import select
import socket
import threading
from collections.abc import Callable, Iterator

import msgspec
from falcon import Request, Response

from torc.errors import NotFound, Unavailable
from torc.models.event import Event
from torc.models.queries import Paging, StreamQuery
from torc.server.parameters import kind_of, read_value
from torc.store import events
from torc.store.database import Database

MEDIA_TYPE = "text/event-stream"
LOOK_S = 0.5  # between two looks for new events; each is one step into an index
SIGN_OF_LIFE_S = 15.0  # proxies end connections that are silent for long
MOST_AT_ONCE = 500


class Streams:
    """How many streams may be open, and whether the server is about to end them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.is_ending = False  # set in a signal handler, which may not take a lock
        self.downloads = threading.Semaphore(most)  # of documents, which a slow reader may keep open as long
        self._places = threading.Semaphore(most)
        self._never = threading.Event()

    def open(self, source: Iterator[bytes]) -> "Stream":
        """``source``, holding one of the places until it ends; Unavailable when there is none."""
        if not self._places.acquire(blocking=False):
            raise Unavailable(
                f"all {self.most} event streams of this server are in use (a quarter of its threads); "
                "ask GET /workflows/ID/events?after_id=N now and then instead, or start the server with more --threads"
            )
        return Stream(source, self._places.release)

    def pause(self) -> None:
        """Wait for the next look."""
        self._never.wait(LOOK_S)


class Stream:
    """One open stream. A WSGI server calls ``close`` whatever happens; a generator that never began would miss it."""

    def __init__(self, source: Iterator[bytes], closed: Callable[[], None]) -> None:
        self._source = source
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return self._source

    def close(self) -> None:
        self._closed()


class EventStream:
    """``/workflows/{id}/events/stream``."""

    def __init__(self, database: Database, streams: Streams) -> None:
        self.database = database
        self.streams = streams

    def listen(self, req: Request, resp: Response, workflow_id: int, query: StreamQuery) -> None:
        """The events of a workflow as they happen, after the one with ``after_id`` or from now on."""
        sent_before = req.get_header("Last-Event-ID")  # a browser that comes back
        after_id = query.after_id if not sent_before else read_value("Last-Event-ID", sent_before, kind_of(int))
        last_id = events.last_id(self.database, workflow_id)
        source = self._events(
            workflow_id, last_id if after_id is None else after_id, query, req.env.get("gunicorn.socket")
        )
        resp.stream = self.streams.open(source)
        resp.content_type = MEDIA_TYPE
        resp.set_header("Cache-Control", "no-store")
        resp.set_header("X-Accel-Buffering", "no")  # a proxy must not wait for more

    def _events(
        self, workflow_id: int, after_id: int, query: StreamQuery, listener: socket.socket | None
    ) -> Iterator[bytes]:
        silent_s = SIGN_OF_LIFE_S  # a first sign at once: the listener knows it is heard
        while not (self.streams.is_ending or _has_left(listener)):
            try:
                found = self._after(workflow_id, after_id, query)
            except NotFound:  # deleted meanwhile
                return
            for event in found:
                assert event.id is not None
                after_id, silent_s = event.id, 0.0
                yield b"id: %d\ndata: %b\n\n" % (event.id, msgspec.json.encode(event))
            if silent_s >= SIGN_OF_LIFE_S:
                silent_s = 0.0
                yield b": nothing new\n\n"
            if len(found) < MOST_AT_ONCE:
                self.streams.pause()
                silent_s += LOOK_S

    def _after(self, workflow_id: int, after_id: int, query: StreamQuery) -> list[Event]:
        if events.last_id(self.database, workflow_id) <= after_id:
            return []  # mostly
        page = Paging(limit=MOST_AT_ONCE)
        return events.page(self.database, workflow_id, page, after_id=after_id, level=query.level).items


def _has_left(listener: socket.socket | None) -> bool:
    """Whether the peer closed its connection. Writing would tell only at the second try."""
    if listener is None:
        return False
    poll = select.poll()
    try:
        poll.register(listener, select.POLLRDHUP)  # reading would not do: encrypted, there is always more to read
    except ValueError:  # closed on this side
        return True
    return bool(poll.poll(0))
