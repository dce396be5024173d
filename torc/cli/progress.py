"""How a run is doing, on stderr: one live line on a terminal, now and then a plain line anywhere else."""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Self, TextIO, cast

from torc.models.draft import BATCH_JOBS
from torc.models.status import JobStatus
from torc.runner.threads import start_without_signals

REDRAW_S = 0.2
"""The live line is drawn at most this often."""

SILENT_S = 1.0
"""What takes no longer needs no line."""

MEGABYTE = 10**6

LINE_S = 2.0
"""Plain lines about success are at least this far apart."""

STEPS = 10
FAILURES_NAMED = 20
ERASE = "\r\x1b[K"


def show_sending(sent: int, total: int) -> None:
    """Say how much of a big workflow has been sent, on a terminal."""
    if total > BATCH_JOBS and sys.stderr.isatty():
        end = "\n" if sent == total else ""
        print(f"{ERASE}Creating workflow: {sent} of {total} jobs", end=end, file=sys.stderr, flush=True)


@contextmanager
def patience(says: Callable[[], str]) -> Iterator[None]:
    """Show on a terminal that something goes on, once it takes more than a second; nothing is left of it."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    began = time.monotonic()

    def paint() -> None:
        if over.wait(SILENT_S):
            return
        while True:
            print(f"{ERASE}{says()} ({time.monotonic() - began:.0f} s)", end="", file=sys.stderr, flush=True)
            if over.wait(REDRAW_S):
                print(ERASE, end="", file=sys.stderr, flush=True)
                return

    painter = threading.Thread(target=paint, name="patience", daemon=True)
    painter.start()
    try:
        yield
    finally:
        over.set()
        painter.join()


def download(write: Callable[[BinaryIO], object], out: BinaryIO, title: str) -> None:
    """Let ``write`` fill ``out``, and show on a terminal how far it is. ``out`` is at its beginning."""
    with patience(lambda: f"{title}: {_position(out) / MEGABYTE:.1f} MB"):
        write(out)


def _position(out: BinaryIO) -> int:
    try:
        return os.fstat(out.fileno()).st_size  # what is still in the buffer does not matter
    except (OSError, ValueError):
        return 0  # closed at this moment


class Progress:
    """What a runner reports, as plain lines. Use as a context manager."""

    def __init__(self, stream: TextIO, counts: dict[str, int]) -> None:
        """``counts`` are the jobs by status before the run."""
        self._stream = stream
        self._total = sum(counts.values())
        self._ended = Counter({JobStatus(status): count for status, count in counts.items()})
        for unsettled in set(JobStatus) - {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TERMINATED}:
            del self._ended[unsettled]
        self._running = 0
        self._began = time.monotonic()
        self._failures = 0
        self._next_step = self._done * STEPS // max(self._total, 1) + 1
        self._last_line = self._began

    def __enter__(self) -> Self:
        self.say(f"Running {self._total} jobs")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def job_started(self, name: str) -> None:
        """A child runs."""
        self._running += 1

    def job_finished(self, name: str, status: str, return_code: int | None) -> None:
        """An attempt has ended, or could not be started."""
        self._running = max(0, self._running - 1)
        self._ended[JobStatus(status)] += 1
        if status != JobStatus.COMPLETED:
            self._failures += 1
            if self._failures <= FAILURES_NAMED:
                self.say(f"Job {name!r} {status} with return code {return_code}")
            if self._failures == FAILURES_NAMED:
                self.say("More failures are counted, not named.")
        self.changed()

    def note(self, text: str) -> None:
        """Something a person should know."""
        self.say(text)

    @property
    def stream(self) -> TextIO:
        """Where others print meanwhile."""
        return self._stream

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def changed(self) -> None:
        """Tell where the run is when it has come a tenth further, though not too often."""
        if self._done * STEPS >= self._next_step * self._total and time.monotonic() - self._last_line >= LINE_S:
            self._last_line = time.monotonic()
            self._next_step = self._done * STEPS // max(self._total, 1) + 1
            self.say(self.line())

    def line(self) -> str:
        """``12 of 100 done, 2 running, 0 failed, 0:01:23``."""
        seconds = int(time.monotonic() - self._began)
        elapsed = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        failed = self._done - self._ended[JobStatus.COMPLETED]
        return f"{self._done} of {self._total} done, {self._running} running, {failed} failed, {elapsed}"

    @property
    def _done(self) -> int:
        return self._ended.total()


class LiveProgress(Progress):
    """The same on a terminal: one line that is redrawn, and steps aside for others."""

    def __init__(self, stream: TextIO, counts: dict[str, int]) -> None:
        super().__init__(stream, counts)
        self._lock = threading.RLock()
        self._drawn = False
        self._over = threading.Event()
        # Not drawn where things happen: a burst of short jobs must not wait for a terminal.
        self._painter = threading.Thread(target=self._paint, name="progress", daemon=True)

    def __enter__(self) -> Self:
        start_without_signals(self._painter)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._painter.join()
        self._erase()

    @property
    def stream(self) -> TextIO:
        """This object: what others print goes above the live line."""
        return cast(TextIO, self)  # write and flush are all that print and logging use

    def say(self, line: str) -> None:
        """Write a line of its own above the live one."""
        self.write(f"{line}\n")
        self.flush()

    def changed(self) -> None:
        """The painter looks by itself."""

    def write(self, text: str) -> int:
        """As a stream."""
        with self._lock:
            self._erase()
            return self._stream.write(text)

    def flush(self) -> None:
        """As a stream."""
        self._stream.flush()

    def _paint(self) -> None:
        drawn = ""
        while not self._over.wait(REDRAW_S):
            line = self.line()
            if line != drawn or not self._drawn:
                drawn = line
                with self._lock:
                    self._stream.write(f"{ERASE}{line}")
                    self._stream.flush()
                    self._drawn = True

    def _erase(self) -> None:
        with self._lock:
            if self._drawn:
                self._stream.write(ERASE)
                self._drawn = False


def progress_on(stream: TextIO, counts: dict[str, int]) -> Progress:
    """The kind that suits the stream."""
    return LiveProgress(stream, counts) if stream.isatty() else Progress(stream, counts)
