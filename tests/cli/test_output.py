"""Rendering: the same records as a table and as JSON."""

import json

import pytest

from torc.cli.output import Listing, Message, Record, as_json
from torc.models.job import Job
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.models.workflow import Workflow
from torc.views import jobs, results, workflows
from torc.views.column import as_memory, as_percent

JOBS = [
    Job(id=1, workflow_id=7, name="plain", command="echo a", status=JobStatus.READY),
    Job(id=12, workflow_id=7, name="two_lines", command="first line\nsecond line", status=JobStatus.BLOCKED),
    Job(id=3, workflow_id=7, name="007", command="printf '\x1b[31m\t'", status=JobStatus.FAILED),
]


def listing(records: list[Job]) -> Listing:
    return Listing(
        key="jobs",
        records=records,
        columns=jobs.TABLE,
        title="Jobs for workflow ID 7:",
        noun="jobs",
        empty="No jobs found for workflow ID: 7",
    )


def test_a_table(golden):
    golden("jobs_table", listing(JOBS).text() + "\n")


def test_control_characters_do_not_reach_the_terminal():
    assert "\x1b" not in listing(JOBS).text()
    assert "\\x1b[31m\\x09" in listing(JOBS).text()


def test_nothing_is_a_sentence_or_an_empty_list():
    assert listing([]).text() == "No jobs found for workflow ID: 7"
    assert listing([]).document() == {"jobs": []}


def test_json_leaves_absent_values_out_and_is_indented():
    text = as_json(listing(JOBS[:1]).document())
    assert text.startswith('{\n  "jobs": [\n    {\n      "id": 1,')
    assert "null" not in text
    assert json.loads(text)["jobs"][0]["status"] == "ready"


def test_results_table(golden):
    result = Result(
        id=5,
        job_id=1,
        workflow_id=7,
        run_id=2,
        compute_node_id=1,
        return_code=-9,
        exec_time_minutes=1.256,
        completion_time="2026-01-02T03:04:05.678Z",
        peak_memory_bytes=3 * 1024**3,
        peak_cpu_percent=99.94,
        status=JobStatus.FAILED,
    )
    columns = results.table({1: "one"}.__getitem__)
    shown = Listing(key="results", records=[result], columns=columns, title="Results:", noun="results", empty="")
    golden("results_table", shown.text() + "\n")


def test_a_record_leaves_empty_lines_out():
    workflow = Workflow(id=7, name="w", user="u")
    assert Record(title="Workflow ID 7:", record=workflow, columns=workflows.DETAILS).text() == (
        "Workflow ID 7:\n  Name: w\n  User: u"
    )


def test_monitoring_is_an_object_in_json():
    workflow = Workflow(id=7, name="w", user="u", resource_monitor_config='{"enabled": true}')
    assert workflows.as_document(workflow)["resource_monitor_config"] == {"enabled": True}
    workflow.resource_monitor_config = "not JSON"
    assert workflows.as_document(workflow)["resource_monitor_config"] == "not JSON"


def test_a_message_is_its_text_or_its_data():
    message = Message(says="Created workflow 7", data={"id": 7})
    assert (message.text(), message.document()) == ("Created workflow 7", {"id": 7})


@pytest.mark.parametrize(
    ("is_canceled", "counts", "word"),
    [
        (False, {}, "uninitialized"),
        (False, {"uninitialized": 3, "disabled": 1}, "uninitialized"),
        (False, {"ready": 1, "completed": 2}, "running"),
        (False, {"uninitialized": 1, "completed": 2}, "running"),
        (False, {"completed": 2, "failed": 0}, "completed"),
        (False, {"completed": 2, "disabled": 1}, "completed"),
        (False, {"completed": 2, "canceled": 1}, "failed"),
        (False, {"terminated": 1}, "failed"),
        (True, {"completed": 2}, "canceled"),
    ],
)
def test_where_a_workflow_stands_is_one_word(is_canceled, counts, word):
    assert workflows.summary(is_canceled, counts) == word


@pytest.mark.parametrize(
    ("memory_bytes", "text"),
    [(None, "-"), (-1, "-"), (0, "0.0MB"), (12_900_000, "12.3MB"), (1024**3, "1.00GB"), (1_320_702_444, "1.23GB")],
)
def test_memory_in_words(memory_bytes, text):
    assert as_memory(memory_bytes) == text


@pytest.mark.parametrize(("percent", "text"), [(None, "-"), (-1.0, "-"), (12.34, "12.3%"), (0.0, "0.0%")])
def test_percent_in_words(percent, text):
    assert as_percent(percent) == text
