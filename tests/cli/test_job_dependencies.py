"""``torc job-dependencies``: who waits for whom, and through what."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SPEC = {
    "name": "chain",
    "jobs": [
        {"name": "a", "command": "true", "output_files": ["made"], "output_user_data": ["result"]},
        {"name": "b", "command": "true", "input_files": ["made", "raw"]},
        {"name": "c", "command": "true", "depends_on": ["b"], "input_user_data": ["result"]},
    ],
    "files": [{"name": "made", "path": "made.txt"}, {"name": "raw", "path": "raw.txt"}],
    "user_data": [{"name": "result"}],
}


@pytest.fixture
def made(torc, tmp_path) -> int:
    """A workflow of SPEC."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    return int(torc("workflows", "create", "spec.json", "-f", "json").json["id"])


@pytest.fixture
def ids(torc, made) -> dict[str, str]:
    """The ids of its jobs, as a table shows them."""
    return {one["name"]: str(one["id"]) for one in torc("jobs", "list", made, "-f", "json").json["jobs"]}


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]


def page_of(http: Any, workflow_id: int, name: str) -> dict[str, Any]:
    """What the API says, without its second name for the items."""
    page: dict[str, Any] = http.get(f"/workflows/{workflow_id}/{name}").json
    return {key: value for key, value in page.items() if key != name}


def test_jobs_that_wait_for_jobs(torc, made, ids):
    said = torc("job-dependencies", "job-job", made)
    assert rows_of(said.out) == [
        ["Job ID", "Job Name", "Blocked By Job ID", "Blocked By Job Name"],
        [ids["b"], "b", ids["a"], "a"],
        [ids["c"], "c", ids["a"], "a"],
        [ids["c"], "c", ids["b"], "b"],
    ]
    assert said.out.splitlines()[-1] == "Total: 3 job dependencies"


def test_json_is_a_page_of_the_api(torc, http, made):
    page = page_of(http, made, "job_dependencies")
    assert torc("job-dependencies", "job-job", made, "-f", "json").json == page
    part = torc("job-dependencies", "job-job", made, "-l", 1, "--offset", 1, "-f", "json").json
    assert part["items"] == page["items"][1:2]
    assert (part["offset"], part["count"], part["total_count"], part["has_more"]) == (1, 1, 3, True)
    said = torc("job-dependencies", "job-job", made, "-l", 1)
    assert said.out.splitlines()[-1] == "Showing 1 of 3 total job dependencies"


def test_files_between_jobs(torc, http, made, ids):
    rows = rows_of(torc("job-dependencies", "job-file", made).out)
    assert rows[0][1:] == ["File Name", "Producer Job ID", "Producer Job Name", "Consumer Job ID", "Consumer Job Name"]
    assert sorted(row[1:] for row in rows[1:]) == [
        ["made", ids["a"], "a", ids["b"], "b"],
        ["raw", "-", "-", ids["b"], "b"],
    ]
    page = page_of(http, made, "job_file_relationships")
    assert torc("job-dependencies", "job-file", made, "-f", "json").json == page


def test_user_data_between_jobs(torc, http, made, ids):
    rows = rows_of(torc("job-dependencies", "job-user-data", made).out)
    assert rows[0][:2] == ["User Data ID", "User Data Name"]
    assert [row[1:] for row in rows[1:]] == [["result", ids["a"], "a", ids["c"], "c"]]
    page = page_of(http, made, "job_user_data_relationships")
    assert torc("job-dependencies", "job-user-data", made, "-f", "json").json == page


@pytest.mark.parametrize("command", ["job-job", "job-file", "job-user-data"])
def test_nothing_is_told_and_an_unknown_workflow_is_an_error(torc, workflow, command):
    said = torc("job-dependencies", command, workflow)
    assert (said.code, said.out[:3], said.out.count("\n")) == (0, "No ", 1)
    assert torc("job-dependencies", command, workflow, "-f", "json").json["items"] == []
    said = torc("job-dependencies", command, 999999, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == "Error: Workflow not found with ID: 999999\n"
