"""What ``torc run`` answers when it is given what it cannot work with: one sentence, and nothing half-done."""

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

from torc.errors import EXIT_ERROR, EXIT_SERVER_AWAY, EXIT_USAGE

ROOT = Path(__file__).parent.parent.parent
SPEC = {"name": "bad_input", "user": "bad_input", "jobs": [{"name": "job", "command": "echo > ran"}]}

pytestmark = pytest.mark.slow


@dataclass
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def is_refusal(self, code: int, pattern: str) -> None:
        """One sentence on stderr with this in it, nothing on stdout."""
        assert (self.code, self.out) == (code, ""), self.err
        assert re.fullmatch(r"Error: \S.*\n", self.err)
        assert re.search(pattern, self.err)


Torc = Callable[..., Said]


@pytest.fixture
def torc(tmp_path: Path, server: Any) -> Torc:
    """``torc("run", ..., NAME=value)`` in an empty folder; upper-case names are environment variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}

    def run(*words: object, **variables: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "torc", *map(str, words)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(ROOT), "TORC_API_URL": server.url, **variables},
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def made(torc: Torc, spec: Path) -> int:
    """A workflow of SPEC, not initialized yet."""
    return int(json.loads(torc("workflows", "create", spec, "-f", "json").out)["id"])


@pytest.fixture
def untouched(http: Any, made: int, tmp_path: Path) -> Callable[[], None]:
    """Asserts that nothing was begun: no node, no other workflow, no job run or made ready."""

    def check() -> None:
        assert http.get("/compute_nodes", workflow_id=made).json["items"] == []
        assert [job["status"] for job in http.get("/jobs", workflow_id=made).json["items"]] == ["uninitialized"]
        assert not (tmp_path / "ran").exists()

    return check


def workflow_ids(http: Any) -> list[int]:
    """Of all workflows that have been created from SPEC."""
    return [workflow["id"] for workflow in http.get("/workflows", user="bad_input").json["items"]]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("num-cpus", "0"),
        ("num-cpus", "-1"),
        ("memory-gb", "0"),
        ("memory-gb", "-0.5"),
        ("num-gpus", "-1"),
        ("max-parallel-jobs", "0"),
        ("max-parallel-jobs", "-3"),
        ("poll-interval", "0"),
    ],
)
def test_amounts_that_are_none_are_refused_wherever_they_are_given(
    torc: Torc, made: int, untouched: Callable[[], None], option: str, value: str
) -> None:
    typed = torc("run", made, f"--{option}={value}")
    assert (typed.code, typed.out) == (EXIT_USAGE, "")
    assert re.match(rf"error: argument \S*--{option}: '{value}' is (less than \d|not a number above zero)\n", typed.err)
    variable = f"TORC_CLIENT__RUN__{option.upper().replace('-', '_')}"
    set_before = torc("run", made, **{variable: value})
    set_before.is_refusal(EXIT_ERROR, rf"{variable}='{value}': .* (Set it differently or unset it)\.$")
    untouched()


@pytest.mark.parametrize(
    ("requirement", "place"),
    [
        ({"num_cpus": 0}, r"resource_requirements\[0\]\.num_cpus: .*not 0"),
        ({"num_gpus": -1}, r"resource_requirements\[0\]\.num_gpus: .*not -1"),
        ({"memory": "0g"}, r"resource_requirements\[0\]\.memory: .*0g"),
        ({"memory": "-1g"}, r"resource_requirements\[0\]\.memory: .*-1g"),
        ({"runtime": "PT0S"}, r"resource_requirements\[0\]\.runtime: .*PT0S"),
    ],
)
def test_jobs_that_need_nothing_or_less_are_refused(
    torc: Torc, spec: Path, http: Any, requirement: dict[str, Any], place: str
) -> None:
    whole = {"name": "r", "num_cpus": 1, "memory": "1g", "runtime": "PT1M", **requirement}
    jobs = [{**SPEC["jobs"][0], "resource_requirements": "r"}]  # type: ignore[dict-item]  # SPEC holds many types
    spec.write_text(json.dumps({**SPEC, "jobs": jobs, "resource_requirements": [whole]}))
    before = workflow_ids(http)
    torc("run", spec).is_refusal(EXIT_ERROR, place)
    assert workflow_ids(http) == before


def test_an_unknown_failure_handler_is_named(torc: Torc, spec: Path, http: Any) -> None:
    spec.write_text(json.dumps({**SPEC, "jobs": [{"name": "job", "command": "true", "failure_handler": "nope"}]}))
    before = workflow_ids(http)
    torc("run", spec).is_refusal(EXIT_ERROR, r'jobs\[0\]\.failure_handler: no failure handler is named "nope"; .*add')
    assert workflow_ids(http) == before


@pytest.mark.parametrize("workflow_id", [0, 999999])
def test_an_unknown_workflow_is_named(torc: Torc, tmp_path: Path, workflow_id: int) -> None:
    torc("run", workflow_id).is_refusal(EXIT_ERROR, f"Workflow not found with ID: {workflow_id}$")


def test_no_server_is_a_sentence_with_the_address_and_the_cure(torc: Torc, spec: Path) -> None:
    nowhere = "http://127.0.0.1:9/torc-service/v1"
    said = torc("run", spec, TORC_API_URL=nowhere)
    said.is_refusal(EXIT_SERVER_AWAY, rf"{nowhere} \(Connection refused\).*torc-server run.*--standalone")


def unmakeable(folder: Path) -> Path:
    """Its parent is a file."""
    (folder / "file").touch()
    return folder / "file" / "output"


def a_file(folder: Path) -> Path:
    (folder / "output").touch()
    return folder / "output"


def without_room_for_output(folder: Path) -> Path:
    (folder / "output").mkdir()
    (folder / "output" / "job_stdio").touch()
    return folder / "output"


def without_room_for_a_spool(folder: Path) -> Path:
    (folder / "output").mkdir()
    (folder / "output" / ".torc").touch()
    return folder / "output"


def with_a_spool_folder_that_takes_no_files(folder: Path) -> Path:
    (folder / "output").mkdir()
    (folder / "output" / ".torc").symlink_to("/proc/self")  # where even root may make no file
    return folder / "output"


@pytest.mark.parametrize(
    "output",
    [
        unmakeable,
        a_file,
        without_room_for_output,
        without_room_for_a_spool,
        with_a_spool_folder_that_takes_no_files,
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_before_anything_is_made(
    torc: Torc,
    spec: Path,
    made: int,
    untouched: Callable[[], None],
    http: Any,
    tmp_path: Path,
    output: Callable[[Path], Path],
) -> None:
    folder = output(tmp_path)
    for what in (made, spec):
        before = workflow_ids(http)
        said = torc("run", what, "--output-dir", folder)
        said.is_refusal(EXIT_USAGE, rf"{folder}.*(directory|exists).*--output-dir")
        assert workflow_ids(http) == before
        untouched()


def test_a_folder_that_vanishes_is_made_again(torc: Torc, spec: Path, http: Any, tmp_path: Path) -> None:
    job = {"name": "job_{i}", "command": "rm -rf output; echo {i}", "parameters": {"i": "1:4"}}
    spec.write_text(json.dumps({**SPEC, "jobs": [job]}))
    said = torc("run", spec, "--num-cpus", 1)
    assert said.code == 0, said.err
    assert "Traceback" not in said.err


def test_an_archived_workflow_is_not_run(torc: Torc, made: int, untouched: Callable[[], None]) -> None:
    assert torc("workflows", "archive", "true", made).code == 0
    torc("run", made).is_refusal(EXIT_ERROR, rf"workflow {made} is archived; .*torc workflows archive false {made}")
    untouched()


def test_a_workflow_archived_in_the_middle_is_not_run(torc: Torc, made: int, http: Any, tmp_path: Path) -> None:
    assert torc("workflows", "initialize", made).code == 0
    assert torc("workflows", "archive", "true", made).code == 0
    torc("run", made).is_refusal(EXIT_ERROR, rf"workflow {made} is archived; .*torc workflows archive false {made}")
    assert http.get("/compute_nodes", workflow_id=made).json["items"] == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("verbs", [["cancel"], ["initialize", "cancel"]])
def test_a_canceled_workflow_is_not_run(torc: Torc, made: int, http: Any, tmp_path: Path, verbs: list[str]) -> None:
    for verb in verbs:
        assert torc("workflows", verb, made).code == 0
    torc("run", made).is_refusal(EXIT_ERROR, rf"workflow {made} was canceled; .*torc workflows \w+ {made}")
    assert http.get("/compute_nodes", workflow_id=made).json["items"] == []
    assert not (tmp_path / "ran").exists()


def test_a_finished_workflow_runs_nothing_and_says_how_to_run_it_again(torc: Torc, made: int, tmp_path: Path) -> None:
    assert torc("run", made).code == 0
    (tmp_path / "ran").unlink()
    said = torc("run", made)
    assert said.code == 0
    assert f"torc workflows reinitialize {made}" in said.err
    assert not (tmp_path / "ran").exists()
    shutil.rmtree(tmp_path / "output")
