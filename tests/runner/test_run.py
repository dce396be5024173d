"""Whole runs: a server, a runner, jobs."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc.models.compute_node import ComputeNode
from torc.models.resource_requirements import ResourceRequirements
from torc.models.sync import PROTOCOL, Offer, SyncRequest

Start = Callable[..., Any]


def test_a_diamond_runs_in_order_and_leaves_nothing_behind(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    head = builder.job(workflow, "head", "echo head >> order")
    left = builder.job(workflow, "left", "sleep 0.1; echo side >> order", head)
    right = builder.job(workflow, "right", "echo side >> order", head)
    builder.job(workflow, "tail", "echo tail >> order", left, right)
    runner = start_runner(builder.url, builder.initialize(workflow))
    assert runner.end() == "outcome complete None"
    assert (tmp_path / "order").read_text().split() == ["head", "side", "side", "tail"]
    assert set(builder.statuses(workflow).values()) == {"completed"}
    assert [result[1:] for result in builder.results(workflow)] == [(1, "completed", 0)] * 4
    assert list((tmp_path / "output" / ".torc").iterdir()) == []
    (node,) = builder.torc.compute_nodes.list(workflow)
    assert (node.is_active, node.pid, node.num_cpus) == (False, runner.process.pid, 2)


def test_a_failure_cancels_what_depends_on_it(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow()
    head = builder.job(workflow, "head", "exit 3")
    left = builder.job(workflow, "left", "true", head)
    right = builder.job(workflow, "right", "true", head)
    builder.job(workflow, "tail", "true", left, right)
    builder.job(workflow, "other", "true")
    builder.job(workflow, "cleanup", "true", head, cancel_on_blocking_job_failure=False)
    runner = start_runner(builder.url, builder.initialize(workflow))
    assert runner.end() == "outcome complete None"
    assert builder.statuses(workflow) == {
        "head": "failed",
        "left": "canceled",
        "right": "canceled",
        "tail": "canceled",
        "other": "completed",
        "cleanup": "completed",
    }


def test_a_missing_output_fails_the_job_and_names_the_file(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    written, missing = (builder.output(workflow, tmp_path / name) for name in ("written", "missing"))
    producer = builder.job(workflow, "producer", "echo > written", output_file_ids=[written, missing])
    builder.job(workflow, "consumer", "true", producer)
    runner = start_runner(builder.url, builder.initialize(workflow))
    assert runner.end() == "outcome complete None"
    assert builder.statuses(workflow) == {"producer": "failed", "consumer": "canceled"}
    assert f"note job producer failed: it did not write its output {tmp_path / 'missing'}" in runner.lines()
    assert builder.torc.files.get(written).st_mtime == pytest.approx((tmp_path / "written").stat().st_mtime)


def test_a_job_that_cannot_be_started_fails_and_the_others_run(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "huge", "x" * 200_000)
    builder.job(workflow, "small", "true")
    assert start_runner(builder.url, builder.initialize(workflow)).end() == "outcome complete None"
    assert builder.statuses(workflow) == {"huge": "failed", "small": "completed"}
    assert {result.cause for result in builder.torc.results.list(workflow)} == {None, "spawn_failed"}


@pytest.mark.parametrize("options", [{"num_cpus": 3}, {"max_parallel_jobs": 3}])
def test_no_more_jobs_run_at_once_than_fit(
    builder: Any, start_runner: Start, tmp_path: Path, options: dict[str, int]
) -> None:
    workflow = builder.workflow()
    for number in range(12):
        builder.job(workflow, f"job{number}", "echo + >> trace; sleep 0.05; echo - >> trace")
    assert start_runner(builder.url, builder.initialize(workflow), **options).end() == "outcome complete None"
    steps = [1 if sign == "+" else -1 for sign in (tmp_path / "trace").read_text().split()]
    assert len(steps) == 24
    assert max(itertools.accumulate(steps)) == 3


@pytest.mark.slow
def test_a_thousand_short_jobs_run_once_each(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    first = [builder.job(workflow, f"first{number}", "echo >> ran") for number in range(500)]
    barrier = builder.job(workflow, "barrier", "echo >> ran", *first)
    for number in range(499):
        builder.job(workflow, f"second{number}", "echo >> ran", barrier)
    runner = start_runner(builder.url, builder.initialize(workflow))
    assert runner.end(timeout_s=120) == "outcome complete None"
    assert len((tmp_path / "ran").read_text()) == 1000
    assert [result[1:] for result in builder.results(workflow)] == [(1, "completed", 0)] * 1000


@pytest.mark.slow
def test_a_job_that_fits_nowhere_ends_the_run_with_a_sentence(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow()
    needs = builder.torc.resource_requirements.create(
        ResourceRequirements(workflow_id=workflow, name="big", num_cpus=4, memory="1g")
    )
    builder.job(workflow, "big", "true", resource_requirements_id=needs.id)
    last = start_runner(builder.url, builder.initialize(workflow)).end()
    assert last.startswith("outcome nothing_fits job big (id ")
    assert "4 CPUs" in last and "2 CPUs" in last


def test_jobs_that_nobody_initialized_are_named_with_the_cure(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow(compute_node_wait_for_new_jobs_seconds=1)
    builder.job(workflow, "job", "true")
    last = start_runner(builder.url, workflow).end()
    assert last.startswith("outcome idle ")
    assert last.endswith(f"torc workflows initialize {workflow}")


def test_a_runner_waits_for_work_as_long_as_the_workflow_says(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow(compute_node_wait_for_new_jobs_seconds=1)
    elsewhere = builder.job(workflow, "elsewhere", "true")
    builder.job(workflow, "after", "true", elsewhere)
    builder.initialize(workflow)
    other_node(builder, workflow)
    began = time.monotonic()
    assert start_runner(builder.url, workflow).end().startswith("outcome idle no job became ready within 1 s")
    assert time.monotonic() - began >= 1


def other_node(builder: Any, workflow: int) -> None:
    """Another runner of the same workflow takes the first ready job and is not heard from again."""
    node = builder.torc.compute_nodes.create(
        ComputeNode(
            workflow_id=workflow,
            hostname="elsewhere",
            pid=1,
            start_time="2026-01-01T00:00:00Z",
            num_cpus=1,
            memory_gb=1,
            num_gpus=0,
            num_nodes=1,
            compute_node_type="local",
            spool_path="/nowhere",
        )
    )
    request = SyncRequest(
        protocol=PROTOCOL,
        seq=1,
        database_id=node.database_id,
        generation=node.generation,
        holding=[],
        offer=Offer(num_cpus=1, memory_bytes=1 << 30),
        limit=1,
    )
    assert builder.torc.sync(node.id, request).jobs


def test_a_canceled_workflow_stops_its_jobs(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "long", "echo $$ > pid; sleep 600; true")
    builder.job(workflow, "gentle", "trap 'echo > told; exit' TERM; sleep 600 & wait", supports_termination=True)
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually(runner.has_said("started gentle"))
    eventually((tmp_path / "pid").exists)
    builder.torc.workflows.cancel(workflow)
    assert runner.end().startswith("outcome canceled")
    assert set(builder.statuses(workflow).values()) == {"canceled"}
    assert {result[2] for result in builder.results(workflow)} == {"terminated"}
    assert (tmp_path / "told").exists()


def test_a_job_that_is_taken_away_is_killed_and_its_result_dropped(
    builder: Any, http: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow()
    job = builder.job(workflow, "job", "test -e once && exit 0; echo > once; sleep 600; true")
    runner = start_runner(builder.url, builder.initialize(workflow))
    eventually((tmp_path / "once").exists)
    eventually(lambda: builder.statuses(workflow)["job"], lambda status: status == "running")
    (node,) = builder.torc.compute_nodes.list(workflow)
    assert http.put(f"/compute_nodes/{node.id}/release").status == 200
    assert runner.end() == "outcome complete None"
    assert "note job job is no longer this runner's; stopping it" in runner.lines()
    assert builder.results(workflow) == [(job.id, 2, "completed", 0)]


@pytest.mark.slow
def test_a_stock_behind_a_long_job_goes_to_another_runner(
    builder: Any, start_runner: Start, tmp_path: Path, eventually: Start
) -> None:
    workflow = builder.workflow()
    for number in range(200):
        builder.job(workflow, f"before{number}", "true")
    builder.job(workflow, "long", "echo > up; while test ! -e go; do sleep 0.05; done")
    for number in range(100):
        builder.job(workflow, f"behind{number}", "true")
    first = start_runner(builder.url, builder.initialize(workflow), max_parallel_jobs=1)
    eventually((tmp_path / "up").exists)
    second = start_runner(builder.url, workflow, max_parallel_jobs=1)
    eventually(lambda: Counter(builder.statuses(workflow).values()), lambda found: found["completed"] == 300)
    assert builder.statuses(workflow)["long"] == "running"
    (tmp_path / "go").touch()
    assert first.end() == second.end() == "outcome complete None"
    assert {result[1:] for result in builder.results(workflow)} == {(1, "completed", 0)}


def test_a_full_disk_is_told_and_loses_nothing(builder: Any, start_runner: Start) -> None:
    workflow = builder.workflow()
    for number in range(60):
        builder.job(workflow, f"j{number}", "true")
    runner = start_runner(builder.url, builder.initialize(workflow), file_size=4000)
    assert runner.end() == "outcome complete None"
    assert runner.has_said("note cannot write")()
    assert len(builder.results(workflow)) == 60


def test_an_invocation_script_stands_before_the_command(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.from_spec(
        """
        jobs: [{name: wrapped, invocation_script: bash -x, command: steps.sh a b}]
        """
    )
    (tmp_path / "steps.sh").write_text("echo $1 and $2 > said")
    start_runner(builder.url, workflow).end()
    assert (tmp_path / "said").read_text() == "a and b\n"
    (job,) = builder.torc.jobs.list(workflow)
    traced = tmp_path / "output" / "job_stdio" / f"job_{workflow}_{job.id}_1.e"
    assert traced.read_text() == "+ echo a and b\n"


def test_runners_that_count_jobs_and_runners_that_add_up_needs_share_a_workflow(
    builder: Any, start_runner: Start, tmp_path: Path
) -> None:
    workflow = builder.from_spec(
        """
        resource_requirements: [{name: big, num_cpus: 8}, {name: small}]
        jobs:
          - {name: "big_{i}", command: "echo >> ran; sleep 0.2", resource_requirements: big, parameters: {i: "1:8"}}
          - {name: "small_{i}", command: "echo >> ran; sleep 0.2", resource_requirements: small, parameters: {i: "1:8"}}
        """
    )
    runners = [start_runner(builder.url, workflow), start_runner(builder.url, workflow, max_parallel_jobs=2)]
    assert [runner.end() for runner in runners] == ["outcome complete None"] * 2
    assert len((tmp_path / "ran").read_text()) == 16
    adding, counting = (runner.process.pid for runner in runners)
    pids = {node.id: node.pid for node in builder.torc.compute_nodes.list(workflow)}
    names = {job.id: job.name for job in builder.torc.jobs.list(workflow)}
    ran_by = {names[result.job_id]: pids[result.compute_node_id] for result in builder.torc.results.list(workflow)}
    assert {ran_by[f"big_{number}"] for number in range(1, 9)} == {counting}, "8 CPUs fit into no offer of 2"
    assert adding in ran_by.values()
