"""One pool of kept-alive connections, and the one place that turns an answer into a record or a TorcError."""

import logging
import random
import select
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLCertVerificationError
from typing import Any, BinaryIO, NoReturn, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from torc import __version__
from torc.client.answer import Answer, why
from torc.errors import BY_STATUS, ServerAway, TorcError, Unauthorized, UsageError

logger = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 3
"""How often a request that is safe to repeat is sent when the server is silent or has no room."""

WHOLE_WORKFLOW_S = 600.0
"""How long a verb over a whole workflow may take; a million jobs need more than an ordinary request."""

FIRST_PAUSE_S = 0.2
CONNECT_TIMEOUT_S = 10.0
POOL_SIZE = 8
"""Idle connections kept open; more threads than that open and close theirs."""

AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""What a proxy answers for a server that does not."""

TRY_AGAIN = AWAY | {HTTPStatus.SERVICE_UNAVAILABLE}
"""What may be better a moment later."""

LESS = {"Prefer": "return=minimal"}
"""Lists then come without the second copy of their rows, which is for readers of other clients."""

Allowed = float | tuple[float, float]
"""Seconds for a whole request, or for connecting and for reading."""


class _Explanation(msgspec.Struct):
    """The server's error body. ``error`` holds ``message`` and whatever else the error carries."""

    error: dict[str, Any] = {}


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Making a decoder costs more than most answers."""
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]


class Connection:
    """Sends requests to one server. Threads may share it."""

    def __init__(self, url: str, username: str | None, password: str | None, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._encoder = msgspec.json.Encoder()
        self._headers = {"User-Agent": f"torc/{__version__}", "Content-Type": "application/json"}
        if username is not None:
            secret = b64encode(f"{username}:{password or ''}".encode()).decode("ascii")
            self._headers["Authorization"] = f"Basic {secret}"
        self._open, self._base = _opener(url)
        self._idle: deque[HTTPConnection] = deque()  # threads may append and pop at the same time

    def send(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout_s: float | None = None,
    ) -> T:
        """The answer as a ``kind``; the server's refusal as the TorcError of its status. Repeats as ``exchange``."""
        answer = self.exchange(
            method, path, body=body, query=query, headers=headers, repeatable=repeatable, timeout_s=timeout_s
        )
        return self._read(answer, kind, method, path)

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout_s: Allowed | None = None,
        preload: bool = True,
    ) -> Answer:
        """The answer as it came, whatever its status; ServerAway when there was none.

        GET, and what the caller declares ``repeatable``, is sent again after a lost connection; so is anything that
        found nobody to connect to. Otherwise ServerAway does not tell whether the request was applied. ``preload``
        false leaves the body to be read by the caller.
        """
        target = f"{self._base}{path}{_query_text(query)}"
        data = None if body is None else self._encoder.encode(body)
        given = {**self._headers, **(LESS if method == "GET" else {}), **(headers or {})}
        connect_s, read_s = _limits(timeout_s or self._timeout_s)
        repeatable = repeatable or method == "GET"
        pause_s = FIRST_PAUSE_S
        give_up_at = time.monotonic() + self._timeout_s
        for tries_left in reversed(range(TRIES)):
            is_last = not tries_left or time.monotonic() > give_up_at
            was_sent = False
            try:
                link = self._take() or self._connect(connect_s)
                was_sent = True
                answer = self._ask(link, method, target, data, given, read_s, preload)
                if is_last or not repeatable or answer.status not in TRY_AGAIN:
                    break
                answer.close()
                logger.debug("%s %s: status %d; trying again", method, path, answer.status)
            except SSLCertVerificationError as error:
                raise TorcError(
                    f"the certificate of {self.url} is not trusted ({error.verify_message}); name a file with the "
                    "certificate of its authority, or with its own, in SSL_CERT_FILE."
                ) from error
            except (OSError, HTTPException) as error:
                if is_last or (was_sent and not repeatable):
                    raise self._away(error) from error
                logger.debug("%s %s: %s; trying again", method, path, why(error))
            time.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s *= 2
        return answer

    def stream(self, path: str, kind: type[T], *, query: Mapping[str, object] | None = None) -> Iterator[T]:
        """The ``data`` of server-sent events, until the server ends them or the reader closes the iterator."""
        with self.exchange("GET", path, query=query, preload=False) as answer:
            if answer.status != HTTPStatus.OK:
                self._refuse(answer, "GET", path)
            for line in answer.lines():
                if line.startswith(b"data: "):
                    yield _decoder(kind).decode(line.removeprefix(b"data: "))

    def download(self, path: str, out: BinaryIO, *, query: Mapping[str, object] | None = None) -> int:
        """Copy an answer to ``out`` as it comes, however long it is; how many bytes. ServerAway when it breaks off."""
        with self.exchange("GET", path, query=query, timeout_s=WHOLE_WORKFLOW_S, preload=False) as answer:
            if answer.status != HTTPStatus.OK:
                self._refuse(answer, "GET", path)
            return sum(out.write(chunk) for chunk in answer.chunks())

    def close(self) -> None:
        """Close every kept connection; an open one delays the server's stop."""
        while self._idle:
            self._idle.pop().close()

    def _away(self, error: Exception) -> ServerAway:
        return ServerAway(
            f"no answer from {self.url} ({why(error)}). Start a server with `torc-server run`, name another one with "
            "--url or TORC_API_URL, or let torc start a private one with --standalone."
        )

    def _take(self) -> HTTPConnection | None:
        """A kept connection that the server has not closed meanwhile."""
        while self._idle:
            try:
                link = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _has_input(link):
                return link
            link.close()
        return None

    def _connect(self, timeout_s: float) -> HTTPConnection:
        link = self._open(timeout_s)
        try:
            link.connect()
        except BaseException:
            link.close()
            raise
        return link

    def _ask(
        self,
        link: HTTPConnection,
        method: str,
        target: str,
        data: bytes | None,
        headers: dict[str, str],
        timeout_s: float,
        preload: bool,
    ) -> Answer:
        is_kept = False
        try:
            link.sock.settimeout(timeout_s)
            link.request(method, target, data, headers)
            response = link.getresponse()
            if not preload:
                is_kept = True
                return Answer(response, self.url, link)
            answer = Answer(response, self.url, None)
            answer.preload()
            if not response.will_close and len(self._idle) < POOL_SIZE:
                is_kept = True
                self._idle.append(link)
            return answer
        finally:
            if not is_kept:
                link.close()

    def _read(self, answer: Answer, kind: type[T], method: str, path: str) -> T:
        if answer.status != HTTPStatus.OK:
            self._refuse(answer, method, path)
        try:
            return _decoder(kind).decode(answer.data)
        except msgspec.MsgspecError as error:
            raise TorcError(
                f"{self.url} answered {method} {path} with something else than torc {__version__} expects ({error}). "
                "Is it a torc server, of a version that fits?"
            ) from error

    def _refuse(self, answer: Answer, method: str, path: str) -> NoReturn:
        """Raise what the server raised, with its own sentence."""
        try:
            details = _decoder(_Explanation).decode(answer.data).error
        except msgspec.MsgspecError:
            details = {}
        message = details.pop("message", None)
        if answer.status in AWAY:
            raise ServerAway(f"no answer from the server behind {self.url} (status {answer.status} from a proxy).")
        if answer.status == HTTPStatus.UNAUTHORIZED:
            sent = "refused the credentials" if "Authorization" in self._headers else "wants to know who you are"
            raise Unauthorized(
                f"{self.url} {sent}: set TORC_USERNAME and TORC_PASSWORD, or use --username and --password."
            )
        if not isinstance(message, str):
            raise TorcError(
                f"{self.url} answered {method} {path} with status {answer.status} and no explanation. Is it a torc "
                "server? Its address ends in /torc-service/v1."
            )
        error = BY_STATUS.get(answer.status, TorcError)(message)
        error.details = details
        raise error


