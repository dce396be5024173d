"""``torc files``: what people see, what scripts read, and what is refused."""

import json
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.slow

SPEC = {
    "name": "pair",
    "jobs": [
        {"name": "writer", "command": "true", "input_files": ["raw"], "output_files": ["made"]},
        {"name": "reader", "command": "true", "input_files": ["made"]},
    ],
    "files": [{"name": "raw", "path": "data/räw 日本.txt"}, {"name": "made", "path": "made.txt"}],
}


@pytest.fixture
def made(torc, tmp_path) -> int:
    """A workflow of SPEC."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    return int(torc("workflows", "create", "spec.json", "-f", "json").json["id"])


@pytest.fixture
def ids(torc, made) -> dict[str, int]:
    """Its files."""
    return {one["name"]: one["id"] for one in torc("files", "list", made, "-f", "json").json["files"]}


@pytest.fixture
def written(http, made, ids) -> None:
    """The second file has been written, as a runner would say."""
    file = {"workflow_id": made, "name": "made", "path": "made.txt", "st_mtime": 1767323045.678, "size": 1536}
    assert http.put(f"/files/{ids['made']}", file).status == 200


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]


def test_a_list_is_a_table_with_sizes_and_times_for_people(torc, made, ids, written):
    said = torc("files", "list", made)
    assert said.out.splitlines()[0] == f"Files for workflow ID {made}:"
    assert rows_of(said.out) == [
        ["ID", "Name", "Path", "Size", "Modified Time"],
        [str(ids["raw"]), "raw", "data/räw 日本.txt", "N/A", "N/A"],
        [str(ids["made"]), "made", "made.txt", "1.5k", "2026-01-02 03:04:05 UTC"],
    ]
    assert said.out.splitlines()[-1] == "Total: 2 files"


def test_a_list_in_json_has_the_exact_figures(torc, made, ids, written):
    (raw, made_file) = torc("files", "list", made, "-f", "json").json["files"]
    assert raw == {"id": ids["raw"], "workflow_id": made, "name": "raw", "path": "data/räw 日本.txt"}
    assert (made_file["st_mtime"], made_file["size"]) == (1767323045.678, 1536)


def test_a_list_can_be_narrowed_ordered_and_cut(torc, made):
    (writer, reader) = [job["id"] for job in torc("jobs", "list", made, "-f", "json").json["jobs"]]

    def names(*options: object) -> list[str]:
        return [one["name"] for one in torc("files", "list", made, *options, "-f", "json").json["files"]]

    assert names("--produced-by-job-id", writer) == ["made"]
    assert names("--produced-by-job-id", reader) == []
    assert names("--sort-by", "name") == ["made", "raw"]
    assert names("-o", 1) == ["made"]
    assert torc("files", "list", made, "-l", 1).out.splitlines()[-1] == "Showing 1 of 2 total files"
    assert torc("files", "list", made, "-l", 0).out == "Showing 0 of 2 total files\n"


def test_an_empty_list_is_a_sentence_or_an_empty_array(torc, workflow):
    assert torc("files", "list", workflow).out == f"No files found for workflow ID: {workflow}\n"
    assert torc("files", "list", workflow, "-f", "json").json == {"files": []}


def test_another_workflow_has_no_files_here(torc, made, workflow):
    job = torc("jobs", "list", made, "-f", "json").json["jobs"][0]["id"]
    said = torc("files", "list", workflow, "--produced-by-job-id", job, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == f"Error: job {job} is in workflow {made}, not in workflow {workflow}.\n"


def test_an_unknown_field_to_sort_by_is_an_error_that_names_the_known_ones(torc, made):
    said = torc("files", "list", made, "--sort-by", "colour", "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err.startswith("Error: sort_by: no column 'colour'; choose one of id, ")


@pytest.mark.parametrize("line", ["list", "list-required-existing", "create --name x --path y"])
def test_a_workflow_that_is_not_there_is_an_error(torc, line):
    said = torc("files", *line.split(), 999999, "-f", "json")
    assert said.code == 1
    assert said.json["status"] == "error"
    assert said.err == "Error: Workflow not found with ID: 999999\n"


@pytest.mark.parametrize("command", [("get",), ("update", "--name", "x"), ("delete",)])
def test_a_file_that_is_not_there_is_an_error(torc, command):
    (verb, *options) = command
    said = torc("files", verb, 999999, *options, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == "Error: File not found with ID: 999999\n"


def test_one_file_is_lines_or_an_object(torc, made, ids):
    said = torc("files", "get", ids["raw"])
    assert said.out == f"File ID {ids['raw']}:\n  Name: raw\n  Path: data/räw 日本.txt\n  Workflow ID: {made}\n"
    assert torc("files", "get", ids["raw"], "-f", "json").json["path"] == "data/räw 日本.txt"


def test_what_is_created_changed_and_deleted_is_shown(torc, workflow):
    created = torc("files", "create", workflow, "--name", "new", "--path", "a/b.txt", "-f", "json").json
    assert {**created, "id": 0} == {"id": 0, "workflow_id": workflow, "name": "new", "path": "a/b.txt"}
    file_id = created["id"]

    def lines(participle: str, path: str) -> str:
        return (
            f"Successfully {participle} file:\n  ID: {file_id}\n  Name: new\n  Path: {path}\n"
            f"  Workflow ID: {workflow}\n"
        )

    assert torc("files", "update", file_id, "-p", "c.txt").out == lines("updated", "c.txt")
    assert torc("files", "delete", file_id).out == lines("removed", "c.txt")
    assert torc("files", "get", file_id).code == 1


def test_files_that_have_to_be_there_are_named(torc, made, ids, workflow):
    said = torc("files", "list-required-existing", made)
    assert rows_of(said.out) == [["ID", "Name", "Path"], [str(ids["raw"]), "raw", "data/räw 日本.txt"]]
    assert torc("files", "list-required-existing", made, "-f", "json").json == {"files": [ids["raw"]]}
    said = torc("files", "list-required-existing", workflow)
    assert said.out == f"No missing required files found for workflow ID: {workflow}\n"


@pytest.mark.parametrize("env", [{"COLUMNS": "40"}, {"COLUMNS": "1"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}])
def test_narrow_and_old_terminals_get_every_row(torc, made, ids, env: dict[str, str]):
    said = torc("files", "list", made, env=env)
    assert (said.code, said.err) == (0, "")
    assert f" {ids['made']} " in said.out
    assert torc("files", "list", "--help", env=env).code == 0


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("create 1 --name x", 2, "error: the following arguments are required: -p/--path"),
        ("update 1", 2, "Error: nothing to change; give one of --name, --path."),
        ("list 1 --produced-by-job-id 0", 2, "error: argument --produced-by-job-id: '0' is less than 1"),
        ("get", 2, "error: the following arguments are required: ID"),
        ("list 1", 5, "Error: no answer from "),
    ],
)
def test_mistakes_are_a_sentence(offline: Callable[..., object], line, code, sentence):
    said = offline("files", *line.split())
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(sentence)
