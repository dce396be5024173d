"""The conventions of the wire that hold for every endpoint: contract rest-api.md section 1."""

from http.client import HTTPConnection
from typing import Any

import pytest

from tests.conftest import Http, Server
from torc import __version__
from torc.models.catalogue import PLAIN

ENVELOPE = {"items", "offset", "max_limit", "count", "total_count", "has_more"}


def add_files(http: Http, workflow: int, count: int) -> list[int]:
    bodies = [{"workflow_id": workflow, "name": f"f{number}", "path": f"/{number}"} for number in range(count)]
    return [http.post("/files", body).json["id"] for body in bodies]


def test_every_answer_is_plain_json(http: Http, workflow: int) -> None:
    for path in ("/ping", "/version", f"/workflows/{workflow}", "/nothing", "/workflows/0", "/files"):
        assert http.get(path).headers["content-type"] == "application/json"


def test_ping_and_version(http: Http) -> None:
    assert http.get("/ping").json["status"] == "ok"
    assert http.get("/version").json == __version__


def test_the_request_id_comes_back(http: Http) -> None:
    assert http.request("GET", "/ping", headers={"X-Span-ID": "mine-7"}).headers["x-span-id"] == "mine-7"
    one, other = (http.get("/ping").headers["x-span-id"] for _ in range(2))
    assert one and one != other


def test_a_post_answers_with_the_stored_row(http: Http) -> None:
    stored = http.post("/workflows", {"id": 12345, "name": "w", "user": "u", "status_id": 7, "timestamp": "never"}).json
    assert stored == http.get(f"/workflows/{stored['id']}").json
    assert stored["id"] != 12345
    assert stored["status_id"] == stored["id"]
    assert stored["timestamp"].endswith("Z")
    assert stored["compute_node_wait_for_new_jobs_seconds"] == 60


def test_what_is_not_set_is_left_out(http: Http, workflow: int) -> None:
    (file_id,) = add_files(http, workflow, 1)
    assert http.get(f"/files/{file_id}").json == {
        "id": file_id, "workflow_id": workflow, "name": "f0", "path": "/0",
    }  # fmt: skip
    assert "null" not in http.get("/jobs", workflow_id=workflow).text


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_of_a_request_is_not_looked_at(http: Http, content_type: str) -> None:
    reply = http.request("POST", "/workflows", b'{"name": "w", "user": "u"}', headers={"Content-Type": content_type})
    assert reply.status == 200


def test_null_reads_as_left_out(http: Http, workflow: int) -> None:
    job = {"workflow_id": workflow, "name": "j", "command": "true", "supports_termination": None, "status": None}
    stored = http.post("/bulk_jobs", {"jobs": [job]}).json["jobs"][0]
    assert stored["supports_termination"] is False
    assert stored["status"] == "uninitialized"
    reply = http.post("/files", {"workflow_id": workflow, "name": None, "path": "p"})
    assert reply.status == 400
    assert "`name`" in reply.message


def test_null_inside_user_data_is_kept(http: Http, workflow: int) -> None:
    data = {"a": None, "b": [None, {"c": None}]}
    stored = http.post("/user_data", {"workflow_id": workflow, "name": "d", "is_ephemeral": None, "data": data}).json
    assert stored["data"] == data
    assert http.get(f"/user_data/{stored['id']}").json["data"] == data
    assert http.get("/user_data", workflow_id=workflow).json["items"][0]["data"] == data


def test_what_follows_the_first_value_is_not_read(http: Http) -> None:
    assert http.post("/workflows", b'{"name": "w", "user": "u"}\n{"name": 7}').status == 200
    assert http.post("/workflows", b'{"name": "w", "user": "u", "timestamp": null} , x').status == 200


def test_unknown_fields_are_not_read(http: Http) -> None:
    assert http.post("/workflows", {"name": "w", "user": "u", "colour": "red"}).status == 200


@pytest.mark.parametrize("body", [None, b"", b"null", b"{}", b"garbage"])
def test_an_optional_body_may_be_anything(http: Http, workflow: int, body: bytes | None) -> None:
    for method, path in (("PUT", "cancel"), ("POST", "reset_status"), ("POST", "claim_next_jobs")):
        assert http.request(method, f"/workflows/{workflow}/{path}", body).status == 200
    assert http.request("DELETE", f"/workflows/{workflow}", body).status == 200


