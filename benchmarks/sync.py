"""Many runners on one server: a report and a claim in one call, against the same clients asking only for /ping."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from statistics import median

import msgspec

from benchmarks import specs
from benchmarks.caller import Caller
from benchmarks.measure import Bench, Figure, percentile
from benchmarks.nodes import claim_request, register
from benchmarks.processes import create_and_initialize, server
from torc.models.compute_node import ComputeNode
from torc.models.sync import SyncAnswer, SyncJob

RUNNERS = 64
PROCESSES = 2
SECONDS = 5.0
JOBS_PER_ROUND = 15_000  # more than any server hands out in that time
RATE_LIMIT = 0.70
P99_LIMIT_MS = 250.0


def ping_call(caller: Caller) -> Callable[[], None]:
    """Ask whether the server is there."""

    def call() -> None:
        caller.ask("GET", "/ping")

    return call


def sync_call(caller: Caller, node: ComputeNode, seq: int) -> Callable[[], None]:
    """Report the job before and claim the next."""
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(SyncAnswer).decode
    done: list[SyncJob] = []

    def call() -> None:
        nonlocal done, seq
        seq += 1
        done = decode(
            caller.ask("POST", f"/compute_nodes/{node.id}/sync", encode(claim_request(node, seq, 1, done=done)))
        ).jobs
        assert len(done) == 1, "the jobs ran out; the figure would be that of empty answers"

    return call


def latencies(make_call: Callable[[Caller], Callable[[], None]], url: str) -> list[float]:
    """Call as fast as the answers come, for a while; how long each took."""
    caller = Caller(url)
    call = make_call(caller)
    times: list[float] = []
    now = time.perf_counter()
    stop_at = now + SECONDS
    while now < stop_at:
        begun = now
        call()
        now = time.perf_counter()
        times.append(now - begun)
    caller.close()
    return times


def ping_load(url: str, count: int) -> list[float]:
    """The latencies of ``count`` clients in this process."""
    with ThreadPoolExecutor(count) as pool:
        return [one for times in pool.map(lambda _: latencies(ping_call, url), range(count)) for one in times]


def sync_load(url: str, nodes: list[ComputeNode], seq: int) -> list[float]:
    """The latencies of these nodes, driven by this process."""

    def drive(node: ComputeNode) -> list[float]:
        return latencies(lambda caller: sync_call(caller, node, seq), url)

    with ThreadPoolExecutor(len(nodes)) as pool:
        return [one for times in pool.map(drive, nodes) for one in times]


def runners(bench: Bench) -> Iterator[Figure]:
    """Rate and slowest answers of 64 runners."""
    p99s_ms: list[float] = []
    with (
        bench.fresh() as folder,
        server(folder) as running,
        running.client() as client,
        ProcessPoolExecutor(PROCESSES) as pool,
    ):
        spec = folder / "jobs.yaml"
        spec.write_text(specs.independent(JOBS_PER_ROUND * bench.rounds, "'true'"))
        workflow_id, _ = create_and_initialize(running, spec, folder)

        def pings() -> float:
            loads = [pool.submit(ping_load, running.url, RUNNERS // PROCESSES) for _ in range(PROCESSES)]
            return sum(len(load.result()) for load in loads) / SECONDS

        def syncs() -> float:
            nodes = [register(client, workflow_id) for _ in range(RUNNERS)]
            loads = [pool.submit(sync_load, running.url, nodes[part::PROCESSES], 0) for part in range(PROCESSES)]
            times = [one for load in loads for one in load.result()]
            p99s_ms.append(percentile(times, 99) * 1000)
            return len(times) / SECONDS

        taken = bench.take_turns({"/ping": pings, "sync": syncs})
    each = [mine / floor for mine, floor in zip(taken["sync"], taken["/ping"], strict=True)]
    yield Figure(
        f"sync of 1 finished and 1 claimed job, {RUNNERS} runners",
        f"{median(taken['sync']):.0f} /s",
        f"/ping {median(taken['/ping']):.0f} /s",
        median(each),
        RATE_LIMIT,
        at_least=True,
        spread=(min(each), max(each)),
    )
    yield Figure(
        "the same: 99 of 100 answers within",
        f"{median(p99s_ms):.0f} ms",
        "",
        median(p99s_ms),
        P99_LIMIT_MS,
        unit="ms",
        spread=(min(p99s_ms), max(p99s_ms)),
    )
