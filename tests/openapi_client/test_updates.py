"""Get a record, change it, send it back: what is set to None is cleared, everything else stays."""

from typing import Any

from torc.openapi_client import DefaultApi, WorkflowModel


def test_the_description_of_a_workflow_can_be_cleared(api: DefaultApi, scene: Any) -> None:
    record = api.get_workflow(scene.workflow_id)
    record.description = "long"
    record = api.update_workflow(scene.workflow_id, record)
    assert record.description == "long"
    record.description = None
    assert api.update_workflow(scene.workflow_id, record).description is None


def test_a_workflow_keeps_what_the_server_set(api: DefaultApi, scene: Any) -> None:
    before = api.get_workflow(scene.workflow_id)
    after = api.update_workflow(scene.workflow_id, WorkflowModel(name="renamed", user="tester"))
    assert (after.name, after.timestamp, after.owner, after.status_id) == (
        "renamed",
        before.timestamp,
        before.owner,
        before.status_id,
    )


def test_user_data_can_be_cleared(api: DefaultApi, scene: Any) -> None:
    record = scene.user_data(data={"a": 1})
    record.data = None
    assert api.update_user_data(record.id, record).data is None
    assert api.get_user_data(record.id).data is None


def test_a_file_that_is_gone_loses_its_time(api: DefaultApi, scene: Any) -> None:
    record = scene.file(st_mtime=12.5)
    record.st_mtime = None
    assert api.update_file(record.id, record).st_mtime is None


def test_a_job_keeps_its_links_when_they_were_not_asked_for(api: DefaultApi, scene: Any) -> None:
    first = scene.job()
    file = scene.file()
    linked = scene.job(depends_on_job_ids=[first.id], input_file_ids=[file.id])
    (bare,) = [job for job in api.list_jobs(scene.workflow_id).items if job.id == linked.id]
    assert bare.depends_on_job_ids is None
    bare.command = "false"
    api.update_job(bare.id, bare)
    changed = api.get_job(linked.id)
    assert (changed.command, changed.depends_on_job_ids, changed.input_file_ids) == ("false", [first.id], [file.id])


def test_a_jobs_dependencies_can_be_taken_away(api: DefaultApi, scene: Any) -> None:
    linked = scene.job(depends_on_job_ids=[scene.job().id])
    linked.depends_on_job_ids = []
    api.update_job(linked.id, linked)
    assert not api.get_job(linked.id).depends_on_job_ids
