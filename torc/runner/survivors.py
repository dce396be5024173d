"""What is left on this machine of the jobs of a runner that is dead."""

import logging
import os
import signal
import time
from collections.abc import Iterable, Iterator, Set

from torc.runner import processes
from torc.runner.ledger import Key
from torc.runner.processes import Table, Trees, action_mark
from torc.runner.reaper import DYING_S
from torc.runner.spool import Spawned

logger = logging.getLogger(__name__)

POLL_S = 0.02


class Survivors:
    """Processes that carry the mark of the dead runner's node, or descend from a shell it has recorded."""

    def __init__(self, node_mark: str) -> None:
        self._node_mark = node_mark

    def attempts(self) -> set[Key]:
        """The attempts of which anything runs, by the marks."""
        return {key for mark in self._marks() for key in self._key_of(mark)}

    def kill(self, shells: Iterable[Spawned], unrecorded: Set[Key]) -> None:
        """End the trees of these shells and attempts, and all actions; wait until nothing of them runs any more.

        A number that now belongs to another process is left alone, and so are we, should a job have started us.
        """
        shells = list(shells)
        wanted = {self._mark(key) for key in {(shell.job_id, shell.attempt_id) for shell in shells} | unrecorded}
        wanted |= {mark for mark in self._marks() if mark.startswith(action_mark(self._node_mark))}
        # A shell may be gone and its children not. Its mark then stands under a number that no process has.
        marks = {-number: mark for number, mark in enumerate(sorted(wanted), start=1)}
        trees = Trees()
        give_up_at = time.monotonic() + DYING_S
        while True:
            table = processes.look()
            living = {
                shell.pid: self._mark((shell.job_id, shell.attempt_id))
                for shell in shells
                if processes.was_born(shell.pid, *shell.born)
            }
            found = trees.of(table, living | marks)
            left = {pid for tree in found.values() for pid in tree}.difference(_own_line(table))
            if not left or time.monotonic() > give_up_at:
                break
            for pid in left:
                logger.info("killing process %d, which outlived the runner of its job", pid)
                processes.send(signal.SIGKILL, pid, table[pid].born)
            time.sleep(POLL_S)
        if left:
            logger.warning("processes %s were killed and have not ended after %g s", sorted(left), DYING_S)

    def _marks(self) -> set[str]:
        """Those of the node that any process carries."""
        found = (mark for pid in processes.look() for mark in processes.marks_of(pid) or ())
        return {mark for mark in found if mark.startswith(self._node_mark)}

    def _mark(self, key: Key) -> str:
        return f"{self._node_mark}{key[0]}-{key[1]}"

    def _key_of(self, mark: str) -> Iterator[Key]:
        """Nothing for the mark of another node."""
        job_id, dash, attempt_id = mark.removeprefix(self._node_mark).partition("-")
        if mark.startswith(self._node_mark) and job_id.isdecimal() and dash and attempt_id.isdecimal():
            yield int(job_id), int(attempt_id)


def _own_line(table: Table) -> set[int]:
    """This process and all it descends from."""
    line: set[int] = set()
    at = os.getpid()
    while at in table and at not in line:
        line.add(at)
        at = table[at].ppid
    return line
