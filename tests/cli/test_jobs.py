"""``torc jobs cancel``, ``terminate``, ``retry``, ``disable`` and ``enable``, and what becomes of results then."""

import json
import subprocess
import sys

import psutil
import pytest

pytestmark = pytest.mark.slow

SPEC = {
    "name": "pair",
    "jobs": [{"name": "first", "command": "true"}, {"name": "second", "command": "true", "depends_on": ["first"]}],
}


@pytest.fixture
def ids(torc, tmp_path) -> dict[str, int]:
    """The jobs of an initialized workflow."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    made = torc("workflows", "create", "spec.json", "-f", "json").json["id"]
    torc("workflows", "initialize", made)
    listed = torc("jobs", "list", made, "-f", "json").json["jobs"]
    return {job["name"]: job["id"] for job in listed}


def test_a_command_says_what_became_of_each_job(torc, ids):
    said = torc("jobs", "cancel", ids["first"])
    assert (said.code, said.err) == (0, "")
    assert said.out == f"Canceled 1 job(s):\n  Job {ids['first']} 'first': canceled\n"
    said = torc("jobs", "retry", ids["second"], ids["first"])
    assert said.out == (
        f"Retried 2 job(s):\n  Job {ids['second']} 'second': blocked\n  Job {ids['first']} 'first': ready\n"
    )


def test_in_json_a_command_answers_with_the_jobs(torc, ids):
    (job,) = torc("jobs", "disable", ids["first"], "-f", "json").json["jobs"]
    assert (job["id"], job["status"], job["cause"]) == (ids["first"], "disabled", "user")
    (job,) = torc("jobs", "enable", ids["first"], "-f", "json").json["jobs"]
    assert job["status"] == "ready"


def test_if_one_job_is_refused_nothing_happens_to_the_others(torc, ids):
    said = torc("jobs", "terminate", ids["first"], ids["second"])
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"Error: job {ids['first']} 'first' is ready: no runner has it; "
        f"cancel it with: torc jobs cancel {ids['first']}\n"
    )
    said = torc("jobs", "cancel", ids["first"], 999_999_999, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert torc("jobs", "get", ids["first"], "-f", "json").json["status"] == "ready"


@pytest.mark.parametrize("words", [(), ("0",), ("x",), ("1", "-2")])
@pytest.mark.parametrize("verb", ["cancel", "terminate", "retry", "disable", "enable"])
def test_jobs_are_named_by_their_ids(offline, verb, words):
    said = offline("jobs", verb, *words)
    assert (said.code, said.out) == (2, "")
    assert f"torc jobs {verb}" in said.err


def test_all_attempts_are_listed_when_asked_for(torc, ids):
    (workflow_id,) = {torc("jobs", "get", each, "-f", "json").json["workflow_id"] for each in ids.values()}
    torc("run", workflow_id)
    torc("jobs", "retry", ids["first"])
    torc("run", workflow_id)

    def attempts(*words):
        found = torc("results", "list", workflow_id, *words, "-f", "json").json["results"]
        return sorted((one["job_id"], one["attempt_id"]) for one in found)

    first, second = ids["first"], ids["second"]
    assert attempts() == [(first, 2), (second, 2)]
    assert "Attempt" not in torc("results", "list", workflow_id).out
    assert "Attempt" in torc("results", "list", workflow_id, "--all-attempts").out
    assert attempts("--all-attempts") == [(first, 1), (first, 2), (second, 1), (second, 2)]


@pytest.mark.parametrize(("verb", "status"), [("terminate", "terminated"), ("cancel", "canceled")])
def test_a_running_job_is_stopped_with_all_its_processes_while_another_goes_on(
    torc, environment, server, tmp_path, eventually, request, verb, status
):
    jobs = [
        {"name": "endless", "command": "sleep 600 & echo $! > child; wait", "supports_termination": True},
        {"name": "other", "command": "while [ ! -e go ]; do sleep 0.05; done"},
    ]
    (tmp_path / "spec.json").write_text(json.dumps({"name": "two", "jobs": jobs}))
    workflow_id = torc("workflows", "create", "spec.json", "-f", "json").json["id"]
    torc("workflows", "initialize", workflow_id)
    runner = subprocess.Popen(
        [sys.executable, "-m", "torc", "run", str(workflow_id), "--poll-interval", "0.2", "--num-cpus", "2"],
        env={**environment, "TORC_API_URL": server.url},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    request.addfinalizer(runner.wait)
    request.addfinalizer(runner.terminate)
    child = int(eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip()))

    def listed():
        return {job["name"]: job for job in torc("jobs", "list", workflow_id, "-f", "json").json["jobs"]}

    eventually(lambda: listed()["endless"]["status"] == "running")
    assert torc("jobs", verb, listed()["endless"]["id"]).code == 0
    endless = eventually(lambda: (job := listed()["endless"])["status"] == status and job)
    assert endless["cause"] == "user"
    eventually(lambda: not psutil.pid_exists(child))
    assert listed()["other"]["status"] == "running"
    (tmp_path / "go").touch()
    assert runner.wait(timeout=60) == 3, "not every job completed"
    assert listed()["other"]["status"] == "completed"
    results = torc("results", "list", workflow_id, "-f", "json").json["results"]
    assert {one["job_id"]: one["status"] for one in results}[endless["id"]] == "terminated"


def test_a_job_that_takes_too_long_has_more_time_at_its_next_try(torc, tmp_path):
    spec = {
        "name": "slow",
        "resource_requirements": [{"name": "short", "num_cpus": 1, "memory": "1m", "runtime": "PT2S"}],
        "failure_handlers": [
            {"name": "more time", "rules": [{"causes": ["timeout"], "backoff_s": 0.1, "runtime_factor": 4.0}]}
        ],
        # The first attempt outlives its two seconds, the second has eight.
        "jobs": [
            {
                "name": "slow",
                "command": "[ -e tried ] || { touch tried; exec sleep 60; }",
                "resource_requirements": "short",
                "failure_handler": "more time",
            }
        ],
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    workflow_id = torc("workflows", "create", "spec.json", "-f", "json").json["id"]
    torc("workflows", "initialize", workflow_id)
    assert torc("run", workflow_id, "--enforce-runtime", "--poll-interval", "0.2").code == 0
    results = torc("results", "list", workflow_id, "--all-attempts", "-f", "json").json["results"]
    assert [(one["attempt_id"], one["status"], one.get("cause")) for one in results] == [
        (1, "failed", "timeout"),
        (2, "completed", None),
    ]
