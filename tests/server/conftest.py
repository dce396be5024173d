"""Fixtures for tests of the server's own processes, and of what it keeps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Http, Server
from tests.server.scenario import Flow, Stock
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


@pytest.fixture
def flow(http: Http) -> Iterator[Flow]:
    """A workflow of this test alone on the shared server; afterwards the database must be sound."""
    made = Flow(http)
    yield made
    assert http.get("/doctor").json == {"problems": []}
    assert http.delete(made.path).status in (200, 404)  # looking at all of a small database is quick


@pytest.fixture(scope="module")
def library(server: Server) -> Iterator[Stock]:
    """Records that the tests of a module share: they only look at them, or leave them as they were."""
    yield Stock(Flow(server.http))
    assert server.http.get("/doctor").json == {"problems": []}
