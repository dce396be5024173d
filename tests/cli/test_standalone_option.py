"""``--standalone``: any command on a private server, with nothing to install and nothing to start."""

import pytest

pytestmark = pytest.mark.slow

SPEC = "name: small\njobs: [{name: a, command: echo hi}, {name: b, command: 'true', depends_on: [a]}]\n"


@pytest.fixture
def alone(offline, tmp_path):
    """A folder with a specification, where no server answers."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    return offline


def test_a_run_and_a_look_at_it_afterwards(alone, tmp_path):
    said = alone("--standalone", "run", "spec.yaml", "-f", "json")
    assert said.code == 0
    assert said.json["job_counts"] == {"completed": 2}
    assert (tmp_path / "torc.db").exists()
    results = alone("results", "list", said.json["workflow_id"], "--standalone", "-f", "json")
    assert [result["return_code"] for result in results.json["results"]] == [0, 0]


def test_the_database_can_be_named(alone, tmp_path):
    assert alone("run", "spec.yaml", "--standalone", "--database", "mine.db").code == 0
    assert (tmp_path / "mine.db").exists()
    assert not (tmp_path / "torc.db").exists()
    assert len(alone("workflows", "list", "--standalone", "--database=mine.db", "-f", "json").json) == 1


def test_a_database_that_cannot_be_made_is_one_sentence(alone):
    said = alone("workflows", "list", "--standalone", "--database", "no/such/folder/x.db")
    assert said.code == 1
    assert said.err.startswith("Error: ")
    assert "no/such/folder" in said.err
    assert "Traceback" not in said.err


def test_a_refused_specification_leaves_no_database(alone, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\njobs: [{name: a}]\n")
    assert alone("run", "bad.yaml", "--standalone").code == 1
    assert not (tmp_path / "torc.db").exists()
