"""Every method that scripts of the existing client call is there, and works against a real server."""

import inspect
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from torc.openapi_client import (
    ApiResponse,
    ApiTypeError,
    ApiValueError,
    ClaimActionRequest,
    ComputeNodesResources,
    DefaultApi,
    EventModel,
    JobModel,
    JobsModel,
    LocalSchedulerModel,
    ResourceRequirementsModel,
    ScheduledComputeNodesModel,
    SlurmSchedulerModel,
    UserDataBatch,
    UserDataModel,
    WorkflowModel,
)

PLAIN = "event file result compute_node scheduled_compute_node local_scheduler slurm_scheduler"

NAMES = {
    *"ping get_version".split(),
    *"create_workflow get_workflow list_workflows update_workflow delete_workflow cancel_workflow".split(),
    *"get_workflow_status update_workflow_status reset_workflow_status reset_job_status initialize_jobs".split(),
    *"is_workflow_complete is_workflow_uninitialized process_changed_job_inputs".split(),
    *"list_required_existing_files list_missing_user_data list_job_ids list_job_dependencies".split(),
    *"list_job_file_relationships list_job_user_data_relationships".split(),
    *"get_latest_event_timestamp get_ready_job_requirements".split(),
    *"claim_jobs_based_on_resources claim_next_jobs".split(),
    *"create_workflow_action get_workflow_actions get_pending_actions claim_action".split(),
    *"create_job create_jobs get_job list_jobs update_job delete_job delete_jobs".split(),
    *"start_job complete_job manage_status_change".split(),
    *"create_user_data get_user_data list_user_data update_user_data delete_user_data delete_all_user_data".split(),
    *"create_resource_requirements get_resource_requirements list_resource_requirements".split(),
    *"update_resource_requirements delete_resource_requirement delete_resource_requirements".split(),
    *(f"{verb}_{noun}" for verb in ("create", "get", "update", "delete") for noun in PLAIN.split()),
    *(f"{verb}_{noun}s" for verb in ("list", "delete") for noun in PLAIN.split()),
}
VARIANTS = ("_with_http_info", "_without_preload_content")
METHODS = {name for name, _ in inspect.getmembers(DefaultApi, inspect.isfunction) if not name.startswith("_")}


def event(scene: Any) -> EventModel:
    return EventModel(workflow_id=scene.workflow_id, timestamp=0, data={"category": "mine"})


def needs(scene: Any) -> ResourceRequirementsModel:
    return ResourceRequirementsModel(workflow_id=scene.workflow_id, name="small", memory="1g", runtime="PT5M")


def allocation(scene: Any) -> ScheduledComputeNodesModel:
    return ScheduledComputeNodesModel(
        workflow_id=scene.workflow_id, scheduler_id=77, scheduler_config_id=1, scheduler_type="slurm", status="pending"
    )


def local(scene: Any) -> LocalSchedulerModel:
    return LocalSchedulerModel(workflow_id=scene.workflow_id, memory="8g", num_cpus=4)


def slurm(scene: Any) -> SlurmSchedulerModel:
    return SlurmSchedulerModel(workflow_id=scene.workflow_id, name="short", account="a", nodes=1, walltime="04:00:00")


def create_result(api: DefaultApi, scene: Any) -> Any:
    job, node = scene.job(), scene.node()
    return api.create_result(scene.result_model(job.id, node.id))


def create_jobs(api: DefaultApi, scene: Any) -> Any:
    jobs = [JobModel(workflow_id=scene.workflow_id, name=str(index), command="true") for index in range(3)]
    created = api.create_jobs(JobsModel(jobs=jobs))
    assert [job.name for job in created.jobs] == ["0", "1", "2"]
    return created


def linked_jobs(scene: Any, kind: str) -> None:
    record = getattr(scene, kind)()
    scene.job(**{f"output_{kind}_ids": [record.id]})
    scene.job(**{f"input_{kind}_ids": [record.id]})


def job_links(api: DefaultApi, scene: Any, kind: str) -> Any:
    linked_jobs(scene, kind)
    found = getattr(api, f"list_job_{kind}_relationships")(scene.workflow_id)
    assert [(pair.producer_job_name, pair.consumer_job_name) for pair in found.items] == [("job", "job")]
    return found


def job_dependencies(api: DefaultApi, scene: Any) -> Any:
    first = scene.job()
    second = scene.job(depends_on_job_ids=[first.id])
    found = api.list_job_dependencies(scene.workflow_id)
    assert [(pair.job_id, pair.depends_on_job_id) for pair in found.items] == [(second.id, first.id)]
    return found


def claim_by_resources(api: DefaultApi, scene: Any) -> Any:
    job = scene.ready_job()
    offer = ComputeNodesResources(num_cpus=4, memory_gb=8, num_gpus=0, num_nodes=1)
    found = api.claim_jobs_based_on_resources(scene.workflow_id, 4, offer, "gpus_memory_runtime")
    assert [claimed.id for claimed in found.jobs] == [job.id]
    return found


