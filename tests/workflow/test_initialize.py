"""Looking at files before a run begins, and beginning it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from torc.client.api import Client
from torc.errors import Conflict, TorcError, Unprocessable
from torc.models.draft import DraftDocument, DraftFile, DraftJob, DraftUserData
from torc.models.workflow import Workflow
from torc.workflow.create import create_workflow
from torc.workflow.initialize import find_files, initialize_workflow


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


@pytest.fixture
def made(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A workflow that reads in.txt and writes out.txt, in the current folder."""
    monkeypatch.chdir(tmp_path)
    document = DraftDocument(
        workflow=Workflow(name="w", user="tester"),
        files=[DraftFile(name="in", path="in.txt"), DraftFile(name="out", path="out.txt")],
        jobs=[DraftJob(name="j", command="cp in.txt out.txt", input_files=[0], output_files=[1])],
    )
    return create_workflow(client, document)


def test_an_input_that_is_not_there_is_refused_and_nothing_changes(client, made):
    found = find_files(client, made)
    assert [file.path for file in found.missing_inputs] == ["in.txt"]
    with pytest.raises(Unprocessable, match=r"in\.txt \('in'\)"):
        initialize_workflow(client, made, found, user="u")
    assert client.workflows.status(made).run_id == 0
    assert initialize_workflow(client, made, found, user="u", ignore_missing_inputs=True).jobs_ready == 1


def test_times_of_files_are_stored(client, made):
    Path("in.txt").write_text("x")
    initialize_workflow(client, made, find_files(client, made), user="u")
    times = {file.name: file.st_mtime for file in client.files.list(made)}
    assert times["in"] == pytest.approx(Path("in.txt").stat().st_mtime)
    assert times["out"] is None


def test_an_output_of_an_earlier_run_need_not_be_there(client, made):
    Path("in.txt").write_text("x")
    initialize_workflow(client, made, find_files(client, made), user="u")
    assert find_files(client, made).missing_inputs == []


def test_outputs_are_deleted_only_when_asked_and_inputs_never(client, made):
    Path("in.txt").write_text("x")
    Path("out.txt").write_text("old")
    found = find_files(client, made)
    assert [file.path for file in found.existing_outputs] == ["out.txt"]
    initialize_workflow(client, made, found, user="u")
    assert Path("out.txt").exists()
    initialize_workflow(client, made, found, user="u", delete_outputs=True)
    assert not Path("out.txt").exists()
    assert Path("in.txt").exists()


def test_an_output_that_is_a_folder_is_named_and_stays(client, made):
    Path("in.txt").write_text("x")
    Path("out.txt").mkdir()
    with pytest.raises(TorcError, match=r"out\.txt cannot be deleted"):
        initialize_workflow(client, made, find_files(client, made), user="u", delete_outputs=True)
    assert client.workflows.status(made).run_id == 0


def test_no_output_is_deleted_while_jobs_run(client, http, made):
    Path("in.txt").write_text("x")
    Path("out.txt").write_text("precious")
    found = find_files(client, made)
    initialize_workflow(client, made, found, user="u")
    assert len(http.post(f"/workflows/{made}/claim_next_jobs", limit=1).json["jobs"]) == 1
    with pytest.raises(Conflict, match="has 1 running jobs"):
        initialize_workflow(client, made, found, user="u", delete_outputs=True)
    assert Path("out.txt").read_text() == "precious"


def test_missing_user_data_is_named(client):
    document = DraftDocument(
        workflow=Workflow(name="w", user="tester"),
        user_data=[DraftUserData(name="config")],
        jobs=[DraftJob(name="j", command="true", input_user_data=[0])],
    )
    made = create_workflow(client, document)
    with pytest.raises(Unprocessable, match="'config'"):
        initialize_workflow(client, made, find_files(client, made), user="u", ignore_missing_inputs=True)
