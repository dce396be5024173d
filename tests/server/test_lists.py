"""Every list over HTTP: each filter filters, each field sorts, and a page is bounded."""

import types
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from tests.conftest import Http
from tests.server.scenario import Flow, Stock
from torc.models.catalogue import PLAIN
from torc.models.queries import JobsQuery, ListQuery, Paging, WorkflowsQuery

MODELS = {resource.path: resource.model for resource in PLAIN}


def filters_of(query: type[Paging]) -> Iterator[str]:
    return (name for name in query.__struct_fields__ if name not in ListQuery.__struct_fields__)


NOT_FILTERS = {"all_attempts", "all_runs", "include_relationships", "upstream_job_id"}  # see the tests below
QUERIES: dict[str, type[Paging]] = {resource.path: resource.query for resource in PLAIN} | {"jobs": JobsQuery}
FILTERS = [(path, name) for path, query in QUERIES.items() for name in filters_of(query) if name not in NOT_FILTERS]


@pytest.mark.parametrize(("path", "name"), FILTERS)
def test_a_filter_filters(library: Stock, path: str, name: str) -> None:  # 37
    hit, miss = library.filters()[path][name]
    if hit is not None:
        assert library.found(path, **{name: hit}) == [library.one[path]]
    if miss is not None:
        assert library.found(path, **{name: miss}) == []
    elif hit == "true":
        rest = library.found(path, **{name: "false"})
        assert library.one[path] not in rest and library.other[path] in rest


def test_filters_combine(library: Stock) -> None:  # 37
    assert library.found("slurm_schedulers", account="b", nodes=1, qos="b") == [library.one["slurm_schedulers"]]
    assert library.found("slurm_schedulers", account="b", nodes=2) == []
    assert library.found("jobs", status="uninitialized", needs_file_id=library.one["files"]) == [library.one["jobs"]]


def test_jobs_are_filtered_by_status_and_by_what_they_wait_for(library: Stock) -> None:  # 37
    one = library.one["jobs"]
    assert library.found("jobs", upstream_job_id=one) == [library.reader_of_one]
    assert library.found("jobs", upstream_job_id=library.writer) == []
    assert library.flow.http.get("/jobs", workflow_id=library.flow.id, status="done").status == 400


def test_jobs_are_filtered_by_every_status(flow: Flow) -> None:  # 37
    flow.graph("completed", "failed", "canceled: failed", "running", "pending", "ready", "blocked: ready").begin()
    flow.run("completed").fail("failed")
    flow.ok(flow.start("running"))
    assert [job["name"] for job in flow.claim(1)["jobs"]] == ["pending"]
    flow.graph("uninitialized")
    for name in flow.ids:
        assert [job["name"] for job in flow.rows("jobs", status=name)] == [name]


def test_events_are_filtered_by_time(library: Stock) -> None:  # 37
    at = library.flow.get(f"/events/{library.one['events']}")["timestamp"]
    assert library.one["events"] in library.found("events", after_timestamp=at - 1)
    assert library.one["events"] not in library.found("events", after_timestamp=at)


def test_results_are_current_ones_unless_all_are_asked_for(flow: Flow) -> None:
    flow.graph("a").begin()
    flow.run("a")
    flow.post(f"{flow.path}/initialize")
    assert flow.rows("results") == []
    flow.run("a")
    (current,) = flow.rows("results")
    first, second = flow.rows("results", all_runs="true")
    assert (first["run_id"], second["run_id"], second["id"]) == (1, 2, current["id"])


@pytest.mark.parametrize("name", list(filters_of(WorkflowsQuery)))
def test_workflows_are_filtered(http: Http, flow: Flow, name: str) -> None:
    mark = f"mark-{flow.id}-{name}"
    one = http.post("/workflows", {"name": f"n{mark}", "user": f"u{mark}", "description": f"The {mark}."}).json
    http.put(f"/workflows/{one['id']}/status", {"run_id": 0, "is_canceled": False, "is_archived": True})
    hits = {"name": f"n{mark}", "user": f"u{mark}", "description": mark.upper(), "is_archived": "true"}
    misses = {"name": mark, "user": mark, "description": mark + "x", "is_archived": "false"}

    def found(**query: str) -> list[int]:
        return [row["id"] for row in http.get("/workflows", **query).json["items"]]

    assert one["id"] in found(**{name: hits[name]})
    assert one["id"] not in found(**{name: misses[name]})
    assert flow.id not in found(**{name: hits[name]})


SCALARS = (int, float, str, bool)


