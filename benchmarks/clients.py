"""Very many clients at once that read and write, and what they leave behind."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import msgspec

from benchmarks import specs
from benchmarks.caller import MINIMAL, Caller
from benchmarks.measure import Bench, Figure, percentile
from benchmarks.nodes import claim_request, register
from benchmarks.processes import create_and_initialize, server
from torc.models.compute_node import ComputeNode
from torc.models.sync import SyncAnswer, SyncJob

CLIENTS = 200
PROCESSES = 2
SECONDS = 60.0
JOBS = 100_000


class Mixed:
    """One client: it works through jobs, and looks at and changes this and that in between."""

    def __init__(self, url: str, node: ComputeNode) -> None:
        self._caller = Caller(url)
        self._node = node
        self._workflow_id = node.workflow_id
        self._seqs = itertools.count(1)
        self._held: list[SyncJob] = []
        self._choices: list[Callable[[], object]] = [
            self._sync,
            self._sync,
            self._list,
            self._write_event,
            self._keep_data,
            self._come_and_go,
            lambda: self._get(f"/workflows/{self._workflow_id}/job_counts"),
            lambda: self._get(f"/workflows/{self._workflow_id}/is_complete"),
            lambda: self._get(f"/results?workflow_id={self._workflow_id}&limit=50"),
            lambda: self._get(f"/compute_nodes/{self._node.id}"),
        ]

    def work(self, seconds: float) -> tuple[list[float], Counter[str]]:
        """Latencies of the calls that were answered, and what went wrong how often."""
        times: list[float] = []
        faults: Counter[str] = Counter()
        stop_at = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < stop_at:
            try:
                random.choice(self._choices)()
                times.append(time.perf_counter() - begun)
            except Exception as error:
                faults[f"{type(error).__name__}: {error}"[:300]] += 1
                self._caller.close()  # http.client opens it again
        self._caller.close()
        return times, faults

    def _get(self, path: str) -> bytes:
        return self._caller.ask("GET", path, headers=MINIMAL)

    def _send(self, method: str, path: str, body: object) -> bytes:
        return self._caller.ask(method, path, msgspec.json.encode(body))

    def _sync(self) -> None:
        request = claim_request(self._node, next(self._seqs), 2, done=self._held)
        answer = self._send("POST", f"/compute_nodes/{self._node.id}/sync", request)
        self._held = msgspec.json.decode(answer, type=SyncAnswer).jobs

    def _list(self) -> None:
        offset = random.randrange(0, 1000)
        self._get(f"/jobs?workflow_id={self._workflow_id}&limit=100&offset={offset}&include_relationships=true")

    def _write_event(self) -> None:
        self._send("POST", "/events", {"workflow_id": self._workflow_id, "data": {"message": "mixed"}})

    def _keep_data(self) -> None:
        """A record that is made, read, changed and removed."""
        body: dict[str, object] = {"workflow_id": self._workflow_id, "name": "mixed", "data": {"step": 1}}
        made = msgspec.json.decode(self._send("POST", "/user_data", body))
        path = f"/user_data/{made['id']}"
        self._get(path)
        self._send("PUT", path, body | {"data": {"step": 2}})
        self._caller.ask("DELETE", path)

    def _come_and_go(self) -> None:
        """A whole workflow, from creation to deletion."""
        made = msgspec.json.decode(self._send("POST", "/workflows", {"name": "mixed", "user": "benchmark"}))
        jobs = [{"workflow_id": made["id"], "name": f"job_{n}", "command": "true"} for n in range(3)]
        self._send("POST", "/bulk_jobs", {"jobs": jobs})
        self._send("POST", f"/workflows/{made['id']}/initialize", {})
        self._caller.ask("DELETE", f"/workflows/{made['id']}")


def load(url: str, nodes: list[ComputeNode], seconds: float) -> tuple[list[float], Counter[str]]:
    """The clients of one process."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        done = list(pool.map(lambda node: Mixed(url, node).work(seconds), nodes))
    return [one for times, _ in done for one in times], sum((faults for _, faults in done), Counter[str]())


def mixed(bench: Bench) -> Iterator[Figure]:
    """A minute of it, once; whatever is not answered as asked is a fault."""
    seconds, count = SECONDS / (10 if bench.quick else 1), bench.scaled(JOBS)
    with (
        bench.fresh() as folder,
        server(folder) as running,
        running.client() as client,
        ProcessPoolExecutor(PROCESSES) as pool,
    ):
        spec = folder / "jobs.yaml"
        spec.write_text(specs.independent(count, "'true'"))
        workflow_id, _ = create_and_initialize(running, spec, folder)
        nodes = [register(client, workflow_id) for _ in range(CLIENTS)]
        loads = [pool.submit(load, running.url, nodes[part::PROCESSES], seconds) for part in range(PROCESSES)]
        results = [one.result() for one in loads]
        problems = client.doctor()
    times = [one for taken, _ in results for one in taken]
    faults = sum((found for _, found in results), Counter[str]())
    for fault, often in faults.most_common(5):
        print(f"  {often} x {fault}")
    name = f"{CLIENTS} clients, mixed reads and writes, {seconds:.0f} s"
    yield Figure(
        f"{name}: calls that failed",
        f"{faults.total()}",
        f"{len(times):,} answered, 99 of 100 within {percentile(times, 99) * 1000:.0f} ms",
        faults.total(),
        0,
        unit="calls",
    )
    yield Figure(f"{name}: problems the doctor finds", f"{len(problems)}", "", len(problems), 0, unit="problems")
