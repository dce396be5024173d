"""kill -9 of server and runner, again and again, in the middle of 500 jobs: nothing lost, nothing doubled."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault_stage import Stage
from torc.errors import EXIT_JOBS_FAILED

JOBS = 500
KILLS = 12

# Each attempt leaves one line, written at once: who ran is known whatever is killed.
COMMAND = "echo $TORC_JOB_ID $TORC_ATTEMPT_ID >> ledger; sleep 0.0$((RANDOM % 5))"

SPEC = {
    "name": "chaos",
    "jobs": [
        {"name": "first_{i}", "command": COMMAND, "parameters": {"i": f"1:{JOBS // 2}"}},
        {
            "name": "second_{i}",
            "command": COMMAND + "; exit $(({i} % 2))",
            "parameters": {"i": f"1:{JOBS // 2}"},
            "depends_on_regexes": ["^first_"],
        },
    ],
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, "--lease-secs", "4")
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_doubled_when_server_and_runner_are_killed(
    stage: Stage, eventually: Callable[..., Any], seed: int
) -> None:
    rng = random.Random(seed)
    (stage.folder / "spec.json").write_text(json.dumps(SPEC))
    workflow_id = stage.torc("workflows", "create", "spec.json")["workflow_id"]
    stage.torc("workflows", "initialize", str(workflow_id))
    stage.start_runner("runner", workflow_id, "--num-cpus", "4")
    for goal in sorted(rng.sample(range(5, JOBS - 20), KILLS)):
        eventually(lambda goal=goal: len(stage.ledger()), lambda begun, goal=goal: begun >= goal, timeout_s=60)
        if rng.random() < 0.5:
            stage.kill_server()
        else:
            stage.kill_runner("runner")
            stage.start_runner("runner", workflow_id, "--num-cpus", "4")
    assert stage.runners["runner"].wait(timeout=120) == EXIT_JOBS_FAILED, stage.said("runner")[-2000:]

    jobs = stage.torc("jobs", "list", str(workflow_id))["jobs"]
    failed = {f"second_{number}" for number in range(1, JOBS // 2 + 1, 2)}
    assert {job["name"]: job["status"] for job in jobs} == {
        job["name"]: "failed" if job["name"] in failed else "completed" for job in jobs
    }
    results = stage.torc("results", "list", str(workflow_id), "--all-runs")["results"]
    assert Counter(result["job_id"] for result in results) == {job["id"]: 1 for job in jobs}
    begun = Counter((int(job), int(attempt)) for job, attempt in stage.ledger())
    assert max(begun.values()) == 1, "an attempt ran twice"
    assert {job for job, _ in begun} == {job["id"] for job in jobs}
    assert stage.server.http.get("/doctor").json == {"problems": []}
