"""What scripts do with models: fill them in, read them, turn them into dicts and JSON and back."""

import copy
import importlib
import json
import pickle
import re
from typing import Any

import pytest

import torc.openapi_client
from torc.openapi_client import (
    ApiClient,
    ComputeNodeModel,
    ComputeNodeSchedule,
    CreateJobsResponse,
    EventModel,
    FileModel,
    JobModel,
    JobsModel,
    JobsSortMethod,
    JobStatus,
    ListJobsResponse,
    LocalSchedulerModel,
    ResourceRequirementsModel,
    ResultModel,
    SlurmSchedulerModel,
    UserDataModel,
    ValidationError,
    WorkflowActionModel,
    WorkflowModel,
    models,
)

MODELS = {
    *"ClaimAction200Response ClaimActionRequest ClaimJobsBasedOnResourcesResponse ClaimNextJobsResponse".split(),
    *"ComputeNodeModel ComputeNodeSchedule ComputeNodesResources CreateJobsResponse DefaultErrorResponse".split(),
    *"EventModel FileModel GetReadyJobRequirementsResponse IsCompleteResponse IsUninitializedResponse".split(),
    *"JobDependencyModel JobFileRelationshipModel JobModel JobStatus JobUserDataRelationshipModel JobsModel".split(),
    *"JobsSortMethod LocalSchedulerModel NotFoundErrorResponse ProcessChangedJobInputsResponse".split(),
    *"ResourceRequirementsModel ResultModel ScheduledComputeNodesModel SlurmSchedulerModel UserDataModel".split(),
    *"WorkflowActionModel WorkflowModel WorkflowStatusModel".split(),
    *(
        f"List{many}Response"
        for many in (
            "ComputeNodes Events Files JobDependencies JobFileRelationships JobUserDataRelationships Jobs "
            "LocalSchedulers MissingUserData RequiredExistingFiles ResourceRequirements Results "
            "ScheduledComputeNodes SlurmSchedulers UserData Workflows"
        ).split()
    ),
}

LEAST: dict[type, dict[str, Any]] = {
    WorkflowModel: {"name": "w", "user": "u"},
    JobModel: {"workflow_id": 1, "name": "j", "command": "true"},
    FileModel: {"workflow_id": 1, "name": "f", "path": "a"},
    UserDataModel: {"workflow_id": 1, "name": "d"},
    ResourceRequirementsModel: {"workflow_id": 1, "name": "r"},
    SlurmSchedulerModel: {"workflow_id": 1, "account": "a", "nodes": 1, "walltime": "1:00:00"},
    LocalSchedulerModel: {"workflow_id": 1},
    ComputeNodeModel: {
        "workflow_id": 1,
        "hostname": "h",
        "pid": 1,
        "start_time": "t",
        "num_cpus": 1,
        "memory_gb": 0.5,
        "num_gpus": 0,
        "num_nodes": 1,
        "compute_node_type": "local",
    },
    ResultModel: {
        "job_id": 1,
        "workflow_id": 1,
        "run_id": 1,
        "compute_node_id": 1,
        "return_code": 0,
        "exec_time_minutes": 1,
        "completion_time": "t",
        "status": "completed",
    },
    EventModel: {"workflow_id": 1, "timestamp": 0, "data": {}},
    WorkflowActionModel: {
        "workflow_id": 1,
        "trigger_type": "on_workflow_start",
        "action_type": "run_commands",
        "action_config": {"commands": ["true"]},
    },
    ComputeNodeSchedule: {"num_jobs": 1, "scheduler_id": 1},
}

DEFAULTS: dict[type, dict[str, Any]] = {
    WorkflowModel: {
        "compute_node_expiration_buffer_seconds": 60,
        "compute_node_wait_for_new_jobs_seconds": 60,
        "compute_node_ignore_workflow_completion": False,
        "compute_node_wait_for_healthy_database_minutes": 20,
        "jobs_sort_method": "gpus_runtime_memory",
    },
    JobModel: {"cancel_on_blocking_job_failure": True, "supports_termination": False},
    UserDataModel: {"is_ephemeral": False},
    ResourceRequirementsModel: {"num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory": "1m", "runtime": "P0DT1M"},
    SlurmSchedulerModel: {"qos": "normal"},
    LocalSchedulerModel: {"name": "default"},
}


