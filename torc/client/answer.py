"""What a server has answered, read at once or piece by piece."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

from torc.errors import ServerAway


class Answer:
    """Status, headers and body of an answer. ``data`` is the whole body."""

    def __init__(self, response: HTTPResponse, url: str, link: HTTPConnection | None) -> None:
        """``link`` is closed with the answer; without one the connection is somebody else's to close."""
        self.status: int = response.status
        self.reason: str = response.reason
        self.headers = cast(Mapping[str, str], response.headers)  # in any case of their names
        self._response = response
        self._link = link
        self._url = url
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The body; what is left of one that is being read piece by piece."""
        if self._data is None:
            with self:
                self._data = b"".join(self.chunks())
        return self._data

    def preload(self) -> None:
        """Read the body now. OSError and HTTPException when it breaks off."""
        self._data = self._response.read()

    def read(self, size: int | None = None) -> bytes:
        """The next bytes of a body that has not been read yet, all of them without ``size``; none at its end."""
        if self._data is not None:
            taken, self._data = self._data[:size], b"" if size is None else self._data[size:]
            return taken
        try:
            taken = self._response.read(size)
            if (
                not taken and size != 0 and self._response.length
            ):  # http.client is silent about it when bytes are counted
                raise IncompleteRead(b"", self._response.length)
        except (OSError, HTTPException) as error:
            raise ServerAway(f"the answer of {self._url} broke off ({why(error)}); try again.") from error
        return taken

    def chunks(self, size: int = 256 * 1024) -> Iterator[bytes]:
        """The body in pieces of at most so many bytes, as they come."""
        while chunk := self.read(size):
            yield chunk

    def lines(self) -> Iterator[bytes]:
        """The body line by line, as they come."""
        try:
            yield from self._response
        except (OSError, HTTPException) as error:
            raise ServerAway(f"the answer of {self._url} broke off ({why(error)}).") from error

    def json(self) -> Any:
        """What the body means."""
        return json.loads(self.data)

    def close(self) -> None:
        """Give up the connection; what has been read stays."""
        self._response.close()
        if self._link:
            self._link.close()

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def why(error: Exception) -> str:
    """The reason, in the words of the operating system where it said something."""
    if isinstance(error, TimeoutError):
        return "time-out"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
