"""``torc run`` from the outside: what it prints where, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

DIAMOND = """
name: diamond
jobs:
  - {name: head, command: "%s"}
  - {name: left, command: "true", depends_on: [head]}
  - {name: right, command: "true", depends_on: [head]}
  - {name: tail, command: "true", depends_on: [left, right]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[str], Path]:
    """``spec(text)``: the path of a specification with that text."""

    def write(text: str, name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def statuses(said: Any) -> dict[str, str]:
    return {job["name"]: job["status"] for job in said.json["jobs"]}


def test_every_job_completed(torc, spec, tmp_path):
    said = torc("run", spec(DIAMOND % "echo hello"), "-p", "0.1", "-f", "json")
    assert said.code == 0
    assert said.json["status"] == "completed"
    assert said.json["outcome"] == "complete"
    assert said.json["job_counts"] == {"completed": 4}
    assert set(statuses(said).values()) == {"completed"}
    workflow_id, head = said.json["workflow_id"], said.json["jobs"][0]
    assert (tmp_path / "output" / "job_stdio" / f"job_{workflow_id}_{head['job_id']}_1.o").read_text() == "hello\n"
    assert head["return_code"] == 0
    assert f"Created workflow {workflow_id}\n" in said.err


def test_the_table_is_on_stdout_and_the_rest_on_stderr(torc, spec):
    said = torc("run", spec(DIAMOND % "true"))
    assert said.code == 0
    assert said.out.startswith("╭")
    assert [line.split()[1] for line in said.out.splitlines()[3:-1]] == ["head", "left", "right", "tail"]
    lines = said.err.splitlines()
    assert lines[0].startswith("Created workflow ")
    assert lines[1] == "Running 4 jobs"
    assert lines[-1].endswith(": 4 completed")


def test_a_failing_head_cancels_the_diamond_and_ends_with_3(torc, spec, tmp_path):
    said = torc("run", spec(DIAMOND % "echo broken >&2; exit 7"), "-f", "json")
    assert said.code == 3
    assert statuses(said) == {"head": "failed", "left": "canceled", "right": "canceled", "tail": "canceled"}
    assert said.json["status"] == "failed"
    head = said.json["jobs"][0]
    assert head["return_code"] == 7
    assert (tmp_path / head["stderr"]).read_text() == "broken\n"
    assert "Job 'head' failed with return code 7" in said.err


def test_many_jobs_are_summed_up_with_the_first_failures(torc, spec):
    text = "name: many\njobs:\n  - name: job_{i}\n    command: test {i} -gt 30\n    parameters: {i: '1:60'}\n"
    said = torc("run", spec(text), "--max-parallel-jobs", "4")
    assert said.code == 3
    assert "│ completed │ 30   │" in said.out
    assert "│ failed    │ 30   │" in said.out
    assert "Jobs that did not complete, the first 20 of 30:" in said.out
    assert said.out.count("output/job_stdio/job_") == 20
    assert said.err.count("failed with return code 1") == 20
    assert "More failures are counted, not named." in said.err


def test_a_job_that_fits_nowhere_ends_with_4_and_a_sentence(torc, spec):
    text = """
name: big
resource_requirements: [{name: big, num_cpus: 64, memory: 1m, runtime: PT1M}]
jobs: [{name: giant, command: "true", resource_requirements: big}]
"""
    said = torc("run", spec(text), "--num-cpus", "2", "-p", "0.2")
    assert said.code == 4
    assert "giant" in said.err
    assert "64 CPUs" in said.err


def test_a_workflow_can_be_run_by_id_and_again(torc, spec):
    made = torc("workflows", "create", spec(DIAMOND % "true"), "-f", "json").json["id"]
    assert torc("run", made, "elsewhere").code == 0
    said = torc("run", made, "-f", "json")
    assert said.code == 0
    assert said.json["run_id"] == 1


def test_an_unknown_id_is_one_sentence(torc):
    said = torc("run", "999999")
    assert (said.code, said.out) == (1, "")
    assert said.err == "Error: Workflow not found with ID: 999999\n"


def test_output_goes_where_the_second_argument_says(torc, spec, tmp_path):
    assert torc("run", spec(DIAMOND % "true"), "logs/here").code == 0
    assert len(list((tmp_path / "logs/here/job_stdio").glob("job_*.o"))) == 4
    assert "job 1" not in (tmp_path / "spec.yaml").read_text()
    (log,) = (tmp_path / "logs/here").glob("job_runner_*.log")
    assert "completed with return code 0" in log.read_text()
    assert not (tmp_path / "output").exists()


def test_an_output_folder_that_cannot_be_made_is_named(torc, spec, tmp_path):
    (tmp_path / "file").write_text("")
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    said = torc("run", spec(DIAMOND % "true"), "-o", "file/inside")
    assert said.code == 2
    assert said.err.startswith("Error: the output folder file/inside cannot be used: Not a directory")
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before


def test_settings_of_a_run_come_from_the_environment(torc, spec, tmp_path):
    env = {"TORC_CLIENT__RUN__OUTPUT_DIR": "elsewhere", "TORC_CLIENT__FORMAT": "json"}
    said = torc("run", spec(DIAMOND % "true"), env=env)
    assert said.json["status"] == "completed"
    assert (tmp_path / "elsewhere").is_dir()


def test_a_wrong_setting_is_named_before_anything_is_created(torc, spec):
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    said = torc("run", spec(DIAMOND % "true"), env={"TORC_CLIENT__RUN__NUM_CPUS": "all"})
    assert said.code == 1
    assert said.err.startswith("Error: TORC_CLIENT__RUN__NUM_CPUS='all': 'all' is not a whole number.")
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before


def test_a_missing_input_is_named_and_nothing_stays_behind(torc, spec, tmp_path):
    text = """
name: needy
files: [{name: data, path: data.csv}]
jobs: [{name: reader, command: cat data.csv, input_files: [data]}]
"""
    path = spec(text)
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    said = torc("run", path)
    assert said.code == 1
    assert "data.csv ('data')" in said.err
    assert "--force" in said.err
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before
    (tmp_path / "data.csv").write_text("1\n")
    assert torc("run", path).code == 0


def test_missing_inputs_can_be_ignored(torc, spec):
    text = """
name: needy
files: [{name: data, path: data.csv}]
jobs: [{name: reader, command: "true", input_files: [data]}]
"""
    assert torc("run", spec(text), "--force").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_jobs_and_returns_130(environment, server, spec, tmp_path, eventually, number):
    path = spec("name: slow\njobs: [{name: slow, command: 'echo $$ > pid; exec sleep 60'}]\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "torc", "run", str(path)],
        cwd=tmp_path,
        env={**environment, "TORC_API_URL": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid_file = tmp_path / "pid"
    pid = int(eventually(lambda: pid_file.read_text() if pid_file.exists() else ""))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "terminated" in out
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_live_line_on_a_terminal_shows_how_the_run_is_doing(terminal, spec):
    said = terminal("run", spec(DIAMOND % "sleep 0.5"))
    assert said.code == 0
    assert "\x1b[K0 of 4 done, 1 running, 0 failed, 0:00:00" in said.err
    assert said.err.rstrip().endswith(": 4 completed")
    assert "\x1b" not in said.out


def test_failures_stand_above_the_live_line(terminal, spec):
    said = terminal("run", spec(DIAMOND % "sleep 0.4; exit 3"))
    assert said.code == 3
    assert "\r\x1b[KJob 'head' failed with return code 3\r\n" in said.err


def test_a_server_that_stays_away_ends_the_run_with_5(environment, start_server, spec, tmp_path, eventually):
    path = spec(
        "name: lost\ncompute_node_wait_for_healthy_database_minutes: 0\n"
        "jobs: [{name: slow, command: 'echo $$ > pid; exec sleep 60'}]\n"
    )
    server = start_server()
    process = subprocess.Popen(
        [sys.executable, "-m", "torc", "run", str(path), "-p", "0.1", "-f", "json"],
        cwd=tmp_path,
        env={**environment, "TORC_API_URL": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid_file = tmp_path / "pid"
    pid = int(eventually(lambda: pid_file.read_text() if pid_file.exists() else ""))
    server.kill()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert json.loads(out)["status"] == "error"
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
