"""Counts what the process trees of jobs use, all of them in one pass over /proc.

Most processes of a machine are nobody's job, and reading them costs more than the jobs themselves. Whose a process is
does not change while it lives, so the others are left out of most passes.
"""

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torc.runner import processes
from torc.runner.processes import TICKS_PER_S, Process, Table, Trees, boot_time

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

SETTLED_S = 2.0
"""A process this old that is no job's stays so: its job, if it had one, would be known by now."""

LOOK_AGAIN_S = 10.0
"""The others are looked at this often all the same: a pid may by now be another process's."""


class Count(NamedTuple):
    """What one tree uses at one moment."""

    processes: int
    memory_bytes: int  # resident; what processes share counts for each of them
    cpu_ticks: int  # so far, without those of processes that have ended and were not waited for


class Census:
    """Remembers between two passes which processes are no job's."""

    def __init__(self) -> None:
        self._trees = Trees()
        self._others: dict[int, float] = {}  # pid: the boot time at which it is looked at again

    def take(self, leaders: Mapping[int, str]) -> dict[int, Count]:
        """What each job uses now; ``leaders`` are the pids of the jobs' shells with their marks."""
        now = boot_time()
        table = dict(self._look(leaders, now))
        found = self._trees.of(table, leaders)
        self._remember_others(table, {pid for members in found.values() for pid in members}, leaders, now)
        return {leader: _count([table[pid] for pid in members]) for leader, members in found.items()}

    def _look(self, leaders: Mapping[int, str], now: float) -> Iterator[tuple[int, Process]]:
        pids = _pids()
        self._others = {pid: until for pid in pids if (until := self._others.get(pid, 0.0)) > now}
        for pid in pids:
            if (pid not in self._others or pid in leaders) and (process := processes.look_at(pid)):
                yield pid, process

    def _remember_others(self, table: Table, members: set[int], leaders: Mapping[int, str], now: float) -> None:
        latest = (now - SETTLED_S) * TICKS_PER_S
        for pid, process in table.items():
            if pid not in members and pid not in leaders and process.born < latest:
                self._others[pid] = now + LOOK_AGAIN_S


def _count(tree: list[Process]) -> Count:
    return Count(
        processes=len(tree),
        memory_bytes=PAGE_BYTES * sum(process.rss_pages for process in tree),
        cpu_ticks=sum(process.cpu_ticks for process in tree),
    )


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:  # not Linux
        return []
