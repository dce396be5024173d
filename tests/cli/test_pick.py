"""Which workflow a command means: named by its name, or asked for on a terminal."""

import re
import uuid

import pytest


@pytest.fixture
def user() -> dict[str, str]:
    """The environment of somebody who has no workflows yet."""
    return {"USER": f"ümit {uuid.uuid4().hex[:8]}"}


def new(torc, user, name, *words):
    said = torc("workflows", "new", "--name", name, *words, "-f", "json", env=user)
    assert said.code == 0, said.err
    return said.json["id"]


def test_a_workflow_may_be_named_when_no_other_is_called_so(torc, user):
    name = f"größe {uuid.uuid4().hex}"
    made = new(torc, user, name)
    assert torc("workflows", "get", name, "-f", "json").json["id"] == made
    assert torc("jobs", "list", name, "-f", "json").json == {"jobs": []}
    assert torc("workflows", "execution-plan", name).code == 0
    assert torc("workflows", "archive", "true", name, made, "-f", "json").json["updated_workflows"] == [made]
    twin = new(torc, user, name)
    said = torc("workflows", "get", name)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"Error: 2 workflows are named {name!r}; say which by ID: {made}, {twin}.\n"


def test_a_name_that_no_workflow_has_is_refused(torc):
    said = torc("workflows", "get", "nothing is called so", "-f", "json")
    assert said.code == 1
    assert said.json["status"] == "error"
    assert "there is no workflow named 'nothing is called so'" in said.err


def test_who_has_none_is_told_so(terminal, user):
    said = terminal("workflows", "get", env=user)
    assert (said.code, said.out) == (1, "")
    assert f"No workflows found for user: {user['USER']}" in said.err


def test_the_only_one_is_taken_and_named(torc, terminal, user):
    made = new(torc, user, "alone")
    said = terminal("workflows", "status", env=user)
    assert said.code == 0
    assert said.out.startswith(f"Workflow Status for ID {made}:")
    assert f"Workflow {made} (alone), the only one of" in said.err


def test_of_several_the_person_chooses(torc, terminal, user):
    first, second = new(torc, user, "first", "--description", "d" * 60), new(torc, user, "n" * 60)
    new_archived = new(torc, user, "put away")
    torc("workflows", "archive", "true", new_archived)
    said = terminal("workflows", "get", typed=f"{first}\n", env=user)
    assert (said.code, said.out.splitlines()[0]) == (0, f"Workflow ID {first}:")
    heading, *lines = said.err.partition("Available workflows:")[2].splitlines()[1:]
    assert heading.split() == ["ID", "Name", "Description", "Created"]
    assert [line.split()[0] for line in lines[:2]] == [str(second), str(first)]
    assert "put away" not in said.err
    somebody = terminal("workflows", "get", "--user", user["USER"], typed=f"{second}\n")
    assert somebody.out.startswith(f"Workflow ID {second}:")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("one\n", "Invalid input. Please enter a numeric workflow ID."),
        ("\x04", "Invalid input. Please enter a numeric workflow ID."),
        ("999999\n", "Invalid workflow ID: 999999"),
    ],
)
def test_another_answer_is_refused(torc, terminal, user, typed, sentence):
    new(torc, user, "first"), new(torc, user, "second")
    said = terminal("workflows", "delete", typed=typed, env=user)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_a_narrow_terminal_shows_what_fits(torc, terminal, user):
    new(torc, user, "first"), new(torc, user, "second" * 9)
    said = terminal("workflows", "get", typed="x\n", env={**user, "COLUMNS": "40"})
    assert max(map(len, said.err.splitlines()[1:4])) <= 40


@pytest.mark.parametrize("words", [["workflows", "get", "--no-prompts"], ["jobs", "list", "-f", "json"]])
def test_nobody_is_asked_with_no_prompts_or_in_json(torc, terminal, user, words):
    new(torc, user, "alone")
    said = terminal(*words, env=user)
    assert (said.code, said.out) == (2, "")
    assert "the following arguments are required: WORKFLOW_ID" in said.err


def test_without_a_terminal_nothing_is_guessed(torc, user):
    new(torc, user, "alone")
    for line in ("workflows delete", "workflows archive true", "workflows cancel", "jobs list", "workflows run"):
        said = torc(*line.split(), env=user)
        assert (said.code, said.out) == (2, "")
        assert re.match(r"error: the following arguments are required: WORKFLOW_ID", said.err)


def test_deletion_is_asked_for_and_a_no_deletes_nothing(torc, terminal, user):
    made = new(torc, user, "precious")
    said = terminal("workflows", "delete", made, typed="n\n", env=user)
    assert said.code == 0
    assert "(precious) has 0 jobs. Are you sure you want to delete this workflow? (y/N):" in said.err
    assert f"Deletion cancelled for workflow {made}." in said.err
    assert torc("workflows", "get", made).code == 0
    piped = torc("workflows", "delete", made, env=user)
    assert (piped.code, piped.out) == (1, "")
    assert "--no-prompts" in piped.err
    assert torc("workflows", "get", made).code == 0
    assert terminal("workflows", "delete", typed="y\n", env=user).code == 0
    assert torc("workflows", "get", made).code == 1


def test_in_json_deletion_is_not_asked_for(torc, user):
    made = new(torc, user, "precious")
    said = torc("workflows", "delete", made, "-f", "json", env=user)
    assert (said.code, [one["id"] for one in said.json]) == (0, [made])


def test_somebody_elses_workflow_is_only_deleted_by_force(torc, user):
    made = new(torc, user, "precious")
    said = torc("workflows", "delete", made, "--no-prompts")
    assert (said.code, said.out) == (1, "")
    assert f"Cannot delete workflow owned by user '{user['USER']}'" in said.err
    assert torc("workflows", "delete", made, "--no-prompts", "--force").code == 0


def test_a_reset_is_asked_for(torc, terminal, user):
    made = new(torc, user, "precious")
    said = terminal("workflows", "reset-status", made, typed="\n", env=user)
    assert (said.code, said.out) == (0, "")
    assert "Do you want to continue? (y/N):" in said.err
    assert "Reset cancelled." in said.err