@pytest.mark.parametrize("body", [None, b"", b"null", b"  "])
def test_a_required_body_must_be_there(http: Http, body: bytes | None) -> None:
    reply = http.request("POST", "/workflows", body)
    assert reply.status == 400
    assert "body" in reply.message


def test_a_list_comes_in_an_envelope(http: Http, workflow: int) -> None:
    ids = add_files(http, workflow, 5)
    page = http.get("/files", workflow_id=workflow, offset=1, limit=2).json
    assert set(page) == ENVELOPE | {"files"}
    assert page["files"] == page["items"], "as the users' book has it"
    assert [file["id"] for file in page["items"]] == ids[1:3]
    counted = {key: value for key, value in page.items() if key not in ("items", "files")}
    assert counted == {"offset": 1, "max_limit": 10000, "count": 2, "total_count": 5, "has_more": True}
    rest = http.get("/files", workflow_id=workflow, offset=3, limit=2).json
    assert (rest["count"], rest["has_more"]) == (2, False)


def test_pages_of_no_rows(http: Http, workflow: int) -> None:
    add_files(http, workflow, 2)
    assert http.get("/files", workflow_id=workflow, limit=0).json == {
        "items": [], "files": [], "offset": 0, "max_limit": 10000, "count": 0, "total_count": 2, "has_more": True,
    }  # fmt: skip
    beyond = http.get("/files", workflow_id=workflow, offset=7).json
    assert (beyond["count"], beyond["total_count"], beyond["has_more"]) == (0, 2, False)
    assert http.get("/files", workflow_id=999999999).json["items"] == []


@pytest.mark.parametrize(
    "path",
    ["/workflows", "/jobs", *(f"/{resource.path}" for resource in PLAIN)],
)
def test_every_list_takes_paging_and_sorting(http: Http, workflow: int, path: str) -> None:
    query: dict[str, Any] = {"offset": 0, "limit": 10, "sort_by": "id", "reverse_sort": "true"}
    if path != "/workflows":
        query["workflow_id"] = workflow
    reply = http.get(path, **query)
    assert reply.status == 200
    assert set(reply.json) == ENVELOPE | {path.removeprefix("/")}
    assert set(http.request("GET", path, headers={"Prefer": "return=minimal"}, **query).json) == ENVELOPE
    assert http.get(path, **{**query, "sort_by": ""}).status == 200


def test_sorting(http: Http, workflow: int) -> None:
    ids = add_files(http, workflow, 3)
    down = http.get("/files", workflow_id=workflow, sort_by="name", reverse_sort="true").json["items"]
    assert [file["id"] for file in down] == ids[::-1]
    assert [file["id"] for file in http.get("/files", workflow_id=workflow, sort_by="").json["items"]] == ids


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limit": 10001}, "10000"),
        ({"limit": -1}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"sort_by": "colour"}, "sort_by"),
        ({"sort_by": "id; DROP TABLE job"}, "sort_by"),
        ({"reverse_sort": "yes"}, "reverse_sort"),
        ({"nmae": "x"}, "nmae"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(http: Http, workflow: int, query: dict[str, Any], said: str) -> None:
    reply = http.get("/files", workflow_id=workflow, **query)
    assert reply.status == 400
    assert said in reply.message


def test_a_list_without_workflow_is_refused(http: Http) -> None:
    reply = http.get("/files")
    assert (reply.status, reply.message) == (400, "Missing required query parameter workflow_id")


def test_of_a_repeated_parameter_the_first_counts(http: Http, workflow: int) -> None:
    add_files(http, workflow, 2)
    assert http.get("/files", workflow_id=[workflow, 999999], limit=[1, 2]).json["count"] == 1


def test_filters_are_exact(http: Http, workflow: int) -> None:
    add_files(http, workflow, 3)
    (found,) = http.get("/files", workflow_id=workflow, name="f1").json["items"]
    assert found["path"] == "/1"
    assert http.get("/files", workflow_id=workflow, name="f").json["items"] == []
    for ephemeral in (True, False):
        http.post("/user_data", {"workflow_id": workflow, "name": f"d{ephemeral}", "is_ephemeral": ephemeral})
    (kept,) = http.get("/user_data", workflow_id=workflow, is_ephemeral="true").json["items"]
    assert kept["name"] == "dTrue"


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("compute_nodes", "Compute node"),
        ("events", "Event"),
        ("files", "File"),
        ("jobs", "Job"),
        ("resource_requirements", "Resource requirements"),
        ("results", "Result"),
        ("user_data", "User data"),
        ("workflows", "Workflow"),
    ],
)
def test_an_unknown_id_is_404_in_the_words_of_the_contract(http: Http, path: str, noun: str) -> None:
    for method in ("GET", "DELETE"):
        reply = http.request(method, f"/{path}/999999999")
        assert (reply.status, reply.message) == (404, f"{noun} not found with ID: 999999999")


