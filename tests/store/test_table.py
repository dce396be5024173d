"""Plain resources: create, read, list, change, delete, and what refuses to be deleted."""

import json

import msgspec
import pytest

from tests.store.scenario import WHEN, Step, every_field
from torc.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from torc.models.catalogue import COMPUTE_NODES, FILES, REQUIREMENTS, RESULTS, USER_DATA
from torc.models.compute_node import ComputeNode
from torc.models.draft import DraftRequirements
from torc.models.file import File
from torc.models.queries import Paging
from torc.models.resource_requirements import ResourceRequirements
from torc.models.user_data import UserData
from torc.store import requirements, table, workflows


@pytest.fixture
def flow(build):
    return build("a")


def make(flow, resource, **fields):
    return table.insert(flow.database, resource, resource.model(workflow_id=flow.workflow_id, **fields))


def update(flow, resource, record_id, record):
    """Write every field of a record."""
    return table.update(flow.database, resource, record_id, record, every_field(record))


def listed(flow, resource=FILES, paging=Paging(), **filters):
    return table.page(flow.database, resource, flow.workflow_id, paging, filters)


SAMPLES = (
    (FILES, {"name": "f", "path": "/f", "st_mtime": 1.25, "size": 3}, {"name": "g", "path": "/g"}),
    (USER_DATA, {"name": "d", "is_ephemeral": True, "data": {"a": [1, None]}}, {"name": "e", "data": "text"}),
    (
        REQUIREMENTS,
        {"name": "r", "num_cpus": 2, "num_gpus": 1, "num_nodes": 3, "memory": "2g", "runtime": "PT1H"},
        {"name": "s", "memory": "1k"},
    ),
    (
        COMPUTE_NODES,
        {
            "hostname": "h", "pid": 5, "start_time": WHEN, "duration_seconds": 1.5, "num_cpus": 2, "memory_gb": 1.5,
            "num_gpus": 0, "num_nodes": 1, "time_limit": "PT1H", "scheduler_config_id": 3, "compute_node_type": "slurm",
            "scheduler": {"job": "7"},
        },
        {
            "hostname": "i", "pid": 6, "start_time": WHEN, "num_cpus": 3, "memory_gb": 2.0, "num_gpus": 1,
            "num_nodes": 2, "compute_node_type": "local",
        },
    ),
)  # fmt: skip
by_resource = pytest.mark.parametrize(
    ("resource", "first", "second"), SAMPLES, ids=lambda value: getattr(value, "path", "")
)


def plain(record, *names):
    """The fields of a record as Python values."""
    built = msgspec.json.decode(msgspec.json.encode(record))
    return {name: built.get(name) for name in names}


@by_resource
def test_a_record_comes_back_as_it_was_stored(flow, resource, first, second):
    stored = make(flow, resource, **first)
    assert plain(stored, *first) == first
    assert table.get(flow.database, resource, stored.id) == stored
    assert stored in listed(flow, resource).items


@by_resource
def test_an_update_replaces_every_column_but_id_and_workflow(flow, resource, first, second):
    stored = make(flow, resource, **first)
    changed = update(flow, resource, stored.id, resource.model(workflow_id=flow.workflow_id, **second))
    assert plain(changed, *second) == second
    assert (changed.id, changed.workflow_id) == (stored.id, flow.workflow_id)
    for name in set(first) - set(second):
        assert plain(changed, name)[name] != first[name], "what was left out is back at its default"


@by_resource
def test_a_deleted_record_is_returned_and_gone(flow, resource, first, second):
    stored, kept = make(flow, resource, **first), make(flow, resource, **second)
    assert table.delete(flow.database, resource, stored.id) == stored
    with pytest.raises(NotFound, match=f"{resource.noun} not found with ID: {stored.id}"):
        table.get(flow.database, resource, stored.id)
    assert table.get(flow.database, resource, kept.id) == kept


