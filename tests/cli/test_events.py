"""``torc events``: what is said, and a monitor that loses nothing while the server is away."""

import json
import signal
import subprocess
from contextlib import closing

import pytest

from tests.fault_stage import Stage


def test_events_are_created_listed_shown_and_deleted(torc, workflow):
    made = torc("-f", "json", "events", "create", workflow, "--data", '{"category": "note", "message": "hi"}').json
    assert made["data"] == {"category": "note", "message": "hi"}
    assert torc("-f", "json", "events", "list", workflow, "-c", "note").json["events"] == [made]
    assert torc("-f", "json", "events", "get-latest-event", workflow).json == made
    said = torc("events", "delete", made["id"])
    assert said.out == f"Successfully removed event:\n  ID: {made['id']}\n  Workflow ID: {workflow}\n"
    assert torc("events", "list", workflow, "-c", "note").out == f"No events found for workflow {workflow}\n"


@pytest.mark.parametrize("words", [("list",), ("get-latest-event",), ("monitor",)])
def test_an_unknown_workflow_is_one_sentence(torc, words):
    said = torc("events", *words, 999999)
    assert (said.code, said.out) == (1, "")
    assert said.err == "Error: Workflow not found with ID: 999999\n"


def test_half_a_json_is_refused_without_a_server(offline):
    said = offline("events", "create", 1, "--data", '{"a": ')
    assert said.code == 1
    assert said.err.startswith("Error: --data is not JSON: ")


def test_a_monitor_prints_each_event_once_although_the_server_is_killed(tmp_path, eventually):
    with closing(Stage(tmp_path)) as stage:
        workflow_id = stage.server.http.post("/workflows", {"name": "w", "user": "u"}).json["id"]

        def happen(number):
            assert stage.server.http.post("/events", {"workflow_id": workflow_id, "data": number}).status == 200

        happen(0)
        out, err = tmp_path / "out", tmp_path / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            command = stage.command("-f", "json", "events", "monitor", str(workflow_id), "-p", "0.1")
            monitor = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=stage.env, cwd=tmp_path)
        try:
            eventually(lambda: "Monitoring" in err.read_text())
            happen(1)
            eventually(lambda: out.read_text().count("\n"), lambda lines: lines == 1)
            stage.kill_server()
            for number in range(2, 5):
                happen(number)
            eventually(lambda: out.read_text().count("\n"), lambda lines: lines >= 4)
        finally:
            monitor.send_signal(signal.SIGINT)
            code = monitor.wait(timeout=20)
    assert code == 130
    assert [json.loads(line)["data"] for line in out.read_text().splitlines()] == [1, 2, 3, 4]
    assert "Traceback" not in err.read_text()
