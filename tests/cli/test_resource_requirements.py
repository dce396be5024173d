"""``torc resource-requirements``: what people see, what scripts read, and what is refused."""

import pytest

pytestmark = pytest.mark.slow

LARGE = ("--name", "large", "--num-cpus", "16", "--num-gpus", "2", "--memory", "1.5g", "--runtime", "PT90M")


@pytest.fixture
def large(torc, workflow) -> int:
    """The id of requirements in a workflow."""
    return int(torc("resource-requirements", "create", workflow, *LARGE, "-f", "json").json["id"])


def test_the_line_of_the_book(torc, workflow):
    line = ["--name", "small", "--num-cpus", 1, "--memory", "1g", "--runtime", "PT10M", workflow]
    said = torc("resource-requirements", "create", *line)
    assert said.code == 0
    (title, identity, *lines) = said.out.splitlines()
    assert title == "Successfully created resource requirements:"
    assert identity.startswith("  ID: ")
    assert lines[:2] == [f"  Workflow ID: {workflow}", "  Name: small"]


def test_a_list_is_a_table_with_times_for_people(torc, workflow, large):
    lines = torc("resource-requirements", "list", workflow).out.splitlines()
    assert lines[0] == f"Resource requirements for workflow ID {workflow}:"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert rows[0] == ["ID", "Name", "CPUs", "GPUs", "Nodes", "Memory", "Runtime"]
    assert [str(large), "large", "16", "2", "1", "1.5g", "1h 30m 0s"] in rows
    assert lines[-1].endswith(" resource requirements")


def test_a_list_in_json_has_the_records_as_they_are(torc, workflow, large):
    listed = torc("resource-requirements", "list", workflow, "-f", "json").json["resource_requirements"]
    assert {
        "id": large,
        "workflow_id": workflow,
        "name": "large",
        "num_cpus": 16,
        "num_gpus": 2,
        "num_nodes": 1,
        "memory": "1.5g",
        "runtime": "PT90M",
    } in listed


def test_a_list_can_be_ordered_and_cut(torc, workflow, large):
    torc("resource-requirements", "create", workflow, "-n", "small")
    options = ("--sort-by", "num_cpus", "--reverse-sort", "-l", 1, "-f", "json")
    listed = torc("resource-requirements", "list", workflow, *options).json["resource_requirements"]
    assert [one["id"] for one in listed] == [large]


def test_what_is_not_said_has_the_usual_values(torc, workflow):
    made = torc("resource-requirements", "create", workflow, "-n", "plain", "-f", "json").json
    assert (made["num_cpus"], made["num_gpus"], made["num_nodes"]) == (1, 0, 1)
    assert (made["memory"], made["runtime"]) == ("1m", "P0DT1M")


@pytest.mark.parametrize(
    ("text", "stored"), [("PT2H", "PT2H"), ("2h", "PT2H"), ("30", "PT30M"), ("01:30:00", "PT1H30M")]
)
def test_times_may_be_written_as_slurm_and_people_do(torc, large, text, stored):
    assert torc("resource-requirements", "update", large, "--runtime", text, "-f", "json").json["runtime"] == stored


def test_memory_without_a_unit_is_bytes_with_a_warning(torc, large):
    said = torc("resource-requirements", "update", large, "--memory", "512", "-f", "json")
    assert said.json["memory"] == "512"
    assert said.err == "Warning: memory 512 is 512 bytes; a unit says something else, as in --memory 512m.\n"


def test_an_update_changes_only_what_it_names(torc, workflow, large):
    said = torc("resource-requirements", "update", large, "--memory", "32g")
    assert said.out == (
        f"Successfully updated resource requirements:\n  ID: {large}\n  Workflow ID: {workflow}\n  Name: large\n"
        "  Number of CPUs: 16\n  Number of GPUs: 2\n  Number of nodes: 1\n  Memory: 32g\n  Runtime: 1h 30m 0s\n"
    )
    assert torc("resource-requirements", "get", large).out.startswith(f"Resource requirements ID {large}:\n  Workflow")


def test_what_jobs_use_is_only_deleted_with_force(torc, http, workflow, large):
    job = {"workflow_id": workflow, "name": "a", "command": "true", "resource_requirements_id": large}
    job_id = http.post("/jobs", job).json["id"]
    said = torc("resource-requirements", "delete", large)
    assert said.code == 1
    assert "1 jobs use it; delete those first, or force" in said.err
    said = torc("resource-requirements", "delete", large, "--force", "-f", "json")
    assert said.json["id"] == large
    assert torc("resource-requirements", "get", large).code == 1
    assert http.get(f"/jobs/{job_id}").json["resource_requirements_id"] != large


@pytest.mark.parametrize("command", [("get",), ("update", "--num-cpus", "2"), ("delete",)])
def test_what_is_not_there_is_an_error(torc, command):
    (verb, *options) = command
    said = torc("resource-requirements", verb, 999999, *options, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == "Error: Resource requirements not found with ID: 999999\n"


def test_a_workflow_that_is_not_there_is_an_error(torc):
    said = torc("resource-requirements", "list", 999999)
    assert (said.code, said.err) == (1, "Error: Workflow not found with ID: 999999\n")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("create 1 -n x -m lots", "error: argument -m/--memory: 'lots' is no amount of memory (Invalid"),
        ("create 1 -n x -r soon", "error: argument -r/--runtime: 'soon' is no duration (Invalid walltime: soon)"),
        ("create 1 -n x -r P1", "error: argument -r/--runtime: 'P1' is no duration (Invalid ISO 8601"),
        ("create 1 -n x --num-cpus 0", "error: argument --num-cpus: '0' is less than 1"),
        ("create 1", "error: the following arguments are required: -n/--name"),
        ("update 1", "Error: nothing to change; give one of --name, --num-cpus, --num-gpus, "),
    ],
)
def test_mistakes_are_a_sentence_before_a_server_is_asked(offline, line, sentence):
    said = offline("resource-requirements", *line.split())
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(sentence)
