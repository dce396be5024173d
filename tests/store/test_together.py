"""Calls that wait for the write lock at the same time share one turn (rules 23 and 25)."""

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from torc.errors import Conflict, DatabaseUnusable
from torc.store import together
from torc.store.together import Together


class Ledger:
    """Stores the numbers it is given, and remembers which came together."""

    def __init__(self, database):
        self.database = database
        self.groups: list[list[int]] = []
        with database.write() as db:
            db.execute("CREATE TABLE number (n INTEGER CHECK (n <> 13))")
        self.calls = Together(database.write, self.store)

    def store(self, db: sqlite3.Connection, numbers: Sequence[int]):
        self.groups.append(sorted(numbers))
        db.executemany("INSERT INTO number VALUES (?)", [(n,) for n in numbers if n >= 0])
        return [n * 10 if n >= 0 else Conflict(f"{n} is refused") for n in numbers]

    def stored(self) -> list[int]:
        with self.database.read() as db:
            return [n for (n,) in db.execute("SELECT n FROM number ORDER BY n").fetchall()]


@pytest.fixture
def ledger(database):
    return Ledger(database)


@pytest.fixture
def at_once(ledger, eventually):
    """``at_once(1, 2, 3)``: the answers to calls that all came while another writer had the lock."""

    def call(*numbers: int) -> list[Future]:
        with ThreadPoolExecutor(len(numbers)) as pool:
            with ledger.database.write():
                futures = [pool.submit(ledger.calls.call, number) for number in numbers]
                eventually(lambda: len(ledger.calls._waiting) == len(numbers))
        return futures

    return call


def test_a_call_alone_is_answered_alone(ledger):
    assert [ledger.calls.call(n) for n in (1, 2)] == [10, 20]
    assert ledger.groups == [[1], [2]]


def test_calls_that_wait_together_share_a_transaction_and_get_their_own_answers(ledger, at_once):
    answers = at_once(*range(8))
    assert [answer.result() for answer in answers] == [n * 10 for n in range(8)]
    assert ledger.groups == [list(range(8))]
    assert ledger.stored() == list(range(8))


def test_a_refused_call_leaves_the_others_their_answers(ledger, at_once):
    good, refused, other = at_once(1, -2, 3)
    assert (good.result(), other.result()) == (10, 30)
    with pytest.raises(Conflict, match="-2 is refused"):
        refused.result()
    assert ledger.stored() == [1, 3]


def test_a_call_that_breaks_the_transaction_is_alone_in_failing(ledger, at_once):
    good, broken, other = at_once(1, 13, 3)
    assert (good.result(), other.result()) == (10, 30)
    with pytest.raises(sqlite3.IntegrityError):
        broken.result()
    assert ledger.stored() == [1, 3]


def test_a_commit_that_fails_fails_for_all_and_is_not_tried_again(ledger, at_once, monkeypatch):
    store = ledger.store

    def store_and_fill_the_disk(db, numbers):
        answers = store(db, numbers)
        raise DatabaseUnusable(f"nothing was stored: {answers}")

    monkeypatch.setattr(ledger.calls, "_work", store_and_fill_the_disk)
    for answer in at_once(1, 2, 3):
        with pytest.raises(DatabaseUnusable):
            answer.result()
    assert (ledger.stored(), len(ledger.groups)) == ([], 1)
    monkeypatch.undo()
    assert ledger.calls.call(4) == 40


def test_a_group_has_a_bound_and_the_rest_comes_next(ledger, at_once, monkeypatch):
    monkeypatch.setattr(together, "MOST", 3)
    assert [answer.result() for answer in at_once(*range(8))] == [n * 10 for n in range(8)]
    assert [len(group) for group in ledger.groups] == [3, 3, 2]
    assert ledger.stored() == list(range(8))


def test_another_writer_waits_for_one_group_at_most(ledger, eventually, monkeypatch):
    """Whoever queues for the lock behind a group gets it before the group after that."""
    monkeypatch.setattr(together, "MOST", 2)
    order: list[str] = []
    store = ledger.store
    monkeypatch.setattr(ledger.calls, "_work", lambda db, numbers: (order.append("group"), store(db, numbers))[1])
    waiting = ledger.database._write_lock._waiting

    def write() -> None:
        with ledger.database.write():
            order.append("writer")

    with ThreadPoolExecutor(6) as pool:
        with ledger.database.write():
            pool.submit(ledger.calls.call, 0)
            eventually(lambda: len(waiting) == 1)
            for n in (1, 2, 3):
                pool.submit(ledger.calls.call, n)
            eventually(lambda: len(ledger.calls._waiting) == 4)
            pool.submit(write)
            eventually(lambda: len(waiting) == 2)
    assert order == ["group", "writer", "group"]


def test_many_threads_that_call_again_and_again_lose_nothing(ledger):
    def work(first: int) -> list[int]:
        return [ledger.calls.call(n) for n in range(first, first + 50)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(work, range(1000, 1800, 50)))
    assert answers == [[n * 10 for n in range(first, first + 50)] for first in range(1000, 1800, 50)]
    assert ledger.stored() == list(range(1000, 1800))
    assert threading.active_count() < 16
