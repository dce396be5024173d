"""What the kernel knows of processes: one pass over /proc, and whose job each of them belongs to.

Source: proc(5), ``/proc/pid/stat`` and ``/proc/pid/environ``. On systems without /proc nothing is found.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

MARK = "TORC_MARK"
"""Variable that every process of a job inherits: which attempt it belongs to, wherever it has moved."""

# Positions in /proc/pid/stat after the command, which is in parentheses and may hold anything.
STATE, PPID, SESSION, FIRST_TICKS, START_TIME, RSS = 0, 1, 3, 11, 19, 21
DEAD = {b"Z", b"X"}
MOST_BYTES = 1 << 20  # of an environment


class Process(NamedTuple):
    """A process at one moment."""

    ppid: int
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
        session=int(fields[SESSION]),
        is_dead=fields[STATE] in DEAD,
        born=int(fields[START_TIME]),
        cpu_ticks=sum(map(int, fields[FIRST_TICKS : FIRST_TICKS + 4])),
        rss_pages=int(fields[RSS]),
    )


def mark_of(pid: int) -> str | None:
    """The mark a process was started with; None without one, and for processes of other users."""
    wanted = f"{MARK}=".encode()
    variables = _read(f"/proc/{pid}/environ", MOST_BYTES).split(b"\0")
    return next(
        (value[len(wanted) :].decode(errors="replace") for value in variables if value.startswith(wanted)), None
    )


class Trees:
    """Says which processes belong to which job.

    A process belongs to the job in whose session it is; else to that of its nearest ancestor; else, when what started
    it is gone, to the job whose mark it carries. Each mark is read once.
    """

    def __init__(self) -> None:
        self._marks: dict[tuple[int, int], str | None] = {}  # by pid and birth

    def of(self, table: Table, leaders: Mapping[int, str]) -> dict[int, list[int]]:
        """The living processes of each job; ``leaders`` are the pids of the jobs' shells with their marks."""
        by_mark = {mark: leader for leader, mark in leaders.items()}
        owners: dict[int, int | None] = {}
        found: dict[int, list[int]] = {leader: [] for leader in leaders}
        marks: dict[tuple[int, int], str | None] = {}
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
                if owner is None and not table[member].is_dead:
                    key = member, table[member].born
                    marks[key] = self._marks[key] if key in self._marks else mark_of(member)
                    owner = by_mark.get(marks[key] or "")
                owners[member] = owner
        for pid, owner in owners.items():
            if owner is not None and not table[pid].is_dead:
                found[owner].append(pid)
        self._marks = marks
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
