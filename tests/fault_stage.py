"""A server and runners that a test kills, stops and starts again, and a ledger in which jobs say that they ran."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import Server, end, launch

ROOT = Path(__file__).parent.parent
MARK = "TORC_TEST_STAGE"
"""Variable in the environment of every runner, and so of every job: finds what was left running."""


class Stage:
    """A server on a fixed port and runners by name; all work in ``folder``."""

    def __init__(self, folder: Path, *server_options: str) -> None:
        self.folder = folder
        self.runners: dict[str, subprocess.Popen[bytes]] = {}
        self._port = free_port()
        self._server_options = server_options
        self.server = self._start_server()

    def _start_server(self) -> Server:
        options = ("--port", str(self._port), *self._server_options)
        traced = {"PYTHONFAULTHANDLER": "1"}  # should it ever crash, the log says where
        return launch(self.folder / "torc.db", *options, log=self.folder / "server.log", env=traced)

    def kill_server(self) -> None:
        """``kill -9``, then a new one on the same port and database."""
        self.server.kill()
        end(self.server)
        self.server = self._start_server()

    def torc(self, *words: str) -> Any:
        """The JSON answer of a command."""
        done = subprocess.run(self.command("-f", "json", *words), capture_output=True, cwd=self.folder, env=self.env)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "torc", "--url", self.server.url, *words]

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), MARK: str(self.folder)}

    def start_runner(self, name: str, workflow_id: int, *options: str) -> None:
        """What it says is added to ``<name>.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.runners[name] = subprocess.Popen(
                self.command("run", str(workflow_id), "--poll-interval", "0.2", *options),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.env,
            )

    def kill_runner(self, name: str) -> None:
        """``kill -9``; its jobs live on."""
        self.runners[name].send_signal(signal.SIGKILL)
        self.runners[name].wait()

    def said(self, name: str) -> str:
        """What a runner and its predecessors of that name have said."""
        return (self.folder / f"{name}.log").read_text()

    def ledger(self) -> list[list[str]]:
        """The lines that jobs have added to the file ``ledger``, as words."""
        path = self.folder / "ledger"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def processes(self) -> list[str]:
        """The command lines of the runners and jobs that are still there."""
        mark = f"{MARK}={self.folder}".encode()
        return [line for folder in Path("/proc").glob("[0-9]*") if (line := _command_line(folder, mark))]

    def close(self) -> None:
        """End the runners, then the server."""
        for runner in self.runners.values():
            if runner.poll() is None:
                runner.send_signal(signal.SIGCONT)
                runner.terminate()
                runner.wait(timeout=30)
        end(self.server)


def _command_line(folder: Path, mark: bytes) -> str:
    """Of a process with this variable in its environment; empty for any other one, and for one that has ended."""
    try:
        if mark not in (folder / "environ").read_bytes().split(b"\0"):
            return ""
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
