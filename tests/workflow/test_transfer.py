"""Export documents: what is read from them, what is refused, and files that are complete or not there."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from torc.client.api import Client
from torc.errors import Conflict, InvalidSpec, TorcError, Unprocessable
from torc.models.draft import BATCH_JOBS, DraftBatch, DraftDocument, DraftFile, DraftJob, DraftUserData
from torc.models.draft_history import DraftEvent, DraftResult
from torc.models.export import KINDS, Export
from torc.models.status import JobStatus
from torc.models.workflow import Workflow
from torc.workflow.create import batches, create_workflow
from torc.workflow.transfer import read_export, refuse_overwriting, save

RESULT = {
    "job": 0, "run_id": 1, "attempt_id": 1, "return_code": 0, "exec_time_minutes": 1.0, "completion_time": "then",
    "status": "completed", "is_current": True,
}  # fmt: skip
NODE = {
    "hostname": "h", "pid": 1, "start_time": "then", "num_cpus": 1, "memory_gb": 1.0, "num_gpus": 0, "num_nodes": 1,
    "compute_node_type": "local",
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "format": "torc-workflow",
    "version": 1,
    "torc_version": "0.8.0",
    "exported_at": "2026-01-01T00:00:00Z",
    "workflow": {"name": "w", "user": "ann"},
    "status": {"run_id": 1},
    "jobs": [{"name": "a", "command": "true", "state": {"status": "completed", "run_id": 1, "compute_node": 0}}],
    "actions": [
        {
            "trigger_type": "on_workflow_start", "action_type": "run_commands", "action_config": {"commands": ["a"]},
            "state": {"state": "done"},
        }
    ],
    "compute_nodes": [NODE],
    "results": [RESULT],
    "events": [{"timestamp": 1, "kind": "posted", "compute_node": 0, "data": 1}],
}  # fmt: skip


def read(document: Any, **options: bool) -> DraftDocument:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_export(content, "x.json", **options)


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


def test_a_document_is_read_with_all_that_is_in_it() -> None:
    found = read(DOCUMENT)
    assert (found.workflow.name, found.workflow.user) == ("w", "ann")
    assert found.status is not None
    assert [job.name for job in found.jobs] == [job.name for job in found.jobs] == ["a"]
    assert [len(getattr(found, kind)) for kind in KINDS] == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1]


def test_the_lists_of_a_document_are_those_of_a_batch_and_of_an_export() -> None:
    assert set(KINDS) == set(DraftBatch.__struct_fields__) - {"batch"}
    assert set(KINDS) <= set(Export.__struct_fields__)


def test_without_results_the_workflow_begins_anew() -> None:
    found = read(DOCUMENT, skip_results=True)
    assert found.status is None
    assert [job.state for job in found.jobs] == [None]
    assert [action.state for action in found.actions] == [None]
    assert (len(found.results), len(found.events), len(found.compute_nodes)) == (0, 1, 1)


def test_without_events_the_results_stay() -> None:
    found = read(DOCUMENT, skip_events=True)
    assert (len(found.results), len(found.events), len(found.compute_nodes)) == (1, 0, 1)


def test_without_both_nobody_has_worked() -> None:
    assert read(DOCUMENT, skip_results=True, skip_events=True).compute_nodes == []


def test_a_document_may_have_been_laid_out_anew() -> None:
    text = json.dumps(DOCUMENT, indent=3, ensure_ascii=False, sort_keys=True).replace("\n", "\r\n")
    assert [job.name for job in read(b"\xef\xbb\xbf" + text.encode()).jobs] == ["a"]


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"", ["x.json is empty"]),
        (b" \n", ["x.json is empty"]),
        (json.dumps(DOCUMENT).encode()[:-1], ["x.json ends in the middle", "export the workflow again"]),
        (json.dumps(DOCUMENT).encode()[:200], ["x.json ends in the middle"]),
        (b"name: a\njobs: []\n", ["is no JSON object", "`torc workflows create`"]),
        (b"[1]", ["is no JSON object"]),
        (b"7", ["is no JSON object"]),
        (b'{"a": \xff}', ["is no JSON object"]),
        (b"\xff\xfe{\x00}\x00", ["is no JSON object"]),
        (b"[" * 100_000, ["is no JSON object"]),
        ({"name": "w", "jobs": []}, ["looks like a specification", "use `torc workflows create`"]),
        ({"workflow_id": 1}, ['no "format": "torc-workflow"', "export it again"]),
        (DOCUMENT | {"format": 7}, ["not what `torc workflows export` writes"]),
        (DOCUMENT | {"version": 2, "torc_version": "9.9"}, ["torc 9.9 in version 2", "up to version 1", "Upgrade"]),
        (DOCUMENT | {"version": "1"}, ["in version 1 of the format"]),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason_and_the_cure(content: Any, sentences: list[str]) -> None:
    with pytest.raises(InvalidSpec) as refused:
        read(content)
    for sentence in sentences:
        assert sentence in refused.value.message


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"extra": 1}, "extra: torc "),
        ({"workflow": None}, "workflow: Expected `object`, got `null`"),
        ({"workflow": {"name": "w"}}, "workflow: Object missing required field `user`"),
        ({"workflow": {"name": "w", "user": "u", "nmae": 1}}, "workflow: Object contains unknown field `nmae`"),
        ({"status": {"run_id": -1}}, "status.run_id: Expected `int` >= 0"),
        ({"files": {}}, "files: Expected `array`, got `object`"),
        ({"files": [{"name": "f", "path": "p"}, 7]}, "files[1]: Expected `object`, got `int`"),
        ({"files": [{"name": "f", "path": "p", "mtime": 1}]}, "files[0]: Object contains unknown field `mtime`"),
        ({"jobs": [{"name": "a"}]}, "jobs[0]: Object missing required field `command`"),
        ({"jobs": [{"name": "a", "command": "x", "depends_on": ["b"]}]}, "jobs[0].depends_on[0]: Expected `int`"),
        ({"jobs": [{"name": "a", "command": "x", "state": {"statu": 1}}]}, "jobs[0].state: Object contains unknown"),
        ({"results": [{**RESULT, "status": "fine"}]}, "results[0].status: Invalid enum value 'fine'"),
        ({"events": [{"timestamp": 1, "kind": "x"}]}, "events[0].kind: Invalid enum value 'x'"),
        ({"user_data": [{"name": "d", "data": 1}, {}]}, "user_data[1]: Object missing required field `name`"),
    ],
)
def test_a_damaged_document_is_refused_with_the_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        list(batches(read(DOCUMENT | change)))
    assert f"x.json is damaged at {place}" in refused.value.message
    assert "Nothing was imported" in refused.value.message


def test_a_document_that_is_nested_too_deeply_is_refused() -> None:
    deep = b'{"format": "torc-workflow", "version": 1, "workflow": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(InvalidSpec):
        read(deep)


def test_a_document_becomes_a_workflow(client: Client) -> None:
    made = create_workflow(client, read(DOCUMENT))
    (job,) = client.jobs.list(made)
    (result,) = client.results.list(made)
    assert (job.status, result.job_id) == ("completed", job.id)
    assert client.workflows.status(made).run_id == 1
    assert client.doctor() == []
    client.workflows.delete(made)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"jobs": [*DOCUMENT["jobs"], {"name": "b"}]}, r"jobs\[1\]"),
        ({"jobs": [{"name": "a", "command": "x", "depends_on": [5]}]}, r"jobs\[0\].depends_on: index 5 is outside"),
        ({"results": [{**RESULT, "job": 5}]}, r"results\[0\].job: index 5 is outside the 1 jobs"),
    ],
)
def test_a_document_that_is_refused_late_leaves_nothing(client: Client, change: dict[str, Any], sentence: str) -> None:
    before = [workflow.id for workflow in client.workflows.list()]
    with pytest.raises((InvalidSpec, Unprocessable), match=sentence):
        create_workflow(client, read(DOCUMENT | change))
    assert [workflow.id for workflow in client.workflows.list()] == before


def test_big_texts_make_smaller_batches() -> None:
    text = "x" * 1_000_000
    result = DraftResult(
        job=0, run_id=1, attempt_id=1, return_code=0, exec_time_minutes=0, completion_time="", stdout=text,
        status=JobStatus.COMPLETED,
    )  # fmt: skip
    big = DraftDocument(
        workflow=Workflow(name="w", user="u"),
        files=[DraftFile(name="f", path="f")],
        user_data=[DraftUserData(name="d", data=text)] * 50,
        jobs=[DraftJob(name="j", command=text)] * 50,
        results=[result] * 50,
        events=[DraftEvent(timestamp=1, kind="posted", data=text)] * 50,
    )
    found = list(batches(big))
    assert len(found) > 200 * len(text) / (BATCH_JOBS * 4096)
    for kind in ("user_data", "jobs", "results", "events"):
        assert sum(len(getattr(batch, kind)) for batch in found) == 50


def test_a_saved_file_is_complete_and_readable_as_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    save(path, lambda file: file.write(b"new"))
    (tmp_path / "other").touch()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_cannot_be_completed_stays_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")

    def break_off(file: Any) -> None:
        file.write(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(path, break_off)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]
    assert path.read_text() == "old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    save(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_pipe_or_a_device_is_written_to(tmp_path: Path) -> None:
    save(Path("/dev/null"), lambda file: file.write(b"new"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    save(pipe, lambda file: file.write(b"new"))
    assert os.read(reader, 10) == b"new"
    os.close(reader)


@pytest.mark.parametrize("name", ["no/such/folder.json", ".", "/dev/full"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TorcError, match=r"cannot be written: \w+"):
        save(tmp_path / name, lambda file: file.write(b"new"))


def test_a_file_that_is_there_is_not_written_over_unasked(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(Conflict, match="there is there already; .* --force"):
        refuse_overwriting(tmp_path / "there")
    refuse_overwriting(tmp_path / "new")
    refuse_overwriting(Path("/dev/null"))
