"""Sends the requests of DefaultApi: address, credentials, headers and time limits become an exchange."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self, TypedDict
from urllib.parse import quote

import msgspec

from torc.client.answer import Answer
from torc.client.connection import Connection
from torc.openapi_client.configuration import Configuration
from torc.openapi_client.exceptions import ApiTypeError, ApiValueError

TIMEOUT_S = 60.0
"""How long a request may take unless its caller says otherwise."""


class RequestOptions(TypedDict, total=False):
    """What every method of DefaultApi takes beside its own arguments."""

    _request_timeout: float | tuple[float, float] | None  # seconds; or those for connecting and those for reading
    _request_auth: Mapping[str, Any] | None  # a header instead of the configured credentials: its key and value
    _content_type: str | None
    _headers: Mapping[str, str] | None
    _host_index: int  # there is one host; accepted for scripts that pass 0


class ApiClient:
    """A server and the connections kept open to it. Threads may share one."""

    _default: ClassVar["ApiClient | None"] = None

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.configuration = Configuration.get_default() if configuration is None else configuration
        self.default_headers: dict[str, str] = {}
        self._connection: Connection | None = None
        self._connected_as: tuple[str, str | None, str | None] | None = None

    @classmethod
    def get_default(cls) -> "ApiClient":
        """What a DefaultApi without a client uses."""
        if cls._default is None:
            cls._default = cls()
        return cls._default

    @classmethod
    def set_default(cls, default: "ApiClient | None") -> None:
        """Use this client where none is given."""
        cls._default = default

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send a header with every request."""
        self.default_headers[header_name] = header_value

    def close(self) -> None:
        """Close the connections; the next request opens one again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """A model, or anything that holds models, as plain JSON values."""
        return msgspec.to_builtins(obj)

    def exchange(
        self,
        method: str,
        path: tuple[object, ...],
        *,
        query: Mapping[str, object],
        body: object,
        options: RequestOptions,
        timeout_s: float,
        preload: bool,
    ) -> Answer:
        """The answer as it came, whatever its status. ServerAway when there was none."""
        unknown = options.keys() - RequestOptions.__annotations__.keys()
        if unknown:
            raise ApiTypeError(f"unexpected keyword argument {min(unknown)!r}")
        return self._connect().exchange(
            method,
            "".join(f"/{_segment(part)}" for part in path),
            body=body,
            query=query,
            headers=self._headers(options),
            timeout_s=options.get("_request_timeout") or timeout_s,
            preload=preload,
        )

    def _connect(self) -> Connection:
        wanted = (self.configuration.host, self.configuration.username, self.configuration.password)
        if self._connection is None or self._connected_as != wanted:
            self.close()
            self._connection, self._connected_as = Connection(*wanted, TIMEOUT_S), wanted
        return self._connection

    def _headers(self, options: RequestOptions) -> dict[str, str]:
        headers = {**self.default_headers, **(options.get("_headers") or {})}
        content_type, auth = options.get("_content_type"), options.get("_request_auth")
        if content_type:
            headers["Content-Type"] = content_type
        if auth:
            if auth.get("in", "header") != "header":
                raise ApiValueError(f"_request_auth goes into a header, not into {auth['in']!r}")
            headers[auth["key"]] = auth["value"]
        return headers


def _segment(part: object) -> str:
    """One part of a path. A missing id would name another resource, so it is refused here."""
    if part is None or part == "" or isinstance(part, bool):
        raise ApiValueError(f"an id is missing: got {part!r}; has the record been created on the server?")
    return quote(str(part), safe="")
