"""torc-slurm-job-runner, with a server and the variables of a Slurm job, and Slurm's programs played by scripts."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.runner.conftest import ROOT, Builder
from torc.models.compute_node import ComputeNode
from torc.models.scheduler import ScheduledComputeNode, SlurmScheduler
from torc.models.sync import PROTOCOL, Offer, SyncRequest

Eventually = Callable[..., Any]

JOB = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "worker_abc_1",
    "SLURM_NODEID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_TASK_PID": "99",
    "SLURM_CPUS_ON_NODE": "2",
    "SLURM_JOB_NUM_NODES": "1",
    "SLURM_MEM_PER_NODE": "4096",
    "SLURM_JOB_NODELIST": "node1",
    "SLURMD_NODENAME": "node1",
}
FOUR_NODES = {"SLURM_JOB_NUM_NODES": "4", "SLURM_JOB_NODELIST": "node[1-4]", "SLURM_NNODES": "4"}

SCONTROL = """#!/bin/bash
case "$*" in
    "show hostnames node[1-4]") printf 'node1\\nnode2\\nnode3\\nnode4\\n' ;;
    "show config") echo 'KillWait                = 12 sec' ;;
    "show job --oneliner 4711") cat "$FAKE/job" ;;
    "show job --details --oneliner 4711") echo 'JobId=4711  Nodes=node[1-4] CPU_IDs=0-1 Mem=3072 GRES=' ;;
    *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""
CHECKPOINT = (
    "trap 'trap : TERM; sleep 1; echo saved > saved; exit 0' TERM; touch begun; for i in {1..600}; do sleep 0.1; done"
)


