"""Every example of the API chapter of the users' book, as printed and in its order: with curl and jq, or translated."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Http, Server

BOOK = Path(__file__).resolve().parent.parent.parent / "shared" / "book" / "torc-book.txt"
CHAPTER = ("\nOpenAPI Specification\n", "\nConfiguration Reference\n")
PRINTED_URL = "http://localhost:8080/torc-service/v1"
MISSING = [program for program in ("bash", "curl", "jq") if shutil.which(program) is None]

pytestmark = [
    pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Example:
    """A command of the book and the heading it stands below."""

    heading: str
    command: str

    @property
    def is_curl(self) -> bool:
        return self.command.startswith("curl ")


def examples(text: str) -> Iterator[Example]:
    """The commands in a part of the book; each is the rest of its paragraph."""
    heading = ""
    for paragraph in text.split("\n\n"):
        command = re.search(r"^(curl|http (get|post)) .*\S", paragraph, re.MULTILINE | re.DOTALL)
        if command is not None:
            yield Example(heading, command[0])
        elif re.fullmatch(r"[A-Z][^\n.:]*", paragraph.strip()):
            heading = paragraph.strip()


def chapter() -> list[Example]:
    start, end = CHAPTER
    return list(examples(BOOK.read_text().partition(start)[2].partition(end)[0]))


def elsewhere() -> list[Example]:
    """What other chapters show with curl, in a paragraph of its own or in the middle of a line."""
    text = BOOK.read_text()
    outside = text.partition(CHAPTER[0])[0] + text.partition(CHAPTER[0])[2].partition(CHAPTER[1])[2]
    found = [example for example in examples(outside) if example.is_curl]
    inline = re.findall(rf": (curl {re.escape(PRINTED_URL)}\S*)$", outside, re.MULTILINE)
    ours = [example for example in found if "TORC_API_URL" in example.command or PRINTED_URL in example.command]
    return ours + [Example("inline", command) for command in inline]


class Shell:
    """Runs the book's commands against a server."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server = server
        # As printed, curl would be content with an error; and the progress meter is not for tests.
        (home / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
        self.env = {
            "PATH": os.environ["PATH"],
            "CURL_HOME": str(home),
            "TORC_API_URL": server.url,
            "TORC_WORKFLOW_ID": "1",
            "TORC_JOB_ID": "1",
        }

    def run(self, example: Example) -> list[Any]:
        """The JSON values that come out."""
        command = example.command.replace(PRINTED_URL, self.server.url)
        return self.bash(command) if example.is_curl else [nushell(self.server.http, command)]

    def bash(self, command: str) -> list[Any]:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], env=self.env, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}{done.stderr}"
        return list(json_values(done.stdout))


def json_values(text: str) -> Iterator[Any]:
    """The values in what jq prints."""
    rest = text.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


NUSHELL = re.compile(
    r"http (?P<method>get|post) \"?(?P<url>[^\s\"]+)\"?(?: \{(?P<record>[^}]*)\})?(?P<pipeline>(?:\s*\| [^|]+)*)"
)


def nushell(http: Http, command: str) -> Any:
    """What nushell would do: the words of the book that occur, and no others."""
    said = NUSHELL.fullmatch(command)
    assert said is not None, command
    fields = re.findall(r"^\s*(\w+): (.+)$", said["record"] or "", re.MULTILINE)
    body = {name: json.loads(value) for name, value in fields}
    reply = http.request(said["method"].upper(), said["url"].removeprefix(http.url), body or None)
    assert reply.status == 200, f"{command}\n{reply.text}"
    value = reply.json
    for step in said["pipeline"].split("|")[1:]:
        value = STEPS[step.split()[0]](value, *step.split()[1:])
    return value


STEPS: dict[str, Callable[..., Any]] = {
    "get": lambda value, key: value[key],
    "where": lambda rows, key, _, text: [row for row in rows if row[key] == json.loads(text)],
    "select": lambda rows, *keys: [{key: row[key] for key in keys} for row in rows],
}


