"""Collects children that have ended, and ends those that are to end with everything they have started."""

import signal
import time
from collections.abc import Sequence

from torc.runner import processes
from torc.runner.child import Child, Ending
from torc.runner.processes import Table, Trees

DYING_S = 5.0
"""How long killed processes may take to go. One that hangs in a file system goes when that answers, if ever."""

LOOKING_SHARE = 0.1
"""At most so much of a core goes into watching processes end, on a machine that has many of them."""


class Reaper:
    """Looks at all processes at most once for all children, and not at all while none is to end."""

    def __init__(self) -> None:
        self._trees = Trees()
        self._look_again_at = 0.0  # monotonic

    def collect(self, children: Sequence[Child]) -> list[tuple[Child, Ending]]:
        """The children that have ended.

        One that was told to end has ended when its whole tree has: its shell dies of SIGTERM at once, while the
        program inside may still be writing a checkpoint.
        """
        stopped = [child for child in children if child.stopped]
        gone = self._pursue(stopped) if stopped else set()
        return [
            (child, ending)
            for child in children
            if (not child.stopped or child.pid in gone) and (ending := child.collect()) is not None
        ]

    def _pursue(self, stopped: list[Child]) -> set[int]:
        """Send the signals that are due; the pids of those of whom nothing is left."""
        began, cpu_s = time.monotonic(), time.thread_time()
        due = [child for child in stopped if child.sent != _signal_due(child, began)]
        # Asked before the look: whatever a shell started before it ended is then seen.
        ended = {child.pid for child in stopped if child.has_ended()}
        if not due and (not ended or began < self._look_again_at):
            return set()
        table = processes.look()
        trees = self._trees.of(table, {child.pid: child.mark for child in stopped})
        for child in due:
            child.sent = _signal_due(child, began)
            processes.send_to_group(child.sent, child.pid)
        for child in stopped:
            self._signal_tree(child, trees[child.pid], table, leader_ended=child.pid in ended)
        now = time.monotonic()
        self._look_again_at = now + (time.thread_time() - cpu_s) / LOOKING_SHARE
        return {
            child.pid for child in stopped if child.pid in ended and (not trees[child.pid] or _is_hopeless(child, now))
        }

    def _signal_tree(self, child: Child, tree: list[int], table: Table, *, leader_ended: bool) -> None:
        """Reach those that have left the process group.

        A shell may pass SIGTERM on, and a program that writes a checkpoint needs its helpers. So others are asked to
        end when nothing is left of the group, each once; with SIGKILL there is nothing to wait for, and what they
        have started meanwhile is killed the next time.
        """
        if child.sent == signal.SIGTERM:
            if child.told_all or not leader_ended or any(table[pid].group == child.pid for pid in tree):
                return
            child.told_all = True
        for pid in tree:
            processes.send(child.sent or signal.SIGKILL, pid, table[pid].born)


def _signal_due(child: Child, now: float) -> signal.Signals:
    is_overdue = child.kill_at is not None and child.kill_at <= now
    return signal.SIGKILL if is_overdue else signal.SIGTERM


def _is_hopeless(child: Child, now: float) -> bool:
    return child.kill_at is not None and now - child.kill_at >= DYING_S
