"""Five hundred jobs while server and runner are killed at random: every job has one result, and it is the right one."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., Any]

JOBS = 500
KILLS = 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_at_random_points_loses_and_doubles_nothing(
    start_server: Start, builder_on: Start, start_runner: Start, eventually: Start, seed: int
) -> None:
    dice = random.Random(seed)
    server = start_server("--port", "0")
    builder = builder_on(server.url)
    workflow = builder.workflow()
    blockers = [builder.job(workflow, f"job{number}", "sleep 0.02") for number in range(JOBS // 2)]
    for number, blocker in enumerate(blockers):
        builder.job(workflow, f"after{number}", f"exit {number % 2}", blocker)
    runner = start_runner(server.url, builder.initialize(workflow))
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.1, 0.6))  # not for a result: the moment of the kill is the point
        if dice.random() < 0.5:
            server.kill()
            server = start_server("--port", str(server.port))
        else:
            runner.signal(signal.SIGKILL)
            runner.process.wait(timeout=10)
            runner = start_runner(server.url, workflow)
    assert runner.end(timeout_s=120) == "outcome complete None"
    statuses = builder.statuses(workflow)
    assert Counter(statuses.values()) == {"completed": JOBS // 2 + JOBS // 4, "failed": JOBS // 4}
    assert all(
        (status == "failed") == (name.startswith("after") and name[-1] in "13579") for name, status in statuses.items()
    )
    counted = Counter(job_id for job_id, *_ in builder.results(workflow))
    assert set(counted.values()) == {1} and len(counted) == JOBS
    assert server.http.get("/doctor").json == {"problems": []}
