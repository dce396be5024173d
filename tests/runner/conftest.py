"""Real runners on real servers."""

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.runner.launched import marked
from torc.client.api import Client
from torc.models.file import File
from torc.models.job import Job
from torc.models.workflow import InitializeRequest, Workflow
from torc.runner import processes
from torc.runner.launcher import Launcher
from torc.workflow.create import create_workflow
from torc.workflow.read import check_spec

PROGRAM = Path(__file__).with_name("runner_process.py")
ROOT = PROGRAM.parent.parent.parent


@dataclass
class Runner:
    """A runner process; its lines go to a file, which can be read while it runs and after it was killed."""

    process: subprocess.Popen[bytes]
    output: Path

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def has_said(self, beginning: str) -> Callable[[], bool]:
        """For ``eventually``."""
        return lambda: any(line.startswith(beginning) for line in self.lines())

    def end(self, timeout_s: float = 30) -> str:
        """Its last line, once it has ended."""
        assert self.process.wait(timeout=timeout_s) == 0, self.lines()
        return self.lines()[-1]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def start_runner(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """``start_runner(url, workflow_id, **options)``: options of RunOptions; output in tmp_path/output."""
    started: list[Runner] = []

    def start(url: str, workflow_id: int, **options: Any) -> Runner:
        output = tmp_path / f"runner{len(started)}.txt"
        settings = [f"{name}={value}" for name, value in options.items()]
        with output.open("wb") as stdout:
            process = subprocess.Popen(
                [sys.executable, str(PROGRAM), url, str(workflow_id), "output", *settings],
                stdout=stdout,
                stderr=subprocess.STDOUT,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
            )
        started.append(Runner(process, output))
        return started[-1]

    yield start
    for runner in started:
        if runner.process.poll() is None:
            runner.process.terminate()
            runner.process.wait(timeout=30)


class Builder:
    """Makes workflows through the client, and says how they stand."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.torc = Client(url)

    def workflow(self, **fields: Any) -> int:
        """An empty workflow; its id."""
        fields = {"name": "test", "user": "tester", **fields}
        return self.torc.workflows.create(Workflow(**fields)).id or 0

    def from_spec(self, text: str) -> int:
        """A workflow as a specification in YAML says, initialized; its id."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as spec:
            spec.write(f"name: test\n{dedent(text)}")
            spec.flush()
            document = check_spec(Path(spec.name), user="tester").usable()
        return self.initialize(create_workflow(self.torc, document))

    def job(self, workflow_id: int, name: str, command: str, *after: Job, **fields: Any) -> Job:
        """A job that runs after some others."""
        blockers = [job.id for job in after if job.id is not None]
        return self.torc.jobs.create(
            Job(workflow_id=workflow_id, name=name, command=command, depends_on_job_ids=blockers or None, **fields)
        )

    def output(self, workflow_id: int, path: Path) -> int:
        """A file to be written; its id."""
        return self.torc.files.create(File(workflow_id=workflow_id, name=path.name, path=str(path))).id or 0

    def initialize(self, workflow_id: int) -> int:
        """Make it ready; the workflow's id again."""
        self.torc.workflows.initialize(workflow_id, InitializeRequest())
        return workflow_id

    def statuses(self, workflow_id: int) -> dict[str, str]:
        return {job.name: str(job.status) for job in self.torc.jobs.list(workflow_id)}

    def results(self, workflow_id: int) -> list[tuple[int, int, str, int]]:
        """Job, attempt, status and return code of all that is stored."""
        found = self.torc.results.list(workflow_id)
        return [(found.job_id, found.attempt_id or 0, str(found.status), found.return_code) for found in found]


@pytest.fixture
def builder_on() -> Iterator[Callable[[str], Builder]]:
    """``builder_on(url)``: on a server of the test's own."""
    made: list[Builder] = []

    def on(url: str) -> Builder:
        made.append(Builder(url))
        return made[-1]

    yield on
    for builder in made:
        builder.torc.close()


@pytest.fixture
def builder(server: Any, builder_on: Callable[[str], Builder]) -> Iterator[Builder]:
    """On the server that all tests share; whatever happens to runners and jobs, its database is in order."""
    made = builder_on(server.url)
    yield made
    assert made.torc.doctor() == []


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """Starts jobs under a mark of this test's own; none of their processes outlives the test."""
    launcher = Launcher(tmp_path, 9, {"TORC_WORKFLOW_ID": "9", "TORC_API_URL": "http://x"})
    launcher.node_mark = processes.node_mark(uuid.uuid4().hex, 1)
    yield launcher
    while left := marked(launcher.node_mark):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    launcher.close()
