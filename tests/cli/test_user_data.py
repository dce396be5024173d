"""``torc user-data``: what people see, what jobs and scripts read, and what is refused."""

import json
import os
import pty
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SPEC = {
    "name": "pair",
    "jobs": [
        {"name": "writer", "command": "true", "output_user_data": ["result"]},
        {"name": "reader", "command": "true", "input_user_data": ["settings"]},
    ],
    "user_data": [{"name": "settings", "data": {"depth": 3, "name": "é"}}, {"name": "result"}],
}


@pytest.fixture
def made(torc, tmp_path) -> int:
    """A workflow of SPEC."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    return int(torc("workflows", "create", "spec.json", "-f", "json").json["id"])


@pytest.fixture
def ids(torc, made) -> dict[str, int]:
    """Its user data."""
    listed = torc("user-data", "list", made, "-f", "json").json["user_data"]
    return {one["name"]: one["id"] for one in listed}


def test_a_list_shows_values_as_json_text(torc, made, ids):
    said = torc("user-data", "list", made)
    lines = said.out.splitlines()
    assert lines[0] == f"User data for workflow ID {made}:"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert rows == [
        ["ID", "Name", "Data", "Workflow ID"],
        [str(ids["settings"]), "settings", '{"depth":3,"name":"é"}', str(made)],
        [str(ids["result"]), "result", "null", str(made)],
    ]
    assert lines[-1] == "Total: 2 user data records"


def test_a_list_in_json_has_both_spellings(torc, made, ids):
    (settings, result) = torc("user-data", "list", made, "-f", "json").json["user_data"]
    assert settings == {
        "id": ids["settings"],
        "workflow_id": made,
        "name": "settings",
        "is_ephemeral": False,
        "data": {"depth": 3, "name": "é"},
        "key": "settings",
        "value": '{"depth":3,"name":"é"}',
    }
    assert result["value"] == "null"
    assert "data" not in result


def test_a_list_can_be_narrowed(torc, made):
    def names(*options: object) -> list[str]:
        listed = torc("user-data", "list", made, *options, "-f", "json").json["user_data"]
        return [one["name"] for one in listed]

    jobs = {job["name"]: job["id"] for job in torc("jobs", "list", made, "-f", "json").json["jobs"]}
    assert torc("user-data", "create", made, "-n", "scratch", "--ephemeral").code == 0
    assert names("--name", "SET") == ["settings"]
    assert names("--is-ephemeral", "true") == ["scratch"]
    assert names("--is-ephemeral", "false") == ["settings", "result"]
    assert names("--consumer-job-id", jobs["reader"]) == ["settings"]
    assert names("--producer-job-id", jobs["writer"]) == ["result"]
    assert names("--sort-by", "name", "-l", 1, "-o", 1) == ["scratch"]
    assert torc("user-data", "list", made, "--name", "none").out == f"No user data found for workflow ID: {made}\n"


def test_a_pipe_gets_json_and_a_person_gets_words(torc, made, ids, environment, server):
    assert torc("user-data", "get", ids["settings"]).json["data"] == {"depth": 3, "name": "é"}
    words = (
        f"User data ID {ids['settings']}:\n  Name: settings\n  Workflow ID: {made}\n  Is Ephemeral: No\n"
        '  Data: {"depth":3,"name":"é"}\n'
    )
    assert torc("user-data", "get", ids["settings"], "-f", "table").out == words
    assert torc("user-data", "get", ids["settings"], env={"TORC_CLIENT__FORMAT": "table"}).out == words
    assert on_a_terminal(["user-data", "get", str(ids["settings"])], environment, server.url) == words


def on_a_terminal(words: list[str], environment: dict[str, str], url: str) -> str:
    """What a command prints when its stdout is a terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "torc", *words]
    subprocess.run(command, stdout=its, env={**environment, "TORC_API_URL": url}, check=True)
    os.close(its)
    printed = os.read(ours, 10_000).decode()
    os.close(ours)
    return printed.replace("\r\n", "\n")


def test_failures_of_a_piped_get_are_json_too(torc):
    said = torc("user-data", "get", 999999)
    assert said.code == 1
    assert said.json["status"] == "error"
    assert said.err == "Error: User data not found with ID: 999999\n"


@pytest.mark.parametrize("text", ['{"a": [1, null, "é"]}', "[]", "0", '"text"', "null"])
def test_what_was_written_is_read_back(torc, ids, text):
    said = torc("user-data", "update", ids["result"], "--data", text, "-f", "json")
    assert said.code == 0
    assert said.json["key"] == "result"
    assert torc("user-data", "get", ids["result"]).json.get("data") == json.loads(text)


