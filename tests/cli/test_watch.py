"""``torc watch``: lines in a pipe, a picture on a terminal, and how it ends."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.fault_stage import Stage
from torc.errors import EXIT_INTERRUPTED, EXIT_JOBS_FAILED

pytestmark = pytest.mark.slow

SPEC = {
    "name": "wätched",
    "jobs": [
        {"name": "fails", "command": "exit 7"},
        {"name": "waits", "command": "for i in $(seq 2000); do test -e go && exit 0; sleep 0.05; done; exit 1"},
    ],
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with closing(Stage(tmp_path)) as made:
        yield made


@pytest.fixture
def workflow_id(stage: Stage) -> int:
    """One with a job that fails and one that waits for the file ``go``; a runner has both."""
    (stage.folder / "spec.json").write_text(json.dumps(SPEC))
    made = stage.torc("workflows", "create", "spec.json")["workflow_id"]
    stage.start_runner("runner", made)
    return made


class Screen:
    """A terminal of some size with ``torc watch`` on it."""

    def __init__(self, stage: Stage, workflow_id: int, *, columns: int = 80, **env: str) -> None:
        self._ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 20, columns, 0, 0))
        os.set_blocking(self._ours, False)
        kept = {name: value for name, value in stage.env.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            stage.command("watch", str(workflow_id), "-p", "0.1"),
            stdin=its,
            stdout=its,
            stderr=its,
            env={**kept, "TERM": "xterm", **env},
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
        )
        os.close(its)
        self.raw = ""

    def text(self) -> str:
        """Everything that was drawn so far, without colours and moves."""
        with suppress(BlockingIOError, OSError):
            while chunk := os.read(self._ours, 65536):
                self.raw += chunk.decode()
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.raw.replace("\x1b[H", "\n"))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with suppress(OSError):
            os.close(self._ours)

    def hang_up(self) -> None:
        os.close(self._ours)


def test_lines_tell_each_event_once_though_the_server_is_killed_and_the_end_is_as_of_run(
    stage, workflow_id, eventually, tmp_path
):
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        command = stage.command("watch", str(workflow_id), "-p", "0.1")
        watch = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=stage.env)
    try:
        eventually(lambda: stage.torc("workflows", "status", str(workflow_id))["job_counts"].get("failed"))
        stage.kill_server()
        (stage.folder / "go").touch()
        assert watch.wait(timeout=40) == EXIT_JOBS_FAILED
    finally:
        watch.kill()
        watch.wait()
    said = out.read_text()
    assert said.count("Job with name = waits completed with status = completed.") == 1
    assert f"Workflow {workflow_id} (wätched), run 1: failed\n2 of 2 done: 1 completed, 1 failed\n" in said
    assert re.search(rf"^  fails  failed  exit 7  \S+job_{workflow_id}_\d+_1\.e$", said, re.MULTILINE)
    assert "Traceback" not in err.read_text()


def test_json_ends_with_an_object_about_the_whole(stage, workflow_id):
    (stage.folder / "go").touch()
    done = subprocess.run(
        stage.command("-f", "json", "watch", str(workflow_id), "-p", "0.1"),
        capture_output=True,
        text=True,
        env=stage.env,
        timeout=40,
    )
    *events, last = map(json.loads, done.stdout.splitlines())
    assert last == {
        "workflow_id": workflow_id,
        "run_id": 1,
        "status": "failed",
        "job_counts": {"completed": 1, "failed": 1},
    }
    assert all(event["workflow_id"] == workflow_id for event in events)
    again = subprocess.run(stage.command("watch", str(workflow_id)), capture_output=True, env=stage.env, timeout=40)
    assert again.returncode == done.returncode == EXIT_JOBS_FAILED


def test_a_narrow_terminal_shows_what_runs_and_what_failed(stage, workflow_id, eventually):
    with closing(Screen(stage, workflow_id, columns=40)) as screen:
        eventually(screen.text, lambda text: "1 of 2 done" in text and "waits" in text and "exit 7" in text)
        lines = re.split(r"[\r\n]+", screen.text())
        assert max(map(len, lines)) <= 40
        assert "\x1b[31m" in screen.raw
        (stage.folder / "go").touch()
        assert screen.process.wait(timeout=40) == EXIT_JOBS_FAILED
        screen.text()
        assert screen.raw.index("\x1b[?1049h") < screen.raw.index("\x1b[?1049l")
        assert "2 of 2 done" in screen.raw.partition("\x1b[?1049l")[2]


def test_ctrl_c_leaves_the_workflow_alone_and_the_terminal_as_it_was(stage, workflow_id, eventually):
    with closing(Screen(stage, workflow_id, NO_COLOR="1")) as screen:
        eventually(screen.text, lambda text: "1 of 2 done" in text)
        screen.process.send_signal(signal.SIGINT)
        assert screen.process.wait(timeout=20) == EXIT_INTERRUPTED
        assert "Traceback" not in screen.text()
        assert screen.raw.count("\x1b[?1049l") == 1
        assert not re.search(r"\x1b\[3\dm", screen.raw)
    assert stage.torc("workflows", "status", str(workflow_id))["status"] == "running"


def test_a_server_that_is_away_is_told_and_waited_for(stage, workflow_id, eventually):
    with closing(Screen(stage, workflow_id)) as screen:
        eventually(screen.text, lambda text: "1 of 2 done" in text)
        stage.server.kill()
        eventually(screen.text, lambda text: "The server does not answer" in text)
        stage.kill_server()
        (stage.folder / "go").touch()
        assert screen.process.wait(timeout=60) == EXIT_JOBS_FAILED


def test_a_terminal_that_vanishes_ends_it(stage, workflow_id, eventually):
    with closing(Screen(stage, workflow_id)) as screen:
        eventually(screen.text, lambda text: "1 of 2 done" in text)
        screen.hang_up()
        assert screen.process.wait(timeout=20) != 0
    assert stage.torc("workflows", "status", str(workflow_id))["status"] == "running"
