"""Reading output that may still grow: its end, and what is added until nothing more can be."""

import sys
import time
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from torc.errors import NotFound, TorcError

if TYPE_CHECKING:
    from torc.cli.jobs.logs import Source

LOOK_S = 0.1
"""Between two looks at a file that has not grown."""

ASK_S = 1.0
"""Between two questions to the server whether the job has ended."""

BLOCK = 64 * 1024


def whole_or_end(path: Path, lines: int | None) -> tuple[BinaryIO, int]:
    """A file opened at its beginning, or so that the last ``lines`` are left; and its size."""
    try:
        file = path.open("rb", buffering=0)
        size = file.seek(0, 2)
        file.seek(0 if lines is None else _start_of_end(file, size, lines))
    except OSError as error:
        raise TorcError(f"{path} cannot be read: {error.strerror}.") from error
    return file, size


def _start_of_end(file: RawIOBase, size: int, lines: int) -> int:
    """Where the last lines of a file begin. The last one may lack its line feed."""
    if not lines:
        return size
    at, wanted = size, lines + 1
    while at > 0:
        start = max(0, at - BLOCK)
        file.seek(start)
        block = file.read(at - start) or b""
        if at == size and not block.endswith(b"\n"):
            wanted -= 1
        found = block.count(b"\n")
        if found >= wanted:
            place = len(block)
            for _ in range(wanted):
                place = block.rindex(b"\n", 0, place)
            return start + place + 1
        wanted -= found
        at = start
    return 0


class Follower:
    """The output of a job as it is written, up to the end of the job, one attempt after the other."""

    def __init__(self, source: "Source", tail: int | None) -> None:
        self._source = source
        self._tail = tail
        self._file: BinaryIO | None = None
        self._ask_at = time.monotonic()
        self._has_told = False

    def read(self, size: int) -> bytes:
        """What has been added; empty once the job has ended. Waits for it."""
        while True:
            if piece := self._piece(size):
                return piece
            if time.monotonic() < self._ask_at:
                time.sleep(LOOK_S)
                continue
            self._source.refresh()
            self._ask_at = time.monotonic() + ASK_S
            if self._source.is_over():
                if piece := self._piece(size):  # written before the job ended
                    return piece
                if not self._next():
                    return b""

    def _piece(self, size: int) -> bytes:
        if self._file is None and self._source.has_attempt:
            path = self._source.path()
            if path.exists():
                self._file, _ = whole_or_end(path, self._tail)
                self._tail = None  # of later attempts everything
            elif self._source.is_running and not self._has_told:
                self._has_told = True
                print(f"Waiting for it: {self._source.missing()}", file=sys.stderr)
        return b"" if self._file is None else self._file.read(size)

    def _next(self) -> bool:
        """Go on with the next attempt, if there is one. NotFound where the last one has left no file."""
        missing = None if self._file else self._source.missing()
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._source.advance():
            return True
        if missing is not None:
            raise NotFound(missing)
        return False
