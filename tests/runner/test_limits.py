"""What a runner gives its jobs, what it keeps them to, and when it stops them."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
Eventually = Callable[..., Any]

GREEDY = """
    resource_requirements: [{name: small, memory: 60m, runtime: PT10M}]
    jobs:
      - name: greedy
        command: python3 -c 'import time; held = b"x" * 300_000_000; time.sleep(4)'
        resource_requirements: small
"""


def result_of(builder: Any, workflow: int) -> Any:
    (result,) = builder.torc.results.list(workflow)
    return result


def test_a_job_that_runs_too_long_is_ended_where_runtimes_are_enforced(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        resource_requirements: [{name: quick, runtime: PT1S}]
        jobs: [{name: slow, command: "sleep 300 & wait", resource_requirements: quick}]
        """
    )
    runner = start_runner(builder.url, workflow, enforce_runtime=1)
    assert runner.end() == "outcome complete None"
    assert "note job slow runs longer than the 1 s it asked for; stopping it" in runner.lines()
    result = result_of(builder, workflow)
    assert (result.status, result.cause, result.return_code) == ("failed", "timeout", -signal.SIGTERM)
    assert 1 <= result.exec_time_minutes * 60 < 5


def test_runtimes_are_only_estimates_otherwise(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        resource_requirements: [{name: quick, runtime: PT1S}]
        jobs: [{name: slow, command: sleep 2, resource_requirements: quick}]
        """
    )
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert result_of(builder, workflow).status == "completed"


@pytest.mark.parametrize(("enforced", "outcome"), [(1, ("failed", "oom")), (0, ("completed", None))])
def test_a_job_that_uses_too_much_memory_is_ended_where_that_is_enforced(
    builder: Any, start_runner: Start, enforced: int, outcome: tuple[str, str | None]
) -> None:
    workflow = builder.from_spec(GREEDY)
    runner = start_runner(builder.url, workflow, enforce_memory=enforced)
    assert runner.end() == "outcome complete None"
    result = result_of(builder, workflow)
    assert (result.status, result.cause) == outcome
    assert result.peak_memory_bytes > 60 * 2**20
    assert any("and asked for 60m; stopping it" in line for line in runner.lines()) == bool(enforced)


def test_a_job_that_says_nothing_of_its_needs_is_not_kept_to_the_default(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec("jobs: [{name: modest, command: sleep 1.5}]")
    start_runner(builder.url, workflow, enforce_memory=1, enforce_runtime=1).end()
    assert builder.statuses(workflow) == {"modest": "completed"}


def test_when_the_time_is_up_jobs_are_asked_to_end_and_longer_ones_were_never_started(
    builder: Any, start_runner: Start, tmp_path: Path
) -> None:
    workflow = builder.from_spec(
        """
        compute_node_expiration_buffer_seconds: 12
        resource_requirements: [{name: short, runtime: PT1S}, {name: long, runtime: PT1H}]
        jobs:
          - name: saves
            command: trap 'echo saved > checkpoint; exit 0' TERM; while true; do sleep 0.1; done
            supports_termination: true
            resource_requirements: short
          - {name: too_long, command: touch started, resource_requirements: long}
        """
    )
    runner = start_runner(builder.url, workflow, time_limit_s=15)
    assert runner.end() == "outcome time_up the time limit is reached; what is left is for the next runner"
    assert builder.statuses(workflow) == {"saves": "terminated", "too_long": "ready"}
    assert (tmp_path / "checkpoint").read_text() == "saved\n"
    result = result_of(builder, workflow)
    assert (result.cause, result.return_code) == ("time_up", 0)
    (node,) = builder.torc.compute_nodes.list(workflow)
    assert node.time_limit == "PT3S"


@pytest.mark.parametrize("mode", [{}, {"max_parallel_jobs": 2}])
def test_only_jobs_that_end_in_time_are_claimed(builder: Any, start_runner: Start, mode: dict[str, int]) -> None:
    workflow = builder.from_spec(
        """
        compute_node_wait_for_new_jobs_seconds: 1
        compute_node_expiration_buffer_seconds: 0
        resource_requirements: [{name: short, runtime: PT1M}, {name: long, runtime: PT2H}]
        jobs:
          - {name: "short_{i}", command: "true", resource_requirements: short, parameters: {i: "1:5"}}
          - {name: "long_{i}", command: "true", resource_requirements: long, parameters: {i: "1:5"}}
        """
    )
    start_runner(builder.url, workflow, time_limit_s=3600, **mode).end()
    statuses = builder.statuses(workflow)
    assert {statuses[f"short_{i}"] for i in range(1, 6)} == {"completed"}
    assert {statuses[f"long_{i}"] for i in range(1, 6)} == {"ready"}


def test_a_job_finds_in_its_environment_who_it_is_and_what_it_was_granted(
    builder: Any, start_runner: Start, tmp_path: Path
) -> None:
    workflow = builder.from_spec(
        """
        resource_requirements: [{name: needs, num_cpus: 2, memory: 1g}]
        jobs: [{name: curious, command: env > environment, resource_requirements: needs}]
        """
    )
    start_runner(builder.url, workflow).end()
    found = dict(line.partition("=")[::2] for line in (tmp_path / "environment").read_text().splitlines())
    (job,) = builder.torc.jobs.list(workflow)
    expected = {
        "TORC_WORKFLOW_ID": str(workflow),
        "TORC_JOB_ID": str(job.id),
        "TORC_JOB_NAME": "curious",
        "TORC_RUN_ID": "1",
        "TORC_ATTEMPT_ID": "1",
        "TORC_API_URL": builder.url,
        "TORC_NUM_CPUS": "2",
        "TORC_NUM_GPUS": "0",
        "TORC_NUM_NODES": "1",
        "TORC_MEMORY_BYTES": str(2**30),
    }
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(("number", "cause"), [(signal.SIGTERM, "time_up"), (signal.SIGINT, "user")])
def test_a_signal_to_the_runner_ends_its_jobs_and_says_why(
    builder: Any, start_runner: Start, eventually: Eventually, number: signal.Signals, cause: str
) -> None:
    workflow = builder.from_spec("jobs: [{name: endless, command: sleep 300, supports_termination: true}]")
    runner = start_runner(builder.url, workflow)
    eventually(runner.has_said("started endless"))
    runner.signal(number)
    assert runner.end().startswith("outcome interrupted ")
    result = result_of(builder, workflow)
    assert (result.status, result.cause) == ("terminated", cause)
