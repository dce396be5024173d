"""``torc workflows execution-plan`` of a file and of a stored workflow."""

import os
from pathlib import Path

import pytest

from torc.cli.specification import SPEC_SUFFIXES, spec_or_id
from torc.errors import TorcError
from torc.spec.formats.syntax import EXTENSIONS

SPEC = """
name: staged
description: two steps
files:
  - {name: "part_{i}", path: "part_{i}.txt", parameters: {i: "1:5"}}
jobs:
  - {name: "make_{i}", command: "echo {i} > part_{i}.txt", output_files: ["part_{i}"], parameters: {i: "1:5"}}
  - {name: merge, command: cat part_*.txt, input_file_regexes: ["part_.*"]}
slurm_schedulers:
  - {name: small, account: science}
actions:
  - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: small, scheduler_type: slurm}
"""

TEXT = """\
Workflow: staged
Description: two steps
Total Jobs: 6

▶ Stage 1: Workflow Start
  Scheduler Allocations:
    • small (slurm) - 1 allocation(s)
  Jobs Becoming Ready:
    • make_{1..5}

→ Stage 2: When 5 jobs complete
  Jobs Becoming Ready:
    • merge

Total Stages: 2
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "staged.yaml"
    path.write_text(SPEC)
    return path


def test_a_specification_is_planned_without_a_server(offline, spec):
    said = offline("workflows", "execution-plan", spec)
    assert (said.code, said.out) == (0, TEXT)


def test_json_has_the_same_stages_and_the_events(offline, spec):
    found = offline("workflows", "execution-plan", spec, "-f", "json").json
    assert (found["status"], found["source"], found["total_jobs"]) == ("success", "spec_file", 6)
    assert "workflow_id" not in found
    makes = [f"make_{i}" for i in range(1, 6)]
    assert [stage["jobs_becoming_ready"] for stage in found["stages"]] == [makes, ["merge"]]
    assert found["events"][1]["trigger"] == {"type": "JobsComplete", "data": {"jobs": makes}}


@pytest.mark.slow
def test_a_stored_workflow_has_the_plan_of_its_specification(torc, spec):
    made = torc("workflows", "create", spec, "-f", "json").json["id"]
    said = torc("workflows", "execution-plan", made)
    assert (said.code, said.out) == (0, f"Workflow ID: {made}\n{TEXT}")
    of_file = torc("workflows", "execution-plan", spec, "-f", "json").json
    stored = torc("workflows", "execution-plan", made, "-f", "json").json
    assert stored == {**of_file, "source": "database", "workflow_id": made}
    assert torc("workflows", "initialize", made).code == 0
    assert torc("workflows", "execution-plan", made, "-f", "json").json == stored


def test_a_workflow_that_does_not_exist_is_one_sentence(torc):
    said = torc("workflows", "execution-plan", "987654321")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Error: ")
    assert "987654321" in said.err


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.yaml", None, "absent.yaml: there is no such file."),
        ("bad.yaml", "name: x\njobs: [{name: a, command: b, depends_on: [c]}]", "bad.yaml:2:"),
        ("folder", None, "there is no workflow named 'folder'"),
        ("-7", None, "there is no workflow named '-7'"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(torc, tmp_path, name, content, sentence):
    if content:
        (tmp_path / name).write_text(content)
    said = torc("workflows", "execution-plan", name)
    assert said.code in (1, 2)
    assert said.out == ""
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_names_cannot_steer_the_terminal(offline, tmp_path):
    path = tmp_path / "sly.yaml"
    path.write_text('name: "a\\e[31m"\njobs: [{name: b, command: c}]')
    said = offline("workflows", "execution-plan", path)
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("given", ["x.yaml", "x.YML", "x.json", "x.json5", "x.kdl", "-", "dir/17.yaml"])
def test_a_specification_is_known_by_its_ending(given):
    assert spec_or_id(given) == Path(given)


def test_a_number_is_an_id_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert spec_or_id("17") == 17
    (tmp_path / "17").write_text(SPEC)
    assert spec_or_id("17") == Path("17")


def test_a_pipe_is_a_specification():
    reader, writer = os.pipe()
    with open(reader), open(writer, "w"):
        assert spec_or_id(f"/dev/fd/{reader}") == Path(f"/dev/fd/{reader}")


@pytest.mark.parametrize("given", ["", "a\0b", "a\nb", "."])
def test_anything_else_is_neither(given):
    with pytest.raises(TorcError, match="neither a workflow specification file nor the ID or name"):
        spec_or_id(given)


@pytest.mark.parametrize("given", ["seventeen", "1.5", "-3", "٣", "n" * 5000])
def test_what_is_neither_a_file_nor_a_number_may_be_a_name(given):
    assert spec_or_id(given) == given


def test_every_extension_of_a_format_names_a_specification():
    assert set(SPEC_SUFFIXES) == set(EXTENSIONS)
