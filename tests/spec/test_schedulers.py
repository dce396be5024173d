"""What becomes of ``slurm_schedulers``. What is wrong with them: test_mistakes.py."""

import pytest

from torc.models.draft import DraftScheduler


def scheduler(load, text):
    """The one scheduler with some keys."""
    (found,) = load(f"slurm_schedulers: [{{name: s, account: a{text}}}]").slurm_schedulers
    return found


def test_a_scheduler_has_the_defaults_of_the_contract(load):
    assert scheduler(load, "") == DraftScheduler(name="s", account="a", nodes=1, walltime="01:00:00")


def test_every_key_of_a_scheduler_is_kept(load):
    found = scheduler(
        load,
        ", nodes: 4, walltime: '2-00:00:00', partition: p, qos: high, gres: 'gpu:2', mem: 180G, tmp: 10G,"
        " ntasks_per_node: 2, extra: '--signal=B:TERM@300 --exclusive'",
    )
    assert found == DraftScheduler(
        name="s",
        account="a",
        nodes=4,
        walltime="2-00:00:00",
        partition="p",
        qos="high",
        gres="gpu:2",
        mem="180G",
        tmp="10G",
        ntasks_per_node=2,
        extra="--signal=B:TERM@300 --exclusive",
    )


def test_nodes_may_be_called_num_nodes(load):
    assert scheduler(load, ", num_nodes: 3").nodes == 3


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("04:00:00", "04:00:00"),
        ("90", "90"),
        ("1-12", "1-12"),
        (" 30:00 ", "30:00"),
        ("2h", "02:00:00"),
        ("90m", "01:30:00"),
        ("1d12h", "1-12:00:00"),
    ],
)
def test_a_walltime_is_sent_in_a_form_that_slurm_reads(load, written, sent):
    assert scheduler(load, f", walltime: '{written}'").walltime == sent


@pytest.mark.parametrize("key", ["scheduler", "slurm_scheduler"])
def test_a_job_is_bound_to_a_scheduler_under_either_key(load, key):
    document = load(
        f"""
        slurm_schedulers: [{{name: a, account: x}}, {{name: b_1, account: x}}]
        jobs:
          - {{name: free, command: x}}
          - {{name: "j_{{i}}", command: x, {key}: "b_{{i}}", parameters: {{i: 1}}}}
        """
    )
    assert [job.scheduler for job in document.jobs] == [None, 1]
