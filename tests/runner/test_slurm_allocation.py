"""What a runner reads from the variables of Slurm, and what it makes of variables that are not there."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from torc.errors import TorcError
from torc.runner import detect
from torc.runner.allocation import Allocation, environment_text

GIB = 1024**3

BATCH = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "worker_abc_1",
    "SLURM_NODEID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_TASK_PID": "99",
    "SLURM_CPUS_ON_NODE": "16",
    "SLURM_JOB_NUM_NODES": "1",
    "SLURM_MEM_PER_NODE": "16384",
    "SLURM_JOB_NODELIST": "node1",
    "SLURMD_NODENAME": "node1",
}
STEP = {
    **BATCH,
    "SLURM_STEP_ID": "0",
    "SLURM_JOB_NUM_NODES": "4",
    "SLURM_JOB_NODELIST": "node[1-4]",
    "SLURM_NODEID": "2",
    "SLURMD_NODENAME": "node3",
    "SLURM_STEP_NUM_NODES": "4",
    "SLURM_STEP_TASKS_PER_NODE": "1(x4)",
}


def seen(environment: dict[str, str], *, is_subtask: bool = False, **changes: str | None) -> Allocation:
    changed = {name: value for name, value in {**environment, **changes}.items() if value is not None}
    return Allocation.of(changed, is_subtask=is_subtask)


def memory_gib(found: Allocation) -> float:
    assert found.memory_bytes is not None
    return found.memory_bytes / GIB


def test_a_batch_job_on_one_node() -> None:
    found = seen(BATCH)
    assert (found.job_id, found.node_id, found.task_pid, found.node_name) == (4711, 0, 99, "node1")
    assert (found.num_cpus, memory_gib(found), found.num_nodes, found.has_own_node) == (16, 16.0, 1, False)
    assert found.is_first and not found.shares_gpus
    assert found.scheduler == {"slurm_job_id": "4711", "node_id": "0", "task_pid": "99", "restarts": "0"}
    assert found.log_path(Path("out"), "dmesg_slurm") == Path("out/dmesg_slurm_4711_0_99.log")


def test_one_runner_may_have_several_nodes() -> None:
    found = seen(BATCH, SLURM_JOB_NUM_NODES="4", SLURM_JOB_NODELIST="node[1-4]")
    assert (found.num_nodes, found.has_own_node, found.node_list) == (4, False, "node[1-4]")


def test_of_several_runners_each_has_its_node() -> None:
    found = seen(STEP)
    assert (found.num_nodes, found.has_own_node, found.node_name, found.is_first) == (4, True, "node3", False)
    assert (found.num_cpus, memory_gib(found)) == (16, 16.0)


@pytest.mark.parametrize("step", ["4294967291", "4294967290"])
def test_the_shell_of_a_job_is_no_step(step: str) -> None:
    assert not seen(BATCH, SLURM_STEP_ID=step).has_own_node


def test_an_older_slurm_has_other_names() -> None:
    found = seen(STEP, SLURM_STEP_ID=None, SLURM_STEPID="0", SLURM_JOB_NODELIST=None, SLURM_NODELIST="node[1-4]")
    assert (found.has_own_node, found.node_list) == (True, "node[1-4]")


@pytest.mark.parametrize(
    ("cpus", "megabytes", "per_task", "gib"),
    [("16", "16384", "4", 4.0), ("8", "8192", "2", 2.0), ("8", "8192", "3", 4.0)],
)
def test_a_subtask_has_its_part_of_the_node(cpus: str, megabytes: str, per_task: str, gib: float) -> None:
    found = seen(
        BATCH,
        is_subtask=True,
        SLURM_CPUS_ON_NODE=cpus,
        SLURM_MEM_PER_NODE=megabytes,
        SLURM_CPUS_PER_TASK=per_task,
    )
    assert (found.num_cpus, memory_gib(found)) == (int(per_task), gib)


@pytest.mark.parametrize(("tasks", "parts"), [("1(x4)", 1), ("2(x4)", 2), ("4,4,2,1", 2), ("8(x2),3(x2)", 3), ("", 1)])
def test_runners_that_share_a_node_are_noticed(tasks: str, parts: int) -> None:
    found = seen(STEP, SLURM_STEP_TASKS_PER_NODE=tasks)
    assert (found.num_cpus, found.parts, found.shares_gpus) == (16 // parts, parts, parts > 1)
    assert not seen(STEP, SLURM_STEP_TASKS_PER_NODE=tasks, SLURM_GPUS_PER_TASK="1").shares_gpus


@pytest.mark.parametrize(("node_id", "local_id", "is_first"), [("0", "0", True), ("0", "1", False), ("1", "0", False)])
def test_one_runner_speaks_for_all(node_id: str, local_id: str, is_first: bool) -> None:
    assert seen(STEP, SLURM_NODEID=node_id, SLURM_LOCALID=local_id).is_first is is_first


@pytest.mark.parametrize(
    ("changes", "gib"),
    [
        ({"SLURM_MEM_PER_NODE": None, "SLURM_MEM_PER_CPU": "512"}, 8.0),
        ({"SLURM_MEM_PER_NODE": "0", "SLURM_MEM_PER_CPU": "512"}, 8.0),
        ({"SLURM_MEM_PER_NODE": "0"}, None),
        ({"SLURM_MEM_PER_NODE": None}, None),
        ({"SLURM_MEM_PER_NODE": "16G"}, None),
    ],
)
def test_memory_is_what_slurm_grants(changes: dict[str, Any], gib: float | None) -> None:
    found = seen(BATCH, **changes)
    assert found.memory_bytes == (None if gib is None else gib * GIB)


def test_what_is_not_said_is_found_out_or_not_known() -> None:
    found = Allocation.of({"SLURM_JOB_ID": "5", "SLURM_JOB_END_TIME": "soon"})
    assert (found.num_cpus, found.task_pid, found.num_nodes) == (detect.cpu_count(), os.getpid(), 1)
    assert (found.memory_bytes, found.ends_at, found.node_name, found.restarts) == (None, None, None, 0)


def test_the_end_is_in_seconds_since_1970() -> None:
    assert seen(BATCH, SLURM_JOB_END_TIME="1800000000").ends_at == datetime(2027, 1, 15, 8, tzinfo=UTC)


def test_outside_of_a_slurm_job_there_is_no_allocation() -> None:
    with pytest.raises(TorcError, match="SLURM_JOB_ID is not set"):
        seen(BATCH, SLURM_JOB_ID=None)


def test_secrets_are_not_written_down() -> None:
    text = environment_text({"SLURM_JWT": "s3cret", "PATH": "/bin", "SLURM_B": "2", "MY_SLURM_A": "1"})
    assert text == "MY_SLURM_A=1\nSLURM_B=2\nSLURM_JWT=(not shown)\n"
