"""Fixtures for tests of the server's own processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from torc.rendezvous import Lock, Places


@pytest.fixture
def attached_users(database_path: Path) -> Iterator[Callable[[], Lock]]:
    """Hold the users lock of ``database_path``, as a ``--standalone`` client does: the server stays."""
    held: list[Lock] = []

    def attach() -> Lock:
        held.append(Lock(Places.of(database_path).users))
        assert held[-1].acquire(shared=True)
        return held[-1]

    yield attach
    for lock in held:
        lock.close()
