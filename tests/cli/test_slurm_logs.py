"""``torc slurm parse-logs`` and ``sacct``, and the Slurm logs in ``torc reports results``."""

import json
from pathlib import Path

import pytest

from tests.hpc.test_accounting import SLURM_22


class Allocation:
    """Slurm job 77 of a workflow: a job ran there, and logs were written."""

    def __init__(self, http, workflow: int, folder: Path) -> None:
        self.workflow = workflow
        self.folder = folder
        folder.mkdir()
        made = {"workflow_id": workflow, "scheduler_id": 77, "scheduler_config_id": 1, "scheduler_type": "slurm"}
        assert http.post("/scheduled_compute_nodes", {**made, "status": "complete"}).status == 200
        place = {"slurm_job_id": "77", "node_id": "0", "task_pid": "123"}
        self.node = {"workflow_id": workflow, "hostname": "node1", "pid": 9, "start_time": "2026-01-01T00:00:00Z"}
        self.node |= {"num_cpus": 1, "memory_gb": 1.0, "num_gpus": 0, "num_nodes": 1, "compute_node_type": "slurm"}
        node_id = http.post("/compute_nodes", {**self.node, "scheduler": place}).json["id"]
        job = http.post("/jobs", {"workflow_id": workflow, "name": "fit", "command": "true"}).json["id"]
        result = {"workflow_id": workflow, "job_id": job, "run_id": 0, "compute_node_id": node_id, "return_code": 1}
        assert http.post("/results", {**result, "status": "failed"}).status == 200
        self.job = job


@pytest.fixture
def allocation(http, workflow, tmp_path):
    return Allocation(http, workflow, tmp_path / "output")


def test_errors_are_found_with_the_jobs_that_ran_there(torc, allocation):
    line = "slurmstepd: error: Detected 1 oom-kill event on node1"
    (allocation.folder / "slurm_output_77.e").write_text(f"fine\n{line}\n")
    (allocation.folder / "slurm_output_77.o").write_text("*** JOB 77 CANCELLED ***\n")
    words = ("slurm", "parse-logs", str(allocation.workflow), "-o", str(allocation.folder))
    said = torc(*words)
    assert said.out == (
        "Found 2 issue(s) in Slurm log files:\n\n"
        "=== Slurm Job 77 ===\n"
        f"  Affected Torc jobs: 1 (ID: {allocation.job})\n"
        f"  [ERROR] OOM killer terminated process (node: node1): {line}\n"
        f"    Location: {allocation.folder}/slurm_output_77.e:2\n"
        "  [WARN] Job was cancelled: *** JOB 77 CANCELLED ***\n"
        f"    Location: {allocation.folder}/slurm_output_77.o:1\n\n"
        "Summary: 1 error(s), 1 warning(s)\n"
    )
    found = json.loads(torc(*words, "-f", "json").out)
    assert (found["slurm_jobs_count"], found["files_scanned"], found["total_issues"]) == (1, 2, 2)
    assert found["issues"][0]["affected_jobs"] == [{"job_id": allocation.job, "job_name": "fit"}]
    assert json.loads(torc(*words, "-f", "json", "--errors-only").out)["total_issues"] == 1


def test_nothing_is_found_where_nothing_is_wrong(torc, allocation):
    words = ("slurm", "parse-logs", str(allocation.workflow), "-o", str(allocation.folder))
    assert torc(*words).out.startswith("No issues found in Slurm log files for workflow")
    assert "does not exist" in torc(*words[:-1], str(allocation.folder / "gone")).err


@pytest.mark.parametrize("command", ["parse-logs", "sacct"])
def test_a_workflow_without_allocations_is_said_to_be_one(torc, workflow, tmp_path, command):
    said = torc("slurm", command, str(workflow), "-o", str(tmp_path))
    assert (said.code, said.out) == (0, f"No Slurm scheduled compute nodes found for workflow {workflow}\n")
    assert torc("slurm", command, "987654", "-o", str(tmp_path)).code == 1


@pytest.fixture
def sacct(tmp_path):
    """The environment with a ``sacct`` that says what real ones said."""
    (tmp_path / "answer.json").write_text(json.dumps(SLURM_22))
    program = tmp_path / "sacct"
    codes = "printf '77|3:0\\n77.batch|0:9\\n'"
    program.write_text(f"#!/bin/sh\ncase \"$*\" in *--json*) cat '{tmp_path}/answer.json';; *) {codes};; esac\n")
    program.chmod(0o755)
    return {"TORC_FAKE_SACCT": str(program)}


def test_the_accounts_are_a_table_with_the_steps(torc, allocation, sacct):
    said = torc("slurm", "sacct", str(allocation.workflow), env=sacct).out
    assert f"Slurm Accounting Summary for Workflow {allocation.workflow}\n" in said
    assert "│ 77        │ worker_1 │ FAILED    │ 3:0       │ 1m 25s  │ 414.7MB │ 4s       │ node1 │" in said
    assert "│ 77        │ batch    │ CANCELLED │ 0:9       │ 1m 24s  │ 414.7MB │ 3s       │ node1 │" in said


def test_the_accounts_as_json_may_be_kept(torc, allocation, sacct):
    words = ("slurm", "sacct", str(allocation.workflow), "-o", str(allocation.folder), "--save-json", "-f", "json")
    found = json.loads(torc(*words, env=sacct).out)
    assert (found["total_slurm_jobs"], found["errors"]) == (1, [])
    assert found["summary"][0] == {
        "slurm_job_id": "77",
        "job_step": "worker_1",
        "state": "FAILED",
        "exit_code": "3:0",
        "elapsed": "1m 25s",
        "max_rss": "414.7MB",
        "cpu_time": "4s",
        "nodes": "node1",
    }
    assert json.loads((allocation.folder / "sacct_77.json").read_text()) == SLURM_22


def test_accounts_that_cannot_be_had_are_errors_of_their_jobs(torc, allocation, tmp_path):
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho 'sacct: error: no slurmdbd' >&2\nexit 1\n")
    program.chmod(0o755)
    said = torc("slurm", "sacct", str(allocation.workflow), env={"TORC_FAKE_SACCT": str(program)})
    assert said.code == 0
    assert "No sacct data available" in said.out
    assert "  Job 77: sacct failed: sacct: error: no slurmdbd" in said.out


def test_the_report_has_every_log_of_the_allocation(torc, allocation):
    names = ("slurm_output_77.o", "slurm_output_77.e", "slurm_env_77_0_123.log", "dmesg_slurm_77_0_123.log")
    for name in (*names, "job_runner_slurm_77_0_123.log"):
        (allocation.folder / name).write_text("")
    words = ("reports", "results", str(allocation.workflow), "-o", str(allocation.folder), "--all-runs")
    (record,) = json.loads(torc(*words).out)["results"]
    assert record["job_runner_log"] == str(allocation.folder / "job_runner_slurm_77_0_123.log")
    keys = ("slurm_stdout", "slurm_stderr", "slurm_env_log", "dmesg_log")
    assert [record[key] for key in keys] == [str(allocation.folder / name) for name in names]
