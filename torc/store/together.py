"""Calls of one kind that wait for the write lock at the same time share one turn, one transaction and one commit."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from torc.errors import DatabaseUnusable, TorcError

T = TypeVar("T")
R = TypeVar("R")

MOST = 64
"""How many calls share a transaction at most: the writer behind them waits for all of them."""


class _Call(Generic[T, R]):
    """One thread's call: asleep until it is answered, or until it is its turn to lead."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.answer: R | BaseException | None = None
        self.is_answered = False
        self._awake = threading.Lock()
        self._awake.acquire()

    def sleep(self) -> None:
        self._awake.acquire()

    def wake(self) -> None:
        self._awake.release()

    def give(self, answer: R | BaseException) -> None:
        self.answer = answer
        self.is_answered = True


class Together(Generic[T, R]):
    """Gathers calls for ``work``, which answers several at once, each with a value or with the error to raise.

    The first call that finds nobody waiting queues for the write lock, as any writer does. Those that come until it
    has the lock sleep, and are answered by it after the commit: threads do not hand the lock around, and the disk is
    waited for once.
    """

    def __init__(
        self,
        write: Callable[[], AbstractContextManager[sqlite3.Connection]],
        work: Callable[[sqlite3.Connection, Sequence[T]], Sequence[R | TorcError]],
    ) -> None:
        self._write = write
        self._work = work
        self._guard = threading.Lock()
        self._waiting: deque[_Call[T, R]] = deque()  # the first leads

    def call(self, item: T) -> R:
        """The answer of ``work`` to ``item``, once it is committed; raises its error, or that of the commit."""
        mine: _Call[T, R] = _Call(item)
        with self._guard:
            self._waiting.append(mine)
            leads = len(self._waiting) == 1
        if not leads:
            mine.sleep()
        if not mine.is_answered:
            self._lead()
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return mine.answer  # type: ignore[return-value]  # is_answered

    def _lead(self) -> None:
        group: list[_Call[T, R]] = []
        answers: Sequence[R | BaseException]
        try:
            with self._write() as db:
                group = self._gather()
                answers = self._work(db, [one.item for one in group])
        except BaseException as error:
            group = group or self._gather()  # the transaction did not even begin
            if len(group) == 1 or isinstance(error, DatabaseUnusable) or not isinstance(error, Exception):
                answers = [error] * len(group)
            else:
                answers = [self._alone(one.item) for one in group]
        for one, answer in zip(group, answers, strict=True):
            one.give(answer)
        for one in group[1:]:
            one.wake()

    def _gather(self) -> list[_Call[T, R]]:
        """All who wait now, the leader first; if they are too many, the first of the others leads next."""
        with self._guard:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
            if self._waiting:
                self._waiting[0].wake()
        return group

    def _alone(self, item: T) -> R | BaseException:
        """What one of a group deserves that failed as a whole: the fault of one is not that of the others."""
        try:
            with self._write() as db:
                (answer,) = self._work(db, [item])
                return answer
        except BaseException as error:
            return error
