"""A server in the background, its pid file and its log file."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import PORT_LINE, Http, Server
from torc.server import log_file

Eventually = Callable[..., object]
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow  # servers of their own, started and stopped


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """``run(*options)``: ``torc-server run`` in a folder of its own, until it returns. What it leaves is ended."""

    def start(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "torc.server", "run", "--port", "0", "--database", "torc.db", *options],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    yield start
    for path in tmp_path.glob("*.pid"):
        end(path)


def end(pid_file: Path) -> None:
    """Stop the server of a pid file and wait until its parent process has gone."""
    process = psutil.Process(int(pid_file.read_text()))
    process.terminate()
    process.wait(timeout=20)


def url_of(started: subprocess.CompletedProcess[str]) -> str:
    assert started.returncode == 0, started
    assert started.stdout.startswith(PORT_LINE)
    return f"http://127.0.0.1:{started.stdout.strip().removeprefix(PORT_LINE)}/torc-service/v1"


def test_a_daemon_serves_when_its_caller_returns(run: Run, tmp_path: Path) -> None:
    started = run("--daemon", "--pid-file", "s.pid", "--log-dir", "logs")
    assert Http(url_of(started)).get("/ping").status == 200
    server = psutil.Process(int((tmp_path / "s.pid").read_text()))
    assert server.terminal() is None
    assert os.getsid(server.pid) != os.getsid(0)
    assert Path(server.cwd()) == tmp_path
    assert {Path(f"/proc/{server.pid}/fd/{number}").resolve() for number in range(3)} == {Path(os.devnull)}
    assert stat.S_IMODE((tmp_path / "s.pid").stat().st_mode) & 0o022 == 0
    assert "serving" in (tmp_path / "logs" / "torc-server.log").read_text()
    end(tmp_path / "s.pid")
    assert not (tmp_path / "s.pid").exists()


def test_a_daemon_without_log_is_told_so(run: Run) -> None:
    assert "--log-dir" in run("--daemon", "--pid-file", "s.pid").stderr


def test_a_daemon_that_cannot_serve_says_why_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    failed = run("--daemon", "--pid-file", "s.pid", "--database", "nowhere/torc.db")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.splitlines()[-1].startswith("Error: cannot write ")
    assert not (tmp_path / "s.pid").exists()


def test_a_pid_file_belongs_to_one_server(run: Run, tmp_path: Path) -> None:
    url = url_of(run("--daemon", "--pid-file", "s.pid", "--log-dir", "logs"))
    pid = (tmp_path / "s.pid").read_text()
    second = run("--daemon", "--pid-file", "s.pid", "--database", "other.db")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"s.pid belongs to process {pid.strip()}" in second.stderr
    assert (tmp_path / "s.pid").read_text() == pid
    assert Http(url).get("/ping").status == 200


def test_the_pid_file_of_a_killed_server_is_taken_over(run: Run, tmp_path: Path, eventually: Eventually) -> None:
    run("--daemon", "--pid-file", "s.pid", "--log-dir", "logs")
    killed = psutil.Process(int((tmp_path / "s.pid").read_text()))
    (worker,) = killed.children()
    killed.send_signal(signal.SIGKILL)
    psutil.wait_procs([killed, worker], timeout=20)
    assert Http(url_of(run("--daemon", "--pid-file", "s.pid"))).get("/ping").status == 200


def test_a_pid_file_that_cannot_be_written_is_one_sentence(run: Run) -> None:
    failed = run("--daemon", "--pid-file", "nowhere/s.pid")
    assert failed.returncode == 1
    assert failed.stderr == (
        "Error: cannot write nowhere/s.pid: No such file or directory; choose another file with --pid-file\n"
    )


def test_a_log_folder_that_cannot_be_made_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    failed = run("--log-dir", "taken/logs")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: cannot write taken/logs/torc-server.log: ")
    assert not (tmp_path / "torc.db").exists()


def test_the_log_goes_to_the_file_and_to_the_console(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server("--log-dir", str(tmp_path / "logs"), "--json-logs")
    assert server.stop() == 0
    written = (tmp_path / "logs" / "torc-server.log").read_text().splitlines()
    lines = [json.loads(line) for line in written]
    assert [set(line) for line in lines] == [{"timestamp", "level", "target", "message"}] * len(lines)
    assert any(line["message"].startswith("serving ") for line in lines)
    console = server.log.read_text().splitlines()
    assert [line["message"] for line in lines] == [line.rpartition("serve: ")[2] for line in console]


TALK = """
import logging, os, sys
from pathlib import Path
from torc.server import log_file
log_file.MOST_BYTES = 10_000
log_file.open_log(Path(sys.argv[1]), as_json=False)
logging.getLogger().setLevel("INFO")
logger = logging.getLogger("talk")
if not os.fork():
    log_file.rotate()
    for number in range(3000):
        logger.info("worker %d", number)
    os._exit(0)
os.wait()
logger.info("parent")
"""


def test_a_full_log_is_put_aside_and_the_watching_process_follows(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", TALK, str(tmp_path)], check=True, timeout=60)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [log_file.NAME, *(f"{log_file.NAME}.{number}" for number in range(1, 6))]
    assert all(file.stat().st_size <= 10_000 for file in files)
    assert (tmp_path / log_file.NAME).read_text().endswith("parent\n")


def test_an_exception_is_part_of_its_json_line() -> None:
    code = (
        "import logging; from torc.server.log_file import JsonFormatter\n"
        "handler = logging.StreamHandler(); handler.setFormatter(JsonFormatter())\n"
        "logging.getLogger().addHandler(handler)\n"
        "try: 1 / 0\nexcept ZeroDivisionError: logging.exception('läuft\\nnicht')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    (line,) = map(json.loads, said.splitlines())
    assert line["message"] == "läuft\nnicht"
    assert "ZeroDivisionError" in line["exception"]
    assert time.strptime(line["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")
