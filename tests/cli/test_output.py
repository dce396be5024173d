"""Rendering: the same records as a table and as JSON."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterable, Iterator

import pytest

from torc.cli.output import Listing, Message, Record, as_json, show
from torc.errors import ServerAway
from torc.models.job import Job
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.models.workflow import Workflow
from torc.views import jobs, results, workflows
from torc.views.column import Column, as_memory, as_moment, as_percent

JOBS = [
    Job(id=1, workflow_id=7, name="plain", command="echo a", status=JobStatus.READY),
    Job(id=12, workflow_id=7, name="two_lines", command="first line\nsecond line", status=JobStatus.BLOCKED),
    Job(id=3, workflow_id=7, name="007", command="printf '\x1b[31m\t'", status=JobStatus.FAILED),
]


def listing(records: Iterable[Job]) -> Listing:
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


@pytest.mark.parametrize("records", [[], JOBS[:1], JOBS])
@pytest.mark.parametrize("key", ["jobs", None])
def test_json_that_is_printed_piece_by_piece_is_the_document(records, key):
    text = "".join(Listing(key=key, records=iter(records), columns=(), title="", noun="", empty="").json())
    assert text == as_json({key: records} if key else records) + "\n"


def test_keys_may_follow_the_records_in_json():
    shown = Listing(key="items", records=[], columns=(), title="", noun="", empty="", tail=lambda: {"total_count": 3})
    assert json.loads("".join(shown.json())) == {"items": [], "total_count": 3}


@pytest.mark.parametrize(
    ("records", "total", "last_line"),
    [
        (JOBS, 3, "Total: 3 jobs"),
        (JOBS, 7, "Showing 3 of 7 total jobs"),
        ([], 7, "Showing 0 of 7 total jobs"),
        ([], 0, "No jobs."),
    ],
)
def test_a_part_is_not_taken_for_the_whole(records, total, last_line):
    shown = Listing(
        key=None, records=records, columns=jobs.TABLE, title="", noun="jobs", empty="No jobs.", total=lambda: total
    )
    assert list(shown.lines())[-1] == last_line


def broken_after(count: int) -> Iterator[Job]:
    yield from JOBS[:count]
    raise ServerAway("the server is gone.")


def test_json_that_breaks_off_is_no_json_and_the_failure_is_told(capsys):
    assert show(listing(broken_after(2)), "json") == ServerAway.exit_code
    printed = capsys.readouterr()
    assert printed.out.startswith('{\n  "jobs": [')
    with pytest.raises(json.JSONDecodeError):
        json.loads(printed.out)
    assert printed.err == "Error: the server is gone.\n"


@pytest.mark.parametrize(("output_format", "count"), [("json", 0), ("table", 2)])
def test_nothing_is_printed_of_what_fails_before_it_can_be_shown(capsys, output_format, count):
    with pytest.raises(ServerAway):
        show(listing(broken_after(count)), output_format)
    assert capsys.readouterr().out == ""


ENDLESS = """
from itertools import count
from torc.cli.output import Listing, show
from torc.models.job import Job
jobs = (Job(id=number, workflow_id=7, name="a", command="b") for number in count(1))
raise SystemExit(show(Listing(key="jobs", records=jobs, columns=(), title="", noun="jobs", empty=""), "json"))
"""


def test_nothing_more_is_fetched_for_a_reader_that_has_gone():
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


STATUSES = """
from torc.cli.output import Listing, Record, show
from torc.models.job import Job
from torc.views.column import Column
columns = (Column("Status", "status", is_status=True),)
jobs = [Job(id=1, workflow_id=7, name="a", command="b", status=status) for status in ("failed", "disabled")]
show(Listing(key="jobs", records=jobs, columns=columns, title="", noun="jobs", empty=""), "table")
show(Record(title="Job", record=jobs[0], columns=columns), "table")
"""


def printed_on_a_terminal(env: dict[str, str]) -> str:
    ours, its = pty.openpty()
    subprocess.run([sys.executable, "-c", STATUSES], stdout=its, env=env, check=True)
    os.close(its)
    printed = os.read(ours, 10_000).decode()
    os.close(ours)
    return printed


def test_statuses_have_colours_on_a_terminal(environment):
    printed = printed_on_a_terminal({**environment, "TERM": "xterm"})
    assert "│ \x1b[31mfailed  \x1b[0m │" in printed
    assert "│ disabled │" in printed
    assert "  Status: \x1b[31mfailed\x1b[0m" in printed


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_nobody_gets_colours_who_does_not_want_them(environment, env):
    assert "\x1b" not in printed_on_a_terminal({**environment, "TERM": "xterm", **env})


def test_a_pipe_gets_no_colours(environment):
    done = subprocess.run([sys.executable, "-c", STATUSES], capture_output=True, text=True, env=environment)
    assert "failed" in done.stdout
    assert "\x1b" not in done.stdout


def test_control_characters_of_one_record_do_not_reach_the_terminal():
    shown = Record(title="Job", record=JOBS[2], columns=(Column("Command", "command"),))
    assert shown.text() == "Job\n  Command: printf '\\x1b[31m\\x09'"


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "N/A"),
        (0.0, "1970-01-01 00:00:00 UTC"),
        (1767323045.678, "2026-01-02 03:04:05 UTC"),
        (1e20, "1e+20 s since 1970"),
    ],
)
def test_moments_in_words(seconds, text):
    assert as_moment(seconds) == text
