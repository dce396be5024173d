"""What the kernel knows of processes: one pass over /proc, and whose job each of them belongs to.

Source: proc(5), ``/proc/pid/stat`` and ``/proc/pid/environ``. On systems without /proc nothing is found; only the
process group of a job's shell can be reached there.
"""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

MARK = "TORC_MARK"
"""Variable that every process of a job inherits: which attempt it belongs to, wherever it has moved.

The marks of all attempts it is in, outermost first and with spaces between: a job may start a runner of its own.
"""

# The runner is not a subreaper (prctl(2)), though orphans would then become its children. That would say that they
# are some job's, not whose; their zombies would have to be waited for beside those of the jobs; and what a job leaves
# behind on purpose would be the runner's. The mark says whose. It misses only a process that has left its session,
# lost its parent and cleared its environment before anybody looked.

# Positions in /proc/pid/stat after the command, which is in parentheses and may hold anything.
STATE, PPID, GROUP, SESSION, FIRST_TICKS, THREADS, START_TIME, RSS = 0, 1, 2, 3, 11, 17, 19, 21
DEAD = {b"Z", b"X"}
MOST_BYTES = 1 << 20  # of an environment
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """A process at one moment."""

    ppid: int
    group: int
    session: int
    is_dead: bool  # a zombie: it has ended and nobody has waited for it yet
    born: int  # clock ticks since boot; tells it from a later process with the same number
    cpu_ticks: int  # its own, and those of the children it has waited for
    rss_pages: int


Table = Mapping[int, Process]


def look() -> dict[int, Process]:
    """All processes of this machine, by pid."""
    found = {}
    for name in _listdir("/proc"):
        if name.isdigit() and (process := look_at(int(name))):
            found[int(name)] = process
    return found


def look_at(pid: int) -> Process | None:
    """One process; None when there is none with this number."""
    fields = _read(f"/proc/{pid}/stat", 1024).rpartition(b")")[2].split()
    if not fields:
        return None
    return Process(
        ppid=int(fields[PPID]),
        group=int(fields[GROUP]),
        session=int(fields[SESSION]),
        # A process whose first thread has ended shows as a zombie while its other threads go on.
        is_dead=fields[STATE] in DEAD and int(fields[THREADS]) <= 1,
        born=int(fields[START_TIME]),
        cpu_ticks=sum(map(int, fields[FIRST_TICKS : FIRST_TICKS + 4])),
        rss_pages=int(fields[RSS]),
    )


def boot_time() -> float:
    """Seconds since boot, those that the machine slept included, which the monotonic clock of Linux leaves out."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def was_born(pid: int, after: float, before: float) -> bool:
    """Whether a process lives that started between these two boot times; tells a pid from its reuse."""
    process = look_at(pid)
    return process is not None and int(after * TICKS_PER_S) <= process.born <= before * TICKS_PER_S


def node_mark(database_id: str | None, node_id: int | None) -> str:
    """How the marks of all jobs of a node begin; a job id and an attempt id follow, as in ``7-1``."""
    return f"{database_id}-{node_id}-"


def action_mark(node: str) -> str:
    """How the marks of all actions of a node begin, after its ``node_mark``; the action's id follows."""
    return f"{node}action"


def marks_of(pid: int) -> list[str] | None:
    """The marks a process was started with, outermost first.

    None where that cannot be told: for processes of other users, and for the moment in which a process that becomes
    another program has no environment.
    """
    wanted = f"{MARK}=".encode()
    variables = _read(f"/proc/{pid}/environ", MOST_BYTES)
    if not variables:
        return None
    mine = next((value for value in variables.split(b"\0") if value.startswith(wanted)), wanted)
    return mine[len(wanted) :].decode(errors="replace").split()


def send(number: signal.Signals, pid: int, born: int) -> None:
    """Signal a process, unless its number belongs to a later one by now."""
    process = look_at(pid)
    if process is not None and process.born == born:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def send_to_group(number: signal.Signals, leader: int) -> None:
    """To the process group of a job's shell. Nobody must have waited for it: until then no other gets its number."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def prefer_for_oom_kill(pid: int, score: int) -> None:
    """Have the kernel rather kill this process and its later children than us when memory runs out.

    Set from outside, so that the child itself can be a cheap vfork. Where it may not be set, nothing happens.
    ``score`` is from 0 to 1000. Source: proc(5), ``/proc/pid/oom_score_adj``.
    """
    with suppress(OSError):
        file = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY)
        try:
            os.write(file, b"%d" % score)
        finally:
            os.close(file)


class Trees:
    """Says which processes belong to which job.

    A process belongs to the job in whose session it is; else to that of its nearest ancestor; else, when what started
    it is gone, to the job whose mark it carries. What was a job's once remains so: its parent may end and it may move
    to a session of its own. Each environment is read until it was there once.
    """

    def __init__(self) -> None:
        self._marks: dict[tuple[int, int], list[str]] = {}  # by pid and birth

    def of(self, table: Table, leaders: Mapping[int, str]) -> dict[int, list[int]]:
        """The living processes of each job; ``leaders`` are the pids of the jobs' shells with their marks."""
        by_mark = {mark: leader for leader, mark in leaders.items()}
        owners: dict[int, int | None] = {}
        marks: dict[tuple[int, int], list[str]] = {}
        for pid in table:
            line: list[int] = []  # from the process up to the first ancestor whose owner is known
            at = pid
            while at in table and at not in owners:
                line.append(at)
                if table[at].session in leaders:
                    owners[at] = table[at].session
                    break
                owners[at] = None  # also ends a circle that a table read in parts may hold
                at = table[at].ppid
            owner = owners.get(at)
            for member in reversed(line):
                key = member, table[member].born
                if owner is None and not table[member].is_dead:
                    known = self._marks[key] if key in self._marks else marks_of(member)
                    if known is not None:
                        marks[key] = known
                        owner = next((by_mark[mark] for mark in reversed(known) if mark in by_mark), None)
                if owner is not None:
                    marks[key] = [leaders[owner]]
                owners[member] = owner
        self._marks = marks
        found: dict[int, list[int]] = {leader: [] for leader in leaders}
        for pid, owner in owners.items():
            if owner is not None and not table[pid].is_dead:
                found[owner].append(pid)
        return found


def _read(path: str, most: int) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, most)
    except OSError:
        return b""
    finally:
        os.close(file)


def _listdir(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
