"""From a specification without Slurm to results, and the shapes in which allocations are asked for."""

from typing import Any

import pytest

from tests.slurm.conftest import Site

HELLO = """
name: hello
resource_requirements:
  - {name: small, num_cpus: 4, memory: 2g, runtime: PT5M}
jobs:
  - {name: first, command: "hostname > where; echo $SLURM_CPUS_ON_NODE", resource_requirements: small}
  - {name: second, command: cat where, resource_requirements: small, depends_on: [first]}
"""

PIPELINE = """
name: pipeline
resource_requirements:
  - {name: small, num_cpus: 1, memory: 500m, runtime: PT2M}
  - {name: gpu, num_cpus: 2, num_gpus: 1, memory: 1g, runtime: PT2M}
  - {name: large, num_cpus: 4, memory: 40g, runtime: PT2M}
files:
  - {name: points, path: points.csv}
  - {name: "fit_{i}", path: "fit_{i}.txt", parameters: {i: "1:6"}}
jobs:
  - {name: prepare, command: "seq 6 > ${files.output.points}", resource_requirements: small}
  - name: fit_{i}
    command: "echo gpu $CUDA_VISIBLE_DEVICES > ${files.output.fit_{i}}; sleep 1; test -s ${files.input.points}"
    resource_requirements: gpu
    parameters: {i: "1:6"}
  - {name: rank, command: "cat fit_*.txt; free_mb=$SLURM_MEM_PER_NODE; echo $free_mb $SLURM_JOB_NODELIST",
     resource_requirements: large, depends_on_regexes: ["^fit_"]}
"""


def profiled(site: Site, text: str) -> None:
    """A specification, and a profile of this cluster where commands find it."""
    (site.folder / "spec.yaml").write_text(text)
    site.torc("hpc", "generate", "--account", "testacct", "-o", "torc.toml")


def results(site: Site, workflow_id: int) -> set[int]:
    items = site.server.http.get(f"/results?workflow_id={workflow_id}").json["items"]
    return {one["return_code"] for one in items}


def printed(site: Site) -> list[str]:
    paths = site.folder.glob("output/job_stdio/*.o")
    return [path.read_text() for path in sorted(paths, key=lambda path: int(path.name.split("_")[2]))]


def test_the_first_hour_on_a_cluster(site: Site) -> None:
    profiled(site, HELLO)
    assert "testcluster" in site.torc("hpc", "detect").stdout
    said = site.torc("submit-slurm", "spec.yaml")
    assert "Auto-generated 2 scheduler(s) and 2 action(s)" in said.stderr
    workflow_id = int(said.stdout.split()[2])
    with site.recovering(workflow_id):
        pass
    assert printed(site)[1].startswith("node")
    assert results(site, workflow_id) == {0}
    assert [one["status"] for one in site.allocations(workflow_id)] == ["complete", "complete"]
    site.assert_records_are_true(workflow_id)


def test_a_pipeline_asks_for_each_stage_when_it_is_ready(site: Site) -> None:
    profiled(site, PIPELINE)
    site.torc("slurm", "generate", "spec.yaml", "--walltime-strategy", "runtime", "-o", "staged.yaml")
    workflow_id = site.document("submit", "staged.yaml")["workflow_id"]
    with site.recovering(workflow_id):
        pass
    *fits, place = printed(site)[-1].splitlines()
    assert sorted(fits) == ["gpu 0"] * 3 + ["gpu 1"] * 3
    assert place == "40960 node4"
    names = {one["id"]: one["name"] for one in site.document("slurm", "list", str(workflow_id))}
    asked = [names[one["scheduler_config_id"]] for one in site.allocations(workflow_id)]
    stages = ["small_scheduler", *["gpu_stage2_scheduler"] * 3, "large_stage3_scheduler"]
    assert asked == stages
    assert {one["status"] for one in site.allocations(workflow_id)} <= {"complete", "canceled"}
    site.assert_records_are_true(workflow_id)


MANY = {"num_allocations": 3}, {"nodes": 1}
ONE_EACH = {"num_allocations": 1, "start_one_worker_per_node": True}, {"nodes": 3}
ONE_FOR_ALL = {"num_allocations": 1}, {"nodes": 3}