def claim_action(api: DefaultApi, scene: Any) -> Any:
    action = api.create_workflow_action(scene.workflow_id, scene.action_model())
    scene.ready_job()
    pending = api.get_pending_actions(scene.workflow_id, trigger_type=["on_workflow_start", "on_worker_start"])
    assert [each.id for each in pending] == [action.id]
    return api.claim_action(scene.workflow_id, action.id, ClaimActionRequest())


def complete_job(api: DefaultApi, scene: Any) -> Any:
    job, node = scene.running_job()
    done = api.complete_job(job.id, "completed", scene.run_id, scene.result_model(job.id, node.id))
    assert (done.status, api.list_results(scene.workflow_id).count) == ("completed", 1)
    return done


def start_job(api: DefaultApi, scene: Any) -> Any:
    job, _ = scene.running_job()
    assert api.get_job(job.id).status == "running"
    return job


def latest(api: DefaultApi, scene: Any) -> Any:
    stored = api.create_event(event(scene))
    assert str(stored.timestamp) in str(api.get_latest_event_timestamp(scene.workflow_id))
    return stored


def ready_requirements(api: DefaultApi, scene: Any) -> Any:
    scene.ready_job()
    found = api.get_ready_job_requirements(scene.workflow_id)
    assert (found.num_jobs, found.num_cpus, found.max_runtime) == (1, 1, "P0DT1M")
    return found


def update_job(api: DefaultApi, scene: Any) -> Any:
    job = scene.job(invocation_script="bash run.sh")
    job.command, job.invocation_script = "false", None
    changed = api.update_job(job.id, job)
    assert (changed.command, changed.invocation_script) == ("false", None)
    return changed


def status(api: DefaultApi, scene: Any) -> Any:
    present = api.get_workflow_status(scene.workflow_id)
    present.run_id, present.is_archived = 5, True
    return api.update_workflow_status(scene.workflow_id, present)


Call = Callable[[DefaultApi, Any], Any]


def workflow(name: str, *arguments: Any) -> Call:
    """A call with the id of a workflow that has a job."""

    def call(api: DefaultApi, scene: Any) -> Any:
        scene.job()
        return getattr(api, name)(scene.workflow_id, *arguments)

    return call


CALLS: dict[str, Call] = {
    "ping": lambda api, scene: api.ping(),
    "get_version": lambda api, scene: api.get_version(),
    "create_workflow": lambda api, scene: api.create_workflow(WorkflowModel(name="new", user="tester")),
    "list_workflows": lambda api, scene: api.list_workflows(0, "name", True, 5, user="tester", is_archived=False),
    "update_workflow": lambda api, scene: api.update_workflow(
        scene.workflow_id, WorkflowModel(name="renamed", user="tester")
    ),
    "update_workflow_status": status,
    "initialize_jobs": workflow("initialize_jobs", True, False),
    "reset_job_status": workflow("reset_job_status", True),
    "reset_workflow_status": workflow("reset_workflow_status", True),
    "process_changed_job_inputs": workflow("process_changed_job_inputs", True),
    "list_job_dependencies": job_dependencies,
    "list_job_file_relationships": lambda api, scene: job_links(api, scene, "file"),
    "list_job_user_data_relationships": lambda api, scene: job_links(api, scene, "user_data"),
    "get_latest_event_timestamp": latest,
    "get_ready_job_requirements": ready_requirements,
    "claim_jobs_based_on_resources": claim_by_resources,
    "claim_next_jobs": lambda api, scene: scene.running_job()[0],
    "create_workflow_action": lambda api, scene: api.create_workflow_action(scene.workflow_id, scene.action_model()),
    "claim_action": claim_action,
    "get_pending_actions": claim_action,
    "create_job": lambda api, scene: scene.job(),
    "create_jobs": create_jobs,
    "get_job": lambda api, scene: api.get_job(scene.job().id),
    "update_job": update_job,
    "delete_job": lambda api, scene: api.delete_job(scene.job().id),
    "start_job": start_job,
    "complete_job": complete_job,
    "manage_status_change": lambda api, scene: api.manage_status_change(scene.ready_job().id, "disabled", scene.run_id),
    **{
        name: workflow(name)
        for name in (
            "get_workflow",
            "delete_workflow",
            "cancel_workflow",
            "get_workflow_status",
            "is_workflow_complete",
            "is_workflow_uninitialized",
            "list_required_existing_files",
            "list_missing_user_data",
            "list_job_ids",
            "get_workflow_actions",
            "list_jobs",
            "delete_jobs",
        )
    },
}

MAKERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "file": (lambda scene: scene.file(), "files"),
    "user_data": (lambda scene: scene.user_data(data={"a": [1]}), "user_data"),
    "event": (lambda scene: scene.api.create_event(event(scene)), "events"),
    "resource_requirements": (
        lambda scene: scene.api.create_resource_requirements(needs(scene)),
        "resource_requirements",
    ),
    # what the server says to a new node alone is not part of the record
    "compute_node": (lambda scene: scene.api.get_compute_node(scene.node().id), "compute_nodes"),
    "scheduled_compute_node": (
        lambda scene: scene.api.create_scheduled_compute_node(allocation(scene)),
        "scheduled_compute_nodes",
    ),
    "local_scheduler": (lambda scene: scene.api.create_local_scheduler(local(scene)), "local_schedulers"),
    "slurm_scheduler": (lambda scene: scene.api.create_slurm_scheduler(slurm(scene)), "slurm_schedulers"),
    "result": (lambda scene: scene.result(), "results"),
}
DELETES = {
    "user_data": ("delete_user_data", "delete_all_user_data"),
    "resource_requirements": ("delete_resource_requirement", "delete_resource_requirements"),
}