def test_a_record_of_an_unknown_workflow_is_404(http: Http) -> None:
    reply = http.post("/files", {"workflow_id": 999999999, "name": "a", "path": "b"})
    assert (reply.status, reply.message) == (404, "Workflow not found with ID: 999999999")


def test_put_replaces_and_delete_answers_with_what_was(http: Http, workflow: int) -> None:
    (file_id,) = add_files(http, workflow, 1)
    changed = http.put(f"/files/{file_id}", {"workflow_id": workflow, "name": "g", "path": "/g", "st_mtime": 2.5}).json
    assert changed == {"id": file_id, "workflow_id": workflow, "name": "g", "path": "/g", "st_mtime": 2.5}
    cleared = http.put(f"/files/{file_id}", {"workflow_id": workflow, "name": "g", "path": "/g"}).json
    assert "st_mtime" not in cleared
    assert http.delete(f"/files/{file_id}").json == cleared
    assert http.get(f"/files/{file_id}").status == 404


def test_bulk_deletes_answer_in_their_own_words(http: Http, workflow: int) -> None:
    add_files(http, workflow, 2)
    assert http.delete("/files", workflow_id=workflow).json == {"deleted_count": 2}
    http.post("/user_data", {"workflow_id": workflow, "name": "d"})
    assert http.delete("/user_data", workflow_id=workflow).json == {
        "message": f"Deleted 1 user data records for workflow {workflow}",
        "deleted_count": 1,
    }
    http.post("/jobs", {"workflow_id": workflow, "name": "j", "command": "true"})
    assert http.delete("/jobs", workflow_id=workflow).json == {"count": 1}
    http.post("/events", {"workflow_id": workflow, "timestamp": 0, "data": {"a": 1}})
    assert http.delete("/events", workflow_id=workflow).json["count"] >= 1
    assert http.delete("/results", workflow_id=workflow).json == {"count": 0}


def test_events_are_stamped_by_the_server_and_replaced_as_a_whole(http: Http, workflow: int) -> None:
    event = http.post("/events", {"workflow_id": workflow, "timestamp": 1, "data": {"category": "note"}}).json
    assert event["timestamp"] > 1_700_000_000_000
    assert http.put(f"/events/{event['id']}", {"workflow_id": workflow, "data": {"x": 1}}).json["data"] == {"x": 1}
    assert http.put(f"/events/{event['id']}", {"y": 2}).json["data"] == {"y": 2}
    assert http.get("/events", workflow_id=workflow, after_timestamp=event["timestamp"]).json["count"] == 0
    assert http.get("/events", workflow_id=workflow, after_timestamp=event["timestamp"] - 1).json["count"] == 1


def test_a_number_beyond_64_bits_is_refused(http: Http, workflow: int) -> None:
    for path in (f"/workflows/{2**63}", "/workflows/1.0", "/workflows/x", "/workflows/1_0"):
        assert http.get(path).status == 400
    body = {"workflow_id": workflow, "name": "f", "path": "p", "size": 2**63}
    assert http.post("/files", body).status == 400


def test_a_body_may_come_in_chunks(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    parts = (part for part in (b'{"name": "chun', b'ked", "user"', b': "u"}'))
    connection.request("POST", "/torc-service/v1/workflows", parts, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 200
    assert b'"chunked"' in answer.read()
    connection.close()


def test_one_connection_serves_request_after_request(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    socket_before = connection.sock
    for path in ("/ping", "/nothing", "/workflows/x", "/workflows"):
        connection.request("GET", "/torc-service/v1" + path)
        connection.getresponse().read()
    connection.request("POST", "/torc-service/v1/ping", b"a body nobody reads" * 1000)
    connection.getresponse().read()
    connection.request("GET", "/torc-service/v1/ping")
    assert connection.getresponse().read()
    assert connection.sock is socket_before
    connection.close()
