"""``torc reports`` against a real server, on results that a runner reported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc.cli.reports import utilization_text
from torc.models.resource_requirements import ResourceRequirements
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.units import GIB
from torc.views.reports import Utilization, uses

pytestmark = pytest.mark.slow

NODE = {"hostname": "n1", "pid": 1, "start_time": "2026-01-01T00:00:00Z", "num_cpus": 64, "memory_gb": 256.0}
NODE |= {"num_gpus": 0, "num_nodes": 1, "is_active": True, "compute_node_type": "local"}
ASKED = {"num_cpus": 8, "num_gpus": 0, "num_nodes": 1, "memory": "8g", "runtime": "PT2H"}


class Reported:
    """A workflow whose jobs end as a test says."""

    def __init__(self, http: Any, workflow: int) -> None:
        self.http = http
        self.workflow = workflow
        self.asked = http.post("/resource_requirements", {"workflow_id": workflow, "name": "training", **ASKED}).json
        self.node = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json["id"]
        self.jobs: dict[str, int] = {}

    def add(self, *names: str) -> None:
        for name in names:
            job = {"workflow_id": self.workflow, "name": name, "command": "true"}
            made = self.http.post("/jobs", {**job, "resource_requirements_id": self.asked["id"]})
            self.jobs[name] = made.json["id"]
        assert self.http.post(f"/workflows/{self.workflow}/initialize_jobs", {}).status == 200

    def end(self, name: str, *, status: str = "completed", run_id: int = 0, **measured: Any) -> None:
        job_id = self.jobs[name]
        assert self.http.put(f"/jobs/{job_id}/start_job/{run_id}/{self.node}").status == 200
        body = {"job_id": job_id, "workflow_id": self.workflow, "run_id": run_id, "compute_node_id": self.node}
        body |= {"return_code": 0 if status == "completed" else 1, "exec_time_minutes": 1.0, "status": status}
        body |= {"completion_time": "2026-01-01T00:10:00.000Z", **measured}
        answer = self.http.post(f"/jobs/{job_id}/complete_job/{status}/{run_id}", body)
        assert answer.status == 200, answer.text


@pytest.fixture
def reported(http: Any, workflow: int) -> Reported:
    return Reported(http, workflow)


@pytest.fixture
def run_id(http: Any, workflow: int) -> int:
    return int(http.get(f"/workflows/{workflow}/status").json["run_id"])


@pytest.fixture
def over(reported: Reported, run_id: int) -> int:
    """A failed job over its memory and time, one over its CPUs, one within everything; the workflow."""
    reported.add("train_model", "large_preprocess", "small")
    much = {"peak_memory_bytes": int(10.5 * GIB), "peak_cpu_percent": 700.0, "exec_time_minutes": 165.0}
    reported.end("train_model", status="failed", run_id=run_id, **much)
    reported.end("large_preprocess", run_id=run_id, peak_memory_bytes=GIB, peak_cpu_percent=950.5)
    reported.end("small", run_id=run_id, peak_memory_bytes=GIB, peak_cpu_percent=80.0)
    return reported.workflow


def test_the_table_shows_what_was_used_too_much(golden):
    asked = ResourceRequirements(workflow_id=7, name="training", num_cpus=8, memory="8g", runtime="PT2H")
    ended = {"workflow_id": 7, "run_id": 1, "compute_node_id": 1, "return_code": 0, "status": JobStatus.COMPLETED}
    ended |= {"completion_time": "2026-01-01T00:10:00.000Z"}
    train = Result(job_id=15, exec_time_minutes=165, peak_memory_bytes=int(10.5 * GIB), peak_cpu_percent=1.0, **ended)
    large = Result(job_id=16, exec_time_minutes=1, peak_memory_bytes=GIB, peak_cpu_percent=950.5, **ended)
    found = [*uses(train, "train_model", asked), *uses(large, "large_preprocess", asked)]
    report = Utilization(7, None, 2, [use for use in found if use.is_over], shows_all=False)
    golden("utilization_table", utilization_text(report) + "\n")


def test_the_table_is_what_is_printed(torc, over):
    said = torc("reports", "check-resource-utilization", over)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("⚠ Found 3 resource over-utilization violations:\n\n╭")
    assert "train_model" in said.out


def test_json_has_the_shape_of_the_users_book(torc, over, reported):
    report = torc("-f", "json", "reports", "check-resource-utilization", over).json
    violations = report.pop("violations")
    assert report == {"workflow_id": over, "run_id": None, "total_results": 3, "over_utilization_count": 3}
    assert violations[0] == {
        "job_id": reported.jobs["train_model"],
        "job_name": "train_model",
        "resource_type": "Memory",
        "specified": "8.00 GB",
        "peak_used": "10.50 GB",
        "over_utilization": "+31.3%",
    }
    assert [(one["job_name"], one["resource_type"]) for one in violations[1:]] == [
        ("train_model", "Runtime"),
        ("large_preprocess", "CPU"),
    ]


def test_all_shows_the_rest_too(torc, over):
    report = torc("-f", "json", "reports", "check-resource-utilization", over, "--all").json
    assert report["over_utilization_count"] == 3
    assert len(report["violations"]) == 9
    assert "-90.0%" in torc("reports", "check-resource-utilization", over, "-a").out


def test_a_run_can_be_chosen(torc, over, http, reported, run_id):
    assert http.post(f"/workflows/{over}/initialize", {}).status == 200
    later = http.get(f"/workflows/{over}/status").json["run_id"]
    reported.end("train_model", run_id=later, peak_memory_bytes=GIB, peak_cpu_percent=1.0)
    check = ("-f", "json", "reports", "check-resource-utilization", over)
    first, second = torc(*check, "-r", run_id).json, torc(*check, "--run-id", later).json
    assert (first["run_id"], first["total_results"], first["over_utilization_count"]) == (run_id, 3, 3)
    assert (second["run_id"], second["total_results"], second["over_utilization_count"]) == (later, 1, 0)


def test_the_latest_attempt_counts(torc, reported, http, run_id):
    reported.add("retried")
    job_id = reported.jobs["retried"]
    reported.end("retried", run_id=run_id, peak_memory_bytes=GIB)
    stored = http.get("/results", workflow_id=reported.workflow).json["items"][0]
    again = {key: value for key, value in stored.items() if key != "id"}
    http.post("/results", {**again, "attempt_id": stored["attempt_id"] + 1, "peak_memory_bytes": 9 * GIB})
    check = ("-f", "json", "reports", "check-resource-utilization", reported.workflow, "-r", run_id)
    assert [one["job_id"] for one in torc(*check).json["violations"]] == [job_id]


def test_nothing_to_check_is_a_sentence_or_the_same_shape(torc, workflow):
    said = torc("reports", "check-resource-utilization", workflow)
    assert (said.code, said.out) == (0, f"No completed job results found for workflow {workflow}\n")
    assert torc("-f", "json", "reports", "check-resource-utilization", workflow).json == {
        "workflow_id": workflow,
        "run_id": None,
        "total_results": 0,
        "over_utilization_count": 0,
        "violations": [],
    }


@pytest.mark.parametrize("command", ["check-resource-utilization", "results"])
def test_an_unknown_workflow_is_one_sentence(torc, command, tmp_path):
    (tmp_path / "output").mkdir()
    said = torc("reports", command, 999_999_999)
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "999999999" in said.err


@pytest.fixture
def logs_of(tmp_path: Path) -> Callable[[Reported, int], None]:
    """Makes the log files of all first attempts below ./output."""

    def make(reported: Reported, run_id: int) -> None:
        folder = tmp_path / "output" / "job_stdio"
        folder.mkdir(parents=True)
        for job_id in reported.jobs.values():
            for extension in "oe":
                (folder / f"job_{reported.workflow}_{job_id}_{run_id}.{extension}").touch()
        (tmp_path / "output" / f"job_runner_n1_{reported.workflow}_{run_id}.log").touch()

    return make


def test_results_are_json_with_the_place_of_every_log(torc, over, reported, run_id, logs_of):
    logs_of(reported, run_id)
    said = torc("reports", "results", over)
    assert (said.code, said.err) == (0, "")
    report = said.json
    records = report.pop("results")
    assert report == {
        "workflow_id": over,
        "workflow_name": "test",
        "workflow_user": "tester",
        "all_runs": False,
        "total_results": 3,
    }
    job_id = reported.jobs["train_model"]
    assert records[0] == {
        "job_id": job_id,
        "job_name": "train_model",
        "status": "Failed",
        "cause": records[0]["cause"],
        "run_id": run_id,
        "attempt_id": 1,
        "return_code": 1,
        "completion_time": "2026-01-01T00:10:00.000Z",
        "exec_time_minutes": 165.0,
        "compute_node_id": reported.node,
        "compute_node_type": "local",
        "job_stdout": f"output/job_stdio/job_{over}_{job_id}_{run_id}.o",
        "job_stderr": f"output/job_stdio/job_{over}_{job_id}_{run_id}.e",
        "job_runner_log": f"output/job_runner_n1_{over}_{run_id}.log",
    }


def test_all_runs_reports_earlier_results_too(torc, over, http, reported, run_id, logs_of):
    logs_of(reported, run_id)
    assert http.post(f"/workflows/{over}/initialize", {}).status == 200
    later = http.get(f"/workflows/{over}/status").json["run_id"]
    reported.end("train_model", run_id=later)
    report = torc("reports", "results", over, "--all-runs").json
    runs = [one["run_id"] for one in report["results"] if one["job_name"] == "train_model"]
    assert (sorted(runs), report["all_runs"]) == ([run_id, later], True)
    assert torc("reports", "results", over).json["total_results"] < report["total_results"]


def test_missing_logs_are_named_on_stderr_and_not_without_end(torc, reported, run_id, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    reported.add(*(f"job_{number}" for number in range(12)))
    for name in reported.jobs:
        reported.end(name, run_id=run_id)
    said = torc("reports", "results", reported.workflow, "--output", "elsewhere")
    assert (said.code, said.json["total_results"]) == (0, 12)
    warnings = said.err.splitlines()
    path = f"elsewhere/job_stdio/job_{reported.workflow}_{reported.jobs['job_0']}_{run_id}.o"
    assert warnings[0] == f"Warning: job stdout log file does not exist for job {reported.jobs['job_0']}: {path}"
    assert (len(warnings), warnings[-1]) == (21, "Warning: and 5 more log files do not exist")


def test_no_results_are_the_same_shape(torc, workflow, tmp_path):
    (tmp_path / "output").mkdir()
    said = torc("reports", "results", workflow)
    assert (said.code, said.json["total_results"], said.json["results"]) == (0, 0, [])
    assert said.err == f"No results found for workflow {workflow}\n"


def test_the_output_folder_has_to_be_one(offline, tmp_path):
    (tmp_path / "file").touch()
    missing, file = offline("reports", "results", 1), offline("reports", "results", 1, "-o", "file")
    assert (missing.code, file.code) == (1, 1)
    assert missing.err.startswith("Error: Output directory does not exist: output; ")
    assert file.err.startswith("Error: Output path is not a directory: file; ")