def job(**fields: Any) -> JobModel:
    return JobModel(workflow_id=1, name="j", command="true", **fields)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_every_model_of_the_existing_client_is_exported() -> None:
    assert set(models.__all__) == MODELS | {"UserDataBatch"}  # which is ours
    assert MODELS <= set(torc.openapi_client.__all__)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_can_be_imported_from_a_module_of_its_own(name: str) -> None:
    module = importlib.import_module(f"torc.openapi_client.models.{snake(name)}")
    assert getattr(module, name) is getattr(torc.openapi_client, name)


@pytest.mark.parametrize("model", LEAST, ids=lambda model: model.__name__)
def test_a_model_is_made_of_its_required_fields_and_has_its_defaults(model: Any) -> None:
    made = model(**LEAST[model])
    wanted = LEAST[model] | DEFAULTS.get(model, {})
    assert {name: getattr(made, name) for name in wanted} == wanted
    sent = ApiClient().sanitize_for_serialization(made)
    assert {name: sent[name] for name in wanted} == wanted


@pytest.mark.parametrize("model", LEAST, ids=lambda model: model.__name__)
def test_a_model_survives_every_way_there_and_back(model: Any) -> None:
    made = model(**LEAST[model])
    assert model.from_dict(made.to_dict()) == made
    assert model.from_json(made.to_json()) == made
    assert model.model_validate(made.model_dump()) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made


@pytest.mark.parametrize(
    ("model", "left_out"),
    [(model, name) for model, fields in LEAST.items() for name in fields if model not in (EventModel,)]
    + [(EventModel, "workflow_id")],
)
def test_a_required_field_that_is_missing_is_named(model: Any, left_out: str) -> None:
    fields = {name: value for name, value in LEAST[model].items() if name != left_out}
    if model is WorkflowActionModel and left_out == "workflow_id":
        assert model(**fields).workflow_id is None  # the path of the request says it
        return
    with pytest.raises(ValidationError, match=rf"{model.__name__}.*`{left_out}`"):
        model(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"workflow_id": "one"}, "JobModel.workflow_id: Expected `int`, got `str`: 'one'"),
        ({"name": None}, "JobModel: Object missing required field `name`: {"),
        ({"supports_termination": 1}, "JobModel.supports_termination: Expected `bool`, got `int`: 1"),
        ({"id": True}, "JobModel.id: Expected `int | null`, got `bool`: True"),
        ({"status": "done"}, "JobModel.status: Invalid enum value 'done': 'done'"),
        ({"input_file_ids": [1, "b"]}, "JobModel.input_file_ids[1]: Expected `int`, got `str`: [1, 'b']"),
        ({"comand": "true"}, "JobModel has no field 'comand'; it has id, workflow_id, name, command, "),
    ],
)
def test_what_does_not_fit_is_refused_with_model_field_and_value(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        JobModel(**{"workflow_id": 1, "name": "j", "command": "true", **fields})


def test_fields_are_given_by_name() -> None:
    with pytest.raises(ValidationError, match="takes its fields by name"):
        JobModel(1, "j", "true")  # type: ignore[call-arg]


def test_a_wrong_field_deep_inside_is_named() -> None:
    with pytest.raises(ValidationError, match=r"JobsModel.jobs\[1\].name: Expected `str`, got `int`"):
        JobsModel.from_dict({"jobs": [LEAST[JobModel], LEAST[JobModel] | {"name": 1}]})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", 7, "JobModel.name: Expected `str`, got `int`: 7"),
        ("status", "done", "JobModel.status: Invalid enum value 'done': 'done'"),
        ("nmae", "x", "JobModel has no field 'nmae'"),
        ("name", None, "JobModel.name: Expected `str`, got `null`: None"),
    ],
)
def test_a_wrong_assignment_is_refused_and_changes_nothing(name: str, value: Any, message: str) -> None:
    changed = job()
    with pytest.raises(ValidationError, match=re.escape(message)):
        setattr(changed, name, value)
    assert changed == job()


