"""``torc jobs logs``: the right file, its end, and what is still being written to it."""

import json
import socket
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def start(torc, tmp_path, *jobs, **more):
    (tmp_path / "spec.json").write_text(json.dumps({"name": "logs", "jobs": list(jobs), **more}))
    workflow_id = torc("workflows", "create", "spec.json", "-f", "json").json["id"]
    torc("workflows", "initialize", workflow_id)
    (job, *_) = torc("jobs", "list", workflow_id, "-f", "json").json["jobs"]
    return workflow_id, job["id"]


@pytest.fixture
def background(environment, server, tmp_path, request):
    """``background("run", 5)``: a torc of which the test reads what it prints while it runs."""

    def begin(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "torc", *map(str, words)],
            env={**environment, "TORC_API_URL": server.url},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

        def end():
            process.terminate()
            process.communicate()

        request.addfinalizer(end)
        return process

    return begin


@pytest.mark.parametrize("run_in", [(), ("-o", "elsewhere")])
def test_output_is_found_where_the_runner_put_it_and_is_copied_as_it_is(torc, tmp_path, run_in):
    command = r"printf 'one\033[1m\ntwo\nthree'; printf 'wrong\n' >&2"
    workflow_id, job = start(torc, tmp_path, {"name": "a", "command": command})
    said = torc("jobs", "logs", job)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"Error: job {job} 'a' is ready and has never been run; torc jobs explain {job} says why.\n"
    assert torc("run", workflow_id, *run_in).code == 0
    assert torc("jobs", "logs", job).out == "one\x1b[1m\ntwo\nthree"
    assert torc("jobs", "logs", job, "--err").out == "wrong\n"
    assert torc("jobs", "logs", job, "-n", 2).out == "two\nthree"
    assert torc("jobs", "logs", job, "-n", 0).out == ""
    assert torc("jobs", "logs", job, "-n", 99).out == "one\x1b[1m\ntwo\nthree"
    assert torc("jobs", "logs", job, "--follow", "--tail", 1).out == "three"
    assert torc("jobs", "logs", job, "--out", "--err").code == 2


def test_a_file_that_is_not_there_is_named_with_the_host(torc, tmp_path):
    workflow_id, job = start(torc, tmp_path, {"name": "a", "command": "true"})
    torc("run", workflow_id)
    for more in ((), ("-f",)):
        said = torc("jobs", "logs", job, "-o", "nowhere", *more)
        assert (said.code, said.out) == (1, "")
        assert f"nowhere/job_stdio/job_{workflow_id}_{job}_1.o does not exist" in said.err
        assert f"was run on {socket.gethostname()}" in said.err


def test_an_empty_stdout_hints_at_what_was_written_to_stderr(torc, tmp_path):
    workflow_id, job = start(torc, tmp_path, {"name": "a", "command": "echo wrong >&2"})
    torc("run", workflow_id)
    said = torc("jobs", "logs", job)
    assert (said.code, said.out) == (0, "")
    assert "--err" in said.err


def test_earlier_attempts_runs_and_recovery_scripts_have_files_of_their_own(torc, tmp_path):
    handler = {
        "name": "again",
        "rules": [{"exit_codes": [3], "recovery_script": "echo mend", "max_retries": 1, "backoff_s": 0}],
    }
    command = "echo attempt $TORC_ATTEMPT_ID of run $TORC_RUN_ID; [ $TORC_ATTEMPT_ID -gt 1 ] || exit 3"
    job = {"name": "a", "command": command, "failure_handler": "again"}
    workflow_id, job = start(torc, tmp_path, job, failure_handlers=[handler])
    assert torc("run", workflow_id, "--poll-interval", "0.2").code == 0
    assert torc("jobs", "logs", job).out == "attempt 2 of run 1\n"
    assert torc("jobs", "logs", job, "--attempt", 1).out == "attempt 1 of run 1\n"
    assert torc("jobs", "logs", job, "--recovery").out == "mend\n"
    assert "run 9" in torc("jobs", "logs", job, "--run", 9).err
    assert "attempt 7" in torc("jobs", "logs", job, "--attempt", 7).err


def test_follow_waits_for_the_file_shows_what_is_added_and_ends_with_the_job(torc, background, tmp_path):
    handler = {"name": "again", "rules": [{"exit_codes": [3], "max_retries": 1, "backoff_s": 0.1}]}
    command = "echo begun $TORC_ATTEMPT_ID; while [ ! -e go$TORC_ATTEMPT_ID ]; do sleep 0.05; done; echo done; "
    command += "[ $TORC_ATTEMPT_ID = 2 ] || exit 3"
    job = {"name": "a", "command": command, "failure_handler": "again"}
    workflow_id, job = start(torc, tmp_path, job, failure_handlers=[handler])
    following = background("jobs", "logs", job, "-f")
    runner = background("run", workflow_id, "--poll-interval", "0.2")
    assert following.stdout.readline() == b"begun 1\n"
    (tmp_path / "go1").touch()
    assert following.stdout.readline() == b"done\n"
    assert following.stdout.readline() == b"begun 2\n"
    (tmp_path / "go2").touch()
    assert following.stdout.read() == b"done\n"
    assert following.wait(timeout=20) == 0
    assert runner.wait(timeout=60) == 0