@pytest.mark.parametrize(
    ("shape", "allocations", "runners"),
    [(MANY, 3, 3), (ONE_EACH, 1, 3), (ONE_FOR_ALL, 1, 1)],
    ids=["many", "each", "one"],
)
def test_nodes_come_in_three_shapes(site: Site, shape: Any, allocations: int, runners: int) -> None:
    action, nodes = shape
    over_nodes = runners == 1
    one = {"name": "one", "num_cpus": 2, "memory": "200m", "runtime": "PT1M", "num_nodes": 3 if over_nodes else 1}
    command = "srun hostname" if over_nodes else "hostname; sleep 1"
    scheduler = {"name": "nodes", "account": "testacct", "walltime": "00:10:00", "extra": "--cpus-per-task=2", **nodes}
    start = {"trigger_type": "on_workflow_start", "action_type": "schedule_nodes", "scheduler_type": "slurm"}
    spec = {
        "jobs": [{"name": "j{i}", "command": command, "parameters": {"i": "1:9"}, "resource_requirements": "one"}],
        "resource_requirements": [one],
        "slurm_schedulers": [scheduler],
        "actions": [{**start, "scheduler": "nodes", **action}],
    }
    workflow_id = site.create(spec)
    site.torc("submit", str(workflow_id))
    with site.recovering(workflow_id):
        pass
    assert len(site.allocations(workflow_id)) == allocations
    assert len(site.nodes(workflow_id)) <= runners
    places = {line for text in printed(site) for line in text.split()}
    assert places == {"node1", "node2", "node3"} or shape is MANY  # which Slurm may put on one
    site.assert_records_are_true(workflow_id)


def test_a_thousand_jobs_over_three_nodes_ask_slurm_at_most_once_a_minute(site: Site) -> None:
    counted = site.folder / "squeue"
    counted.write_text('#!/bin/sh\necho "$@" >> "$(dirname "$0")/asked"\nexec squeue "$@"\n')
    counted.chmod(0o755)
    site.environ["TORC_FAKE_SQUEUE"] = str(counted)
    one = {"name": "one", "num_cpus": 1, "memory": "100m", "runtime": "PT1M"}
    scheduler = {"name": "nodes", "account": "testacct", "walltime": "00:10:00", "nodes": 1, "mem": "2g"}
    start = {"trigger_type": "on_workflow_start", "action_type": "schedule_nodes", "scheduler_type": "slurm"}
    spec = {
        "jobs": [{"name": "j{i}", "command": "true", "parameters": {"i": "1:1000"}, "resource_requirements": "one"}],
        "resource_requirements": [one],
        "slurm_schedulers": [{**scheduler, "extra": "--cpus-per-task=8"}],
        "actions": [{**start, "scheduler": "nodes", "num_allocations": 3}],
    }
    workflow_id = site.create(spec)
    began = site.server.http.get("/ping")
    assert began.status == 200
    site.torc("submit", str(workflow_id))
    with site.recovering(workflow_id):
        pass
    assert len(site.allocations(workflow_id)) == 3
    assert len((site.folder / "asked").read_text().splitlines()) == 1, "it took less than a minute"
    site.assert_records_are_true(workflow_id)


def test_schedulers_that_are_there_and_limits_are_respected(site: Site) -> None:
    profiled(site, HELLO)
    site.torc("slurm", "generate", "spec.yaml", "-o", "planned.yaml")
    twice = site.torc("slurm", "generate", "planned.yaml", code=1)
    assert "already has slurm_schedulers defined" in twice.stderr
    text = (site.folder / "planned.yaml").read_text()
    (site.folder / "wide.yaml").write_text(text.replace("num_allocations: 1", "num_allocations: 3"))
    refused = site.torc("submit", "wide.yaml", code=1, TORC_CLIENT__SLURM__MAX_NODES="2")
    assert "over the limit of 2 (client.slurm.max_nodes)" in refused.stderr
    (site.folder / "slow.yaml").write_text(text.replace("walltime: ", "walltime: soon # "))
    assert "walltime" in site.torc("submit", "slow.yaml", code=1).stderr
    assert site.document("workflows", "list") == []
    assert site.queue() == []
