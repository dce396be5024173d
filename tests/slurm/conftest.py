"""A real Slurm cluster on this machine, and a place to work with it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server, end, launch

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = Path(__file__).with_name("cluster")
PLACE = sha256(bytes(ROOT)).hexdigest()[:6]
FOLDER = f"/tmp/torc-slurm-{os.getuid()}-{PLACE}"  # of this checkout; short, as the daemons have sockets there
PATIENCE_S = 120.0

STATUSES = {
    "COMPLETED": {"complete"},
    "CANCELLED": {"canceled"},
    # The runner leaves in time and says so, or is killed.
    "TIMEOUT": {"complete", "failed"},
}
"""What an allocation may be, by Slurm's word for how it ended."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """There is one cluster, so its tests go one after another."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("slurm"))
            item.add_marker(pytest.mark.slow)


def cluster(*words: str) -> str:
    fast = {"CLUSTER_FAST_TICK": "1"} if shutil.which("cc") else {}
    done = subprocess.run([CLUSTER, *words, FOLDER], stdout=subprocess.PIPE, text=True, env={**os.environ, **fast})
    assert done.returncode == 0, f"cluster {' '.join(words)} failed; its logs are in {FOLDER}/log"
    return done.stdout


@pytest.fixture(scope="session")
def slurm_conf() -> Iterator[str]:
    """The configuration of a running cluster."""
    if shutil.which("slurmctld") is None or shutil.which("slurmdbd") is None:
        pytest.skip("Slurm is not installed; as root: tests/slurm/cluster install")
    exports = cluster("start")
    yield exports.split("SLURM_CONF=", 1)[1].splitlines()[0].strip()
    cluster("stop")


class Site:
    """A folder on the cluster with a server of its own."""

    def __init__(self, folder: Path, server: Server, conf: str) -> None:
        self.folder = folder
        self.server = server
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORC_", "SLURM_"))}
        self.environ = {
            **kept,
            "SLURM_CONF": conf,
            "TORC_API_URL": server.url,
            "TORC_CLIENT__SLURM__API_URL": server.url,  # the nodes are on this machine
            "TORC_CLIENT__SLURM__POLL_INTERVAL": "1",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def run(self, *words: str, code: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command; its exit code must be ``code``, if one is given."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )
        assert code is None or done.returncode == code, f"{words}\n{done.stdout}{done.stderr}"
        return done

    def torc(self, *words: str, code: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run ``torc``."""
        return self.run(sys.executable, "-m", "torc", *words, code=code, **environ)

    @contextmanager
    def recovering(self, workflow_id: int, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """``torc watch --recover`` beside what happens; at the end it has ended, and every job is completed."""
        log = self.folder / "watch.log"
        command = [sys.executable, "-m", "torc", "watch", str(workflow_id), "--recover", "-p", "0.5", *words]
        with log.open("w") as out:
            watch = subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdout=out, stderr=subprocess.STDOUT, text=True
            )
            try:
                yield watch
                assert watch.wait(timeout=2 * PATIENCE_S) == 0, log.read_text() + self.what_is()
            finally:
                if watch.poll() is None:
                    watch.kill()
                    watch.wait()
        assert set(self.statuses(workflow_id).values()) == {"completed"}, log.read_text()

    def assert_records_are_true(self, workflow_id: int) -> None:
        """Nobody is at work, and each allocation has ended as the accounts say."""
        self.until(lambda: not self.queue(), "the end of the allocations")
        assert not any(node["is_active"] for node in self.nodes(workflow_id))
        for one in self.allocations(workflow_id):
            state = self.until(lambda number=one["scheduler_id"]: self.ended_as(number), "an entry in the accounts")
            allowed = STATUSES.get(state.split()[0], {"failed"})
            assert one["status"] in allowed, (one, state)

    def ended_as(self, number: int) -> str | None:
        """What the accounts say of an allocation that has ended."""
        row = self.run("sacct", "-nPX", "-j", str(number), "-o", "state,partition").stdout.strip()
        state, _, partition = row.partition("|")
        return state if partition and state not in ("PENDING", "RUNNING", "REQUEUED", "COMPLETING") else None

    def document(self, *words: str) -> Any:
        """What ``torc`` says as JSON."""
        return json.loads(self.torc("--format", "json", *words).stdout)

    def create(self, spec: dict[str, Any]) -> int:
        """A workflow of a specification."""
        (self.folder / "spec.json").write_text(json.dumps({"name": "w", **spec}))
        return int(self.document("workflows", "create", "spec.json")["workflow_id"])

    def statuses(self, workflow_id: int) -> dict[str, str]:
        """Of each job, by name."""
        return {
            job["name"]: job["status"] for job in self.server.http.get(f"/jobs?workflow_id={workflow_id}").json["items"]
        }

    def allocations(self, workflow_id: int) -> list[dict[str, Any]]:
        """Their records, oldest first."""
        return list(
            self.server.http.get(f"/scheduled_compute_nodes?workflow_id={workflow_id}&sort_by=id").json["items"]
        )

    def nodes(self, workflow_id: int) -> list[dict[str, Any]]:
        """The records of all runners."""
        return list(self.server.http.get(f"/compute_nodes?workflow_id={workflow_id}&sort_by=id").json["items"])

    def queue(self) -> list[str]:
        """The numbers of the jobs that Slurm has."""
        return self.run("squeue", "--noheader", "--format=%i").stdout.split()

    def until(self, condition: Callable[[], Any], what: str = "it") -> Any:
        """Wait until something is true."""
        give_up_at = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < give_up_at, f"{what} did not happen; {self.what_is()}"
            time.sleep(0.2)
        return found

    def until_complete(self, workflow_id: int) -> None:
        """Wait for the end of a workflow, and until the batch system has forgotten its allocations."""
        complete = f"/workflows/{workflow_id}/is_complete"
        self.until(lambda: self.server.http.get(complete).json["is_complete"], f"the end of workflow {workflow_id}")
        self.until(lambda: not self.queue(), "the end of the allocations")

    def what_is(self) -> str:
        """For the message of a failing test."""
        logs = sorted(self.folder.glob("output/*.log")) + sorted(self.folder.glob("output/*.e"))
        return self.run("squeue").stdout + "".join(f"\n{path.name}:\n{path.read_text()[-1500:]}" for path in logs)


@pytest.fixture
def site(slurm_conf: str, tmp_path: Path) -> Iterator[Site]:
    """An empty folder, a server, and a cluster without jobs."""
    server = launch(tmp_path / "torc.db", log=tmp_path / "server.log")
    made = Site(tmp_path, server, slurm_conf)
    yield made
    cluster("reset")
    assert made.server.http.get("/doctor").json == {"problems": []}
    end(made.server)
    assert "Traceback" not in server.log.read_text()
