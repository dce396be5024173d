"""What wakes the loop: signals and the outcomes of syncs, all on one queue."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeAlias

from torc.models.sync import SyncAnswer, SyncRequest

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

BATCH_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2)
"""What users have a batch system send beside SIGTERM, as a warning before it ends a job."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The server has applied ``request``."""

    request: SyncRequest
    answer: SyncAnswer
    took_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer to ``request``: refused, or lost on the way there or back."""

    request: SyncRequest
    error: Exception


@dataclass(frozen=True, slots=True)
class OverMemory:
    """A job uses more memory than it may."""

    key: tuple[int, int]  # job id and attempt id
    used_bytes: int


Event: TypeAlias = int | Answered | Failed | OverMemory
"""What wakes the loop: the number of a signal, the outcome of a sync, or what was seen of a job."""

Inbox: TypeAlias = "SimpleQueue[Event]"


@contextmanager
def signals_as_events(also: Iterable[signal.Signals] = ()) -> Iterator[Inbox]:
    """A queue that receives the number of every signal that ends a runner or tells of a child.

    A handler may run between any two instructions; SimpleQueue.put is the one thing that is safe there.
    """
    inbox: Inbox = SimpleQueue()
    # What is ignored stays ignored: nohup, and shells that start a job in the background.
    wanted = [number for number in (*ENDING_SIGNALS, *also) if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, lambda n, _: inbox.put(n)) for number in (*wanted, signal.SIGCHLD)}
    try:
        yield inbox
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