def test_an_update_changes_only_what_it_names(torc, made, ids):
    said = torc("user-data", "update", ids["settings"], "--name", "renamed", "--ephemeral", "true")
    assert said.out == (
        f"Successfully updated user data:\n  ID: {ids['settings']}\n  Name: renamed\n  Workflow ID: {made}\n"
        '  Is Ephemeral: Yes\n  Data: {"depth":3,"name":"é"}\n'
    )
    torc("user-data", "update", ids["settings"], "--ephemeral", "false")
    got = torc("user-data", "get", ids["settings"]).json
    assert (got["name"], got["is_ephemeral"]) == ("renamed", False)


def test_created_user_data_is_linked_to_its_jobs(torc, made):
    (writer, reader) = [job["id"] for job in torc("jobs", "list", made, "-f", "json").json["jobs"]]
    links = ("--producer-job-id", writer, "--consumer-job-id", reader)
    said = torc("user-data", "create", made, "--name", "new", "-d", "[1]", *links, "-f", "json")
    assert said.code == 0
    assert said.json["data"] == [1]
    jobs = torc("jobs", "list", made, "--include-relationships", "-f", "json").json["jobs"]
    assert said.json["id"] in jobs[0]["output_user_data_ids"]
    assert said.json["id"] in jobs[1]["input_user_data_ids"]


def test_what_is_deleted_is_shown_once_more(torc, made, ids):
    said = torc("user-data", "delete", ids["settings"])
    assert said.out == (
        f"Successfully removed user data:\n  ID: {ids['settings']}\n  Name: settings\n  Workflow ID: {made}\n"
        '  Is Ephemeral: No\n  Data: {"depth":3,"name":"é"}\n'
    )
    assert torc("user-data", "delete", ids["settings"]).err == (
        f"Error: User data not found with ID: {ids['settings']}\n"
    )


def test_missing_user_data_is_named(torc, made, ids, workflow):
    jobs = torc("jobs", "list", made, "-f", "json").json["jobs"]
    created = torc("user-data", "create", made, "-n", "empty", "--consumer-job-id", jobs[1]["id"], "-f", "json").json
    said = torc("user-data", "list-missing", made)
    assert said.out.splitlines()[0] == f"Missing user data for workflow ID {made}:"
    assert f"│ {created['id']}" in said.out
    assert said.out.splitlines()[-1] == "Total: 1 user data records"
    assert torc("user-data", "list-missing", made, "-f", "json").json == {"user_data": [created["id"]]}
    assert torc("user-data", "list-missing", workflow).out == f"No missing user data for workflow ID: {workflow}\n"


def test_all_is_only_deleted_when_somebody_agrees(torc, terminal, made):
    said = torc("user-data", "delete-all", made)
    assert said.code == 1
    assert said.err.startswith(f"Error: Delete 2 user data records of workflow {made}? Nobody can be asked here")
    said = terminal("user-data", "delete-all", made, typed="n\n")
    assert (said.code, said.out) == (0, "Deletion cancelled\n")
    assert len(torc("user-data", "list", made, "-f", "json").json["user_data"]) == 2
    said = terminal("user-data", "delete-all", made, typed="y\n")
    assert said.out == f"Successfully deleted all user data for workflow ID: {made}\n"
    assert torc("user-data", "list", made, "-f", "json").json == {"user_data": []}


def test_scripts_delete_all_without_a_question(torc, made):
    assert torc("user-data", "delete-all", made, "-f", "json").json == {
        "message": f"All user data deleted for workflow {made}",
        "deleted_count": 2,
    }
    assert torc("user-data", "delete-all", made, "--no-prompts").code == 0


@pytest.mark.parametrize("command", ["list", "list-missing", "delete-all"])
def test_a_workflow_that_is_not_there_is_an_error(torc, command):
    said = torc("user-data", command, 999999, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "error")
    assert said.err == "Error: Workflow not found with ID: 999999\n"


def test_a_job_of_another_workflow_is_an_error(torc, made, workflow):
    job = torc("jobs", "list", made, "-f", "json").json["jobs"][0]["id"]
    said = torc("user-data", "list", workflow, "--consumer-job-id", job)
    assert said.err == f"Error: job {job} is in workflow {made}, not in workflow {workflow}.\n"


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("update 1 --data {a:1}", 1, "Error: --data is not JSON: "),
        ("create 1 -n x --data oops", 1, "Error: --data is not JSON: "),
        ("update 1 --data " + "[" * 100_000, 1, "Error: --data is not JSON: "),
        ("update 1", 2, "Error: nothing to change; give --data, --name or --ephemeral."),
        ("update 1 --ephemeral yes", 2, "error: argument --ephemeral: invalid choice: 'yes'"),
        ("create 1", 2, "error: the following arguments are required: -n/--name"),
        ("get none", 2, "error: argument ID: 'none' is not a whole number"),
    ],
)
def test_mistakes_are_a_sentence_before_a_server_is_asked(offline, line, code, sentence):
    said = offline("user-data", *line.split())
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(sentence)