def lacks(answer: Any, expected: Any) -> str | None:
    """What of ``expected`` is not in ``answer``, which may have more keys; None when all is there."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        found = (lacks(answer.get(key), value) for key, value in expected.items())
        return next((each for each in found if each), None)
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        found = (lacks(*pair) for pair in zip(answer, expected, strict=True))
        return next((each for each in found if each), None)
    return None if answer == expected else f"{answer!r} is not {expected!r}"


@pytest.fixture
def shell(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Shell]:
    """A shell, and a server whose first workflow is still to come: the book says 1."""
    server = start_server()
    yield Shell(server, tmp_path)
    assert server.http.get("/doctor").json == {"problems": []}


WORKFLOW = {"name": "test_workflow", "user": "alice", "description": "Test workflow"}
CONFIG = {"workflow_id": 1, "name": "config", "id": 1}
INITIALIZED = {"message": "Initialized job status"}
COMPLETE = {"data": {"type": "complete"}}  # of a workflow that had no job yet
ANSWERS: list[tuple[str, list[Any]]] = [
    ("Create Workflow", [{**WORKFLOW, "id": 1}]),
    ("Create Workflow", [{**WORKFLOW, "id": 2}]),
    # The shell takes the & for its own: curl asks for the first page, and jq has nothing to read.
    ("List Workflows", [{"workflows": [{**WORKFLOW, "id": 1}, {**WORKFLOW, "id": 2}], "offset": 0}]),
    ("List Workflows", [[{**WORKFLOW, "id": 1}, {**WORKFLOW, "id": 2}]]),
    ("Get Workflow", [{**WORKFLOW, "id": 1}]),
    ("Get Workflow", [{**WORKFLOW, "id": 1}]),
    ("Initialize Jobs", [INITIALIZED]),
    ("Initialize Jobs", [INITIALIZED]),
    ("Create Job", [{"id": 1, "workflow_id": 1, "name": "job1", "command": "echo hello", "status": "uninitialized"}]),
    ("List Jobs", []),  # the job came after the initialization
    ("List Jobs", [[]]),
    ("Update Job Status", [{"id": 1, "status": "running"}]),
    ("Create File", [{"id": 1, "workflow_id": 1, "name": "input_data", "path": "/data/input.csv"}]),
    ("List Files", [[{"id": 1, "name": "input_data"}]]),
    ("Create User Data", [{**CONFIG, "data": {"learning_rate": 0.001, "batch_size": 32}}]),
    ("Update User Data", [{**CONFIG, "data": {"learning_rate": 0.01, "batch_size": 64}}]),
    ("Create Resource Requirements", [{"name": "gpu_large", "num_cpus": 16, "memory": "128g", "runtime": "PT8H"}]),
    ("Create Compute Node", [{"id": 1, "hostname": "compute-01", "memory": "256g", "memory_gb": 256.0}]),
    ("List Active Compute Nodes", [{"hostname": "compute-01", "num_cpus": 32, "num_gpus": 8}]),
    ("Create Result", [{"job_id": 1, "exit_code": 0, "return_code": 0, "stdout": "Job completed successfully"}]),
    ("List Events", [COMPLETE, {"data": {"type": "job_started", "job_id": 1}}]),
    ("Prepare Next Jobs for Submission (Job Runner)", [[]]),
    ("Process Changed Job Inputs (Reinitialization)", [[]]),
]


def test_the_chapter_works_from_its_first_example_to_its_last(shell: Shell) -> None:
    printed = chapter()
    assert [example.heading for example in printed] == [heading for heading, _ in ANSWERS]
    for example, (_, expected) in zip(printed, ANSWERS, strict=True):
        answer = shell.run(example)
        assert lacks(answer, expected) is None, f"{example.command}\n{answer}"


def test_the_answer_that_the_chapter_prints_is_the_one_that_comes(shell: Shell) -> None:
    printed = json.loads(BOOK.read_text().partition(CHAPTER[0])[2].partition("Response:")[2].partition("List Work")[0])
    (answer,) = shell.run(chapter()[0])
    assert printed.keys() <= answer.keys()
    assert lacks(answer, {key: value for key, value in printed.items() if key != "timestamp"}) is None
    assert answer["timestamp"].endswith("Z"), "the book has a number there, existing clients read ISO 8601"


def named(heading: str) -> list[Example]:
    found = [example for example in chapter() if example.heading == heading]
    assert found
    return found


def test_the_examples_about_ready_jobs_have_rows_when_a_job_is_ready(shell: Shell) -> None:
    for heading in ("Create Workflow", "Create Job", "Initialize Jobs"):
        shell.run(named(heading)[0])
    in_curl, in_nushell = named("List Jobs")
    row = {"name": "job1", "status": "ready", "id": 1}
    assert shell.run(in_curl) == [row]
    assert shell.run(in_nushell) == [[row]]
    (claim,) = named("Prepare Next Jobs for Submission (Job Runner)")
    ((job,),) = shell.run(claim)
    assert (job["id"], job["status"]) == (1, "pending")


def test_the_list_of_workflows_is_what_its_filter_names_once_the_address_is_quoted(shell: Shell) -> None:
    shell.run(named("Create Workflow")[0])
    printed = named("List Workflows")[0]
    quoted = re.sub(r"(http\S+)", r"'\1'", printed.command)
    assert quoted != printed.command
    ((row,),) = shell.run(Example(printed.heading, quoted))
    assert lacks(row, WORKFLOW) is None


def test_what_other_chapters_show_works_too(shell: Shell) -> None:
    shell.run(named("Create Workflow")[0])
    found = elsewhere()
    assert len(found) >= 5
    answers = {example.command: shell.run(example) for example in found}
    assert answers["curl -s \"${TORC_API_URL}/workflows/${TORC_WORKFLOW_ID}\" | jq '.name'"] == ["test_workflow"]
    assert [row["name"] for row in shell.server.http.get("/files", workflow_id=1).json["files"]] == ["result_1"]
    assert answers["curl $TORC_API_URL/health"][0]["status"] == "ok"
    assert [row["name"] for row in answers[f"curl {PRINTED_URL}/workflows"][0]["workflows"]] == ["test_workflow"]
