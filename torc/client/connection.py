"""One pool of kept-alive connections, and the one place that turns an answer into a record or a TorcError."""

import logging
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, BinaryIO, NoReturn, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError, TimeoutError

from torc import __version__
from torc.errors import BY_STATUS, ServerAway, TorcError, Unauthorized, UsageError

logger = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 3
"""How often a request that is safe to repeat is sent when the server is silent or has no room."""

WHOLE_WORKFLOW_S = 600.0
"""How long a verb over a whole workflow may take; a million jobs need more than an ordinary request."""

FIRST_PAUSE_S = 0.2
CHUNK_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 10.0
POOL_SIZE = 8
"""Connections kept open; more threads than that open and close theirs."""

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
        self._pool, self._base = _open_pool(url)

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
    ) -> urllib3.BaseHTTPResponse:
        """The answer as it came, whatever its status; ServerAway when there was none.

        GET, and what the caller declares ``repeatable``, is sent again after a lost connection; so is anything that
        found nobody to connect to. Otherwise ServerAway does not tell whether the request was applied. ``preload``
        false leaves the body to be read by the caller.
        """
        target = f"{self._base}{path}{_query_text(query)}"
        data = None if body is None else self._encoder.encode(body)
        given = {**self._headers, **(LESS if method == "GET" else {}), **(headers or {})}
        repeatable = repeatable or method == "GET"
        pause_s = FIRST_PAUSE_S
        give_up_at = time.monotonic() + self._timeout_s
        for tries_left in reversed(range(TRIES)):
            is_last = not tries_left or time.monotonic() > give_up_at
            try:
                answer = self._exchange(method, target, data, given, timeout_s or self._timeout_s, preload)
                if is_last or not repeatable or answer.status not in TRY_AGAIN:
                    break
                answer.drain_conn()
                logger.debug("%s %s: status %d; trying again", method, path, answer.status)
            except ServerAway as error:
                if is_last or not (repeatable or isinstance(error.__cause__, NewConnectionError)):
                    raise
                logger.debug("%s %s: %s; trying again", method, path, error)
            time.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s *= 2
        return answer

    def stream(self, path: str, kind: type[T], *, query: Mapping[str, object] | None = None) -> Iterator[T]:
        """The ``data`` of server-sent events, until the server ends them or the reader closes the iterator."""
        answer = self.exchange("GET", path, query=query, preload=False)
        try:
            if answer.status != HTTPStatus.OK:
                answer.read(cache_content=True)
                self._refuse(answer, "GET", path)
            for line in answer:
                if line.startswith(b"data: "):
                    yield _decoder(kind).decode(line.removeprefix(b"data: "))
        finally:
            answer.close()

    def download(self, path: str, out: BinaryIO, *, query: Mapping[str, object] | None = None) -> int:
        """Copy an answer to ``out`` as it comes, however long it is; how many bytes. ServerAway when it breaks off."""
        answer = self.exchange("GET", path, query=query, timeout_s=WHOLE_WORKFLOW_S, preload=False)
        try:
            if answer.status != HTTPStatus.OK:
                answer.read(cache_content=True)
                self._refuse(answer, "GET", path)
            return sum(out.write(chunk) for chunk in answer.stream(CHUNK_BYTES))
        except HTTPError as error:
            raise ServerAway(f"the answer of {self.url} broke off ({_reason(error)}); try again.") from error
        finally:
            answer.close()

    def close(self) -> None:
        """Close every kept connection; an open one delays the server's stop."""
        self._pool.close()

    def _exchange(
        self,
        method: str,
        target: str,
        data: bytes | None,
        headers: dict[str, str],
        timeout_s: Allowed,
        preload: bool,
    ) -> urllib3.BaseHTTPResponse:
        connect_s, read_s = (
            timeout_s if isinstance(timeout_s, tuple) else (min(timeout_s, CONNECT_TIMEOUT_S), timeout_s)
        )
        limits = urllib3.Timeout(connect=connect_s, read=read_s)
        try:
            # `headers` replaces the pool's own, and `retries=False` hands every answer and failure to us.
            return self._pool.urlopen(
                method,
                target,
                body=data,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=limits,
                preload_content=preload,
            )
        except HTTPError as error:
            raise ServerAway(
                f"no answer from {self.url} ({_reason(error)}). Start a server with `torc-server run`, name another "
                "one with --url or TORC_API_URL, or let torc start a private one with --standalone."
            ) from error

    def _read(self, answer: urllib3.BaseHTTPResponse, kind: type[T], method: str, path: str) -> T:
        if answer.status != HTTPStatus.OK:
            self._refuse(answer, method, path)
        try:
            return _decoder(kind).decode(answer.data)
        except msgspec.MsgspecError as error:
            raise TorcError(
                f"{self.url} answered {method} {path} with something else than torc {__version__} expects ({error}). "
                "Is it a torc server, of a version that fits?"
            ) from error

    def _refuse(self, answer: urllib3.BaseHTTPResponse, method: str, path: str) -> NoReturn:
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


def _open_pool(url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
    """The pool for the host of ``url``, and the path all requests begin with."""
    try:
        parts = urllib3.util.parse_url(url)
        if parts.scheme not in ("http", "https") or not parts.host:
            raise LocationValueError("it has to begin with http:// or https:// and a host name")
        pool = urllib3.connection_from_url(url, maxsize=POOL_SIZE, block=False)
    except HTTPError as error:
        raise UsageError(f"{url!r} is not the URL of a server: {error}.") from error
    return pool, (parts.path or "").rstrip("/")


def _query_text(query: Mapping[str, object] | None) -> str:
    """``?key=value`` for every value that is not None, booleans as the API writes them, lists as repeats."""
    given = {key: value for key, value in (query or {}).items() if value is not None}
    words = {key: str(value).lower() if isinstance(value, bool) else value for key, value in given.items()}
    return f"?{urlencode(words, doseq=True)}" if words else ""


def _reason(error: HTTPError) -> str:
    """Why there was no answer, in the words of the operating system where it said something."""
    innermost: BaseException = error
    while innermost.__cause__ or innermost.__context__:
        innermost = innermost.__cause__ or innermost.__context__ or innermost
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return "time-out" if isinstance(error, TimeoutError) else str(innermost)
