"""The book's guide to checkpoints, on this machine: its job scripts are terminated, reinitialized and resume.

Scripts and specification are the printed ones. What differs is in the tables below, each with its reason. Slurm, which
the guide uses to send the signal, is not part of this.
"""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from torc.errors import EXIT_INTERRUPTED, EXIT_JOBS_FAILED

BOOK = Path(__file__).resolve().parent.parent.parent / "shared" / "book" / "torc-book.txt"
CHAPTER = ("\nHow to Checkpoint a Job During Wall-Time Timeout\n", "\nHow to Monitor Resource Usage\n")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout"),
]

MACHINE = {
    "TORC_CLIENT__RUN__NUM_CPUS": "16",
    "TORC_CLIENT__RUN__NUM_GPUS": "2",
    "TORC_CLIENT__RUN__MEMORY_GB": "64",
}

SCRATCH = ("/scratch/checkpoints", "checkpoints")  # a folder of this test alone

IN_PYTHON = (
    SCRATCH,
    ("import pickle\n", "import os\nimport pickle\nimport time\n"),  # for the next two
    # The printed loop has no work in it and would be over at once. `go` makes the rest of it fast.
    (
        "        # Training logic here...\n",
        "        open('at_work', 'w').close()\n        time.sleep(0 if os.path.exists('go') else 0.05)\n",
    ),
    # Printed without the half that loads: "your job script should detect existing checkpoints and resume".
    (
        "    for epoch in range(1000):\n",
        "    first = 0\n"
        "    if os.path.exists(checkpoint_path):\n"
        "        first = pickle.load(open(checkpoint_path, 'rb'))['epoch']\n"
        "        print(f'Resuming from iteration {first}')\n"
        "    for epoch in range(first, 1000):\n",
    ),
)

IN_BASH = (
    SCRATCH,
    ("    # Do work...\n", "    : > at_work\n"),
    ("    sleep 1\n", "    test -e go || sleep 0.05\n"),  # 1,000 seconds otherwise
)

BASH_JOB = ("command: python train.py --checkpoint-dir checkpoints", "command: bash train.sh")