@by_resource
def test_an_unknown_record_or_workflow_is_not_found(flow, resource, first, second):
    record = resource.model(workflow_id=77, **first)
    with pytest.raises(NotFound, match="Workflow not found with ID: 77"):
        table.insert(flow.database, resource, record)
    for act in (table.get, table.delete):
        with pytest.raises(NotFound, match="77"):
            act(flow.database, resource, 77)
    with pytest.raises(NotFound, match="77"):
        update(flow, resource, 77, record)
    assert table.page(flow.database, resource, 77, Paging(), {}).items == []


def test_lists_are_filtered_sorted_and_paged(flow):
    ids = [make(flow, FILES, name=name, path=path).id for name, path in (("b", "1"), ("a", "2"), ("a", "3"))]

    def found(paging=Paging(), **filters):
        return [record.id for record in listed(flow, FILES, paging, **filters).items]

    assert found() == ids
    assert found(name="a") == ids[1:]
    assert found(name="a", path="3") == ids[2:]
    assert found(name=None) == ids
    assert found(Paging(sort_by="name")) == [ids[1], ids[2], ids[0]]
    assert found(Paging(sort_by="name", reverse_sort=True)) == [ids[0], ids[2], ids[1]]
    page = listed(flow, FILES, Paging(offset=1, limit=1))
    assert ([record.id for record in page.items], page.count, page.total_count, page.has_more) == ([ids[1]], 1, 3, True)
    last = listed(flow, FILES, Paging(offset=2, limit=5))
    assert (last.count, last.total_count, last.has_more) == (1, 3, False)


@pytest.mark.parametrize("column", ["nothing", "name; DROP TABLE file", "id DESC"])
def test_a_column_that_cannot_be_sorted_by_is_refused(flow, column):
    with pytest.raises(InvalidRequest, match="sort_by"):
        listed(flow, FILES, Paging(sort_by=column))


def test_all_records_of_a_workflow_are_deleted_and_those_of_others_stay(flow, build):
    other = build("z")
    for owner in (flow, flow, other):
        make(owner, FILES, name="f", path="f")
    assert table.delete_all(flow.database, FILES, flow.workflow_id) == 2
    assert (len(listed(flow).items), len(listed(other).items)) == (0, 1)


def test_requirements_that_jobs_use_are_not_deleted(build):
    flow = build(Step("a", needs="r"), needs=[DraftRequirements(name="r"), DraftRequirements(name="free")])
    ids = {record.name: record.id for record in listed(flow, REQUIREMENTS).items}
    with pytest.raises(Conflict, match=f"Resource requirements {ids['r']} cannot be deleted: 1 jobs use it"):
        table.delete(flow.database, REQUIREMENTS, ids["r"])
    with pytest.raises(Conflict):
        table.delete_all(flow.database, REQUIREMENTS, flow.workflow_id)
    assert len(listed(flow, REQUIREMENTS).items) == 3
    table.delete(flow.database, REQUIREMENTS, ids["free"])


def test_a_node_with_results_is_not_deleted(flow):
    flow.initialize()
    runner, idle = flow.runner(), flow.runner()
    runner.take("a")
    runner.finish("a")
    with pytest.raises(Conflict, match="1 results were measured on it"):
        table.delete(flow.database, COMPUTE_NODES, runner.node_id)
    table.delete(flow.database, COMPUTE_NODES, idle.node_id)
    assert [node.id for node in listed(flow, COMPUTE_NODES).items] == [runner.node_id]


@pytest.mark.parametrize("stage", ["pending", "running"])
def test_a_node_with_jobs_is_not_deleted(flow, stage):
    flow.initialize()
    runner = flow.runner()
    runner.claim()
    if stage == "running":
        runner.start("a")
    with pytest.raises(Conflict, match="1 jobs are pending or running on it"):
        table.delete(flow.database, COMPUTE_NODES, runner.node_id)
    with pytest.raises(Conflict):
        table.delete_all(flow.database, COMPUTE_NODES, flow.workflow_id)


def test_a_deleted_file_leaves_its_jobs_without_a_link_to_it(build):
    flow = build(Step("a", writes=["f"]), Step("b", reads=["f"]))
    (file,) = listed(flow).items
    table.delete(flow.database, FILES, file.id)
    assert flow.job("a").output_file_ids is None
    assert flow.select("SELECT * FROM job_input_file") == []


