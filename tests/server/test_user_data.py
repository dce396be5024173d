"""User data stored in batches."""

from tests.conftest import Http


def test_many_user_data_records_are_stored_in_one_request(http: Http, workflow: int) -> None:
    records = [{"workflow_id": workflow, "name": f"d{number}", "data": number} for number in range(3)]
    stored = http.post("/bulk_user_data", {"user_data": records}).json["user_data"]
    assert [(one["name"], one["data"]) for one in stored] == [("d0", 0), ("d1", 1), ("d2", 2)]
    assert http.get(f"/user_data/{stored[1]['id']}").json["data"] == 1


def test_a_batch_of_user_data_is_all_or_nothing(http: Http, workflow: int) -> None:
    good = {"workflow_id": workflow, "name": "good"}
    other = {"workflow_id": workflow + 1, "name": "other"}
    assert http.post("/bulk_user_data", {"user_data": [good, other]}).status == 422
    assert http.post("/bulk_user_data", {"user_data": [good] * 10_001}).status == 422
    assert http.post("/bulk_user_data", {"user_data": [{"workflow_id": 999999999, "name": "x"}]}).status == 404
    assert http.post("/bulk_user_data", {"user_data": []}).json == {"user_data": []}
    assert http.get("/user_data", workflow_id=workflow).json["count"] == 0
