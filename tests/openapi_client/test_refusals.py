"""What a script sees when the server refuses, when there is none, and when something else answers."""

from typing import Any

import pytest

from torc.errors import ServerAway, UsageError
from torc.openapi_client import (
    ApiClient,
    ApiException,
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    ClaimActionRequest,
    Configuration,
    ConflictException,
    DefaultApi,
    DefaultErrorResponse,
    JobModel,
    NotFoundErrorResponse,
    NotFoundException,
    OpenApiException,
    ServiceException,
    UnprocessableEntityException,
    ValidationError,
)
from torc.openapi_client.exceptions import refusal
from torc.openapi_client.rest import ApiException as FromRest


def test_a_missing_record_is_not_found_with_all_there_is_to_know(api: DefaultApi) -> None:
    with pytest.raises(NotFoundException) as refused:
        api.get_job(10**9)
    error = refused.value
    assert (error.status, error.reason) == (404, "Not Found")
    assert str(error) == "(404) Job not found with ID: 1000000000"
    assert error.body == '{"error":{"message":"Job not found with ID: 1000000000"}}'
    assert isinstance(error.data, NotFoundErrorResponse)
    assert error.headers is not None
    assert error.headers["content-type"] == "application/json"


def test_a_bad_request_names_what_is_bad(api: DefaultApi, scene: Any) -> None:
    with pytest.raises(BadRequestException, match="no_such_column"):
        api.list_jobs(scene.workflow_id, sort_by="no_such_column")


def test_a_rule_is_quoted(api: DefaultApi, scene: Any) -> None:
    job = scene.ready_job()
    with pytest.raises(UnprocessableEntityException, match="Cannot update job when status is 'ready'"):
        api.update_job(job.id, job)


def test_the_second_to_claim_an_action_hears_of_a_conflict(api: DefaultApi, scene: Any) -> None:
    action = api.create_workflow_action(scene.workflow_id, scene.action_model())
    scene.ready_job()
    api.claim_action(scene.workflow_id, action.id or 0, ClaimActionRequest())
    with pytest.raises(ConflictException) as refused:
        api.claim_action(scene.workflow_id, action.id or 0, ClaimActionRequest())
    assert isinstance(refused.value.data, DefaultErrorResponse)
    assert refused.value.data.error["claimed"] is False


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "BadRequest"), (401, "Unauthorized"), (403, "Forbidden"), (500, "Service"), (503, "Service"), (418, "Api")],
)
def test_every_status_has_its_exception(status: int, kind: str) -> None:
    error = refusal(status, "Reason", b"<html>", {})
    assert type(error).__name__ == f"{kind}Exception"
    assert (error.data, str(error)) == (None, f"({status}) <html>")


def test_one_class_catches_every_refusal() -> None:
    assert issubclass(ServiceException, ApiException)
    assert issubclass(ApiException, OpenApiException)
    assert FromRest is ApiException
    assert issubclass(ApiTypeError, TypeError)
    assert issubclass(ApiValueError, ValueError)


def test_nobody_there_is_said_with_a_cure() -> None:
    with DefaultApi(ApiClient(Configuration(host="http://127.0.0.1:9/torc-service/v1"))).api_client as client:
        with pytest.raises(ServerAway, match="torc-server run"):
            DefaultApi(client).create_job(JobModel(workflow_id=1, name="j", command="true"))


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match="is not the URL of a server"):
        DefaultApi(ApiClient(Configuration(host="localhost"))).ping()


@pytest.mark.parametrize("body", [b"<html>", b'{"id": "x"}', b"7"])
def test_an_answer_that_is_no_record_is_explained(body: bytes, answering: Any) -> None:
    api = DefaultApi(ApiClient(Configuration(host=answering(body))))
    with pytest.raises(ValidationError, match="the answer of http://127.0.0.1:.* to GET /jobs/7"):
        api.get_job(7)
