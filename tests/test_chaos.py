"""kill -9 of server and runner, again and again, in the middle of 500 jobs: nothing lost, nothing doubled."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server, launch
from torc.errors import EXIT_JOBS_FAILED

JOBS = 500
KILLS = 12
ROOT = Path(__file__).parent.parent

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


class Stage:
    """A server on a fixed port and a runner, either of which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.server = self.start_server()
        self.runner: subprocess.Popen[bytes] | None = None

    def start_server(self) -> Server:
        return launch(
            self.folder / "torc.db", "--port", str(self.port), "--lease-secs", "4", log=self.folder / "server.log"
        )

    def torc(self, *words: str) -> Any:
        """The JSON answer of a command."""
        done = subprocess.run(self.command("-f", "json", *words), capture_output=True, cwd=self.folder, env=ENV)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "torc", "--url", self.server.url, *words]

    def start_runner(self, workflow_id: int) -> None:
        with (self.folder / "runner.log").open("ab") as log:
            self.runner = subprocess.Popen(
                self.command("run", str(workflow_id), "--num-cpus", "4", "--poll-interval", "0.2"),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=ENV,
            )

    def attempts(self) -> list[tuple[int, int]]:
        """Job and attempt of everything that has begun so far."""
        ledger = self.folder / "ledger"
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        return [(int(job), int(attempt)) for job, attempt in map(str.split, lines)]


ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    if made.runner is not None and made.runner.poll() is None:
        made.runner.terminate()
        made.runner.wait(timeout=30)
    made.server.stop()
    assert made.server.process.stdout is not None
    made.server.process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_doubled_when_server_and_runner_are_killed(
    stage: Stage, eventually: Callable[..., Any], seed: int
) -> None:
    rng = random.Random(seed)
    (stage.folder / "spec.json").write_text(json.dumps(SPEC))
    workflow_id = stage.torc("workflows", "create", "spec.json")["workflow_id"]
    stage.torc("workflows", "initialize", str(workflow_id))
    stage.start_runner(workflow_id)
    for goal in sorted(rng.sample(range(5, JOBS - 20), KILLS)):
        eventually(lambda goal=goal: len(stage.attempts()), lambda begun, goal=goal: begun >= goal, timeout_s=60)
        if rng.random() < 0.5:
            stage.server.kill()
            assert stage.server.process.stdout is not None
            stage.server.process.stdout.close()
            stage.server = stage.start_server()
        else:
            assert stage.runner is not None
            stage.runner.send_signal(signal.SIGKILL)
            stage.runner.wait()
            stage.start_runner(workflow_id)
    assert stage.runner is not None
    assert stage.runner.wait(timeout=120) == EXIT_JOBS_FAILED, (stage.folder / "runner.log").read_text()[-2000:]

    jobs = stage.torc("jobs", "list", str(workflow_id))["jobs"]
    failed = {f"second_{number}" for number in range(1, JOBS // 2 + 1, 2)}
    assert {job["name"]: job["status"] for job in jobs} == {
        job["name"]: "failed" if job["name"] in failed else "completed" for job in jobs
    }
    results = stage.torc("results", "list", str(workflow_id), "--all-runs")["results"]
    assert Counter(result["job_id"] for result in results) == {job["id"]: 1 for job in jobs}
    begun = Counter(stage.attempts())
    assert max(begun.values()) == 1, "an attempt ran twice"
    assert {job for job, _ in begun} == {job["id"] for job in jobs}
    assert stage.server.http.get("/doctor").json == {"problems": []}
