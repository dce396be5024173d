"""Sessions as the kernel knows them: who is in one, since when, and how to end it.

Each job runs in a session of its own, so that its whole process tree can be found. Source: proc(5),
``/proc/pid/stat``. On systems without /proc only the process group of the leader can be reached.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

# Positions in /proc/pid/stat after the command, which is in parentheses and may hold anything.
STATE, SESSION, START_TIME = 0, 3, 19
DEAD = {b"Z", b"X"}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KILL_ROUNDS = 5
"""A process may fork while its session is being killed; its child is found in the next round."""


def boot_time() -> float:
    """Seconds since boot, those that the machine slept included, which the monotonic clock of Linux leaves out."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def was_born(pid: int, after: float, before: float) -> bool:
    """Whether a process lives that started between these two boot times; tells a pid from its reuse."""
    fields = _stat(pid)
    return bool(fields) and int(after * TICKS_PER_S) <= int(fields[START_TIME]) <= before * TICKS_PER_S


def members(session: int) -> Iterator[int]:
    """The pids alive in a session."""
    wanted = b"%d" % session
    for name in _listdir("/proc"):
        fields = _stat(int(name)) if name.isdigit() else []
        if fields and fields[SESSION] == wanted and fields[STATE] not in DEAD:
            yield int(name)


def terminate(session: int) -> None:
    """SIGTERM to the leader's process group: background groups are told by their shell."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGTERM)


def kill(session: int) -> None:
    """SIGKILL to everything in the session, whatever process groups it has made.

    The leader must not have been reaped yet: until then nobody else can get its number.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    for _ in range(KILL_ROUNDS):
        found = list(members(session))
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _stat(pid: int) -> list[bytes]:
    """The fields after the command; none when there is no such process."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(file, 1024).rpartition(b")")[2].split()
    except ProcessLookupError:
        return []
    finally:
        os.close(file)


def _listdir(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