def scalar_fields(model: type) -> Iterator[str]:
    for name, kind in get_type_hints(model).items():
        parts = [part for part in get_args(kind) or (kind,) if part is not types.NoneType]
        if all(isinstance(part, type) and issubclass(part, SCALARS) for part in parts):
            yield name


NOT_COLUMNS = {
    "compute_nodes": {"lease_s", "database_id", "generation", "memory"},
    "results": {"exit_code", "stdout", "stderr"},
}
SORTED = [
    (path, name)
    for path, model in MODELS.items()
    for name in (("id", "timestamp", "workflow_id") if path == "events" else scalar_fields(model))
    if name not in NOT_COLUMNS.get(path, ())
]
LIFE = ["uninitialized", "completed", "failed"]


@pytest.mark.parametrize(("path", "name"), SORTED)
def test_a_list_is_sorted_by_any_field(library: Stock, path: str, name: str) -> None:  # 35
    query: dict[str, Any] = {"all_runs": "true"} if path == "results" else {}
    rows = library.flow.rows(path, sort_by=name, **query)
    order = LIFE.index if (path, name) == ("results", "status") else lambda value: value
    keys = [(name in row, order(row[name]) if name in row else 0, row["id"]) for row in rows]
    assert len(keys) >= 2 and keys == sorted(keys)
    assert library.flow.rows(path, sort_by=name, reverse_sort="true", **query) == rows[::-1]


@pytest.mark.parametrize("path", [*MODELS, "jobs", "workflows"])
def test_an_empty_sort_is_none_and_one_that_does_not_exist_is_refused(library: Stock, path: str) -> None:  # 35
    query = {} if path == "workflows" else {"workflow_id": library.flow.id}
    assert library.flow.get(f"/{path}", sort_by="", **query) == library.flow.get(f"/{path}", **query)
    for bad in ("colour", "id; DROP TABLE job", "(SELECT 1)", "rowid", "id DESC"):
        refused = library.flow.http.get(f"/{path}", sort_by=bad, **query)
        assert (refused.status, "sort_by" in refused.message) == (400, True)


def test_the_lists_of_a_workflow_are_sorted_and_bounded(library: Stock) -> None:  # 35, 36
    flow = library.flow
    for name in ("events", "dependency_groups"):
        path = f"{flow.path}/{name}"
        assert flow.get(path, sort_by="id", reverse_sort="true")["items"] == flow.get(path)["items"][::-1]
        for bad in ({"sort_by": "colour"}, {"limit": 10_001}, {"offset": -1}):
            assert flow.http.get(path, **bad).status == 400
    for name in ("job_dependencies", "job_file_relationships", "job_user_data_relationships"):
        path = f"{flow.path}/{name}"
        assert flow.get(path, limit=10**9)["max_limit"] == 100_000, "more is lowered, as existing clients expect"
        assert flow.http.get(path, limit=-1).status == 400
        assert flow.http.get(path, sort_by="job_id").status == 400


@pytest.mark.parametrize("path", [*MODELS, "jobs", "workflows"])
def test_a_page_is_bounded(library: Stock, path: str) -> None:  # 36
    query = {} if path == "workflows" else {"workflow_id": library.flow.id}
    for bad in ({"limit": 10_001}, {"limit": -1}, {"offset": -1}, {"limit": "all"}, {"limit": 2**64}):
        assert library.flow.http.get(f"/{path}", **query, **bad).status == 400
    assert library.flow.get(f"/{path}", limit=10_000, **query)["max_limit"] == 10_000


@pytest.mark.parametrize("sort_by", ["", "id", "name"])
def test_paging_to_the_end_is_stable_while_jobs_change_state(http: Http, workflow: int, sort_by: str) -> None:
    jobs = [{"workflow_id": workflow, "name": f"j{number % 7}", "command": "true"} for number in range(50)]
    ids = [job["id"] for job in http.post("/bulk_jobs", {"jobs": jobs}).json["jobs"]]
    http.post(f"/workflows/{workflow}/initialize_jobs")
    seen: list[int] = []
    has_more = True
    while has_more:
        page = http.get("/jobs", workflow_id=workflow, limit=7, offset=len(seen), sort_by=sort_by).json
        seen += [job["id"] for job in page["items"]]
        has_more = page["has_more"]
        assert http.post(f"/workflows/{workflow}/claim_next_jobs", limit=5).status == 200
        http.put(f"/jobs/{ids[-1]}/manage_status_change/{'disabled' if len(seen) % 2 else 'uninitialized'}/0")
    assert sorted(seen) == ids