def test_none_is_the_default_where_a_field_cannot_be_null() -> None:
    made = JobModel(**LEAST[JobModel], cancel_on_blocking_job_failure=None, status=None)
    assert made == job()
    made.cancel_on_blocking_job_failure = False
    made.cancel_on_blocking_job_failure = None  # type: ignore[assignment]
    assert made.cancel_on_blocking_job_failure is True


def test_null_reads_as_left_out_also_deep_inside() -> None:
    made = JobsModel.from_json(json.dumps({"jobs": [LEAST[JobModel] | {"supports_termination": None, "id": None}]}))
    assert made is not None
    assert made.jobs == [job()]


def test_null_inside_free_data_is_kept() -> None:
    data = {"a": None, "b": [None]}
    assert UserDataModel.from_dict({"workflow_id": 1, "name": "d", "is_ephemeral": None, "data": data}).data == data  # type: ignore[union-attr]


def test_keys_that_a_newer_server_adds_are_passed_over() -> None:
    assert JobModel.from_dict(LEAST[JobModel] | {"new": 1}) == job()


@pytest.mark.parametrize("data", [[1, 2], "text", 3.5, True, {"a": {"b": []}}])
def test_user_data_may_be_any_json(data: Any) -> None:
    assert UserDataModel(workflow_id=1, name="d", data=data).to_dict()["data"] == data


def test_nothing_gives_nothing() -> None:
    assert JobModel.from_dict(None) is None
    assert JobModel.from_json("null") is None


@pytest.mark.parametrize("text", ["[1", "", "7", '"x"'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="JobModel"):
        JobModel.from_json(text)


def test_dumps_leave_out_what_they_are_told_to() -> None:
    made = job(id=3, status="ready")
    assert made.to_dict() == {
        **LEAST[JobModel],
        "id": 3,
        "status": JobStatus.READY,
        "cancel_on_blocking_job_failure": True,
        "supports_termination": False,
    }
    assert made.model_dump()["scheduler_id"] is None
    assert made.model_dump(include={"id", "name"}) == {"id": 3, "name": "j"}
    assert "status" not in made.model_dump(exclude={"status"}, exclude_none=True)
    assert type(made.model_dump(mode="json")["status"]) is str
    assert json.loads(made.model_dump_json(indent=2, include={"id"})) == {"id": 3}


def test_dumps_reach_the_records_within() -> None:
    inner = JobsModel(jobs=[job(id=1)]).to_dict()["jobs"][0]
    assert (inner["id"], "scheduler_id" in inner) == (1, False)


def test_a_copy_can_differ_and_is_checked() -> None:
    made = job(input_file_ids=[1])
    assert made.model_copy(update={"name": "k"}).name == "k"
    assert made.model_copy(deep=True) == made
    with pytest.raises(ValidationError):
        made.model_copy(update={"name": 1})


def test_a_model_is_shown_with_all_its_fields() -> None:
    assert "'scheduler_id': None" in job().to_str()


def test_enums_are_text_and_text_becomes_an_enum() -> None:
    assert WorkflowModel(name="w", user="u", jobs_sort_method="none").jobs_sort_method is JobsSortMethod.NONE
    assert JobStatus.COMPLETED == "completed"
    assert job(status=JobStatus.READY) == job(status="ready")


def test_records_of_different_kinds_are_never_equal() -> None:
    fields: dict[str, Any] = {"jobs": []}
    assert JobsModel(**fields) == JobsModel(**fields)
    assert JobsModel(**fields) != CreateJobsResponse(**fields)


def test_a_page_knows_whether_there_is_more() -> None:
    page = ListJobsResponse.from_dict(
        {"items": [LEAST[JobModel]], "offset": 0, "max_limit": 10, "count": 1, "total_count": 2, "has_more": True}
    )
    assert page is not None
    assert (page.items, page.total_count, page.has_more) == ([job()], 2, True)


def test_an_update_names_every_field_that_can_be_null_but_links_and_what_the_server_sets() -> None:
    body = job(id=3, run_id=1, retries=2).for_update()
    assert body["invocation_script"] is None
    assert body["scheduler_id"] is None
    assert body.keys().isdisjoint({"id", "run_id", "retries", "attempt_id", "depends_on_job_ids", "input_file_ids"})
    assert job(depends_on_job_ids=[]).for_update()["depends_on_job_ids"] == []
