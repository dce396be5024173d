"""Where requests go, as whom, with which headers and within which time."""

import base64
import time
from typing import Any

import pytest

from torc.errors import ServerAway
from torc.openapi_client import ApiClient, ApiValueError, Configuration, DefaultApi

ANSWER = b'{"id": 7, "workflow_id": 1, "name": "f", "path": "p"}'


def basic(text: str) -> str:
    return f"Authorization: Basic {base64.b64encode(text.encode()).decode()}"


def test_credentials_of_the_configuration_are_sent(answering: Any) -> None:
    api = DefaultApi(ApiClient(Configuration(host=answering(ANSWER), username="ann", password="secret")))
    api.get_file(7)
    assert basic("ann:secret") in answering.requests[0]


def test_a_change_of_the_configuration_counts_from_the_next_request_on(answering: Any) -> None:
    configuration = Configuration(host=answering(ANSWER))
    api = DefaultApi(ApiClient(configuration))
    api.get_file(7)
    configuration.username, configuration.password = "ann", "secret"
    api.get_file(7)
    assert "Authorization" not in answering.requests[0]
    assert basic("ann:secret") in answering.requests[1]


def test_headers_of_client_and_request_are_sent(answering: Any) -> None:
    client = ApiClient(Configuration(host=answering(ANSWER)))
    client.set_default_header("X-Team", "blue")
    auth = {"type": "bearer", "in": "header", "key": "Authorization", "value": "Bearer t"}
    DefaultApi(client).get_file(7, _headers={"X-Trace": "9"}, _request_auth=auth, _content_type="text/json")
    for line in ("X-Team: blue", "X-Trace: 9", "Authorization: Bearer t", "Content-Type: text/json"):
        assert line in answering.requests[0]


def test_credentials_go_nowhere_but_into_a_header(answering: Any) -> None:
    api = DefaultApi(ApiClient(Configuration(host=answering(ANSWER))))
    with pytest.raises(ApiValueError, match="_request_auth"):
        api.get_file(7, _request_auth={"in": "query", "key": "k", "value": "v"})


@pytest.mark.parametrize("limit", [0.2, (5.0, 0.2)])
def test_a_silent_server_is_not_waited_for_longer_than_allowed(limit: Any, answering: Any) -> None:
    api = DefaultApi(ApiClient(Configuration(host=answering(None))))
    begun = time.monotonic()
    with pytest.raises(ServerAway, match="time-out"):
        api.delete_file(7, _request_timeout=limit)
    assert time.monotonic() - begun < 4


def test_a_closed_client_opens_again(answering: Any) -> None:
    with ApiClient(Configuration(host=answering(ANSWER))) as client:
        DefaultApi(client).get_file(7)
    assert DefaultApi(client).get_file(7).id == 7


def test_text_in_a_path_stays_one_part_of_it(answering: Any) -> None:
    api = DefaultApi(ApiClient(Configuration(host=answering(ANSWER))))
    api.get_file("../jobs?x=1")  # type: ignore[arg-type]
    assert answering.requests[0].startswith("GET /torc-service/v1/files/..%2Fjobs%3Fx%3D1 ")


def test_clients_and_configurations_have_a_default() -> None:
    own = Configuration(host="http://elsewhere/torc-service/v1")
    try:
        assert Configuration.get_default().host == "http://localhost:8080/torc-service/v1"
        Configuration.set_default(own)
        assert ApiClient().configuration is own
        client = ApiClient()
        ApiClient.set_default(client)
        assert DefaultApi().api_client is client
    finally:
        Configuration.set_default(None)
        ApiClient.set_default(None)