def between(text: str, first: str, last: str) -> str:
    """The lines from the one that is ``first`` to the next one that is ``last``, both included."""
    found = re.search(f"^{re.escape(first)}$.*?^{re.escape(last)}$\n", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"not in the book: {first!r} to {last!r}"
    return found[0]


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """``text`` with all the changes; each must find something to change."""
    for printed, ours in changes:
        assert printed in text, f"not in the book: {printed!r}"
        text = text.replace(printed, ours)
    return text


@dataclass
class Guide:
    """What the chapter prints, ready to be run."""

    specification: str
    train_py: str
    train_sh: str


@pytest.fixture
def guide() -> Guide:
    text = BOOK.read_text().partition(CHAPTER[0])[2].partition(CHAPTER[1])[0]
    return Guide(
        specification=replaced(between(text, "name: ml_training_workflow", "    num_allocations: 1"), SCRATCH),
        train_py=replaced(between(text, "import signal", "    train()"), *IN_PYTHON),
        train_sh=replaced(between(text, "#!/bin/bash", "done"), *IN_BASH),
    )


@dataclass
class Reader:
    """Somebody who follows the guide in a folder."""

    folder: Path
    url: str
    runners: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *words: str) -> dict[str, Any]:
        """What Popen needs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"  # the `python` of the guide's commands
        environment = {**kept, **MACHINE, "TORC_API_URL": self.url, "PATH": path}
        return {"args": ["torc", *words], "cwd": self.folder, "env": environment}

    def torc(self, *words: str) -> Any:
        """The JSON answer of a command that must succeed."""
        done = subprocess.run(**self.command("-f", "json", *words), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def run(self, what: str) -> subprocess.Popen[bytes]:
        """``torc run`` in the background."""
        with (self.folder / "runner.log").open("ab") as log:
            self.runners.append(subprocess.Popen(**self.command("run", what), stdout=log, stderr=log))
        return self.runners[-1]

    def jobs(self) -> dict[str, dict[str, Any]]:
        return {job["name"]: job for job in self.torc("jobs", "list", "1")["jobs"]}

    def statuses(self) -> dict[str, str]:
        return {name: job["status"] for name, job in self.jobs().items()}

    def printed(self, name: str, run_id: int) -> str:
        """What a job wrote to stdout."""
        return (self.folder / "output" / "job_stdio" / f"job_1_{self.jobs()[name]['id']}_{run_id}.o").read_text()


@pytest.fixture
def reader(tmp_path: Path, start_server: Callable[..., Any]) -> Iterator[Reader]:
    server = start_server()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "preprocess.py").write_text("")
    (tmp_path / "evaluate.py").write_text("")
    reader = Reader(tmp_path, server.url)
    yield reader
    for runner in reader.runners:
        if runner.poll() is None:
            runner.terminate()
            runner.wait(timeout=30)
    assert server.http.get("/doctor").json == {"problems": []}


def by_signal_to_the_runner(reader: Reader, runner: subprocess.Popen[bytes]) -> int:
    """As Slurm does before the wall time is over; the exit code to expect."""
    runner.send_signal(signal.SIGTERM)
    return EXIT_INTERRUPTED


def by_command(reader: Reader, runner: subprocess.Popen[bytes]) -> int:
    """As a person does who needs the machine for something else."""
    reader.torc("jobs", "terminate", str(reader.jobs()["train_model"]["id"]))
    return EXIT_JOBS_FAILED


@pytest.mark.parametrize("terminate", [by_signal_to_the_runner, by_command])
@pytest.mark.parametrize("language", ["python", "bash"])
def test_a_terminated_job_resumes_from_its_checkpoint(
    guide: Guide, reader: Reader, eventually: Callable[..., Any], language: str, terminate: Callable[..., int]
) -> None:
    changes = (BASH_JOB,) if language == "bash" else ()
    (reader.folder / "workflow.yaml").write_text(replaced(guide.specification, *changes))
    (reader.folder / "train.py").write_text(guide.train_py)
    (reader.folder / "train.sh").write_text(guide.train_sh)

    runner = reader.run("workflow.yaml")
    eventually(lambda: (reader.folder / "at_work").exists() or runner.poll() is not None)
    assert runner.poll() is None, (reader.folder / "runner.log").read_text()
    eventually(reader.statuses, lambda found: found["train_model"] == "running")
    expected = terminate(reader, runner)
    assert runner.wait(timeout=30) == expected, (reader.folder / "runner.log").read_text()
    assert reader.statuses() == {"preprocess": "completed", "train_model": "terminated", "evaluate": "canceled"}
    assert "Saving checkpoint" in reader.printed("train_model", 1)
    (result,) = (found for found in reader.torc("results", "list", "1")["results"] if found["status"] == "terminated")
    assert result["return_code"] == 0
    reached = {"python": epoch_saved, "bash": iteration_saved}[language](reader.folder / "checkpoints")
    assert 0 <= reached < 999

    reader.torc("workflows", "reinitialize", "1", "--no-prompts")
    assert reader.statuses() == {"preprocess": "completed", "train_model": "ready", "evaluate": "blocked"}
    (reader.folder / "go").touch()
    assert reader.run("1").wait(timeout=60) == 0, (reader.folder / "runner.log").read_text()
    assert set(reader.statuses().values()) == {"completed"}
    assert f"Resuming from iteration {reached}\n" in reader.printed("train_model", 2)


def epoch_saved(folder: Path) -> int:
    state = pickle.loads((folder / "model.pkl").read_bytes())
    return int(state["epoch"])


def iteration_saved(folder: Path) -> int:
    return int((folder / "progress.txt").read_text())
