"""What a runner must not forget when it dies: the children it has started and the results nobody has acknowledged.

One record a line: length and CRC-32 of the JSON, then the JSON. A line that was cut off is dropped when read.
"""

import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from torc.models.record import Record
from torc.models.sync import FinishedJob

REWRITE_BYTES = 1 << 20
"""Above this size, what was acknowledged is dropped, unless most is still to be delivered."""


class Spawned(Record, kw_only=True):
    """A child and how to tell it from a later process with the same number."""

    job_id: int
    attempt_id: int
    pid: int
    born: tuple[float, float]  # between these two boot times


class Line(Record, kw_only=True):
    """One record: either of the two."""

    spawned: Spawned | None = None
    finished: FinishedJob | None = None


@dataclass
class Spooled:
    """What a spool holds."""

    finished: list[FinishedJob] = field(default_factory=list)
    unfinished: list[Spawned] = field(default_factory=list)


class Spool:
    """The open spool of a running runner. A write that fails is left out whole and sets ``problem``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: OSError | None = None
        self._encoder = msgspec.json.Encoder()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._create(path)
        self._size = 0
        self._rewrite_at = REWRITE_BYTES

    def add(self, *, spawned: Spawned | None = None, finished: FinishedJob | None = None) -> None:
        """Append a record; it outlives this process at once, and the machine after ``fsync``."""
        if not self.problem:
            self._append(self._line(Line(spawned=spawned, finished=finished)))

    def fsync(self) -> None:
        """Make what was appended outlive the machine."""
        try:
            os.fsync(self._file)
        except OSError as error:
            self.problem = error

    def needs_rewrite(self) -> bool:
        """Whether it has grown, a write has failed, or somebody has removed it."""
        return self._size > self._rewrite_at or self.problem is not None or not self.path.exists()

    def rewrite(self, spawned: Iterable[Spawned], finished: Iterable[FinishedJob]) -> None:
        """Keep these records only, all or nothing."""
        draft = self.path.with_suffix(".new")
        lines = [Line(spawned=record) for record in spawned] + [Line(finished=record) for record in finished]
        content = b"".join(map(self._line, lines))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            file = self._create(draft)
            try:
                _write_all(file, content)
                os.rename(draft, self.path)
            except OSError:
                os.close(file)
                draft.unlink(missing_ok=True)
                raise
        except OSError as error:
            self.problem = error
            return
        os.close(self._file)
        self._file, self._size, self.problem = file, len(content), None
        # After a long outage much is left to deliver, and must not be written again for every answer.
        self._rewrite_at = max(REWRITE_BYTES, 2 * len(content))

    def close(self, *, discard: bool) -> None:
        """``discard`` when everything in it was acknowledged."""
        os.close(self._file)
        if discard:
            self.path.unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        try:
            _write_all(self._file, line)
            self._size += len(line)
        except OSError as error:
            self.problem = error
            with suppress(OSError):
                os.ftruncate(self._file, self._size)

    def _line(self, line: Line) -> bytes:
        text = self._encoder.encode(line)
        return b"%d %08x %s\n" % (len(text), zlib.crc32(text), text)

    @staticmethod
    def _create(path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600)


def read_spool(path: Path) -> Spooled:
    """Everything up to the first damaged line; nothing when there is no file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Spooled()
    finished: list[FinishedJob] = []
    unfinished: dict[tuple[int, int], Spawned] = {}
    for raw in content.splitlines(keepends=True):
        line = _read_line(raw)
        if line is None:
            break
        if line.spawned:
            unfinished[line.spawned.job_id, line.spawned.attempt_id] = line.spawned
        if line.finished:
            unfinished.pop((line.finished.job_id, line.finished.attempt_id), None)
            finished.append(line.finished)
    return Spooled(finished, list(unfinished.values()))


def _read_line(raw: bytes) -> Line | None:
    """None for a line that was cut off or changed."""
    length, _, rest = raw.partition(b" ")
    crc, _, text = rest.partition(b" ")
    if not text.endswith(b"\n") or not length.isdigit() or int(length) != len(text) - 1:
        return None
    if b"%08x" % zlib.crc32(text[:-1]) != crc:
        return None
    try:
        return msgspec.json.decode(text, type=Line)
    except msgspec.MsgspecError:  # whole, but of another version
        return None


def _write_all(file: int, content: bytes) -> None:
    """A write to a nearly full disk, or near a quota, may take a part only; the next one then says why."""
    while content:
        content = content[os.write(file, content) :]
