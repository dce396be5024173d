"""``torc workflows export`` and ``import``: files, pipes, and what happens when one side fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said

pytestmark = pytest.mark.slow

SPEC = """
name: pair ü
user: ann
files: [{name: out, path: out.txt}]
user_data: [{name: d, data: {a: [1, null]}}]
jobs:
  - {name: first, command: echo hi > out.txt, output_files: [out]}
  - {name: second, command: "false", input_files: [out]}
"""


@pytest.fixture
def made(torc, tmp_path: Path) -> int:
    """A workflow of SPEC."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    return int(torc("workflows", "create", "spec.yaml", "-f", "json").json["id"])


@pytest.fixture
def finished(torc, made: int) -> int:
    """The same after a run."""
    assert torc("run", made, "--num-cpus", 2).code == 3
    return made


def document(said: Said) -> dict[str, Any]:
    assert said.code == 0, said.err
    found: dict[str, Any] = said.json
    del found["exported_at"]
    return found


def imported(said: Said) -> int:
    assert said.code == 0, said.err
    return int(said.out.removeprefix("Imported workflow "))


def test_an_export_goes_through_a_pipe(torc, made):
    out = torc("workflows", "export", made)
    assert (out.code, out.err) == (0, "")
    said = torc("workflows", "import", "-", stdin=out.out)
    assert document(torc("workflows", "export", imported(said))) == document(out)


def test_an_export_is_a_document_in_every_output_format(torc, made):
    assert document(torc("workflows", "export", made, "-f", "json"))["workflow"]["name"] == "pair ü"


def test_an_export_goes_through_a_file_and_keeps_what_has_run(torc, finished, tmp_path):
    said = torc("workflows", "export", finished, "-o", "e.json", "--include-results", "--include-events")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"Exported workflow {finished} (2 jobs, 2 results) to e.json\n"
    copy = imported(torc("workflows", "import", "e.json"))
    shown = [job["status"] for job in torc("jobs", "list", copy, "-f", "json").json["jobs"]]
    assert shown == ["completed", "failed"]
    again = torc("workflows", "export", copy, "--include-results", "--include-events")
    before = json.loads((tmp_path / "e.json").read_text())
    del before["exported_at"]
    assert document(again) == before


def test_export_and_import_tell_scripts_what_they_did(torc, made, tmp_path):
    told = torc("workflows", "export", made, "-o", "e.json", "-f", "json").json
    assert (told["workflow_id"], told["file"], told["status"]) == (made, "e.json", "success")
    told = torc("workflows", "import", "e.json", "-f", "json").json
    assert told["workflow_id"] == told["id"] > made
    assert told["message"] == f"Imported workflow {told['id']}"


def test_the_owner_is_the_documents_unless_told_otherwise(torc, made):
    text = torc("workflows", "export", made).out
    kept = torc("workflows", "import", "-", stdin=text)
    assert "belongs to ann" in kept.err
    changed = torc("workflows", "import", "-", "--user", "bob", "--name", "other", stdin=text)
    assert changed.err == ""
    found = [torc("workflows", "get", imported(said), "-f", "json").json for said in (kept, changed)]
    assert [(one["user"], one["name"]) for one in found] == [("ann", "pair ü"), ("bob", "other")]


def test_results_and_events_can_be_left_out_of_an_import(torc, finished):
    text = torc("workflows", "export", finished, "--include-results", "--include-events").out
    fresh = imported(torc("workflows", "import", "-", "--skip-results", "--skip-events", stdin=text))
    assert document(torc("workflows", "export", fresh, "--include-results", "--include-events"))["results"] == []
    assert document(torc("workflows", "export", fresh)) == document(torc("workflows", "export", finished))


def test_a_file_is_written_over_only_when_told_to(torc, offline, made, tmp_path):
    (tmp_path / "e.json").write_text("mine")
    said = offline("workflows", "export", made, "-o", "e.json")
    assert said.code == 1
    assert "e.json is there already" in said.err
    assert (tmp_path / "e.json").read_text() == "mine"
    assert torc("workflows", "export", made, "-o", "e.json", "--force").code == 0
    assert json.loads((tmp_path / "e.json").read_text())["format"] == "torc-workflow"


def test_a_failed_export_leaves_no_file(torc, tmp_path):
    said = torc("workflows", "export", 99999999, "-o", "e.json")
    assert (said.code, said.out) == (1, "")
    assert said.err == "Error: Workflow not found with ID: 99999999\n"
    assert list(tmp_path.iterdir()) == []


def test_both_ends_of_a_pipe_fail_when_the_export_does(torc, environment, server, tmp_path):
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    line = "{0} -m torc workflows export 99999999 | {0} -m torc workflows import -; echo ${{PIPESTATUS[@]}}"
    said = subprocess.run(
        ["bash", "-c", line.format(sys.executable)],
        capture_output=True, text=True, cwd=tmp_path, env={**environment, "TORC_API_URL": server.url}, timeout=60,
    )  # fmt: skip
    assert said.stdout == "1 1\n"
    assert "Workflow not found" in said.stderr
    assert "stdin is empty" in said.stderr
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before


def test_half_a_document_imports_nothing(torc, made):
    before = torc("workflows", "list", "--all-users", "-f", "json").json
    text = torc("workflows", "export", made).out
    said = torc("workflows", "import", "-", stdin=text[: len(text) // 2])
    assert (said.code, said.out) == (1, "")
    assert "stdin ends in the middle" in said.err
    assert torc("workflows", "list", "--all-users", "-f", "json").json == before


def test_what_is_no_export_is_refused_without_a_server(offline, tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    said = offline("workflows", "import", "spec.yaml")
    assert said.code == 1
    assert "`torc workflows create`" in said.err
    missing = offline("workflows", "import", "missing.json")
    assert missing.code == 1
    assert "missing.json: there is no such file" in missing.err


def test_create_says_what_an_export_is_for(torc, made, tmp_path):
    torc("workflows", "export", made, "-o", "e.json")
    said = torc("workflows", "create", "e.json")
    assert (said.code, said.err) == (1, "Error: e.json is an exported workflow; use `torc workflows import`.\n")


def test_a_reader_who_has_gone_is_no_failure_and_a_full_disk_is(torc, environment, server, made, tmp_path):
    for target, code in (("| true", 0), ("> /dev/full", 1)):
        said = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m torc workflows export {made} {target}; exit ${{PIPESTATUS[0]}}"],
            capture_output=True, text=True, cwd=tmp_path, env={**environment, "TORC_API_URL": server.url}, timeout=60,
        )  # fmt: skip
        assert said.returncode == code, said.stderr
        assert "Traceback" not in said.stderr


def test_a_run_goes_on_with_what_an_import_left_to_do(torc, server, made):
    ids = [job["id"] for job in torc("jobs", "list", made, "-f", "json").json["jobs"]]
    assert torc("run", made, "--num-cpus", 2).code == 3
    # As if the export had been made while the second job ran.
    assert server.http.put(f"/jobs/{ids[1]}/manage_status_change/uninitialized/1").status == 200
    copy = imported(torc("workflows", "import", "-", stdin=torc("workflows", "export", made, "--include-results").out))
    said = torc("run", copy, "--num-cpus", 2, "-f", "json")
    assert said.code == 3
    jobs = torc("jobs", "list", copy, "-f", "json").json["jobs"]
    assert [job["status"] for job in jobs] == ["completed", "failed"]
    results = torc("results", "list", copy, "-f", "json").json["results"]
    assert len({result["job_id"] for result in results}) == 2
