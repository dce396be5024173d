"""A server in the background: detached from the terminal that started it, and found again by its pid file."""

import fcntl
import os
import sys
from pathlib import Path
from typing import NoReturn, TextIO, cast

from torc.errors import TorcError
from torc.rendezvous import PORT_LINE


def detach() -> None:
    """Go on in a process without terminal; the one that was called ends when that one serves, or has failed.

    What is printed reaches the caller's terminal until then, and nobody after that.
    """
    hearing, telling = os.pipe()
    if os.fork():
        os.close(telling)
        _relay(hearing)
    os.close(hearing)
    os.setsid()
    if os.fork():  # whoever leads a session could get a terminal again by opening one
        os._exit(0)
    os.umask(0o027)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    sys.stdout = sys.stderr = cast(TextIO, _Told(telling))


def _relay(hearing: int) -> NoReturn:
    """Print what the server says until it serves: status 0. If it ends before: status 1."""
    with os.fdopen(hearing) as lines:
        for line in lines:
            is_ready = line.startswith(PORT_LINE)
            print(line, end="", file=sys.stdout if is_ready else sys.stderr, flush=True)
            if is_ready:
                os._exit(0)
    os._exit(1)


class _Told:
    """Writes to the process that waits for the server, and nowhere once that is gone."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        try:
            os.write(self._descriptor, text.encode(self.encoding, self.errors))
        except BrokenPipeError:
            pass
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return False


class PidFile:
    """Holds the number of the process to stop. It is locked, so that a number in a file without lock means nothing."""

    def __init__(self, path: Path) -> None:
        """TorcError when it cannot be written, or belongs to a server that runs."""
        self._path = path
        self._maker = os.getpid()
        while True:
            try:
                self._file = path.open("a+")
            except OSError as error:
                raise TorcError(
                    f"cannot write {path}: {error.strerror}; choose another file with --pid-file"
                ) from error
            if self._is_mine_alone():
                break
            self._file.close()
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def _is_mine_alone(self) -> bool:
        """Lock it; False when the one who had it removed it meanwhile."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read(20).strip() or "unknown"
            raise TorcError(
                f"{self._path} belongs to process {holder}, which is running; stop that one, or choose another file "
                "with --pid-file"
            ) from error
        return self._path.exists() and os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())

    def remove(self) -> None:
        """Nothing in a child of the process that made it, which still holds the lock."""
        if os.getpid() == self._maker:
            self._path.unlink(missing_ok=True)
