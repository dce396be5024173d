"""The processes that are measured: ``torc`` itself, a server, and xargs as the floor for starting jobs."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure import seconds
from torc.client.api import Client
from torc.rendezvous import Places

ROOT = Path(__file__).resolve().parent.parent
PORT_LINE = "TORC_SERVER_PORT="
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    # An installed torc finds its modules compiled; one that may not write bytecode compiles them at every start.
    if not name.startswith("TORC_") and name != "PYTHONDONTWRITEBYTECODE"
}
ENVIRON["PYTHONPATH"] = str(ROOT)


def torc_command() -> list[str]:
    """The installed program beside this python, or else the module."""
    program = Path(sys.executable).with_name("torc")
    return [str(program)] if program.exists() else [sys.executable, "-m", "torc"]


@dataclass(frozen=True)
class Ended:
    """What a command printed and the most memory it had."""

    stdout: str
    peak_bytes: int


def torc(*arguments: str | Path, folder: Path) -> Ended:
    """Run ``torc`` in a folder; anything but success is an error that shows what it said."""
    command = [*torc_command(), *map(str, arguments)]
    with tempfile.TemporaryFile("w+", dir=folder) as output, tempfile.TemporaryFile("w+", dir=folder) as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRON, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        # wait4, since the sums of getrusage(RUSAGE_CHILDREN) would mix in every process that ended before
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        printed, said = output.read(), errors.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said}{printed}")
    return Ended(printed, usage.ru_maxrss * 1024)


def run_workflow(spec: str, folder: Path) -> float:
    """Seconds from a specification to all results stored, cold, two jobs at a time."""
    path = folder / "spec.yaml"
    path.write_text(spec)
    took = seconds(lambda: torc("--standalone", "run", path, "--num-cpus", "2", folder=folder))
    # The private server outlives its last user by two seconds; its end must not fall into the next measurement.
    with Places.of(folder / "torc.db").lock.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    return took


def xargs(count: int, command: str, folder: Path, *, at_a_time: int = 2) -> None:
    """Start ``bash -c command`` so many times and nothing else."""
    subprocess.run(
        ["xargs", "-d", "\n", "-n", "1", "-P", str(at_a_time), "bash", "-c"],
        input=f"{command}\n" * count,
        text=True,
        cwd=folder,
        check=True,
    )


@dataclass(frozen=True)
class Server:
    """A running ``torc-server`` and its processes."""

    url: str
    database: Path
    process: psutil.Process

    def processes(self) -> list[psutil.Process]:
        """The one that watches and the one that serves."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        """CPU time used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())

    def memory_bytes(self) -> int:
        """Memory in use, what both processes share counted once."""
        return sum(process.memory_full_info().pss for process in self.processes())

    def peak_bytes(self) -> int:
        """The most memory the serving process ever had."""
        return max(_peak_bytes(process.pid) for process in self.processes())

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of this server."""
        client = Client(self.url, timeout_s=600)
        yield client
        client.close()


def _peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A server with a database in ``folder``; stopped, and its database settled, on leaving."""
    database = folder / "torc.db"
    command = [sys.executable, "-m", "torc.server", "run", "--port", "0", "--database", str(database)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRON, stdout=subprocess.PIPE, stderr=log, text=True, process_group=0
        )
    try:
        assert process.stdout is not None
        port = next((line for line in process.stdout if line.startswith(PORT_LINE)), None)
        if port is None:
            raise RuntimeError(f"the server did not start:\n{(folder / 'server.log').read_text()}")
        url = f"http://127.0.0.1:{int(port.removeprefix(PORT_LINE))}/torc-service/v1"
        yield Server(url, database, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def create_and_initialize(server: Server, spec: Path, folder: Path) -> tuple[int, int]:
    """Make a specification ready to run with the command line; its id, and the most memory a client had."""
    made = torc("--url", server.url, "-f", "json", "workflows", "create", spec, folder=folder)
    workflow_id = int(json.loads(made.stdout)["workflow_id"])
    started = torc("--url", server.url, "workflows", "initialize", str(workflow_id), folder=folder)
    return workflow_id, max(made.peak_bytes, started.peak_bytes)
