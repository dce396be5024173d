"""Pictures of a workflow: every arrow once, any name shown as it is, groups as one dot, and nothing endless."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.scenario import Step
from torc.errors import NotFound, Unprocessable
from torc.store import dot

LINE = re.compile(
    r"(?P<arrow>(?P<source>\w+) -> (?P<target>\w+))"
    r'|(?P<node>\w+) \[(?:shape=point, )?label="(?P<label>(?:[^"\\]|\\.)*)".*\]'
)


def text_of(flow, name):
    return dot.dot_graph(flow.database, flow.workflow_id, name).graph


def parse(text):
    """Labels of the nodes, and the arrows as pairs of them; groups are called by their node."""
    first, _, *lines, last = text.splitlines()
    assert (first[:8], last) == ("digraph ", "}")
    matches = [LINE.fullmatch(line.strip().removesuffix(";")) for line in lines]
    labels = {match["node"]: match["label"] or match["node"] for match in matches if match["node"]}
    arrows = [(labels[match["source"]], labels[match["target"]]) for match in matches if match["arrow"]]
    return sorted(labels.values()), sorted(arrows)


def test_arrows_lead_from_what_a_job_waits_for_to_the_job(build):
    flow = build("a", "b: a", "c: a b", "alone")
    assert parse(text_of(flow, "job_job_dependencies")) == (
        ["a", "alone", "b", "c"],
        [("a", "b"), ("a", "c"), ("b", "c")],
    )


def test_a_group_is_one_dot_between_its_members_and_its_dependents(build):
    flow = build(
        "a", "b", Step("c", after_groups=["ab"]), Step("d", after_groups=["ab"]), groups={"ab": ["a", "b"]}
    )  # fmt: skip
    ((group_id,),) = flow.select("SELECT id FROM dependency_group")
    group = f"group{group_id}"
    assert parse(text_of(flow, "job_job_dependencies")) == (
        ["a", "b", "c", "d", group],
        [("a", group), ("b", group), (group, "c"), (group, "d")],
    )


def test_a_group_that_nobody_waits_for_any_more_is_not_drawn(build):
    flow = build("a", Step("b", after_groups=["just a"]), groups={"just a": ["a"]})
    flow.alter("DELETE FROM job_depends_on_group")
    flow.alter("UPDATE job SET unmet = 0")
    assert parse(text_of(flow, "job_job_dependencies")) == (["a", "b"], [])


@pytest.mark.parametrize("name", ["job_file_relationships", "job_user_data_relationships"])
def test_records_stand_between_who_writes_and_who_reads_them(build, name):
    flow = build(
        Step("a", writes=["x"], writes_data=["x"]),
        Step("b", reads=["x", "in"], reads_data=["x", "in"], writes=["out"], writes_data=["out"]),
        "not linked",
    )
    build(Step("other", reads=["x"], reads_data=["x"]))
    flow.alter("INSERT INTO file (workflow_id, name, path) VALUES (?, 'unused', 'unused')", flow.workflow_id)
    flow.alter("INSERT INTO user_data (workflow_id, name) VALUES (?, 'unused')", flow.workflow_id)
    assert parse(text_of(flow, name)) == (
        ["a", "b", "in", "out", "x"],
        [("a", "x"), ("b", "out"), ("in", "b"), ("x", "b")],
    )


def test_every_status_has_a_colour_of_its_own(build):
    flow = build("a", "b: a").initialize()
    colours = re.findall(r"label=\"\w\", fillcolor=(\w+)", text_of(flow, "job_job_dependencies"))
    assert colours == [dot.COLOURS["ready"], dot.COLOURS["blocked"]]
    assert len(set(dot.COLOURS.values())) == len(dot.COLOURS)


def test_a_name_cannot_break_out_of_its_label(build):
    name = 'x"]; evil -> job1 [label="\\\n\\n\r\x00end\\'
    flow = build("a", Step(name, after=["a"]))
    labels, arrows = parse(text_of(flow, "job_job_dependencies"))
    assert len(labels) == 2
    assert arrows == [("a", max(labels, key=len))]


@given(st.text())
def test_a_quoted_text_reads_back_as_it_was(text):
    quoted = dot.quote(text)
    inner = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', quoted)[1]
    assert not any(ord(char) < 32 for char in quoted)
    back = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], inner)
    assert back == re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "\ufffd", text)


def test_an_unknown_picture_is_not_found_and_the_known_ones_are_named(build):
    flow = build("a")
    with pytest.raises(NotFound, match="'jobs'; choose one of job_job_dependencies, job_file_relationships, "):
        text_of(flow, "jobs")


@pytest.mark.parametrize("name", dot.GRAPHS)
def test_an_unknown_workflow_is_not_found(database, name):
    with pytest.raises(NotFound, match="Workflow not found with ID: 999"):
        dot.dot_graph(database, 999, name)


def test_a_picture_of_too_many_parts_is_refused(build, monkeypatch):
    flow = build("a", "b: a")
    monkeypatch.setattr(dot, "MAX_PARTS", 3)
    text_of(flow, "job_job_dependencies")
    monkeypatch.setattr(dot, "MAX_PARTS", 2)
    with pytest.raises(Unprocessable, match="more than 2 nodes and arrows"):
        text_of(flow, "job_job_dependencies")
