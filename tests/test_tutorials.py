"""Tutorials 1, 2 and 3 of the users' book, followed as printed: files saved, commands typed one after the other.

What cannot be typed as printed is in ``INSTEAD`` and ``LEFT_OUT``, each with its reason.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BOOK = Path(__file__).resolve().parent.parent.parent / "shared" / "book" / "torc-book.txt"
MISSING = [program for program in ("bash", "jq") if shutil.which(program) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

MACHINE = {
    "TORC_CLIENT__RUN__NUM_CPUS": "16",
    "TORC_CLIENT__RUN__NUM_GPUS": "2",
    "TORC_CLIENT__RUN__MEMORY_GB": "64",
}
"""The reader's machine: tutorial 3 needs two GPUs."""

LEFT_OUT = {
    "torc-server run": "one is running already, on a port that is free here; it would not return, either",
    'export TORC_API_URL="http://localhost:8100/torc-service/v1"': "it is set to the address of that server",
    "torc tui": "a screen for a person, not a command that ends",
}
INSTEAD = (
    ("/tmp/", "{folder}/", "two runs of this test must not meet in one folder"),
    ("<workflow_id>", "1", "a placeholder: the first workflow of a new database"),
    ("jq '.[] | {name, data}'", "jq '.user_data[] | {name, data}'", "the book's other chapters want an object"),
)
SHORTER_SLEEP = "#!/bin/sh\nexec {sleep} 0.2\n"
"""Tutorial 1 sleeps 9 minutes in all, which is more than half a minute even on 16 CPUs."""

COMMAND = re.compile(r"(torc|torc-server|export|echo|touch|cat|WORKFLOW_ID=\S+) .*")
END = "\x1e"


@dataclass
class Tutorial:
    """What a reader types, and what the book says about it."""

    text: str
    files: dict[str, str]
    commands: list[str]

    def shown_after(self, command: str, beginning: str, end: str) -> str:
        """The part of the book below a command from ``beginning`` to ``end``, both included."""
        below = self.text.partition(f"{command}\n")[2]
        found = re.search(f"^{re.escape(beginning)}.*?^{re.escape(end)}", below, re.MULTILINE | re.DOTALL)
        assert found is not None, f"the book shows nothing after {command}"
        return found[0]


def tutorial(number: int) -> Tutorial:
    book = BOOK.read_text()
    text = re.split(rf"^Tutorial {number}: |^Tutorial {number + 1}: ", book, flags=re.MULTILINE)[1]
    files: dict[str, str] = {}
    commands = []
    saving: str | None = None
    for line in text.splitlines():
        if announced := re.fullmatch(r"Save .*?as (\S+):", line):
            saving = announced[1]
            files[saving] = ""
        elif saving and re.match(r"$| |[a-z_]+:", line):
            files[saving] += f"{line}\n"
        else:
            saving = None
            if COMMAND.fullmatch(line):
                commands.append(line)
    return Tutorial(text, files, commands)


