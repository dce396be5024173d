"""The loops around a client: pages, batches, time limits, waiting for a server."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

import torc
import torc.api
from torc import create_jobs, iter_documents, make_api, make_job_label, send_api_command
from torc.api import list_model_fields, wait_for_healthy_database
from torc.errors import ServerAway
from torc.exceptions import DatabaseOffline, InvalidParameter
from torc.openapi_client import DefaultApi, FileModel, JobModel, NotFoundException, WorkflowModel

NOWHERE = "http://127.0.0.1:9/torc-service/v1"


@pytest.fixture
def api(server: Any) -> DefaultApi:
    return make_api(server.url)


def jobs(workflow_id: int, count: int) -> list[JobModel]:
    return [JobModel(workflow_id=workflow_id, name=f"job{index}", command="true") for index in range(count)]


def test_the_library_exports_what_scripts_import() -> None:
    from torc import (  # noqa: F401
        ApiClient,
        Configuration,
        __version__,
        create_jobs,
        iter_documents,
        make_api,
        make_job_label,
        map_function_to_jobs,
        send_api_command,
        setup_logging,
    )

    assert set(torc.__all__) <= set(dir(torc))


def test_a_name_that_torc_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'torc' has no attribute 'make_apy'"):
        torc.make_apy  # type: ignore[attr-defined]  # noqa: B018


def test_importing_torc_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import torc; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["torc"]


def test_credentials_come_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.setenv("TORC_USERNAME", "ann")
    monkeypatch.setenv("TORC_PASSWORD", "secret")
    configuration = make_api(NOWHERE).api_client.configuration
    assert (configuration.host, configuration.username, configuration.password) == (NOWHERE, "ann", "secret")


def test_a_password_in_the_environment_is_not_sent_for_somebody_else(monkeypatch: Any) -> None:
    monkeypatch.setenv("TORC_USERNAME", "ann")
    monkeypatch.setenv("TORC_PASSWORD", "secret")
    assert make_api(NOWHERE, username="bob").api_client.configuration.password is None
    assert make_api(NOWHERE, username="bob", password="own").api_client.configuration.password == "own"


def test_a_command_gives_what_the_method_gives(api: DefaultApi, workflow: int) -> None:
    assert send_api_command(api.get_workflow, workflow, timeout=5) == api.get_workflow(workflow)


def test_a_command_raises_the_refusal_or_returns_none(api: DefaultApi) -> None:
    with pytest.raises(NotFoundException):
        send_api_command(api.get_workflow, 10**9)
    assert send_api_command(api.get_workflow, 10**9, raise_on_error=False) is None


def test_a_command_without_a_server_is_database_offline_or_none() -> None:
    away = make_api(NOWHERE)
    with pytest.raises(DatabaseOffline, match="torc-server run"):
        send_api_command(away.get_workflow, 1)
    assert send_api_command(away.get_workflow, 1, raise_on_error=False) is None


def test_a_mistake_in_a_script_is_not_called_an_outage(api: DefaultApi) -> None:
    with pytest.raises(TypeError):
        send_api_command(api.get_workflow, 1, 2, 3)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, range(25)),
        ({"limit": 7}, range(7)),
        ({"limit": 100}, range(25)),
        ({"limit": 0}, range(0)),
        ({"offset": 20}, range(20, 25)),
        ({"offset": 3, "limit": 4}, range(3, 7)),
    ],
)
def test_all_records_of_a_list_come_in_order(
    options: dict[str, int], wanted: range, api: DefaultApi, workflow: int
) -> None:
    create_jobs(api, jobs(workflow, 25))
    found = [job.name for job in iter_documents(api.list_jobs, workflow, sort_by="id", **options)]
    assert found == [f"job{index}" for index in wanted]


def test_a_list_is_read_page_by_page(api: DefaultApi, workflow: int) -> None:
    create_jobs(api, jobs(workflow, 25))
    offsets = []

    def ten(workflow_id: int, offset: int) -> Any:
        offsets.append(offset)
        return api.list_jobs(workflow_id, offset=offset, limit=10)

    assert len(list(iter_documents(ten, workflow))) == 25
    assert offsets == [0, 10, 20]


def test_jobs_are_sent_in_batches_of_at_most_the_size(api: DefaultApi, workflow: int, monkeypatch: Any) -> None:
    sizes = []
    send = api.create_jobs

    def count(body: Any) -> Any:
        sizes.append(len(body.jobs))
        return send(body)

    monkeypatch.setattr(api, "create_jobs", count)
    created = create_jobs(api, iter(jobs(workflow, 10)), max_transfer_size=4)
    assert sizes == [4, 4, 2]
    assert [job.name for job in created] == [f"job{index}" for index in range(10)]


@pytest.mark.slow
def test_more_jobs_than_fit_into_one_request_are_created(api: DefaultApi, workflow: int) -> None:
    assert len(create_jobs(api, jobs(workflow, 10_001))) == 10_001
    assert api.list_jobs(workflow, limit=1).total_count == 10_001


def test_no_jobs_are_no_request(api: DefaultApi) -> None:
    assert create_jobs(make_api(NOWHERE), []) == []


def test_a_batch_has_room_for_one(api: DefaultApi, workflow: int) -> None:
    with pytest.raises(InvalidParameter, match="max_transfer_size must be at least 1, got 0"):
        create_jobs(api, jobs(workflow, 1), max_transfer_size=0)


def test_a_server_that_answers_is_not_waited_for(api: DefaultApi) -> None:
    wait_for_healthy_database(api)


def test_a_server_that_stays_away_is_given_up() -> None:
    begun = time.monotonic()
    with pytest.raises(DatabaseOffline):
        wait_for_healthy_database(make_api(NOWHERE), timeout_minutes=0.02, poll_seconds=0.1)
    assert time.monotonic() - begun < 15


def test_a_server_that_comes_back_is_noticed(start_server: Callable[..., Any]) -> None:
    first = start_server()
    first.stop()
    waiting = make_api(first.url)
    with pytest.raises(ServerAway):
        waiting.ping()
    start_server("--port", str(first.port))
    wait_for_healthy_database(waiting, timeout_minutes=1)
    assert waiting.create_workflow(WorkflowModel(name="w", user="u")).id == 1


def test_a_label_names_a_job(workflow: int) -> None:
    job = JobModel(workflow_id=workflow, name="train", command="true", id=7, status="ready")
    assert make_job_label(job) == "Job name=train id=7"
    assert make_job_label(job, include_status=True) == "Job name=train id=7 status=ready"


def test_the_fields_of_a_model_can_be_listed() -> None:
    assert {"workflow_id", "name", "path", "st_mtime"} <= set(list_model_fields(FileModel))
