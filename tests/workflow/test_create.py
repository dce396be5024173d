"""From a file to a workflow, or to nothing."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from torc.client.api import Client
from torc.errors import InvalidSpec, TorcError
from torc.models.draft import BATCH_JOBS, DraftBatch, DraftDocument, DraftFile, DraftGroup, DraftJob
from torc.models.workflow import Workflow
from torc.workflow.create import batches, create_workflow
from torc.workflow.read import check_spec

needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


def document(jobs: list[DraftJob], **kinds: Any) -> DraftDocument:
    return DraftDocument(workflow=Workflow(name="made", user="creator"), jobs=jobs, **kinds)


def joined(found: list[DraftBatch], kind: str) -> list[Any]:
    return [record for batch in found for record in getattr(batch, kind)]


def test_a_specification_is_read(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("\ufeffname: sample\njobs: [{name: a, command: echo ü}]\n", encoding="utf-8")
    found = check_spec(path, user="ann").usable()
    assert (found.workflow.name, found.workflow.user) == ("sample", "ann")
    assert found.jobs[0].command == "echo ü"


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "is a folder, not a workflow specification"),
        (lambda path: path.write_bytes(b"name: \xff\xfe"), "byte 6 is not UTF-8 text; save the file in UTF-8"),
        (lambda path: path.write_text(""), ""),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, prepare, sentence):
    path = tmp_path / "s.yaml"
    prepare(path)
    with pytest.raises(InvalidSpec) as refused:
        check_spec(path, user="ann").usable()
    assert str(path) in refused.value.message
    assert sentence in refused.value.message


@needs_permissions
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("name: x")
    path.chmod(0)
    with pytest.raises(InvalidSpec, match="cannot be read: Permission denied"):
        check_spec(path, user="ann").usable()


def test_a_small_document_is_one_batch():
    small = document([DraftJob(name="a", command="true")], files=[DraftFile(name="f", path="f")])
    (batch,) = batches(small)
    assert (batch.batch, len(batch.files), len(batch.jobs)) == (1, 1, 1)


def test_an_empty_document_is_one_batch():
    (batch,) = batches(document([]))
    assert batch == DraftBatch(batch=1)


def test_batches_are_numbered_and_keep_the_order():
    big = document(
        [DraftJob(name=f"j{i}", command="true") for i in range(2 * BATCH_JOBS + 1)],
        files=[DraftFile(name=f"f{i}", path="f") for i in range(BATCH_JOBS + 1)],
        groups=[DraftGroup(members=list(range(10)))] * 3,
    )
    found = list(batches(big))
    assert [batch.batch for batch in found] == list(range(1, len(found) + 1))
    assert all(len(batch.jobs) <= BATCH_JOBS for batch in found)
    for kind in ("files", "groups", "jobs"):
        assert joined(found, kind) == getattr(big, kind)


def test_many_links_make_smaller_batches():
    linked = [DraftJob(name=f"j{i}", command="true", depends_on=list(range(i))) for i in range(1000)]
    found = list(batches(document(linked)))
    assert joined(found, "jobs") == linked
    assert len(found) > 1000 * 1000 / 2 / 4 / BATCH_JOBS


def test_one_record_that_is_bigger_than_a_batch_goes_alone():
    group = DraftGroup(members=list(range(8 * BATCH_JOBS)))
    found = list(batches(document([DraftJob(name="j", command="true")], groups=[group])))
    assert [(len(batch.groups), len(batch.jobs)) for batch in found] == [(1, 0), (0, 1)]


def test_a_document_becomes_a_workflow(client):
    jobs = [DraftJob(name=f"j{i}", command="true", depends_on=[i - 1] if i else []) for i in range(BATCH_JOBS + 10)]
    told: list[tuple[int, int]] = []
    made = create_workflow(client, document(jobs), progress=lambda sent, total: told.append((sent, total)))
    stored = list(client.jobs.list(made, include_relationships=True))
    assert [job.name for job in stored] == [job.name for job in jobs]
    assert stored[-1].depends_on_job_ids == [stored[-2].id]
    assert told[-1] == (len(jobs), len(jobs))
    client.workflows.delete(made)


def test_a_refused_document_leaves_nothing(client, server):
    circle = [DraftJob(name="a", command="x", depends_on=[1]), DraftJob(name="b", command="x", depends_on=[0])]
    with pytest.raises(TorcError, match="a"):
        create_workflow(client, document(circle))
    assert list(client.workflows.list(user="creator")) == []
    assert server.http.get("/doctor").json == {"problems": []}


def test_an_interrupted_creation_leaves_nothing(client):
    def interrupt(sent: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_workflow(client, document([DraftJob(name="a", command="x")]), progress=interrupt)
    assert list(client.workflows.list(user="creator")) == []
