"""The OpenAPI document is valid, is what is kept in docs/, and is true: a fuzzer cannot make the server break it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Http, Server
from torc.server.openapi import document
from torc.server.routes import described

DOCUMENT = document(described())
KEPT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = ["stream_workflow_events"]  # never ends, which the fuzzer would wait for

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(operation_id=ENDLESS)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_the_document_in_docs_is_the_one_the_server_gives(http: Http) -> None:
    assert yaml.safe_load(KEPT.read_text()) == DOCUMENT, "write it anew: torc-server openapi > docs/openapi.yaml"
    assert http.get("/openapi.json").json == DOCUMENT


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for path in DOCUMENT["paths"].values() for operation in path.values())


class Ids:
    """Numbers made up by the fuzzer, folded so that most of them are ids that exist."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.count = count

    def fold(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**62:
            return value
        return self.first + value % self.count

    def folded(self, value: Any) -> Any:
        """The same value, with what is called an id folded."""
        if isinstance(value, dict):
            return {key: self.fold(item) if key.endswith("_id") else self.folded(item) for key, item in value.items()}
        return value


@pytest.fixture
def ids(http: Http) -> Iterator[Ids]:
    """Two workflows with a few records of every kind; of each kind, some ids among the first four exist."""
    first = 0
    for number in range(2):
        workflow = http.post("/workflows", {"name": f"fuzzed {number}", "user": "u"}).json["id"]
        first = first or workflow
        node = {"hostname": "h", "pid": 1, "start_time": "2026-01-01T00:00:00Z", "compute_node_type": "local"}
        for path, body in (
            ("/files", {"name": "f", "path": "/f"}),
            ("/user_data", {"name": "d", "data": {"a": 1}}),
            ("/jobs", {"name": "j", "command": "true"}),
            ("/compute_nodes", {**node, "num_cpus": 1, "num_gpus": 0, "num_nodes": 1, "memory_gb": 1.0}),
            ("/events", {"timestamp": 0, "data": {"category": "note"}}),
        ):
            reply = http.post(path, {"workflow_id": workflow, **body})
            assert reply.status == 200, reply.text
        http.post(f"/workflows/{workflow}/initialize_jobs")
    yield Ids(first, 3)


@pytest.mark.slow
@SCHEMA.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_server_or_the_document(case: schemathesis.Case, server: Server, ids: Ids) -> None:
    case.path_parameters = ids.folded(case.path_parameters)
    case.query = ids.folded(case.query)
    case.body = ids.folded(case.body)
    case.call_and_validate(base_url=server.url, checks=CHECKS)


@pytest.mark.slow
def test_the_database_is_sound_after_all_that(http: Http) -> None:
    assert http.get("/doctor").json == {"problems": []}
