"""The runner in real allocations: what it offers, what its jobs see, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.slurm.conftest import Site

SLEEP = "touch begun.$TORC_JOB_ID; for i in $(seq 3000); do sleep 0.1; done; exit 9"
CHECKPOINT = f"trap 'trap : TERM; sleep 1; sleep 1; echo saved >> saved; exit 0' TERM; {SLEEP}"


def needs(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "num_cpus": 1, "memory": "100m", "runtime": "PT1M", **fields}


def workflow(
    site: Site, *jobs: dict[str, Any], worker_per_node: bool = False, buffer_s: int = 60, **scheduler: Any
) -> int:
    """Submit jobs to one allocation; the workflow."""
    usual = {"name": "nodes", "account": "testacct", "nodes": 1, "walltime": "00:10:00", "mem": "2g"}
    action = {
        "trigger_type": "on_workflow_start",
        "action_type": "schedule_nodes",
        "scheduler_type": "slurm",
        "scheduler": "nodes",
        "start_one_worker_per_node": worker_per_node,
    }
    workflow_id = site.create(
        {
            "jobs": [
                {"name": f"job{number}", "resource_requirements": "one", **job} for number, job in enumerate(jobs)
            ],
            "resource_requirements": [needs("one"), needs("two", num_nodes=2, num_cpus=4), needs("all", num_nodes=4)],
            "slurm_schedulers": [{**usual, "extra": "--cpus-per-task=4", **scheduler}],
            "actions": [action],
            "compute_node_expiration_buffer_seconds": buffer_s,
        }
    )
    site.torc("submit", str(workflow_id))
    return workflow_id


def moved_end(site: Site, workflow_id: int, seconds: int) -> None:
    site.run("scontrol", "update", f"jobid={job_id(site, workflow_id)}", f"EndTime=now+{seconds}")


def output(site: Site, kind: str = "o") -> list[str]:
    """What each job has printed, in the order of the jobs."""
    paths = site.folder.glob(f"output/job_stdio/*.{kind}")
    return [path.read_text() for path in sorted(paths, key=lambda path: int(path.name.split("_")[2]))]


def results(site: Site, workflow_id: int) -> list[tuple[str, str | None]]:
    found = site.server.http.get(f"/results?workflow_id={workflow_id}&sort_by=id").json["items"]
    return [(one["status"], one["cause"]) for one in found]


def running(site: Site, count: int = 1) -> None:
    site.until(lambda: len(list(site.folder.glob("begun*"))) == count, "the beginning of the jobs")


def job_id(site: Site, workflow_id: int) -> str:
    (one,) = site.allocations(workflow_id)
    return str(one["scheduler_id"])


def test_jobs_over_several_nodes_have_nodes_of_their_own(site: Site) -> None:
    meet = "touch here.$TORC_JOB_ID; until [ $(ls here.* | wc -l) = 2 ]; do sleep 0.1; done"
    show = (
        "echo $TORC_NODE_LIST $TORC_NUM_NODES; srun hostname | sort; srun --ntasks-per-node=2 hostname | sort | uniq -c"
    )
    two = {"command": f"{meet}; {show}", "resource_requirements": "two"}
    every = {"command": "srun hostname | wc -l", "resource_requirements": "all", "depends_on": ["job0", "job1"]}
    one = {"command": "echo $TORC_NODE_LIST; hostname", "depends_on": ["job2"]}
    workflow_id = workflow(site, two, two, every, one, nodes=4)
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}, output(site, "e")
    first, second, third, last = (text.split() for text in output(site))
    assert first == ["node3,node4", "2", "node3", "node4", "2", "node3", "2", "node4"]
    assert second == ["node1,node2", "2", "node1", "node2", "2", "node1", "2", "node2"]
    assert (third, last) == (["4"], ["node1", "node1"])
    (node,) = site.nodes(workflow_id)
    assert (node["num_nodes"], node["num_cpus"], node["memory_gb"]) == (4, 4, 2.0)


def test_what_a_job_of_a_worker_per_node_starts_stays_on_its_node(site: Site) -> None:
    jobs = [{"command": "hostname; srun hostname; srun -n2 hostname; echo $TORC_NODE_LIST; sleep 1"}] * 6
    workflow_id = workflow(site, *jobs, nodes=2, worker_per_node=True, mem=None)
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}, output(site, "e")
    texts = [text.split() for text in output(site)]
    assert {tuple(text) for text in texts} == {(name,) * 5 for name in ("node1", "node2")}
    # nobody has asked for memory: the cluster grants 500 MB per CPU
    assert [node["memory_gb"] for node in site.nodes(workflow_id)] == [2000 / 1024] * 2


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_warning_before_the_end_reaches_the_jobs(site: Site, nodes: int) -> None:
    """What ``--signal=B:TERM@300`` does, at once."""
    jobs = [{"command": CHECKPOINT, "supports_termination": True, "resource_requirements": "one"}] * nodes
    workflow_id = workflow(site, *jobs, nodes=nodes, worker_per_node=nodes > 1, extra="--cpus-per-task=1")
    running(site, nodes)
    site.run("scancel", "--batch", "--signal=TERM", job_id(site, workflow_id))
    site.until(lambda: not site.queue(), "the end of the allocation")
    assert (site.folder / "saved").read_text() == "saved\n" * nodes
    assert results(site, workflow_id) == [("terminated", "time_up")] * nodes
    assert [node["is_active"] for node in site.nodes(workflow_id)] == [False] * nodes
    (one,) = site.allocations(workflow_id)
    assert one["status"] == "complete"
    assert site.run("sacct", "-nPX", "-j", str(one["scheduler_id"]), "-o", "exitcode").stdout.strip() == "0:0"


@pytest.mark.parametrize("nodes", [1, 2])
def test_slurm_warns_in_time_for_a_checkpoint(site: Site, nodes: int) -> None:
    jobs = [{"command": CHECKPOINT, "supports_termination": True}] * nodes
    extra = "--cpus-per-task=1 --signal=B:TERM@10"
    workflow_id = workflow(site, *jobs, nodes=nodes, worker_per_node=nodes > 1, extra=extra, buffer_s=5)
    running(site, nodes)
    moved_end(site, workflow_id, 45)  # with at most 40 s left, Slurm may warn
    site.until(lambda: not site.queue(), "the end of the allocation")
    assert (site.folder / "saved").read_text() == "saved\n" * nodes
    assert results(site, workflow_id) == [("terminated", "time_up")] * nodes
    (one,) = site.allocations(workflow_id)
    assert one["status"] == "complete"


def test_at_the_limit_jobs_are_terminated(site: Site) -> None:
    workflow_id = workflow(site, {"command": CHECKPOINT, "supports_termination": True}, buffer_s=0)
    running(site)
    moved_end(site, workflow_id, 5)
    site.until(lambda: not site.queue(), "the end of the allocation")
    assert results(site, workflow_id) == [("terminated", "time_up")]
    assert (site.folder / "saved").read_text() == "saved\n"


@pytest.mark.parametrize("nodes", [1, 2])
def test_jobs_of_a_canceled_allocation_did_not_fail(site: Site, nodes: int) -> None:
    polite = {"command": CHECKPOINT, "supports_termination": True}
    plain = {"command": "sleep 1; touch begun.$TORC_JOB_ID; sleep 300; true"}
    workflow_id = workflow(
        site, *[polite, plain] * nodes, nodes=nodes, worker_per_node=nodes > 1, extra="--cpus-per-task=2"
    )
    running(site, 2 * nodes)
    site.run("scancel", job_id(site, workflow_id))
    site.until(lambda: not site.queue(), "the end of the allocation")
    assert results(site, workflow_id) == [("terminated", "time_up")] * 2 * nodes
    assert (site.folder / "saved").read_text() == "saved\n" * nodes
    assert [node["is_active"] for node in site.nodes(workflow_id)] == [False] * nodes
    (one,) = site.allocations(workflow_id)
    assert (one["status"], one["ended_at"] is None) == ("canceled", False)
    assert "Slurm ended it before its time" in one["reason"]


def test_a_requeued_allocation_goes_on_with_its_jobs_at_once(site: Site) -> None:
    workflow_id = workflow(site, {"command": "test -e begun && exit 0; trap '' TERM; touch begun; sleep 300"})
    running(site)
    number = job_id(site, workflow_id)
    before = site.nodes(workflow_id)[0]
    # Nobody is told: as when a node fails.
    Path(f"/proc/{before['pid']}").exists()
    site.run("bash", "-c", f"kill -9 {before['pid']}")
    site.run("scontrol", "requeue", number, code=None)
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"job0": "completed"}
    old, new = site.nodes(workflow_id)
    assert (old["is_active"], new["scheduler"]["restarts"]) == (False, "1")
    (one,) = site.allocations(workflow_id)
    assert one["status"] == "complete"


def test_the_runner_can_be_started_by_hand(site: Site) -> None:
    spec = {"jobs": [{"name": "a", "command": "hostname"}]}
    workflow_id = site.create(spec)
    site.torc("workflows", "initialize", str(workflow_id))
    wrap = f"exec torc-slurm-job-runner {workflow_id} -p 1"
    number = site.run("sbatch", "--parsable", "-A", "testacct", "--mem=0", "--wrap", wrap).stdout.strip()
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"a": "completed"}
    (node,) = site.nodes(workflow_id)
    assert node["memory_gb"] == 16000 / 1024
    names = {path.name.rpartition("_")[0] for path in site.folder.glob(f"output/*_{number}_*")}
    assert {f"job_runner_slurm_{number}_0", f"slurm_env_{number}_0"} <= names
    assert json.dumps(node["scheduler"]["slurm_job_id"]) == f'"{number}"'
