"""``torc compute-nodes`` and ``torc scheduled-compute-nodes``."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

NODE = {"hostname": "n1", "pid": 77, "num_cpus": 4, "memory_gb": 7.5, "num_gpus": 1, "num_nodes": 1}
NODE |= {"start_time": "2026-01-01T00:00:00Z", "is_active": True, "compute_node_type": "local"}


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]


@pytest.fixture
def node(http, workflow) -> dict[str, Any]:
    """A runner that never syncs, as those of the reference implementation."""
    record: dict[str, Any] = http.post("/compute_nodes", {"workflow_id": workflow, **NODE}).json
    return record


@pytest.fixture
def supervised(http, workflow) -> dict[str, Any]:
    """A runner of ours, with a lease."""
    record: dict[str, Any] = http.post("/compute_nodes", {"workflow_id": workflow, **NODE, "spool_path": "/s"}).json
    return record


@pytest.fixture
def job(http, workflow, node) -> int:
    """A job that runs on the node."""
    job_id = int(http.post("/jobs", {"workflow_id": workflow, "name": "a", "command": "true"}).json["id"])
    http.post(f"/workflows/{workflow}/initialize_jobs", {})
    run_id = http.get(f"/workflows/{workflow}/status").json["run_id"]
    assert http.put(f"/jobs/{job_id}/start_job/{run_id}/{node['id']}").status == 200
    return job_id


def test_a_list_says_which_nodes_nobody_watches(torc, http, workflow, node, supervised):
    gone = http.post(
        "/compute_nodes", {"workflow_id": workflow, **NODE, "is_active": False, "duration_seconds": 3725.4}
    ).json
    said = torc("compute-nodes", "list", workflow)
    assert said.out.splitlines()[0] == f"Compute nodes for workflow ID {workflow}:"
    usual = ["n1", "77", "4", "7.50", "1"]
    assert rows_of(said.out) == [
        ["ID", "Hostname", "PID", "CPUs", "Memory (GB)", "GPUs", "Active", "Start Time", "Duration"],
        [str(node["id"]), *usual, "unsupervised", "2026-01-01T00:00:00Z", "-"],
        [str(supervised["id"]), *usual, "Yes", "2026-01-01T00:00:00Z", "-"],
        [str(gone["id"]), *usual, "No", "2026-01-01T00:00:00Z", "1h 2m 5s"],
    ]


def test_a_list_in_json_counts_them_all(torc, workflow, node, supervised):
    listed = torc("compute-nodes", "list", workflow, "-l", 1, "-f", "json").json
    assert ([one["id"] for one in listed["items"]], listed["total_count"]) == ([node["id"]], 2)
    options = ("-s", "id", "-r", "-o", 1, "-f", "json")
    assert torc("compute-nodes", "list", workflow, *options).json["items"][0]["id"] == node["id"]
    assert torc("compute-nodes", "list", workflow, "-l", 1).out.splitlines()[-1] == (
        "Showing 1 of 2 total compute nodes"
    )


def test_one_node_is_lines_or_an_object(torc, workflow, node):
    assert torc("compute-nodes", "get", node["id"]).out == (
        f"Compute node ID {node['id']}:\n  Workflow ID: {workflow}\n  Hostname: n1\n  PID: 77\n  Type: local\n"
        "  CPUs: 4\n  Memory: 7.50 GB\n  GPUs: 1\n  Nodes: 1\n  Active: unsupervised\n"
        "  Start Time: 2026-01-01T00:00:00Z\n"
    )
    assert torc("compute-nodes", "get", node["id"], "-f", "json").json["memory_gb"] == 7.5


def test_a_released_node_gives_its_jobs_back(torc, http, node, job):
    said = torc("compute-nodes", "release", node["id"])
    assert said.out == f"Released compute node {node['id']} (n1); the jobs it had are ready for others.\n"
    assert http.get(f"/jobs/{job}").json["status"] == "ready"
    assert torc("compute-nodes", "get", node["id"], "-f", "json").json["is_active"] is False


def test_a_node_that_lives_is_only_released_when_somebody_agrees(torc, terminal, supervised):
    said = torc("compute-nodes", "release", supervised["id"])
    assert said.code == 1
    assert "was alive when it was last heard of; release it anyway? Nobody can be asked here" in said.err
    said = terminal("compute-nodes", "release", supervised["id"], typed="n\n")
    assert (said.code, said.out) == (0, f"Compute node {supervised['id']} keeps its jobs.\n")
    said = torc("compute-nodes", "release", supervised["id"], "--no-prompts", "-f", "json")
    assert (said.json["id"], said.json["is_active"]) == (supervised["id"], False)


@pytest.fixture
def allocations(http, workflow) -> list[dict[str, Any]]:
    """Two allocations of one Slurm configuration."""
    slurm = {"workflow_id": workflow, "name": "s", "account": "a", "nodes": 1, "walltime": "01:00:00"}
    config = http.post("/slurm_schedulers", slurm).json["id"]
    asked = {"workflow_id": workflow, "scheduler_config_id": config, "scheduler_type": "slurm"}
    wanted = [{**asked, "scheduler_id": 4001, "status": "pending"}, {**asked, "scheduler_id": 4002, "status": "active"}]
    return [http.post("/scheduled_compute_nodes", one).json for one in wanted]


def test_allocations_are_listed(torc, workflow, allocations):
    said = torc("scheduled-compute-nodes", "list", workflow)
    config = str(allocations[0]["scheduler_config_id"])
    assert rows_of(said.out) == [
        ["ID", "Scheduler ID", "Config ID", "Type", "Status"],
        [str(allocations[0]["id"]), "4001", config, "slurm", "pending"],
        [str(allocations[1]["id"]), "4002", config, "slurm", "active"],
    ]
    assert said.out.splitlines()[-1] == "Total: 2 scheduled compute nodes"
    listed = torc("scheduled-compute-nodes", "list", workflow, "-f", "json").json
    assert listed == {"items": allocations, "total_count": 2}


@pytest.mark.parametrize(("options", "found"), [(("--status", "active"), [4002]), (("--scheduler-id", "4001"), [4001])])
def test_allocations_can_be_narrowed(torc, workflow, allocations, options, found):
    listed = torc("scheduled-compute-nodes", "list", workflow, *options, "-f", "json").json
    assert [one["scheduler_id"] for one in listed["items"]] == found


@pytest.mark.parametrize("noun", ["compute-nodes", "scheduled-compute-nodes"])
def test_nothing_is_a_sentence_or_an_empty_list(torc, workflow, noun):
    words = noun.replace("-", " ")
    assert torc(noun, "list", workflow).out == f"No {words} found for workflow ID: {workflow}\n"
    assert torc(noun, "list", workflow, "-f", "json").json == {"items": [], "total_count": 0}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("compute-nodes get 999999", "Compute node not found with ID: 999999"),
        ("compute-nodes release 999999", "Compute node not found with ID: 999999"),
        ("compute-nodes list 999999", "Workflow not found with ID: 999999"),
        ("scheduled-compute-nodes list 999999", "Workflow not found with ID: 999999"),
    ],
)
def test_what_is_not_there_is_an_error(torc, line, sentence):
    said = torc(*line.split(), "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == f"Error: {sentence}\n"


def test_an_unknown_status_is_refused(offline):
    said = offline("scheduled-compute-nodes", "list", "1", "--status", "gone")
    assert said.code == 2
    assert "invalid choice: 'gone' (choose from" in said.err
