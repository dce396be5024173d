"""The client against a real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from torc.client import resources
from torc.client.api import Client
from torc.errors import NotFound, TorcError
from torc.models.draft import DraftBatch, DraftCounts, DraftJob, DraftRequest
from torc.models.file import File
from torc.models.job import Job
from torc.models.workflow import InitializeRequest, Workflow


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


def test_a_record_is_created_read_updated_and_deleted(client, workflow):
    made = client.files.create(File(workflow_id=workflow, name="f", path="a"))
    assert client.files.get(made.id) == made
    changed = client.files.update(made.id, File(workflow_id=workflow, name="f", path="b"))
    assert changed.path == "b"
    assert client.files.delete(made.id).path == "b"
    with pytest.raises(NotFound, match=f"File not found with ID: {made.id}"):
        client.files.get(made.id)


def test_a_list_goes_on_until_the_last_page(client, workflow, monkeypatch):
    monkeypatch.setattr(resources, "PAGE_ROWS", 3)
    names = [f"f{i}" for i in range(8)]
    for name in names:
        client.files.create(File(workflow_id=workflow, name=name, path=name))
    assert [file.name for file in client.files.list(workflow)] == names
    assert [file.name for file in client.files.list(workflow, limit=4)] == names[:4]
    assert [file.name for file in client.files.list(workflow, limit=0)] == []
    assert [file.name for file in client.files.list(workflow, offset=6)] == names[6:]
    assert [file.name for file in client.files.list(workflow, sort_by="name", reverse_sort=True, limit=2)] == [
        "f7",
        "f6",
    ]
    assert [file.id for file in client.files.list(workflow, name="f3")] == [
        client.files.page(workflow, offset=3).items[0].id
    ]


def test_threads_share_one_client(client, workflow):
    def create(number: int) -> int | None:
        return client.files.create(File(workflow_id=workflow, name=f"f{number}", path=f"f{number}")).id

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(create, range(64)))
    assert sorted(file.id for file in client.files.list(workflow)) == sorted(ids)


def test_jobs_are_created_together_and_counted(client, workflow):
    made = client.jobs.create_many([Job(workflow_id=workflow, name=f"j{i}", command="true") for i in range(3)])
    assert [job.name for job in made] == ["j0", "j1", "j2"]
    assert client.workflows.is_uninitialized(workflow)
    assert client.workflows.initialize(workflow, InitializeRequest(user="tester")).jobs_ready == 3
    counts = client.workflows.job_counts(workflow)
    assert {status: count for status, count in counts.items() if count} == {"ready": 3}
    assert not client.workflows.is_uninitialized(workflow)
    assert client.workflows.status(workflow).run_id == 1
    assert not client.workflows.is_complete(workflow).is_complete


def test_a_draft_belongs_to_its_token_and_shows_when_it_is_finished(client):
    draft = client.drafts.create(DraftRequest(workflow=Workflow(name="d", user="drafter"), counts=DraftCounts(jobs=1)))
    batch = DraftBatch(batch=1, jobs=[DraftJob(name="j", command="true")])
    client.drafts.add(draft.workflow_id, draft.token, batch)
    client.drafts.add(draft.workflow_id, draft.token, batch)  # the answer may have been lost
    with pytest.raises(NotFound):
        client.drafts.finalize(draft.workflow_id, "guess")
    assert list(client.workflows.list(user="drafter")) == []
    assert client.drafts.finalize(draft.workflow_id, draft.token).id == draft.workflow_id
    assert [job.name for job in client.jobs.list(draft.workflow_id)] == ["j"]
    client.workflows.delete(draft.workflow_id)


def test_a_bad_filter_is_the_servers_sentence(client, workflow):
    with pytest.raises(TorcError, match="no_such_column"):
        list(client.jobs.list(workflow, sort_by="no_such_column"))


def test_ping_tells_whether_a_server_answers(client):
    assert client.ping()
    assert not Client("http://127.0.0.1:9/torc-service/v1").ping()
