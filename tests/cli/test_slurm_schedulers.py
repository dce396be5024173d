"""``torc slurm create``, ``update``, ``list``, ``get`` and ``delete``."""

import json

import pytest


@pytest.fixture
def slurm(torc):
    """``slurm(*words)``: what ``torc slurm`` says."""
    return lambda *words: torc("slurm", *words)


def test_a_scheduler_is_made_changed_shown_and_removed(slurm, workflow):
    made = slurm("create", str(workflow), "-n", "work", "-a", "proj", "-N", "2", "-W", "8h", "--extra=--comment='a b'")
    assert made.code == 0
    number = made.out.partition("(ID: ")[2].partition(")")[0]
    assert made.out == f"Added Slurm configuration 'work' (ID: {number}) to workflow {workflow}\n"
    assert slurm("update", number, "-n", "3", "-N", "other", "--walltime", "1-0").out.startswith("Updated Slurm")
    shown = slurm("get", number).out
    assert f"Slurm Config ID {number}:\n  Name: other\n  Workflow ID: {workflow}\n  Account: proj\n" in shown
    assert "  Nodes: 3\n  Walltime: 1-0\n  Partition: None\n  QOS: normal\n" in shown
    (row,) = json.loads(slurm("list", str(workflow), "-f", "json").out)
    assert (row["name"], row["nodes"], row["extra"]) == ("other", 3, "--comment='a b'")
    assert "│ other │ proj    │ 3     │ 1-0" in slurm("list", str(workflow)).out
    assert slurm("delete", number).out.startswith(f"Successfully deleted Slurm config ID {number}\n  Name: other")
    assert slurm("get", number).code == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--account", "a"), "--name must be given."),
        (("--name", "n", "--account", "a", "--walltime", "soon"), "Invalid walltime: soon"),
        (("--name", "n", "--account", "a", "--mem", "lots"), "Invalid memory unit"),
        (("--name", "n", "--account", "a\nb"), "is not a line of text"),
        (("--name", "n", "--account", "a", "--nodes", "0"), "'0' is less than 1"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_makes_nothing(slurm, workflow, words, sentence):
    refused = slurm("create", str(workflow), *words)
    assert refused.code == 2
    assert sentence in refused.err
    assert json.loads(slurm("list", str(workflow), "-f", "json").out) == []


def test_an_update_of_nothing_says_what_could_be_changed(slurm):
    assert "--walltime" in slurm("update", "1").err
