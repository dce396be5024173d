"""A workflow on the shared server, driven over HTTP as clients and runners of the contract do."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.conftest import Http, Reply

T = TypeVar("T")

OFFER = {"num_cpus": 64, "memory_gb": 512.0, "num_gpus": 8, "num_nodes": 8}
NODE = {**OFFER, "hostname": "n1", "pid": 1, "start_time": "2026-01-01T00:00:00Z", "compute_node_type": "local"}
UNKNOWN = 999_999_999
"""An id that nobody has."""


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """``act(0)`` to ``act(count - 1)`` from as many threads."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


class Flow:
    """One workflow. Everything that is not a Reply has been answered with 200."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.id = int(self.post("/workflows", {"name": "flow", "user": "tester"})["id"])
        self.path = f"/workflows/{self.id}"
        self.ids: dict[str, int] = {}
        self._node: int | None = None

    def ok(self, reply: Reply) -> Any:
        assert reply.status == 200, f"{reply.status}: {reply.text}"
        return reply.json

    def get(self, path: str, **query: Any) -> Any:
        return self.ok(self.http.get(path, **query))

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.ok(self.http.post(path, body, **query))

    def put(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.ok(self.http.put(path, body, **query))

    def rows(self, resource: str, /, **query: Any) -> Any:
        """The rows of one list; ``path`` may be a filter, too."""
        return self.get(f"/{resource}?{urlencode({'workflow_id': self.id, **query})}")["items"]

    def add(self, resource: str, **fields: Any) -> int:
        """Store a record of this workflow; its id."""
        return int(self.post(f"/{resource}", {"workflow_id": self.id, **fields})["id"])

    def file(self, name: str) -> int:
        return self.add("files", name=name, path=f"/{name}")

    def needs(self, name: str, **fields: Any) -> int:
        """Resource requirements."""
        return self.add("resource_requirements", **{"name": name, "memory": "1m", "runtime": "PT1M", **fields})

    def job(self, name: str, *after: str, **fields: Any) -> int:
        """Add a job that waits for the named ones."""
        body = {"name": name, "command": "true", "depends_on_job_ids": [self.ids[each] for each in after], **fields}
        self.ids[name] = self.add("jobs", **body)
        return self.ids[name]

    def graph(self, *lines: str) -> "Flow":
        """``"c: a b"`` adds a job that waits for two others, ``"c?: a"`` one that goes on when they fail."""
        for line in lines:
            name, _, after = line.partition(":")
            self.job(name.removesuffix("?"), *after.split(), cancel_on_blocking_job_failure=not name.endswith("?"))
        return self

    def bulk(self, jobs: Iterable[dict[str, Any]]) -> list[int]:
        """Add jobs in one request; their ids."""
        bodies = [{"workflow_id": self.id, "command": "true", **job} for job in jobs]
        return [job["id"] for job in self.post("/bulk_jobs", {"jobs": bodies})["jobs"]]

    @property
    def run_id(self) -> int:
        return int(self.get(f"{self.path}/status")["run_id"])

    def begin(self) -> "Flow":
        """Begin a run as existing clients do: they raise the number, then initialize."""
        status = self.get(f"{self.path}/status")
        self.put(f"{self.path}/status", {**status, "run_id": status["run_id"] + 1})
        self.post(f"{self.path}/initialize_jobs")
        return self

    @property
    def node(self) -> int:
        """A runner of the contract."""
        if self._node is None:
            self._node = self.add("compute_nodes", **NODE)
        return self._node

    def claim(self, limit: int = 100, *, sort_method: str | None = None, **offer: Any) -> Any:
        """Claim by need; the answer."""
        query = {"sort_method": sort_method} if sort_method else {}
        return self.post(f"{self.path}/claim_jobs_based_on_resources/{limit}", {**OFFER, **offer}, **query)

    def start(self, name: str, node: int | None = None) -> Reply:
        return self.http.put(f"/jobs/{self.ids[name]}/start_job/{self.run_id}/{node or self.node}")

    def report(self, name: str, status: str = "completed", return_code: int = 0, **fields: Any) -> dict[str, Any]:
        """The body of ``complete_job``."""
        return {
            "job_id": self.ids[name], "workflow_id": self.id, "run_id": self.run_id, "compute_node_id": self.node,
            "status": status, "return_code": return_code, "exec_time_minutes": 0.5,
            "completion_time": "2026-01-01T00:01:00Z", **fields,
        }  # fmt: skip

    def complete(self, name: str, status: str = "completed", return_code: int = 0, **fields: Any) -> Reply:
        body = self.report(name, status, return_code, **fields)
        return self.http.post(f"/jobs/{self.ids[name]}/complete_job/{status}/{self.run_id}", body)

    def run(self, *names: str, status: str = "completed", return_code: int = 0) -> "Flow":
        """Start and end jobs that are ready."""
        for name in names:
            self.ok(self.start(name))
            self.ok(self.complete(name, status, return_code))
        return self

    def fail(self, *names: str) -> "Flow":
        return self.run(*names, status="failed", return_code=1)

    def statuses(self) -> dict[str, str]:
        """The status of every job by name."""
        return {job["name"]: job["status"] for job in self.rows("jobs")}

    def is_complete(self) -> bool:
        return bool(self.get(f"{self.path}/is_complete")["is_complete"])


class Stock:
    """A workflow with two of everything, different in every field: ``one`` and ``other``."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.one: dict[str, int] = {}
        self.other: dict[str, int] = {}
        for number, ids in ((1, self.one), (2, self.other)):
            text = "abc"[number]
            name = f"the_{text}_Name"
            ids["files"] = flow.add("files", name=name, path=f"/{text}", st_mtime=1.5 * number, size=number)
            ids["user_data"] = flow.add("user_data", name=name, is_ephemeral=number == 1, data={"is": text})
            ids["resource_requirements"] = flow.add(
                "resource_requirements", name=name, num_cpus=number + 1, num_gpus=number, num_nodes=number + 1,
                memory=f"{number}g", runtime=f"PT{number}H",
            )  # fmt: skip
            ids["compute_nodes"] = flow.add("compute_nodes", **{
                **NODE, "hostname": name, "pid": number, "is_active": number == 1, "duration_seconds": 1.5 * number,
                "time_limit": f"PT{number}H", "scheduler_config_id": number, "scheduler": {"slurm_job_id": text},
                "spool_path": f"/spool/{text}", "num_cpus": number, "memory_gb": number, "num_gpus": number,
                "num_nodes": number, "compute_node_type": text, "start_time": f"2026-01-0{number}T00:00:00Z",
            })  # fmt: skip
            ids["scheduled_compute_nodes"] = flow.add(
                "scheduled_compute_nodes", scheduler_id=number, scheduler_config_id=number + 5, scheduler_type=text,
                status=("pending", "active")[number - 1], name=name, reason=text,
                submitted_at=f"2026-01-0{number}T00:00:00Z", started_at=f"2026-01-0{number}T01:00:00Z",
                ended_at=f"2026-01-0{number}T02:00:00Z",
            )  # fmt: skip
            ids["local_schedulers"] = flow.add("local_schedulers", name=name, memory=f"{number}g", num_cpus=number)
            ids["slurm_schedulers"] = flow.add(
                "slurm_schedulers", name=name, account=text, gres=f"gpu:{text}", mem=f"{number}G", nodes=number,
                ntasks_per_node=number, partition=text, qos=text, tmp=text, walltime=f"0{number}:00:00", extra=text,
            )  # fmt: skip
            ids["jobs"] = flow.job(
                name, input_file_ids=[ids["files"]], output_user_data_ids=[ids["user_data"]],
                resource_requirements_id=ids["resource_requirements"], scheduler_id=ids["slurm_schedulers"],
                invocation_script=text,
            )  # fmt: skip
            ids["results"] = flow.add(
                "results", job_id=ids["jobs"], run_id=number, compute_node_id=ids["compute_nodes"],
                return_code=number - 1, exec_time_minutes=1.5 * number, status=("completed", "failed")[number - 1],
                completion_time=f"2026-01-0{number}T00:00:00Z", peak_memory_bytes=number, avg_memory_bytes=number,
                peak_cpu_percent=1.5 * number, avg_cpu_percent=1.5 * number, cause=("exit", "signal")[number - 1],
                signal=number, gpu_ids=[text], stdout=text, stderr=text,
            )  # fmt: skip
        self.reader = flow.job("reader", name, input_user_data_ids=[self.one["user_data"]])
        self.writer = flow.job("writer", output_file_ids=[self.one["files"]])
        self.reader_of_one = flow.job("behind one", "the_b_Name")
        for number, ids in ((1, self.other), (2, self.one)):  # filters of events look forward in time
            level = ("debug", "error")[number - 1]
            ids["events"] = flow.add("events", timestamp=0, data={"category": "abc"[number], "level": level})

    def filters(self) -> dict[str, dict[str, tuple[Any, Any]]]:
        """For every filter a value that only ``one`` has, and a value that none has."""
        one, other = self.one, self.other
        return {
            "files": {
                "name": ("the_b_Name", "b"), "path": ("/b", "/"), "is_output": ("true", None),
                "produced_by_job_id": (self.writer, self.reader),
            },
            "user_data": {
                "name": ("_B_na", "b_x"), "is_ephemeral": ("true", None),
                "consumer_job_id": (self.reader, self.writer), "producer_job_id": (one["jobs"], self.reader),
            },
            "resource_requirements": {
                "job_id": (one["jobs"], UNKNOWN), "name": ("the_b_Name", "b"), "memory": ("1g", "3g"),
                "num_cpus": (2, 9), "num_gpus": (1, 9), "num_nodes": (2, 9), "runtime": ("PT1H", "PT9H"),
            },
            "compute_nodes": {"hostname": ("the_b_Name", "b"), "is_active": ("true", None)},
            "scheduled_compute_nodes": {
                "scheduler_id": (1, 9), "scheduler_config_id": (6, 9), "status": ("pending", "complete"),
                "name": ("the_b_Name", "b"),
            },
            "local_schedulers": {"memory": ("1g", "9g"), "num_cpus": (1, 9)},
            "slurm_schedulers": {
                "name": ("the_b_Name", "b"), "account": ("b", "x"), "gres": ("gpu:b", "gpu"), "mem": ("1G", "1g"),
                "nodes": (1, 9), "partition": ("b", "x"), "qos": ("b", "x"), "tmp": ("b", "x"),
                "walltime": ("01:00:00", "1"),
            },
            "results": {
                "job_id": (one["jobs"], self.reader), "run_id": (1, 9), "return_code": (0, -9),
                "status": ("completed", "canceled"),
            },
            "events": {
                "category": ("c", "x"), "after_id": (other["events"], one["events"]), "level": ("warning", None),
                "after_timestamp": (None, 2**62),
            },
            "jobs": {
                "status": (None, "running"), "needs_file_id": (one["files"], UNKNOWN),
            },
        }  # fmt: skip

    def found(self, resource: str, /, **query: Any) -> list[int]:
        """The ids in a list; all results, not only current ones."""
        if resource == "results":
            query["all_runs"] = "true"
        return [row["id"] for row in self.flow.rows(resource, **query)]
