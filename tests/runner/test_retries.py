"""Failure handlers at work: what is tried again, with what, and after which preparation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Start = Callable[..., Any]


def attempts(builder: Any, workflow: int) -> list[tuple[int, str, int]]:
    found = builder.torc.results.list(workflow, all_runs=True)
    return [(result.attempt_id, str(result.status), result.return_code) for result in found]


def test_a_recovery_script_prepares_the_next_attempt(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.from_spec(
        """
        failure_handlers:
          - name: repair
            rules:
              - exit_codes: [7]
                recovery_script: echo "$TORC_JOB_NAME $TORC_ATTEMPT_ID $TORC_RETURN_CODE"; touch repaired
        jobs:
          - {name: fragile, command: test -e repaired || exit 7, failure_handler: repair}
          - {name: after, command: "true", depends_on: [fragile]}
        """
    )
    runner = start_runner(builder.url, workflow)
    assert runner.end() == "outcome complete None"
    assert builder.statuses(workflow) == {"fragile": "completed", "after": "completed"}
    assert attempts(builder, workflow)[:2] == [(1, "failed", 7), (2, "completed", 0)]
    (job, _) = builder.torc.jobs.list(workflow)
    stdio = tmp_path / "output" / "job_stdio"
    log = stdio / f"job_{workflow}_{job.id}_1_r2.recovery.o"
    assert log.read_text() == "fragile 2 7\n"
    assert (stdio / f"job_{workflow}_{job.id}_1_r2.o").exists()
    assert builder.torc.doctor() == []


def test_a_recovery_script_that_fails_is_a_failed_attempt(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        failure_handlers:
          - name: hopeless
            rules: [{match_all_exit_codes: true, recovery_script: exit 9, max_retries: 2}]
        jobs: [{name: broken, command: exit 1, failure_handler: hopeless}]
        """
    )
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert builder.statuses(workflow) == {"broken": "failed"}
    assert attempts(builder, workflow) == [(1, "failed", 1), (2, "failed", 9), (3, "failed", 9)]


def test_after_running_out_of_memory_a_job_is_tried_again_with_more(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        failure_handlers: [{name: grow, rules: [{causes: [oom], backoff_s: 0.1}]}]
        resource_requirements: [{name: small, memory: 150m, runtime: PT10M}]
        jobs:
          - name: greedy
            command: python3 -c 'import time; held = b"x" * 200_000_000; time.sleep(2.5)'
            resource_requirements: small
            failure_handler: grow
        """
    )
    assert start_runner(builder.url, workflow, enforce_memory=1).end() == "outcome complete None"
    assert attempts(builder, workflow) == [(1, "failed", -9), (2, "completed", 0)]
    asked = {found.name: found for found in builder.torc.resource_requirements.list(workflow)}
    assert asked["small"].memory == "150m"
    (raised,) = (found for found in asked.values() if found.raised_from == asked["small"].id)
    (job,) = builder.torc.jobs.list(workflow)
    assert job.resource_requirements_id == raised.id


def test_after_running_too_long_a_job_is_tried_again_with_more_time(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        failure_handlers: [{name: wait, rules: [{causes: [timeout], runtime_factor: 4, backoff_s: 0.1}]}]
        resource_requirements: [{name: quick, runtime: PT1S}]
        jobs: [{name: slow, command: sleep 2, resource_requirements: quick, failure_handler: wait}]
        """
    )
    assert start_runner(builder.url, workflow, enforce_runtime=1).end() == "outcome complete None"
    assert [attempt[:2] for attempt in attempts(builder, workflow)] == [(1, "failed"), (2, "completed")]
    runtimes = {found.name: found.runtime for found in builder.torc.resource_requirements.list(workflow)}
    assert sorted(runtimes.values())[-2:] == ["PT1S", "PT4S"]


def test_a_job_whose_time_is_up_goes_on_with_the_next_runner(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.from_spec(
        """
        compute_node_expiration_buffer_seconds: 1
        failure_handlers: [{name: go_on, rules: [{causes: [time_up], backoff_s: 0}]}]
        resource_requirements: [{name: short, runtime: PT1S}]
        jobs:
          - name: saves
            command: test -e saved && exit 0; trap 'touch saved; exit 0' TERM; while true; do sleep 0.05; done
            supports_termination: true
            resource_requirements: short
            failure_handler: go_on
          - {name: after, command: "true", depends_on: [saves], resource_requirements: short}
        """
    )
    assert start_runner(builder.url, workflow, time_limit_s=3).end().startswith("outcome time_up")
    assert builder.statuses(workflow) == {"saves": "ready", "after": "blocked"}
    assert not builder.torc.workflows.is_complete(workflow).is_complete
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert builder.statuses(workflow) == {"saves": "completed", "after": "completed"}
    assert [attempt[:2] for attempt in attempts(builder, workflow)][:2] == [(1, "terminated"), (2, "completed")]


def test_no_runner_leaves_while_a_job_backs_off(builder: Any, start_runner: Start) -> None:
    workflow = builder.from_spec(
        """
        compute_node_wait_for_new_jobs_seconds: 1
        failure_handlers: [{name: later, rules: [{exit_codes: [75], backoff_s: 3}]}]
        jobs: [{name: busy, command: test $TORC_ATTEMPT_ID -gt 1 || exit 75, failure_handler: later}]
        """
    )
    assert start_runner(builder.url, workflow).end() == "outcome complete None"
    assert attempts(builder, workflow) == [(1, "failed", 75), (2, "completed", 0)]
