"""Defects 47 to 54 of the reference (contract rest-api.md section 9): what grows with a workflow, at 2,000 jobs.

Nothing is timed here: what took time in the reference has to give the right answer within the patience of a client.
The figures are taken by ``python -m benchmarks`` (benchmarks/README.md).
"""

from collections import Counter
from typing import Any

import pytest

from tests.server.scenario import Flow, at_once

MANY = 2000
LAYERS, WIDTH = 40, 5


def pages(flow: Flow, path: str, size: int, **query: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page, as existing clients read them: on by ``count`` while there is more."""
    rows: list[dict[str, Any]] = []
    while True:
        page = flow.get(path, offset=len(rows), limit=size, **query)
        rows += page["items"]
        assert page["count"] == len(page["items"])
        if not page["has_more"]:
            assert page["total_count"] == len(rows)
            return rows
        assert page["count"] > 0, "existing clients would ask for ever"


@pytest.fixture
def fan(flow: Flow) -> list[int]:
    """One job that writes a file, MANY that read it and write one each, and one that reads those; their ids."""
    files = [flow.file(f"f{number}") for number in range(20)]
    head = {"name": "head", "output_file_ids": files[:1]}
    middle = [
        {"name": f"m{number}", "input_file_ids": files[:1], "output_file_ids": [files[1 + number % 19]]}
        for number in range(MANY)
    ]
    return flow.bulk([head, *middle, {"name": "tail", "input_file_ids": files[1:]}])


def finish(flow: Flow, job_ids: list[int]) -> None:
    """Complete claimed jobs as four runners do."""
    node, run_id = flow.node, flow.run_id

    def report(job_id: int) -> dict[str, Any]:
        return {
            "job_id": job_id, "workflow_id": flow.id, "run_id": run_id, "compute_node_id": node, "status": "completed",
            "return_code": 0, "exec_time_minutes": 0.1, "completion_time": "2026-01-01T00:00:00Z",
        }  # fmt: skip

    def complete(first: int) -> None:
        for job_id in job_ids[first::4]:
            flow.post(f"/jobs/{job_id}/complete_job/completed/{run_id}", report(job_id))

    at_once(4, complete)


@pytest.mark.slow
def test_a_large_workflow_is_initialized_claimed_and_released(flow: Flow, fan: list[int]) -> None:  # 47, 49, 50, 52, 53
    head, *middle, tail = fan
    flow.begin()
    assert flow.get(f"{flow.path}/job_counts")["counts"] == {"ready": 1, "blocked": MANY + 1}
    assert [job["id"] for job in flow.claim(MANY)["jobs"]] == [head]
    finish(flow, [head])
    claimed = flow.post(f"{flow.path}/claim_next_jobs", limit=MANY + 1)["jobs"]
    assert [job["id"] for job in claimed] == middle
    assert all(len(job["output_file_ids"]) == 1 for job in claimed)
    assert not flow.is_complete()
    finish(flow, middle)
    assert flow.get(f"/jobs/{tail}")["status"] == "ready"
    finish(flow, [tail])
    assert flow.is_complete()
    assert flow.get(f"{flow.path}/job_counts")["counts"] == {"completed": MANY + 2}
    assert len({result["job_id"] for result in pages(flow, "/results", 700, workflow_id=flow.id)}) == MANY + 2


def test_what_changed_in_a_large_workflow_is_found(flow: Flow) -> None:  # 47
    path, names = f"{flow.path}/process_changed_job_inputs", [f"j{number}" for number in range(MANY)]
    data = flow.add("user_data", name="d", data={"version": 1})
    flow.bulk({"name": name, "input_user_data_ids": [data]} for name in names)
    flow.job("apart")
    flow.begin()
    assert flow.post(path) == {"reinitialized_jobs": []}
    flow.put(f"/user_data/{data}", {"workflow_id": flow.id, "name": "d", "data": {"version": 2}})
    assert flow.post(path, dry_run="true") == {"reinitialized_jobs": names}
    assert flow.get(f"{flow.path}/job_counts")["counts"] == {"ready": MANY + 1}
    assert flow.post(path) == {"reinitialized_jobs": names}
    assert flow.get(f"{flow.path}/job_counts")["counts"] == {"uninitialized": MANY, "ready": 1}


def test_a_list_comes_with_its_relations(flow: Flow, fan: list[int]) -> None:  # 48
    flow.begin()
    rows = pages(flow, "/jobs", 1500, workflow_id=flow.id, include_relationships="true")
    assert [row["id"] for row in rows] == fan
    head, *middle, tail = rows
    assert "depends_on_job_ids" not in head
    assert all(row["depends_on_job_ids"] == [head["id"]] for row in middle)
    assert tail["depends_on_job_ids"] == fan[1:-1]
    assert Counter(row["output_file_ids"][0] for row in middle).total() == MANY
    assert "depends_on_job_ids" not in flow.rows("jobs", limit=2)[1]


def test_relations_are_paged_without_building_the_product(flow: Flow, fan: list[int]) -> None:  # 53
    flow.begin()
    dependencies = pages(flow, f"{flow.path}/job_dependencies", 1300)
    pairs = [(row["job_id"], row["depends_on_job_id"]) for row in dependencies]
    assert sorted(pairs) == sorted([(job_id, fan[0]) for job_id in fan[1:-1]] + [(fan[-1], job) for job in fan[1:-1]])
    files = pages(flow, f"{flow.path}/job_file_relationships", 1300)
    assert Counter((row["producer_job_name"], row["consumer_job_name"]) for row in files) == Counter(
        [("head", f"m{number}") for number in range(MANY)] + [(f"m{number}", "tail") for number in range(MANY)]
    )


def test_all_of_many_before_all_of_many_is_a_group(flow: Flow) -> None:  # 53
    shared = [flow.file("shared")]
    writers = flow.bulk({"name": f"w{number}", "output_file_ids": shared} for number in range(MANY))
    readers = flow.bulk({"name": f"r{number}", "input_file_ids": shared} for number in range(MANY))
    flow.begin()
    middle = MANY * MANY // 2 + 7
    for path in ("job_dependencies", "job_file_relationships"):
        page = flow.get(f"{flow.path}/{path}", offset=middle, limit=5)
        assert (page["total_count"], page["count"], page["has_more"]) == (MANY * MANY, 5, True)
    page = flow.get(f"{flow.path}/job_dependencies", offset=middle, limit=5)
    assert [(row["job_id"], row["depends_on_job_id"]) for row in page["items"]] == [
        (readers[MANY // 2], writers[7 + number]) for number in range(5)
    ]
    first = flow.claim(1)["jobs"][0]["id"]
    report = {
        "job_id": first, "workflow_id": flow.id, "run_id": 1, "compute_node_id": flow.node, "status": "failed",
        "return_code": 1, "exec_time_minutes": 0.1, "completion_time": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    flow.post(f"/jobs/{first}/complete_job/failed/1", report)
    assert flow.get(f"{flow.path}/job_counts")["counts"] == {"failed": 1, "canceled": MANY, "ready": MANY - 1}


@pytest.fixture
def layers(flow: Flow) -> list[list[str]]:
    """Layers of jobs, each fully linked to the next: five to the power of forty paths, two hundred jobs."""
    made: list[list[str]] = []
    for layer in range(LAYERS):
        above = made[-1] if made else []
        made.append([f"{layer}.{number}" for number in range(WIDTH)])
        for name in made[-1]:
            flow.job(name, *above)
    flow.begin()
    return made


def test_jobs_are_walked_and_not_paths(flow: Flow, layers: list[list[str]]) -> None:  # 51
    def counts() -> Counter[str]:
        return Counter(flow.statuses().values())

    below = (LAYERS - 1) * WIDTH
    flow.fail(*layers[0])
    assert counts() == {"failed": WIDTH, "canceled": below}
    flow.post(f"{flow.path}/reset_job_status", failed_only="true")
    assert counts() == {"uninitialized": WIDTH + below}
    flow.post(f"{flow.path}/initialize_jobs", only_uninitialized="true")
    assert counts() == {"ready": WIDTH, "blocked": below}
    flow.run(*layers[0], *layers[1])
    flow.put(f"/jobs/{flow.ids[layers[0][0]]}/manage_status_change/uninitialized/{flow.run_id}")
    flow.post(f"{flow.path}/initialize_jobs", only_uninitialized="true")
    assert counts() == {"completed": WIDTH - 1, "ready": 1, "blocked": below}


@pytest.mark.parametrize("sort_by", ["", "id", "name", "command"])
def test_pages_neither_skip_nor_repeat_while_jobs_change(flow: Flow, sort_by: str) -> None:  # 54
    ids = flow.bulk({"name": f"same{number % 3}"} for number in range(300))
    flow.begin()
    found: list[int] = []
    for offset in range(0, 300, 50):
        found += [row["id"] for row in flow.rows("jobs", offset=offset, limit=50, sort_by=sort_by)]
        assert len(flow.claim(30)["jobs"]) == 30
    assert sorted(found) == ids
    assert found == ids or sort_by == "name"


@pytest.mark.parametrize("reverse_sort", ["true", "false"])
def test_pages_of_equal_jobs_do_not_overlap(flow: Flow, reverse_sort: str) -> None:  # 54
    ids = flow.bulk({"name": "same"} for _ in range(300))
    flow.begin()
    assert len(flow.claim(60)["jobs"]) == 60
    rows = pages(flow, "/jobs", 40, workflow_id=flow.id, sort_by="status", reverse_sort=reverse_sort)
    assert sorted(row["id"] for row in rows) == ids
    assert [row["status"] for row in rows] == sorted((row["status"] for row in rows), reverse=reverse_sort == "false")