def _limits(allowed: Allowed) -> tuple[float, float]:
    """Seconds for connecting, and for each wait for the answer."""
    return allowed if isinstance(allowed, tuple) else (min(allowed, CONNECT_TIMEOUT_S), allowed)


def _has_input(link: HTTPConnection) -> bool:
    """Whether something can be read from an idle connection: its end, since nothing else is expected."""
    poll = select.poll()
    poll.register(link.sock, select.POLLIN)
    return bool(poll.poll(0))


def _opener(url: str) -> tuple[Callable[[float], HTTPConnection], str]:
    """What makes a connection to the host of ``url``, given a time limit, and the path all requests begin with."""
    try:
        parts = urlsplit(url)
        kind = {"http": HTTPConnection, "https": HTTPSConnection}.get(parts.scheme)
        host, port = parts.hostname, parts.port
        if kind is None or not host or not host.isprintable() or " " in host:
            raise ValueError("it has to begin with http:// or https:// and a host name")
        if not host.isascii():
            host.encode("idna")
    except ValueError as error:
        raise UsageError(f"{url!r} is not the URL of a server: {error}.") from error
    return lambda timeout_s: kind(host, port, timeout=timeout_s), quote(parts.path.rstrip("/"), safe="/%")


def _query_text(query: Mapping[str, object] | None) -> str:
    """``?key=value`` for every value that is not None, booleans as the API writes them, lists as repeats."""
    given = {key: value for key, value in (query or {}).items() if value is not None}
    words = {key: str(value).lower() if isinstance(value, bool) else value for key, value in given.items()}
    return f"?{urlencode(words, doseq=True)}" if words else ""
