"""Everything that can go wrong on a machine, at once, in the middle of a workflow of 300 jobs and three runners.

Which fault comes when is random and, by its seed, the same every time; where the jobs are then is not.
"""

import errno
import json
import random
import shutil
import signal
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault_stage import Stage
from torc.errors import EXIT_JOBS_FAILED

JOBS = 300
BIG = "big"
BIG_BYTES = 1 << 30
LEASE_S = 4
SETTLED = {"completed", "failed", "canceled", "terminated"}

RUNNERS = {
    "roomy": ("--num-cpus", "4", "--memory-gb", "8"),
    "on_small_disk": ("--max-parallel-jobs", "3"),
    "vanishing": ("--num-cpus", "2", "--memory-gb", "1"),
}

# Who began and who came to an end is known whatever is killed.
COMMAND = """echo begin $TORC_JOB_ID $TORC_ATTEMPT_ID >> ledger
{work}
echo done; code=$?
echo end $TORC_JOB_ID $TORC_ATTEMPT_ID >> ledger
exit $(({fails} + code))"""


def specification(rng: random.Random) -> dict[str, Any]:
    """A random graph. One job in 25 fails by itself, and one in 3 runs whatever became of those before it."""
    jobs = [{"name": BIG, "command": COMMAND.format(work=f"head -c {BIG_BYTES} /dev/zero", fails=0)}]
    for number in range(1, JOBS):
        work = f"sleep {rng.uniform(0, 0.3):.2f}" if rng.random() < 0.95 else "setsid sleep 2 & sleep 1; wait"
        earlier = range(max(1, number - 40), number)
        jobs.append(
            {
                "name": f"j{number}",
                "command": COMMAND.format(work=work, fails=int(rng.random() < 0.04)),
                "depends_on": [f"j{one}" for one in rng.sample(earlier, min(len(earlier), rng.choice((0, 1, 1, 2))))],
                "cancel_on_blocking_job_failure": rng.random() < 0.67,
            }
        )
    return {"name": "faults", "compute_node_wait_for_new_jobs_seconds": 60, "jobs": jobs}


class Faults:
    """What may happen to a stage. Each leaves it with three runners at work and a server that answers."""

    def __init__(self, stage: Stage, rng: random.Random, workflow_id: int, eventually: Callable[..., Any]) -> None:
        self.stage = stage
        self.rng = rng
        self.workflow_id = workflow_id
        self.eventually = eventually

    def start(self, name: str) -> None:
        self.stage.start_runner(name, self.workflow_id, "--output-dir", name, *RUNNERS[name])

    def kill_server(self) -> None:
        self.stage.kill_server()

    def kill_runner(self) -> None:
        name = self.rng.choice(list(RUNNERS))
        self.stage.kill_runner(name)
        self.start(name)

    def stop_runner_for_longer_than_a_lease(self) -> None:
        before = len(self.events("node_lost"))
        runner = self.stage.runners["roomy"]
        runner.send_signal(signal.SIGSTOP)
        self.eventually(lambda: len(self.events("node_lost")), lambda found: found > before)
        runner.send_signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Until it hurts: the runner's records may still fit in a block they have, the output of new jobs does not.

        It hurts nobody when the other runners take all that is left, which they do within seconds.
        """
        filler = self.stage.folder / "on_small_disk" / "filler"
        before = self.outputs_lost()
        fill(filler)
        self.eventually(lambda: self.outputs_lost() > before or self.is_complete())
        filler.unlink()

    def is_complete(self) -> bool:
        return bool(self.stage.server.http.get(f"/workflows/{self.workflow_id}/is_complete").json["is_complete"])

    def outputs_lost(self) -> int:
        """How many jobs on the small disk have ended and left no output, or could not be recorded."""
        ended = {job for word, job, _ in self.stage.ledger() if word == "end"}
        outputs = (self.stage.folder / "on_small_disk" / "job_stdio").glob("job_*.o")
        empty = [path for path in outputs if path.stat().st_size == 0 and path.stem.split("_")[2] in ended]
        return len(empty) + self.stage.said("on_small_disk").count("cannot write")

    def remove_output_directory(self) -> None:
        shutil.rmtree(self.stage.folder / "vanishing", ignore_errors=True)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of a type."""
        items = self.stage.server.http.get("/events", workflow_id=self.workflow_id, limit=10_000).json["items"]
        return [event["data"] for event in items if event["data"].get("type") == kind]


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, "--lease-secs", str(LEASE_S), "--completion-check-interval-secs", "1")
    yield made
    made.close()
    shutil.rmtree(tmp_path / "roomy", ignore_errors=True)  # pytest keeps the folders of tests, and this has 1 GB


