"""No endpoint answers 500, whatever it is sent; every refusal is JSON with a sentence."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import quote, urlencode

import pytest

from tests.conftest import Http, Server
from torc.rendezvous import BASE_PATH
from torc.server.routes import operations
from torc.server.stream import Streams
from torc.store.database import Database
from torc.store.leases import Leases

NO_DATABASE = cast(Database, None)  # only the paths are looked at
METHODS = ("GET", "POST", "PUT", "DELETE")


OPERATIONS = {
    (found.method, found.path): found
    for found in operations(NO_DATABASE, cast(Leases, None), cast(Streams, None), "")
    if found.media == "application/json"  # an event stream does not end
}
ENDPOINTS = list(OPERATIONS)

BAD_BODIES = [
    b"",
    b" \n",
    b"null",
    b"[]",
    b"{}",
    b"7",
    b'"text"',
    b"true",
    b"{",
    b"}{",
    b"not json",
    b"\xff\xfe",
    b'{"name": "\\ud800"}',
    b'{"name": "' + b"\xc3" + b'"}',
    b"[" * 5000,
    b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b', "workflow_id": 1, "name": "deep"}',
    b'{"workflow_id": 1e400}',
    b"{} trailing",
    b"\x00",
    b'{"name": "a", "name": "b"}',
]
BAD_VALUES: list[Any] = [
    None,
    "",
    "x",
    "\x00",
    "None",
    "1",
    -1,
    0,
    1.5,
    1e308,
    -(2**63),
    2**63 - 1,
    2**63,
    2**70,
    True,
    [],
    [None],
    ["x"],
    [2**70],
    [[1, 2, 3]],
    {},
    {"": None},
    {"a": {"b": []}},
]
BAD_IDS = [
    "0",
    "-1",
    "999999999",
    str(2**63 - 1),
    str(2**63),
    "9" * 1000,
    "abc",
    "1.0",
    "١",
    "%00",
    "1%20",
    "",
    "%2F",
    "+1",
]
BAD_QUERY_VALUES = [
    "",
    "-1",
    "0",
    "1.5",
    "abc",
    "true",
    "10001",
    str(2**63),
    "9" * 1000,
    "\x00",
    "id; DROP TABLE job",
    "١",
    "é",
]


class Line:
    """One kept-alive connection: thousands of requests are quicker on it."""

    def __init__(self, server: Server) -> None:
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=60)

    def status(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        """The status of an answer that is well formed and no 500."""
        self.connection.request(method, BASE_PATH + path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        shown = f"{method} {path[:200]} {(body or b'')[:200]!r} -> {answer.status} {text[:500]!r}"
        assert answer.status in (200, 400, 404, 405, 409, 422, 426), shown
        assert answer.getheader("Content-Type") == "application/json", shown
        if answer.status != 200:
            message = json.loads(text)["error"]["message"]
            assert message and "\n" not in message, shown
        return answer.status


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    line = Line(server)
    yield line
    line.connection.close()


class Sample:
    """A workflow with one of everything, and a body that each endpoint accepts."""

    def __init__(self, http: Http) -> None:
        def made(path: str, body: dict[str, Any]) -> int:
            reply = http.post(path, body)
            assert reply.status == 200, reply.text
            return int(reply.json["id"])

        self.workflow = made("/workflows", {"name": "sample", "user": "u"})
        in_workflow = {"workflow_id": self.workflow, "name": "sample"}
        self.bodies: dict[str, dict[str, Any]] = {
            "/files": {**in_workflow, "path": "/a", "st_mtime": 1.5, "size": 3},
            "/user_data": {**in_workflow, "is_ephemeral": False, "data": {"a": 1}},
            "/resource_requirements": {
                **in_workflow, "num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory": "1g", "runtime": "PT1H",
            },
            "/compute_nodes": {
                "workflow_id": self.workflow, "hostname": "h", "pid": 1, "start_time": "2026-01-01T00:00:00Z",
                "num_cpus": 1, "memory_gb": 1.0, "memory": "1g", "num_gpus": 0, "num_nodes": 1,
                "compute_node_type": "local", "time_limit": "PT1H", "is_active": True, "duration_seconds": 1.0,
                "scheduler": {"slurm_job_id": "1"},
                "scheduler_config_id": 1, "spool_path": "/s",
            },
            "/scheduled_compute_nodes": {
                "workflow_id": self.workflow, "scheduler_id": 77, "scheduler_config_id": 1, "scheduler_type": "slurm",
                "status": "pending", "name": "worker_1", "reason": "Priority", "submitted_at": "2026-01-01T00:00:00Z",
                "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z",
            },
            "/local_schedulers": {**in_workflow, "memory": "1g", "num_cpus": 2},
            "/slurm_schedulers": {
                **in_workflow, "account": "a", "nodes": 1, "walltime": "04:00:00", "gres": "gpu:1", "mem": "1G",
                "ntasks_per_node": 1, "partition": "p", "qos": "normal", "tmp": "1G", "extra": "--exclusive",
            },
            "/events": {"workflow_id": self.workflow, "timestamp": 1, "data": {"category": "c"}},
        }  # fmt: skip
        self.ids = {path: made(path, body) for path, body in self.bodies.items()}
        self.bodies["/jobs"] = {
            **in_workflow, "command": "true", "invocation_script": "bash", "status": "uninitialized",
            "cancel_on_blocking_job_failure": True, "supports_termination": False, "depends_on_job_ids": [],
            "input_file_ids": [self.ids["/files"]], "output_file_ids": [], "input_user_data_ids": [],
            "output_user_data_ids": [], "resource_requirements_id": self.ids["/resource_requirements"],
            "scheduler_id": 1, "failure_handler_id": 1, "run_id": 1, "cause": "exit", "schedule_compute_nodes": {},
        }  # fmt: skip
        self.ids["/jobs"] = made("/jobs", {"workflow_id": self.workflow, "name": "one", "command": "true"})
        self.bodies["/scheduled_compute_nodes/claim_check"] = {"user": "u", "interval_s": 60.0}
        self.bodies["/bulk_jobs"] = {"jobs": [{**in_workflow, "command": "true"}]}
        self.bodies["/results"] = {
            "job_id": self.ids["/jobs"], "workflow_id": self.workflow, "run_id": 1, "attempt_id": 1,
            "status": "completed", "compute_node_id": self.ids["/compute_nodes"], "return_code": 0,
            "exec_time_minutes": 0.5, "cause": "exit",
            "completion_time": "2026-01-01T00:00:00Z", "peak_memory_bytes": 1, "peak_cpu_percent": 1.5, "signal": 1,
            "gpu_ids": ["0"], "exit_code": 0, "stdout": "out", "stderr": "err",
        }  # fmt: skip
        self.ids["/results"] = made("/results", self.bodies["/results"])
        self.bodies["/jobs/{job_id}/complete_job/{status}/{run_id}"] = self.bodies["/results"]
        self.bodies["/workflows"] = {
            "name": "w", "user": "u", "description": "d", "compute_node_expiration_buffer_seconds": 1,
            "compute_node_wait_for_new_jobs_seconds": 1, "compute_node_ignore_workflow_completion": False,
            "compute_node_wait_for_healthy_database_minutes": 1, "jobs_sort_method": "none",
            "resource_monitor_config": "{}",
        }  # fmt: skip
        one = "/workflows/{workflow_id}"
        self.bodies[f"{one}/status"] = {"run_id": 1, "is_canceled": False, "is_archived": False, "busy": "x"}
        self.bodies[f"{one}/initialize_jobs"] = {"reinitialize": False, "ignore_missing_data": False}
        self.bodies["/jobs/{job_id}/manage_status_change"] = {"target_status": "ready", "run_id": 0}
        self.bodies[f"{one}/initialize"] = {"files": [[self.ids["/files"], 1.5, 3]], "user": "u", "hostname": "h"}
        self.bodies[f"{one}/reinitialize"] = {
            "files": [[self.ids["/files"], 1.5, 3]], "keep_failed": True, "ignore_missing": True, "dry_run": True,
            "user": "u", "hostname": "h",
        }  # fmt: skip
        self.bodies[f"{one}/archive"] = {"is_archived": False}
        self.bodies["/bulk_jobs/{verb}"] = {"job_ids": [self.ids["/jobs"]], "user": "u"}
        self.bodies[f"{one}/claim_jobs_based_on_resources/{{limit}}"] = {
            "num_cpus": 1, "memory_gb": 1.5, "num_gpus": 0, "num_nodes": 1, "time_limit": "PT1H",
            "scheduler_config_id": 1,
        }  # fmt: skip
        self.bodies[f"{one}/actions"] = {
            "trigger_type": "on_jobs_ready", "action_type": "run_commands", "action_config": {"commands": ["true"]},
            "job_ids": [self.ids["/jobs"]], "trigger_count": 0, "required_triggers": 1, "persistent": False,
            "executed": False, "state": "waiting",
        }  # fmt: skip
        self.action = made(f"/workflows/{self.workflow}/actions", self.bodies[f"{one}/actions"])
        self.bodies[f"{one}/actions/{{action_id}}/claim"] = {"compute_node_id": self.ids["/compute_nodes"]}
        self.bodies[f"{one}/dependency_groups"] = {"member_job_ids": [self.ids["/jobs"]], "dependent_job_ids": []}
        counts = {"files": 1, "user_data": 1, "resource_requirements": 1, "jobs": 2, "groups": 1}
        self.bodies["/drafts"] = {"workflow": {"name": "d", "user": "u"}, "counts": counts}
        draft = http.post("/drafts", self.bodies["/drafts"]).json
        self.draft, self.token = draft["workflow_id"], draft["token"]
        self.bodies["/drafts/{workflow_id}/batches"] = {
            "batch": 1, "files": [{"name": "f", "path": "p"}], "user_data": [{"name": "u"}],
            "resource_requirements": [{"name": "r"}], "groups": [{"members": [0]}],
            "jobs": [{"name": "a", "command": "c", "depends_on": [], "resource_requirements": 0}], "actions": [],
        }  # fmt: skip
        node = http.get(f"/compute_nodes/{self.ids['/compute_nodes']}").json
        self.bodies["/compute_nodes/{record_id}/sync"] = {
            "protocol": 1, "seq": 1, "database_id": str(node.get("database_id")), "generation": 1,
            "finished": [{
                "job_id": 1, "run_id": 1, "attempt_id": 1, "status": "completed", "return_code": 0,
                "exec_time_minutes": 0.1, "completion_time": "x",
                "output_files": [{"file_id": 1, "st_mtime": 1, "size": 1}],
            }],
            "started": [{"job_id": 1, "attempt_id": 1, "start_time": 1.0}], "released": [[1, 1]], "holding": [[1, 1]],
            "closing": False, "offer": {"num_cpus": 1, "memory_bytes": 1, "time_left_s": 5.0}, "slots": 1, "limit": 1,
            "prefetch": 1,
        }  # fmt: skip

    def path(self, template: str) -> str:
        """The endpoint with ids that exist."""
        collection = "/" + template.split("/")[1]
        path = template.replace("{record_id}", str(self.ids.get(collection, 1)))
        owner = self.draft if collection == "/drafts" else self.workflow
        path = path.replace("{workflow_id}", str(owner)).replace("{action_id}", str(self.action))
        path = path.replace("{job_id}", str(self.ids["/jobs"])).replace("{run_id}", "0")
        path = path.replace("{compute_node_id}", str(self.ids["/compute_nodes"]))
        path = path.replace("{status}", "completed").replace("{limit}", "0")
        return path.replace("{name}", "job_job_dependencies")

    def body(self, template: str) -> dict[str, Any]:
        """Something the endpoint accepts."""
        item = template.removesuffix("/{record_id}").removesuffix("/{workflow_id}").removesuffix("/{job_id}")
        return self.bodies.get(template) or self.bodies.get(item) or {}


@pytest.fixture
def sample(http: Http) -> Sample:
    return Sample(http)


def headers(sample: Sample) -> dict[str, str]:
    return {"Torc-Draft-Token": sample.token}


WRITING = [endpoint for endpoint in ENDPOINTS if endpoint[0] in ("POST", "PUT")]


@pytest.mark.parametrize(("method", "template"), WRITING)
def test_a_body_that_is_no_record_is_refused(line: Line, sample: Sample, method: str, template: str) -> None:
    for body in [None, *BAD_BODIES]:
        line.status(method, sample.path(template), body, headers(sample))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body that could hold something else."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return copy


@pytest.mark.slow
@pytest.mark.parametrize(("method", "template"), WRITING)
def test_a_field_with_a_bad_value_is_refused_or_taken(line: Line, sample: Sample, method: str, template: str) -> None:
    good = sample.body(template)
    for path in places(good):
        for bad in BAD_VALUES:
            line.status(method, sample.path(template), json.dumps(changed(good, path, bad)).encode(), headers(sample))


@pytest.mark.parametrize(("method", "template"), [each for each in ENDPOINTS if "{" in each[1]])
def test_an_id_nobody_has_is_refused(line: Line, sample: Sample, method: str, template: str) -> None:
    body = json.dumps(sample.body(template)).encode()
    for part in [part for part in template.split("/") if part.startswith("{")]:
        for bad in BAD_IDS:
            line.status(method, sample.path(template.replace(part, bad_text(bad))), body, headers(sample))


def bad_text(text: str) -> str:
    return text if "%" in text else quote(text)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "template"), ENDPOINTS)
def test_a_query_that_makes_no_sense_is_refused(line: Line, sample: Sample, method: str, template: str) -> None:
    body = None if method in ("GET", "DELETE") else json.dumps(sample.body(template)).encode()
    model = OPERATIONS[method, template].query
    parameters = model.__struct_fields__ if model else ()
    for parameter in (*parameters, "unknown"):
        for bad in BAD_QUERY_VALUES:
            query = {"workflow_id": str(sample.workflow)} if "workflow_id" in parameters else {}
            status = line.status(
                method, f"{sample.path(template)}?{urlencode(query | {parameter: bad})}", body, headers(sample)
            )
            assert status == 400 or parameter != "unknown"


@pytest.mark.parametrize("query", ["%", "%zz", "&&&", "=", "a=%ff", "workflow_id=1&workflow_id=2", "workflow_id"])
@pytest.mark.parametrize("path", ["/files", "/jobs", "/workflows", "/events"])
def test_a_malformed_query_is_refused(line: Line, path: str, query: str) -> None:
    line.status("GET", f"{path}?{query}")


@pytest.mark.parametrize("path", sorted({path for _, path in ENDPOINTS}))
def test_other_methods_are_405(line: Line, path: str, sample: Sample) -> None:
    taken = {method for method, template in ENDPOINTS if template == path}
    for method in {*METHODS, "PATCH"} - taken:
        assert line.status(method, sample.path(path)) == 405


def test_a_path_nobody_knows_is_404(line: Line) -> None:
    for path in ("/nothing", "", "/", "/workflows/1/nothing", "/files/1/2", "//", "/%2e%2e/%2e%2e/etc/passwd"):
        assert line.status("GET", path) in (400, 404)


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/files", {"workflow_id": 1, "name": "a"}, "path"),
        ("/files", {"workflow_id": "1", "name": "a", "path": "b"}, "$.workflow_id"),
        ("/bulk_jobs", {"jobs": [{"workflow_id": 1, "input_file_ids": ["x"]}]}, "$.jobs[0].input_file_ids[0]"),
        ("/workflows", {"name": "a", "user": "b", "jobs_sort_method": "best"}, "$.jobs_sort_method"),
    ],
)  # fmt: skip
def test_the_answer_names_the_place_in_the_body(http: Http, path: str, body: dict[str, Any], place: str) -> None:
    reply = http.post(path, body)
    assert reply.status == 400
    assert place in reply.message
