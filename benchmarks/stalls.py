"""How long a short write waits while a large workflow is deleted, started over, or canceled by one failure."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from benchmarks import documents
from benchmarks.caller import Caller
from benchmarks.measure import Bench, Figure
from benchmarks.nodes import Node
from benchmarks.processes import Server, server
from torc.client.api import Client
from torc.models.draft import DraftDocument
from torc.models.status import JobStatus
from torc.models.workflow import InitializeRequest, Workflow
from torc.workflow.create import create_workflow

JOBS = 100_000
LIMIT_S = 0.5
PAUSE_S = 0.003


class Writer(threading.Thread):
    """Posts an event every few milliseconds to a workflow of its own."""

    def __init__(self, running: Server, workflow_id: int) -> None:
        super().__init__(name="writer")
        self.longest_s = 0.0
        self._caller = Caller(running.url)
        self._body = b'{"workflow_id": %d, "data": {"message": "here"}}' % workflow_id
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.wait(PAUSE_S):
            begun = time.perf_counter()
            self._caller.ask("POST", "/events", self._body)
            self.longest_s = max(self.longest_s, time.perf_counter() - begun)

    def stop(self) -> None:
        self._ending.set()
        self.join()
        self._caller.close()


def longest_wait_s(running: Server, client: Client, act: Callable[[], object]) -> float:
    """The longest that a writer waited for an answer while ``act`` was under way."""
    bystander = client.workflows.create(Workflow(name="bystander", user="benchmark"))
    assert bystander.id is not None
    writer = Writer(running, bystander.id)
    writer.start()
    act()
    writer.stop()
    client.workflows.delete(bystander.id)
    return writer.longest_s


def fail_first(client: Client, workflow_id: int) -> Callable[[], None]:
    """Claim the first job now; report its failure, which cancels all others, when called."""
    node = Node(client, workflow_id)
    (job,) = node.sync(1).jobs

    def fail() -> None:
        node.sync(0, done=[job], status=JobStatus.FAILED)
        assert client.workflows.is_complete(workflow_id).is_complete

    return fail


def waits_s(running: Server, client: Client, document: DraftDocument) -> dict[str, float]:
    """The longest wait beside each verb of one workflow's life."""
    workflow_id = create_workflow(client, document)

    def initialize() -> None:
        client.workflows.initialize(workflow_id, InitializeRequest())

    waits = {"initialize": longest_wait_s(running, client, initialize)}
    waits["cascade"] = longest_wait_s(running, client, fail_first(client, workflow_id))
    waits["reinitialize"] = longest_wait_s(running, client, initialize)
    waits["delete"] = longest_wait_s(running, client, partial(client.workflows.delete, workflow_id))
    return waits


def writers(bench: Bench) -> Iterator[Figure]:
    """The longest wait of all rounds counts: the promise is never."""
    count = bench.scaled(JOBS)
    for graph, document in (("behind one", documents.fan(count)), ("in layers", documents.layers(count))):
        rounds: list[dict[str, float]] = []
        for _ in range(bench.rounds):
            with bench.fresh() as folder, server(folder) as running, running.client() as client:
                rounds.append(waits_s(running, client, document))
        for verb in rounds[0]:
            each = [waits[verb] for waits in rounds]
            yield Figure(
                f"longest wait of a short write: {verb} of {count:,} jobs {graph}",
                f"{max(each):.2f} s",
                f"median {median(each):.2f} s",
                max(each),
                LIMIT_S,
                unit="s",
                spread=(min(each), max(each)),
            )