class Cluster:
    """Plays Slurm: starts the runner as it would in job 4711."""

    def __init__(self, folder: Path, builder: Builder) -> None:
        self.folder = folder
        self.builder = builder
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.program("scontrol", SCONTROL)
        self.says("RUNNING")
        self.started: list[subprocess.Popen[str]] = []

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def says(self, state: str, *, left_s: float = 3600, reason: str = "None") -> None:
        """What ``scontrol show job`` tells from now on."""
        end = datetime.now() + timedelta(seconds=left_s)
        (self.programs / "job").write_text(
            f"JobId=4711 JobState={state} Reason={reason} EndTime={end:%Y-%m-%dT%H:%M:%S} X="
        )

    def start(self, *words: str, cwd: Path | None = None, **environment: str | None) -> "subprocess.Popen[str]":
        """The runner, with these words behind its name."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "TORC", "CUDA"))}
        variables = {**kept, **JOB, "TORC_API_URL": self.builder.url, "FAKE": str(self.programs), **environment}
        variables |= {"PYTHONPATH": str(ROOT), "PATH": f"{self.programs}:{os.environ['PATH']}"}
        self.started.append(
            subprocess.Popen(
                [sys.executable, "-c", "from torc.cli.slurm_runner import main; raise SystemExit(main())", *words],
                cwd=self.folder,
                env={name: value for name, value in variables.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self.started[-1]

    def run(self, workflow_id: int, *words: str, code: int = 0, **environment: str | None) -> str:
        """Start it as a script does, and wait; what it says on stderr."""
        runner = self.start(self.builder.url, str(workflow_id), "output", "-p", "0.2", *words, **environment)
        said, complained = runner.communicate(timeout=60)
        assert (runner.returncode, said) == (code, ""), complained
        return complained

    def allocation(self, workflow_id: int, **fields: Any) -> int:
        """A record that says that job 4711 was asked for; its id."""
        scheduler = self.builder.torc.slurm_schedulers.create(
            SlurmScheduler(workflow_id=workflow_id, name="s", account="a", nodes=1, walltime="1:00:00")
        )
        assert scheduler.id is not None
        record = ScheduledComputeNode(
            **{
                "workflow_id": workflow_id,
                "scheduler_id": 4711,
                "scheduler_config_id": scheduler.id,
                "scheduler_type": "slurm",
                "status": "pending",
                "name": "worker_abc_1",
                **fields,
            }
        )
        return self.builder.torc.scheduled_compute_nodes.create(record).id or 0

    def record(self, allocation_id: int) -> ScheduledComputeNode:
        return self.builder.torc.scheduled_compute_nodes.get(allocation_id)

    def nodes(self, workflow_id: int) -> list[ComputeNode]:
        return sorted(self.builder.torc.compute_nodes.list(workflow_id), key=lambda node: node.id or 0)

    def output(self, name: str) -> Path:
        return self.folder / "output" / name


@pytest.fixture
def slurm(tmp_path: Path, builder: Builder) -> Iterator[Cluster]:
    """A Slurm job, as far as a runner sees it."""
    made = Cluster(tmp_path, builder)
    yield made
    for runner in made.started:
        if runner.poll() is None:
            runner.kill()
        runner.communicate(timeout=30)


@pytest.fixture
def workflow(builder: Builder) -> Callable[..., int]:
    """``workflow(command, ..., **fields)``: of jobs without dependencies, ready; its id."""

    def make(*commands: str, **fields: Any) -> int:
        workflow_id = builder.workflow(**fields)
        for number, command in enumerate(commands):
            builder.job(workflow_id, f"job{number}", command, supports_termination="trap" in command)
        return builder.initialize(workflow_id)

    return make


def test_an_allocation_is_used_and_its_records_are_true(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow(*["command -v torc-slurm-job-runner torc"] * 4)
    allocation_id = slurm.allocation(workflow_id)
    assert slurm.run(workflow_id, SLURM_JWT="s3cret", PATH_MARK="x") == ""
    assert set(slurm.builder.statuses(workflow_id).values()) == {"completed"}
    record = slurm.record(allocation_id)
    assert (record.status, record.reason) == ("complete", None)
    assert record.started_at is not None and record.ended_at is not None and record.started_at <= record.ended_at
    (node,) = slurm.nodes(workflow_id)
    assert (node.compute_node_type, node.is_active, node.num_cpus, node.memory_gb) == ("slurm", False, 2, 4.0)
    assert (node.num_gpus, node.num_nodes, node.scheduler_config_id) == (0, 1, record.scheduler_config_id)
    assert node.scheduler == {"slurm_job_id": "4711", "node_id": "0", "task_pid": "99", "restarts": "0"}
    assert node.time_limit is not None and node.time_limit.startswith("PT58M")  # less one minute for the end
    assert "the end: complete" in slurm.output("job_runner_slurm_4711_0_99.log").read_text()
    environment = slurm.output("slurm_env_4711_0_99.log").read_text()
    assert "SLURM_JOB_ID=4711\n" in environment and "s3cret" not in environment


def test_the_short_form_of_the_book_offers_what_it_is_told_to(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow("true")
    options = ["--scheduler-config-id", "7", "--num-cpus", "32", "--num-gpus", "8", "--memory-gb", "512"]
    runner = slurm.start(str(workflow_id), *options)
    assert runner.wait(timeout=60) == 0
    (node,) = slurm.nodes(workflow_id)
    assert (node.num_cpus, node.num_gpus, node.memory_gb, node.scheduler_config_id) == (32, 8, 512.0, 7)
    assert slurm.output("job_runner_slurm_4711_0_99.log").exists()


@pytest.mark.parametrize(
    ("words", "environment", "code", "sentence"),
    [
        (["5"], {"SLURM_JOB_ID": None}, 1, "Error: this is not a Slurm job: SLURM_JOB_ID is not set"),
        (["http://x", "five", "out"], {}, 1, "has to be: [URL] WORKFLOW_ID [OUTPUT_DIR]"),
        (["http://x"], {}, 1, "has to be: [URL] WORKFLOW_ID [OUTPUT_DIR]"),
        ([], {}, 2, "error: the following arguments are required"),
        (["5", "-p", "-1"], {}, 2, "error: "),
        (["999999"], {}, 1, "Error: "),
        (["5", "/proc/none"], {}, 1, "Error: the output folder /proc/none cannot be used: "),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    slurm: Cluster, words: list[str], environment: dict[str, str | None], code: int, sentence: str
) -> None:
    runner = slurm.start(*words, **environment)
    said, complained = runner.communicate(timeout=60)
    assert (runner.returncode, said) == (code, "")
    assert sentence in complained and "Traceback" not in complained


def test_a_record_that_has_no_number_yet_is_found_by_its_name(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow("true")
    allocation_id = slurm.allocation(workflow_id, scheduler_id=0, status="submitting")
    slurm.run(workflow_id)
    record = slurm.record(allocation_id)
    assert (record.scheduler_id, record.status) == (4711, "complete")


def test_what_is_bound_to_another_scheduler_is_left_alone(slurm: Cluster, workflow: Callable[..., int]) -> None:
    slurm.program("scancel", '#!/bin/sh\necho "$@" >> "$FAKE/canceled"\n')
    slurm.program("sbatch", "#!/bin/sh\nexit 1\n")
    workflow_id = workflow("true")
    slurm.allocation(workflow_id)
    other = slurm.builder.torc.slurm_schedulers.create(
        SlurmScheduler(workflow_id=workflow_id, name="other", account="a", nodes=1, walltime="1:00:00")
    )
    bound = slurm.builder.job(workflow_id, "bound", "true", scheduler_id=other.id)
    slurm.builder.torc.workflows.initialize_jobs(workflow_id, only_uninitialized=True)
    mine = slurm.builder.torc.scheduled_compute_nodes.list(workflow_id)
    (config_id,) = {one.scheduler_config_id for one in mine}
    queued = {"workflow_id": workflow_id, "scheduler_type": "slurm", "status": "pending"}
    for number, config in ((4712, config_id), (4713, other.id)):
        slurm.builder.torc.scheduled_compute_nodes.create(
            ScheduledComputeNode(scheduler_id=number, scheduler_config_id=config or 0, **queued)
        )
    slurm.run(workflow_id)
    assert slurm.builder.statuses(workflow_id) == {"job0": "completed", bound.name: "ready"}
    log = slurm.output("job_runner_slurm_4711_0_99.log").read_text()
    assert "the end: all jobs that are left are for the allocations of other schedulers" in log
    assert (slurm.programs / "canceled").read_text() == "4712\n", "nothing waits for what nobody needs"


def test_no_job_starts_that_would_not_end_in_time(slurm: Cluster, builder: Builder) -> None:
    short = "{name: short, command: 'true', resource_requirements: s}"
    jobs = f"jobs: [{short}, {{name: long, command: 'true', resource_requirements: l}}]"
    needs = "resource_requirements: [{name: s, runtime: PT1M, memory: 1m}, {name: l, runtime: PT20M, memory: 1m}]"
    workflow_id = builder.from_spec(f"{needs}\n{jobs}\ncompute_node_wait_for_new_jobs_seconds: 1\n")
    slurm.allocation(workflow_id)
    end = datetime.now(UTC) + timedelta(minutes=15)
    slurm.run(workflow_id, SLURM_JOB_END_TIME=str(int(end.timestamp())))
    assert builder.statuses(workflow_id) == {"short": "completed", "long": "ready"}
    (node,) = slurm.nodes(workflow_id)
    assert node.time_limit is not None and node.time_limit.startswith(("PT13M", "PT14M"))


@pytest.mark.parametrize(
    ("number", "state", "left_s", "reason", "status", "says"),
    [
        (signal.SIGTERM, "RUNNING", 3600, "None", "complete", "interrupted by SIGTERM"),
        (signal.SIGUSR1, "RUNNING", 3600, "None", "complete", "interrupted by SIGUSR1"),
        (signal.SIGTERM, "COMPLETING", 0, "None", "canceled", "Slurm ended it before its time"),
        (signal.SIGTERM, "COMPLETING", 0, "TimeLimit", "complete", "TimeLimit"),
        (signal.SIGTERM, "COMPLETING", 3600, "None", "pending", "requeued by Slurm"),
    ],
)
def test_a_signal_ends_the_jobs_and_the_record_tells_why(
    slurm: Cluster,
    workflow: Callable[..., int],
    eventually: Eventually,
    number: signal.Signals,
    state: str,
    left_s: float,
    reason: str,
    status: str,
    says: str,
) -> None:
    workflow_id = workflow(CHECKPOINT, "sleep 600")
    allocation_id = slurm.allocation(workflow_id)
    runner = slurm.start(str(workflow_id))
    eventually(lambda: (slurm.folder / "begun").exists())
    eventually(lambda: set(slurm.builder.statuses(workflow_id).values()), lambda found: found == {"running"})
    slurm.says(state, left_s=left_s, reason=reason)
    runner.send_signal(number)
    assert runner.wait(timeout=30) == 0
    assert (slurm.folder / "saved").read_text() == "saved\n"
    found = slurm.builder.torc.results.list(workflow_id)
    assert {(str(one.status), str(one.cause)) for one in found} == {("terminated", "time_up")}
    record = slurm.record(allocation_id)
    assert record.status == status and says in (record.reason or "")
    (node,) = slurm.nodes(workflow_id)
    assert not node.is_active


def test_when_slurm_ends_the_job_there_is_less_time(
    slurm: Cluster, workflow: Callable[..., int], eventually: Eventually
) -> None:
    """SIGKILL follows 12 s after SIGTERM, and 10 of them are for the last reports."""
    workflow_id = workflow("trap '' TERM; touch begun; for i in {1..600}; do sleep 0.1; done")
    slurm.allocation(workflow_id)
    runner = slurm.start(str(workflow_id))
    eventually(lambda: (slurm.folder / "begun").exists())
    slurm.says("COMPLETING", left_s=0)
    told_at = time.monotonic()
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(timeout=30) == 0
    assert 1 < time.monotonic() - told_at < 11
    (result,) = slurm.builder.torc.results.list(workflow_id)
    assert (str(result.status), result.signal) == ("terminated", signal.SIGKILL)


@pytest.mark.parametrize("command", ["sleep 600", "sleep 600; true", "sleep 600; exit 7"])
def test_jobs_that_slurm_ends_with_the_runner_did_not_fail(
    slurm: Cluster, workflow: Callable[..., int], eventually: Eventually, command: str
) -> None:
    workflow_id = workflow(f"sleep 5; echo $$ > pid; touch begun; {command}")
    slurm.allocation(workflow_id)
    runner = slurm.start(str(workflow_id))
    eventually(lambda: (slurm.folder / "begun").exists())
    slurm.says("COMPLETING", left_s=0)
    shell = (slurm.folder / "pid").read_text().strip()
    # The program in the job first, then its shell, and the runner last.
    subprocess.run(["bash", "-c", f"pkill -TERM -P {shell} || kill {shell}; kill {runner.pid}"], check=True)
    assert runner.wait(timeout=30) == 0
    (result,) = slurm.builder.torc.results.list(workflow_id)
    assert (str(result.status), str(result.cause)) == ("terminated", "time_up")


def test_signals_wake_the_runner(slurm: Cluster, workflow: Callable[..., int], eventually: Eventually) -> None:
    """One that the kernel gave to another thread would not wake the main one before its next poll."""
    workflow_id = workflow("touch begun; sleep 600")
    slurm.allocation(workflow_id)
    runner = slurm.start(str(workflow_id))
    eventually(lambda: (slurm.folder / "begun").exists())
    masks = {
        task.name: int(re.search(r"SigBlk:\s*(\w+)", (task / "status").read_text())[1], 16)
        for task in Path(f"/proc/{runner.pid}/task").iterdir()
    }
    wanted = 1 << (signal.SIGTERM - 1) | 1 << (signal.SIGCHLD - 1)
    assert masks.pop(str(runner.pid)) & wanted == 0
    assert masks and all(mask & wanted == wanted for mask in masks.values())


def test_a_signal_before_there_are_jobs_ends_it_cleanly(slurm: Cluster, workflow: Callable[..., int]) -> None:
    runner = slurm.start("http://127.0.0.1:9/torc-service/v1", str(workflow("true")), "output")
    log = slurm.output("job_runner_slurm_4711_0_99.log")
    while not (log.exists() and "Trying again" in log.read_text()):
        assert runner.poll() is None
        time.sleep(0.05)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(timeout=30) == 0


def test_a_server_that_is_away_is_waited_for(
    slurm: Cluster, workflow: Callable[..., int], start_server: Callable[..., Any], eventually: Eventually
) -> None:
    server = start_server()
    builder = Builder(server.url)
    workflow_id = builder.workflow()
    builder.job(workflow_id, "a", "true")
    builder.initialize(workflow_id)
    builder.torc.close()
    port = server.port
    assert server.stop() == 0
    away = slurm.start(server.url, str(workflow_id), "output", "--wait-for-healthy-database-minutes", "0")
    assert away.wait(timeout=30) == 1
    patient = slurm.start(server.url, str(workflow_id), "output", "-p", "0.2")
    log = slurm.output("job_runner_slurm_4711_0_99.log")
    eventually(lambda: log.read_text().count("Trying again") > 1)
    server = start_server("--port", str(port))
    assert patient.wait(timeout=30) == 0
    assert server.http.get(f"/jobs?workflow_id={workflow_id}").json["items"][0]["status"] == "completed"


def test_an_allocation_of_several_nodes_gives_jobs_their_share(slurm: Cluster, builder: Builder) -> None:
    slurm.program(
        "srun", '#!/bin/sh\necho srun "$@" in $SLURM_JOB_NUM_NODES: $SLURM_JOB_NODELIST, tasks $SLURM_NTASKS\n'
    )
    meet = "touch here.$TORC_JOB_ID; until [ $(ls here.* | wc -l) = 2 ]; do sleep 0.02; done"
    workflow_id = builder.from_spec(
        f"""
        resource_requirements:
          - {{name: two, num_nodes: 2, num_cpus: 2, memory: 4g, runtime: PT1M}}
          - {{name: four, num_nodes: 4, memory: 1g, runtime: PT1M}}
        jobs:
          - {{name: a, command: '{meet}; echo $TORC_NODE_LIST; srun -n8 app', resource_requirements: two}}
          - {{name: b, command: '{meet}; echo $TORC_NODE_LIST; srun -n8 app', resource_requirements: two}}
          - {{name: c, command: 'echo $TORC_NODE_LIST; srun app', resource_requirements: four, depends_on: [a, b]}}
          - {{name: d, command: 'echo $TORC_NODE_LIST; srun app', depends_on: [c]}}
        """
    )
    slurm.allocation(workflow_id)
    slurm.run(workflow_id, **FOUR_NODES, SLURM_NTASKS="4")
    assert set(builder.statuses(workflow_id).values()) == {"completed"}
    first, second, third, last = (
        path.read_text().splitlines()
        for path in sorted(slurm.output("job_stdio").glob("*.o"), key=lambda path: int(path.name.split("_")[2]))
    )
    assert first == ["node3,node4", "srun --nodelist=node3,node4 -n8 app in 2: node3,node4, tasks"]
    assert second == ["node1,node2", "srun --nodelist=node1,node2 -n8 app in 2: node1,node2, tasks"]
    assert third == ["node1,node2,node3,node4", "srun app in 4: node[1-4], tasks 4"]
    assert last == ["node1", "srun app in 4: node[1-4], tasks 4"]
    (node,) = slurm.nodes(workflow_id)
    assert (node.num_nodes, node.num_cpus) == (4, 2)


def test_runners_that_share_an_allocation_keep_to_themselves_and_the_last_says_the_end(
    slurm: Cluster, builder: Builder
) -> None:
    slurm.program("nvidia-smi", '#!/bin/sh\nfor i in 0 1; do echo "GPU $i: X (UUID: GPU-$i)"; done\n')
    meet = "touch here.$TORC_JOB_ID; until [ $(ls here.* | wc -l) = 2 ]; do sleep 0.02; done"
    workflow_id = builder.from_spec(
        f"""
        resource_requirements: [{{name: gpu, num_gpus: 1, num_cpus: 1, memory: 1g, runtime: PT1M}}]
        jobs:
          - {{name: a, command: '{meet}; echo $CUDA_VISIBLE_DEVICES', resource_requirements: gpu}}
          - {{name: b, command: '{meet}; echo $CUDA_VISIBLE_DEVICES', resource_requirements: gpu}}
        """
    )
    allocation_id = slurm.allocation(workflow_id)
    step = {"SLURM_STEP_ID": "0", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_CPUS_ON_NODE": "4"}
    granted = {"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_MEM_PER_NODE": "8192"}
    both = [
        slurm.start(str(workflow_id), "-p", "0.2", SLURM_LOCALID=str(n), SLURM_TASK_PID=str(n + 1), **step, **granted)
        for n in (0, 1)
    ]
    assert [runner.wait(timeout=60) for runner in both] == [0, 0]
    assert sorted(path.read_text() for path in slurm.output("job_stdio").glob("*.o")) == ["0\n", "1\n"]
    assert {(node.num_cpus, node.memory_gb, node.num_gpus) for node in slurm.nodes(workflow_id)} == {(2, 4.0, 1)}
    logs = [slurm.output(f"job_runner_slurm_4711_0_{n}.log").read_text() for n in (1, 2)]
    assert sum("go on" in log for log in logs) <= 1
    assert slurm.record(allocation_id).status == "complete"


def test_while_another_runner_goes_on_the_allocation_is_active(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow("true")
    allocation_id = slurm.allocation(workflow_id)
    other = {"slurm_job_id": "4711", "node_id": "1", "task_pid": "7", "restarts": "0"}
    node_id = _join(slurm, workflow_id, scheduler=other)
    slurm.run(workflow_id)
    assert slurm.record(allocation_id).status == "active"
    slurm.builder.torc.release(node_id)


def test_memory_that_no_variable_tells_is_asked_for(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow("true")
    slurm.run(workflow_id, SLURM_MEM_PER_NODE=None)
    (node,) = slurm.nodes(workflow_id)
    assert node.memory_gb == 3.0


def test_without_the_programs_of_slurm_it_runs_all_the_same(slurm: Cluster, workflow: Callable[..., int]) -> None:
    (slurm.programs / "scontrol").write_text("#!/bin/sh\nexit 1\n")
    workflow_id = workflow("true")
    said = slurm.run(workflow_id, **FOUR_NODES)
    assert "does not say when this allocation ends" in said
    (node,) = slurm.nodes(workflow_id)
    assert (node.time_limit, node.num_nodes) == (None, 1)
    assert slurm.builder.statuses(workflow_id) == {"job0": "completed"}


def test_a_requeued_job_takes_over_from_its_first_run_at_once(slurm: Cluster, workflow: Callable[..., int]) -> None:
    workflow_id = workflow("touch done")
    allocation_id = slurm.allocation(workflow_id, status="canceled", ended_at="2026-01-01T00:00:00Z")
    first = {"slurm_job_id": "4711", "node_id": "0", "task_pid": "7", "restarts": "0"}
    node_id = _join(slurm, workflow_id, scheduler=first, claims=True)
    assert slurm.builder.statuses(workflow_id) == {"job0": "pending"}
    slurm.run(workflow_id, SLURM_RESTART_COUNT="1")
    assert slurm.builder.statuses(workflow_id) == {"job0": "completed"}
    assert not slurm.builder.torc.compute_nodes.get(node_id).is_active
    record = slurm.record(allocation_id)
    assert (record.status, record.started_at is None, record.ended_at == "2026-01-01T00:00:00Z") == (
        "complete",
        False,
        False,
    )


def _join(slurm: Cluster, workflow_id: int, *, scheduler: dict[str, str], claims: bool = False) -> int:
    """A runner on another machine, which says nothing more; the id of its node."""
    torc = slurm.builder.torc
    node = torc.compute_nodes.create(
        ComputeNode(
            workflow_id=workflow_id,
            hostname="elsewhere",
            pid=1,
            start_time="2026-01-01T00:00:00Z",
            is_active=True,
            num_cpus=1,
            memory_gb=1.0,
            num_gpus=0,
            num_nodes=1,
            compute_node_type="slurm",
            scheduler=scheduler,
            spool_path=str(slurm.folder / "spool"),
        )
    )
    assert node.id is not None
    request = SyncRequest(
        protocol=PROTOCOL, seq=1, database_id=node.database_id or "", generation=node.generation or 0, holding=[]
    )
    if claims:
        request.offer = Offer(num_cpus=1, memory_bytes=1024**3)
    torc.sync(node.id, request)
    return node.id
