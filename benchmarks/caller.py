"""The leanest client: http.client on one kept-alive connection, so that clients cost little beside the server."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

MINIMAL = {"Prefer": "return=minimal"}
"""What our own client says when it lists: the rows once are enough."""


class Caller:
    """One kept-alive connection. Every answer but 200 is an error."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = parts.path
        self._connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        """The body of the answer."""
        self._connection.request(
            method, self._base + path, body, {"Content-Type": "application/json", **(headers or {})}
        )
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()}")
        return data

    def close(self) -> None:
        self._connection.close()