def plain_calls(one: str, make: Callable[[Any], Any], many: str) -> dict[str, Call]:
    """The six calls of a plain resource."""
    delete_one, delete_many = DELETES.get(one, (f"delete_{one}", f"delete_{many}"))

    def get(api: DefaultApi, scene: Any) -> Any:
        made = make(scene)
        assert getattr(api, f"get_{one}")(made.id) == made
        return made

    def page(api: DefaultApi, scene: Any) -> Any:
        made = make(scene)
        found = getattr(api, f"list_{many}")(scene.workflow_id, limit=10, sort_by="id", reverse_sort=True)
        assert (found.items[0], found.has_more, found.offset) == (made, False, 0)
        return found

    def update(api: DefaultApi, scene: Any) -> Any:
        made = make(scene)
        changed = getattr(api, f"update_{one}")(made.id, made)
        assert changed == made
        return changed

    def delete(api: DefaultApi, scene: Any) -> Any:
        made = make(scene)
        assert getattr(api, delete_one)(made.id, force=True) == made
        return made

    def delete_all(api: DefaultApi, scene: Any) -> Any:
        made = make(scene)
        answer = getattr(api, delete_many)(scene.workflow_id, force=True)
        assert made not in getattr(api, f"list_{many}")(scene.workflow_id).items
        return answer

    return {
        f"create_{one}": lambda api, scene: make(scene),
        f"get_{one}": get,
        f"list_{many}": page,
        f"update_{one}": update,
        delete_one: delete,
        delete_many: delete_all,
    }


for one, (make, many) in MAKERS.items():
    CALLS |= plain_calls(one, make, many)
CALLS["create_result"] = create_result
CALLS["create_user_data_batch"] = lambda api, scene: api.create_user_data_batch(
    UserDataBatch(user_data=[UserDataModel(workflow_id=scene.workflow_id, name="one of many")])
)
OURS = {"create_user_data_batch"}
"""What the existing client does not have."""


def test_every_method_of_the_existing_client_is_there() -> None:
    assert {name for name in METHODS if not name.endswith(VARIANTS)} == NAMES | OURS
    assert CALLS.keys() == NAMES | OURS


@pytest.mark.parametrize("name", sorted(NAMES | OURS))
def test_a_method_works(name: str, api: DefaultApi, scene: Any) -> None:
    answer = CALLS[name](api, scene)
    assert isinstance(answer, (msgspec.Struct, dict, list)) or name == "get_version"


def test_every_method_has_its_two_variants() -> None:
    assert {name + variant for name in NAMES | OURS for variant in VARIANTS} == METHODS - NAMES - OURS


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_says_what_it_does_and_takes(name: str) -> None:
    method = getattr(DefaultApi, name)
    assert method.__doc__
    assert "options" in inspect.signature(method).parameters


def test_a_variant_gives_the_record_with_status_headers_and_bytes(api: DefaultApi, scene: Any) -> None:
    answer = api.get_workflow_with_http_info(scene.workflow_id)
    assert isinstance(answer, ApiResponse)
    assert answer.data == api.get_workflow(scene.workflow_id)
    assert (answer.status_code, answer.headers["CONTENT-TYPE"]) == (200, "application/json")
    assert msgspec.json.decode(answer.raw_data)["id"] == scene.workflow_id


def test_a_variant_leaves_the_body_to_its_caller(api: DefaultApi, scene: Any) -> None:
    answer = api.get_workflow_without_preload_content(id=scene.workflow_id)
    assert (answer.status, msgspec.json.decode(answer.read())["id"]) == (200, scene.workflow_id)


def test_a_variant_leaves_a_refusal_to_its_caller(api: DefaultApi) -> None:
    assert api.get_workflow_without_preload_content(10**9).status == 404


def test_a_variant_changes_nothing_for_others(api: DefaultApi, scene: Any) -> None:
    api.get_workflow_with_http_info(scene.workflow_id)
    assert isinstance(api.get_workflow(scene.workflow_id), WorkflowModel)


def test_an_argument_that_does_not_exist_is_refused(api: DefaultApi, scene: Any) -> None:
    with pytest.raises(ApiTypeError, match="_request_timout"):
        api.get_workflow(scene.workflow_id, _request_timout=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_id_is_not_sent(missing: Any, api: DefaultApi) -> None:
    with pytest.raises(ApiValueError, match="an id is missing"):
        api.delete_file(missing)


def test_a_lists_second_copy_of_its_rows_is_not_asked_for(api: DefaultApi, scene: Any) -> None:
    scene.job()
    answer = api.list_jobs_with_http_info(scene.workflow_id)
    assert b'"items"' in answer.raw_data
    assert b'"jobs"' not in answer.raw_data