@dataclass
class Reader:
    """Somebody with a folder, a server and a shell."""

    folder: Path
    url: str

    def adapted(self, text: str) -> str:
        for printed, ours, _ in INSTEAD:
            text = text.replace(printed, ours.replace("{folder}", str(self.folder)))
        return text

    def follow(self, tutorial: Tutorial, **variables: str) -> dict[str, str]:
        """What each command printed; all of them must succeed."""
        for name, content in tutorial.files.items():
            (self.folder / name).write_text(self.adapted(content))
        typed = [command for command in tutorial.commands if command not in LEFT_OUT]
        script = "".join(f"{self.adapted(command)}\nprintf '{END}%d{END}' $?\n" for command in typed)
        done = subprocess.run(
            ["bash", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
            env={**self.environment(), **variables},
            timeout=120,
        )
        pieces = done.stdout.split(END)
        outputs = dict(zip(typed, pieces[::2], strict=False))
        statuses = dict(zip(typed, pieces[1::2], strict=True))
        assert set(statuses.values()) == {"0"}, done.stdout
        return outputs

    def environment(self) -> dict[str, str]:
        """No setting of whoever runs the tests, the tutorial's machine, our programs first and a shorter sleep."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
        ours = self.folder / "bin"
        ours.mkdir(exist_ok=True)
        (ours / "sleep").write_text(SHORTER_SLEEP.format(sleep=shutil.which("sleep")))
        (ours / "sleep").chmod(0o755)
        path = os.pathsep.join((str(ours), str(Path(sys.executable).parent), kept["PATH"]))
        return {**kept, **MACHINE, "TORC_API_URL": self.url, "PATH": path, "USER": "reader"}


def cells(table: str) -> list[list[str]]:
    """The rows of a table, heading included; of a cell with many lines the first."""
    lines = [line.split("│")[1:-1] for line in table.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines if line[0].strip()]


def printed_by(folder: Path, job: dict[str, Any]) -> str:
    """What a job of workflow 1 wrote to stdout."""
    return (folder / "output" / "job_stdio" / f"job_1_{job['id']}_1.o").read_text()


@pytest.fixture
def private(start_server: Callable[..., Any]) -> Any:
    """A server whose first workflow the tutorial makes."""
    return start_server()


@pytest.fixture
def reader(tmp_path: Path, private: Any) -> Reader:
    return Reader(tmp_path, private.url)


@pytest.fixture
def jobs(private: Any) -> Callable[[], dict[str, dict[str, Any]]]:
    """The jobs of workflow 1 by name; the database must be in order then."""

    def found() -> dict[str, dict[str, Any]]:
        assert private.http.get("/doctor").json == {"problems": []}
        return {job["name"]: job for job in private.http.get("/jobs", workflow_id=1).json["items"]}

    return found


def test_the_exceptions_are_in_the_tutorials() -> None:
    texts = "".join(tutorial(number).text for number in (1, 2, 3))
    assert [printed for printed in LEFT_OUT if f"\n{printed}\n" not in texts] == []
    assert [printed for printed, _, _ in INSTEAD if printed not in texts] == []


def test_tutorial_1_many_independent_jobs(reader: Reader, jobs: Callable[[], Any]) -> None:
    outputs = reader.follow(tutorial(1))
    assert "Created workflow 1\n" in outputs["torc run hundred_jobs.yaml"]
    assert {name: job["status"] for name, job in jobs().items()} == {
        f"job_{number:03d}": "completed" for number in range(1, 101)
    }
    assert {printed_by(reader.folder, job) for job in jobs().values()} == {
        f"Running job {number}\nJob {number} completed\n" for number in range(1, 101)
    }
    assert "100 completed" in outputs["torc workflows status <workflow_id>"]
    assert "Total: 100 jobs" in outputs["torc jobs list <workflow_id>"]
    results = cells(outputs["torc results list <workflow_id>"])
    assert [row[results[0].index("Return Code")] for row in results[1:]] == ["0"] * 100


def test_tutorial_2_diamond_with_files(reader: Reader, jobs: Callable[[], Any]) -> None:
    lesson = tutorial(2)
    outputs = reader.follow(lesson)
    assert outputs['echo "Created workflow: $WORKFLOW_ID"'] == "Created workflow: 1\n"
    command = "torc jobs list $WORKFLOW_ID"
    shown = cells(lesson.shown_after(command, "╭", "╰"))
    assert [row[:3] for row in cells(outputs[command])] == [row[:3] for row in shown]
    assert {job["status"] for job in jobs().values()} == {"completed"}
    assert outputs["cat /tmp/output.txt"] == "apple\tbrown\nbanana\tred\ncherry\tyellow\ndate\t\n"


def test_tutorial_3_user_data(reader: Reader, jobs: Callable[[], Any]) -> None:
    lesson = tutorial(3)
    (reader.folder / "results.json").write_text('{"accuracy": 0.9}')
    outputs = reader.follow(lesson, USER_DATA_ID="1")
    before = "torc user-data list $WORKFLOW_ID"
    assert lesson.shown_after(before, "╭", "╰") in outputs[before]
    expected = dict(re.findall(r"^  • (\w+): (ready|blocked) \(", lesson.text, re.MULTILINE))
    assert len(expected) == 3
    listed = cells(outputs["torc jobs list $WORKFLOW_ID"])
    assert {row[1]: row[2] for row in listed[1:]} == expected
    after = "torc user-data list $WORKFLOW_ID -f json | jq '.[] | {name, data}'"
    assert outputs[after] == lesson.shown_after(after, "{\n", "}") + "\n"
    config = json.loads(outputs[after])["data"]
    results = cells(outputs["torc results list $WORKFLOW_ID"])
    assert [row[results[0].index("Return Code")] for row in results[1:]] == ["0"] * 3
    for name in ("train_model", "evaluate_model"):
        title, _, data = printed_by(reader.folder, jobs()[name]).partition("\n")
        assert title.endswith("with config:")
        assert json.loads(data) == config
    assert json.loads(outputs["torc user-data get $USER_DATA_ID | jq '.data'"]) == config
    assert json.loads((reader.folder / "config.json").read_text()) == config
    written = outputs['torc user-data update $USER_DATA_ID --data "$(cat results.json)"']
    assert 'Data: {"accuracy":0.9}' in written