def test_a_result_of_an_earlier_attempt_is_deleted_alone(flow):
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a", "failed")
    flow.initialize()
    runner.take("a")
    runner.finish("a")
    current = flow.value("current_result_id", "a")
    ((old,),) = flow.select("SELECT id FROM result WHERE id <> ?", current)
    table.delete(flow.database, RESULTS, old)
    assert flow.value("current_result_id", "a") == current


def test_the_last_sync_of_a_node_is_not_written_by_clients(flow):
    runner = flow.runner()
    runner.sync()
    node = table.get(flow.database, COMPUTE_NODES, runner.node_id)
    assert isinstance(node, ComputeNode)
    node.last_seq = 99
    assert update(flow, COMPUTE_NODES, runner.node_id, node).last_seq == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "default"}, "reserved"),
        ({"memory": "1x"}, "Invalid memory format '1x'"),
        ({"memory": ""}, "Invalid memory format ''"),
        ({"runtime": "04:00:00"}, "Invalid runtime format '04:00:00'"),
        ({"num_cpus": 0}, "num_cpus of requirements 'r' must be at least 1, got 0"),
        ({"num_gpus": -1}, "num_gpus of requirements 'r' must be at least 0, got -1"),
        ({"num_nodes": 0}, "num_nodes of requirements 'r' must be at least 1, got 0"),
    ],
)
def test_requirements_that_make_no_sense_are_refused(flow, fields, reason):
    record = ResourceRequirements(**({"workflow_id": flow.workflow_id, "name": "r"} | fields))
    with pytest.raises(Unprocessable, match=reason):
        requirements.create(flow.database, record)
    assert [found.name for found in listed(flow, REQUIREMENTS).items] == ["default"]


def test_requirements_are_changed_only_to_what_makes_sense(flow):
    stored = make(flow, REQUIREMENTS, name="r")
    stored.memory = "lots"
    with pytest.raises(Unprocessable, match="lots"):
        requirements.update(flow.database, stored.id, stored, every_field(stored))
    stored.memory = "3g"
    assert requirements.update(flow.database, stored.id, stored, every_field(stored)).memory == "3g"


@pytest.mark.parametrize("value", ["'; DROP TABLE file; --", "ünïcode \N{SNOWMAN}", "a\nb\x00c", " "])
def test_values_are_values_whatever_they_hold(flow, value):
    assert make(flow, FILES, name=value, path=value).name == value
    assert [record.path for record in listed(flow, FILES, name=value).items] == [value]


@pytest.mark.parametrize("data", [0, False, True, "", "text", [], {}, 1.5, 1.0, "null", {"deep": [{"x": None}]}])
def test_any_json_is_user_data(flow, data):
    stored = make(flow, USER_DATA, name="d", data=data)
    assert json.dumps(plain(stored, "data")) == json.dumps({"data": data}), "false is not 0"
    assert isinstance(stored, UserData)
    assert isinstance(make(flow, FILES, name="f", path="f"), File)


def test_a_result_stays_the_result_of_its_attempt(flow):
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.finish("a")
    (result,) = listed(flow, RESULTS).items
    result.attempt_id, result.return_code = None, 7
    changed = update(flow, RESULTS, result.id, result)
    assert (changed.attempt_id, changed.return_code) == (1, 7)
    for field in ("workflow_id", "job_id", "run_id", "attempt_id", "compute_node_id"):
        wrong = table.get(flow.database, RESULTS, result.id)
        setattr(wrong, field, 9)
        with pytest.raises(Unprocessable, match=f"{field} of result {result.id} is 1 and cannot be changed"):
            update(flow, RESULTS, result.id, wrong)


def test_every_change_of_a_record_raises_the_revision_of_its_workflow(flow):
    def revision():
        return workflows.get(flow.database, flow.workflow_id).revision

    seen = [revision()]
    file = make(flow, FILES, name="f", path="f")
    seen.append(revision())
    update(flow, FILES, file.id, file)
    seen.append(revision())
    table.delete(flow.database, FILES, file.id)
    seen.append(revision())
    table.delete_all(flow.database, FILES, flow.workflow_id)
    seen.append(revision())
    assert seen == sorted(set(seen))