@pytest.fixture
def always(tmp_path: Path) -> Iterator[list[Callable[[Faults], None]]]:
    """The faults that are possible here. Only root may mount the small disk."""
    folder = tmp_path / "on_small_disk"
    folder.mkdir()
    faults = [
        *(Faults.kill_server,) * 3,
        *(Faults.kill_runner,) * 5,
        Faults.stop_runner_for_longer_than_a_lease,
        *(Faults.remove_output_directory,) * 2,
    ]
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if mount.returncode != 0:
        warnings.warn(f"no full disk in this test: {mount.stderr.decode().strip()}", stacklevel=1)
        yield faults
        return
    yield [*faults, Faults.fill_disk]
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_every_job_ends_once_whatever_happens(
    always: list[Callable[[Faults], None]], stage: Stage, eventually: Callable[..., Any], seed: int
) -> None:
    rng = random.Random(seed)
    (stage.folder / "spec.json").write_text(json.dumps(specification(rng)))
    workflow_id = stage.torc("workflows", "create", "spec.json")["workflow_id"]
    stage.torc("workflows", "initialize", str(workflow_id))
    faults = Faults(stage, rng, workflow_id, eventually)
    (big,) = (job["id"] for job in stage.torc("jobs", "list", str(workflow_id), "-l", "1")["jobs"])

    faults.start("roomy")
    eventually(lambda: ["end", str(big), "1"] in stage.ledger(), timeout_s=40)
    faults.start("on_small_disk")
    faults.start("vanishing")
    goals = range(60, JOBS * 17 // 20, (JOBS * 17 // 20 - 60) // len(always))
    for goal, fault in zip(goals, rng.sample(always, len(always)), strict=False):
        eventually(lambda goal=goal: len(begun(stage)), lambda count, goal=goal: count >= goal, timeout_s=40)
        fault(faults)
    endings = {name: stage.runners[name].wait(timeout=60) for name in RUNNERS}
    assert endings == dict.fromkeys(RUNNERS, EXIT_JOBS_FAILED), {name: stage.said(name)[-2000:] for name in RUNNERS}

    jobs = stage.torc("jobs", "list", str(workflow_id), "--include-relationships")["jobs"]
    assert {job["status"] for job in jobs} <= SETTLED
    assert_each_attempt_counts_once(stage, workflow_id, jobs)
    assert_nothing_began_too_early(stage, jobs)
    assert (stage.folder / "roomy" / "job_stdio" / f"job_{workflow_id}_{big}_1.o").stat().st_size == BIG_BYTES + 5
    assert_events_tell(faults, jobs)
    assert stage.server.http.get("/doctor").json == {"problems": []}
    eventually(stage.processes, lambda found: found == [])


def begun(stage: Stage) -> set[str]:
    """The ids of the jobs that have begun."""
    return {job for word, job, _ in stage.ledger() if word == "begin"}


def assert_each_attempt_counts_once(stage: Stage, workflow_id: int, jobs: list[dict[str, Any]]) -> None:
    """No attempt ran twice or has two results; each job that ended by itself has the result its status speaks of."""
    assert [line for line, count in Counter(map(tuple, stage.ledger())).items() if count > 1] == []
    results = stage.torc("results", "list", str(workflow_id), "--all-runs")["results"]
    counts = Counter((result["job_id"], result["run_id"], result["attempt_id"]) for result in results)
    assert [attempt for attempt, count in counts.items() if count > 1] == []
    current = stage.torc("results", "list", str(workflow_id))["results"]
    assert {result["job_id"]: result["status"] for result in current} == {
        job["id"]: job["status"] for job in jobs if job["status"] != "canceled"
    }
    ended = {(int(job), int(attempt)) for word, job, attempt in stage.ledger() if word == "end"}
    completed = {(one["job_id"], one["attempt_id"]) for one in current if one["status"] == "completed"}
    assert completed - ended == set()


def assert_nothing_began_too_early(stage: Stage, jobs: list[dict[str, Any]]) -> None:
    """What a job waited for and what completed had ended before."""
    completed = {job["id"] for job in jobs if job["status"] == "completed"}
    needed = {job["id"]: completed & set(job.get("depends_on_job_ids", ())) for job in jobs}
    ended: set[int] = set()
    early = []
    for word, job, _ in stage.ledger():
        if word == "end":
            ended.add(int(job))
        elif needed[int(job)] - ended:
            early.append(job)
    assert early == []


def assert_events_tell(faults: Faults, jobs: list[dict[str, Any]]) -> None:
    """Of every end of a job, and of the runner that was not heard from. Successors speak of the killed ones."""
    ends = Counter(event["job_id"] for event in faults.events("job_completed"))
    assert ends == {job["id"]: 1 for job in jobs if job["status"] != "canceled"}
    assert faults.events("node_lost")
    assert any("taking over from the runner with pid" in faults.stage.said(name) for name in RUNNERS)
