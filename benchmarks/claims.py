"""What a claim and a whole job cost the server as the workflow grows. No processes are started."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import specs
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.nodes import Node, drain
from benchmarks.processes import Server, create_and_initialize, server
from torc.models.workflow import InitializeRequest
from torc.spec import load_document
from torc.workflow.create import create_workflow

SHORT, LONG = 100, 100_000
CLAIMS = 300
CLAIM_LIMIT = 1.3
SMALL = 1000
FLAT_LIMIT = 1.2
BATCH = 50


def stored(running: Server, folder: Path, count: int) -> int:
    """A workflow of so many ready jobs."""
    spec = folder / f"{count}.yaml"
    spec.write_text(specs.independent(count, "'true'"))
    return create_and_initialize(running, spec, folder)[0]


def claim_s(node: Node) -> float:
    """Median seconds to claim one job while the one before is given back, so that the queue keeps its length."""
    held = node.sync(1).jobs
    times: list[float] = []

    def exchange() -> None:
        nonlocal held
        held = node.sync(1, unused=held).jobs
        assert len(held) == 1

    for _ in range(CLAIMS):
        times.append(seconds(exchange))
    node.sync(0, unused=held)
    return median(times)


def queue_length(bench: Bench) -> Iterator[Figure]:
    """The same claim from a short and from a long queue."""
    short, long = SHORT, bench.scaled(LONG)
    with bench.fresh() as folder, server(folder) as running, running.client() as client:
        nodes = {f"{count:,} ready": Node(client, stored(running, folder, count)) for count in (short, long)}
        taken = bench.take_turns({name: partial(claim_s, node) for name, node in nodes.items()})
    yield ratio_figure(
        f"claim with {long:,} ready jobs against {short:,}",
        taken,
        f"{long:,} ready",
        f"{short:,} ready",
        limit=CLAIM_LIMIT,
        decimals=5,
    )


def job_s(bench: Bench, count: int, times: int) -> float:
    """Seconds per job to create, initialize, claim and complete workflows of ``count`` jobs on one new server.

    In this process, since starting the command line costs the same for any size and is no cost per job.
    """
    document = load_document(specs.independent(count, "'true'"), source="flat.yaml", user="benchmark")
    with bench.fresh() as folder, server(folder) as running, running.client() as client:

        def whole() -> None:
            for _ in range(times):
                workflow_id = create_workflow(client, document)
                client.workflows.initialize(workflow_id, InitializeRequest())
                assert drain(client, workflow_id, BATCH) == count

        return seconds(whole) / (count * times)


def flat_cost(bench: Bench) -> Iterator[Figure]:
    """Whole life of a job in a small and in a large workflow."""
    large = bench.scaled(LONG)
    taken = bench.take_turns(
        {
            f"{SMALL:,} jobs": lambda: job_s(bench, SMALL, 10),
            f"{large:,} jobs": lambda: job_s(bench, large, 1),
        }
    )
    yield ratio_figure(
        f"create, claim and complete, per job: {large:,} jobs against {SMALL:,}",
        taken,
        f"{large:,} jobs",
        f"{SMALL:,} jobs",
        limit=FLAT_LIMIT,
        decimals=6,
    )
