"""Recovering: who gets more of what, who runs again, and which allocations are asked for, once."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.test_regenerate import PROFILE, at_start, scheduler
from torc.errors import Conflict
from torc.hpc.slurm import SubmitFailed
from torc.models.draft import DraftFile, DraftRequirements
from torc.models.status import Cause, JobStatus
from torc.workflow.allocations import Limits, Wish
from torc.workflow.recover import Options, carry_out, prepare
from torc.workflow.regenerate import Site
from torc.workflow.sizing import Options as SiteOptions

GIB = 1 << 30

SBATCH = """
echo "$@" >> asked
n=$(wc -l < asked)
echo "Submitted batch job $((100 + n))"
"""


@pytest.fixture
def recover(ended, program):
    """``recover(**options)``: prepares; ``recover.now(**options)`` also does it."""
    program("sbatch", SBATCH)
    program("squeue", "exit 0")
    program("sacct", "exit 0")

    def site() -> Site:
        return Site(PROFILE, SiteOptions(account="a"))

    def make() -> Any:
        def wish(of: Any, count: int, worker_per_node: bool, max_parallel_jobs: int | None) -> Wish:
            return Wish(scheduler=of, output_dir=Path("output"), api_url="http://n:1", count=count, limits=Limits())

        return wish

    class Recover:
        def __call__(self, **options: Any) -> Any:
            wanted = Options(output_dir=ended.output_dir, user="u", **options)
            return prepare(ended.client, ended.workflow_id, wanted, site, make)

        def now(self, **options: Any) -> Any:
            return carry_out(ended.client, self(**options), site, make, print)

    return Recover()


def outcome(found):
    """What becomes of each job: its new memory and runtime, or None when it stays."""
    return {one.failure.job.name: None if one.stays_because else (one.memory, one.runtime) for one in found.changes}


def needs_of(**fields: str) -> DraftRequirements:
    return DraftRequirements(name="big", num_cpus=2, **{"memory": "8g", "runtime": "PT1H", **fields})


def asked() -> int:
    """How many allocations sbatch was asked for."""
    return Path("asked").read_text().count("\n") if os.path.exists("asked") else 0


def test_each_job_gets_what_it_lacked_and_no_other_anything(ended, recover):
    ended.create(*"abcdefg", after={"g": "f"})
    ended.end("a", -9, cause=Cause.OOM, peak=10 * GIB)
    ended.end("b", -9, cause=Cause.OOM)
    ended.end("c", -15, cause=Cause.TIMEOUT)
    ended.end("d", -15, status=JobStatus.TERMINATED, cause=Cause.TIME_UP)
    ended.end("e", 0, status=JobStatus.COMPLETED)
    ended.end("f", 7)
    found = recover()
    assert outcome(found) == {
        "a": ("15g", None),
        "b": ("12g", None),
        "c": (None, "PT1H30M"),
        "d": (None, None),
        "f": None,
    }
    before = ended.statuses()
    assert (before["a"], before["g"]) == ("failed", "canceled")
    recover.now()
    after = {"a": "ready", "b": "ready", "c": "ready", "d": "ready", "e": "completed", "f": "failed", "g": "canceled"}
    assert ended.statuses() == after
    assert [ended.needs(name) for name in "abcde"] == [
        ("15g", "PT1H"),
        ("12g", "PT1H"),
        ("8g", "PT1H30M"),
        ("8g", "PT1H"),
        ("8g", "PT1H"),
    ]
    assert asked() == 0, "it is not for Slurm"
    assert outcome(recover(retry_unknown=True)) == {"f": (None, None)}


def test_nobody_gets_more_than_four_times_what_it_asked_for_however_often_it_fails(ended, recover):
    ended.create("a")
    had = []
    for _ in range(3):
        ended.end("a", -9, cause=Cause.OOM)
        found = recover.now(memory_factor=2)
        had.append(ended.needs("a")[0])
    assert had == ["16g", "32g", "32g"]
    assert outcome(found) == {"a": None}
    assert "gets no more than 4 times" in found.changes[0].stays_because
    assert not found.helps


def test_more_than_the_largest_node_has_is_not_given(ended, recover):
    ended.create("a", schedulers=(scheduler(),), needs=needs_of(memory="160g"))
    ended.end("a", -9, cause=Cause.OOM)
    assert outcome(recover()) == {"a": ("240g", None)}
    recover.now()
    ended.end("a", -9, cause=Cause.OOM)
    assert outcome(recover()) == {"a": ("248g", None)}, "256000 MB"


def test_new_allocations_are_asked_for_once(ended, recover):
    ended.create("a", "b", schedulers=(scheduler(mem="8g"),), bound=0, actions=(at_start(num_allocations=2),))
    ended.end("a", -9, cause=Cause.OOM)
    ended.end("b", -15, status=JobStatus.TERMINATED, cause=Cause.TIME_UP)
    would = recover()
    assert [(ask.scheduler.name, ask.count, len(ask.jobs)) for ask in would.asks] == [
        ("batch_run2", 1, 1),
        ("nodes", 1, 1),
    ]
    assert asked() == 0
    assert len(list(ended.client.slurm_schedulers.list(ended.workflow_id))) == 1
    done = recover.now()
    assert asked() == len(done.allocations) == 2
    assert {one.status for one in done.allocations} == {"pending"}
    made = {one.name: one for one in ended.client.slurm_schedulers.list(ended.workflow_id)}
    assert ended.job("a").scheduler_id == made["batch_run2"].id
    assert made["batch_run2"].mem == "12g"
    (action,) = ended.client.workflows.actions(ended.workflow_id)
    assert action.state == "claimed", "nobody asks for the same jobs again"


def test_jobs_without_allocations_get_some_although_none_has_failed(ended, recover):
    ended.create("a", schedulers=(scheduler(),), bound=0)
    found = recover.now()
    assert (found.changes, found.renewal, len(found.allocations)) == ([], None, 1)
    assert ended.client.workflows.status(ended.workflow_id).run_id == 1


def test_what_waits_in_the_queue_is_enough(ended, recover, program):
    ended.create("a", schedulers=(scheduler(),), bound=0)
    recover.now()
    name = ended_allocation(ended).name
    program("squeue", f"echo '101|PENDING|Resources|{name}'")
    again = recover()
    assert (again.helps, [ask.count for ask in again.asks]) == (False, [0])


def ended_allocation(ended):
    (one,) = ended.client.scheduled_compute_nodes.list(ended.workflow_id)
    return one


def test_a_refusal_of_sbatch_leaves_a_workflow_that_can_be_recovered(ended, recover, program):
    ended.create("a", schedulers=(scheduler(),), bound=0, actions=(at_start(),))
    ended.end("a", -9, cause=Cause.OOM)
    program("sbatch", "echo 'sbatch: error: Invalid account' >&2; exit 1")
    with pytest.raises(SubmitFailed, match="Invalid account"):
        recover.now()
    (action,) = ended.client.workflows.actions(ended.workflow_id)
    assert (ended.statuses(), action.state) == ({"a": "ready"}, "pending")
    assert list(ended.client.scheduled_compute_nodes.list(ended.workflow_id)) == []
    program("sbatch", SBATCH)
    assert len(recover.now().allocations) == 1
    assert ended.needs("a") == ("12g", "PT1H")


def test_a_job_that_would_fit_nowhere_changes_nothing(ended, recover):
    ended.create("a", schedulers=(scheduler(),), bound=0, needs=needs_of(runtime="PT20H"))
    ended.end("a", -15, cause=Cause.TIMEOUT)
    with pytest.raises(Conflict, match="fits on no partition of Ours .* batch, allows 1-00:00:00, not 1-06:02:00"):
        recover.now()
    assert ended.statuses() == {"a": "failed"}


def test_too_long_a_runtime_is_cut_to_four_times(ended, recover):
    ended.create("a")
    ended.end("a", -15, cause=Cause.TIMEOUT)
    assert outcome(recover(runtime_factor=200)) == {"a": (None, "PT4H")}


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda ended: ended.client.workflows.cancel(ended.workflow_id), "is canceled; that is no failure"),
        (lambda ended: ended.client.workflows.archive(ended.workflow_id, is_archived=True), "is archived"),
        (
            lambda ended: ended.client.jobs.start(ended.job("a").id, run_id=1, compute_node_id=ended.node(1)),
            r"1 job\(s\) of workflow \d+ run; wait until",
        ),
    ],
)
def test_what_is_no_failure_is_left_alone(ended, recover, spoil, match):
    ended.create("a")
    spoil(ended)
    with pytest.raises(Conflict, match=match):
        recover()


def test_what_a_person_ended_does_not_run_again(ended, recover):
    ended.create(*"abc", after={"c": "a"})
    ended.client.jobs.command("cancel", [ended.job("a").id])
    ended.end("b", -9, cause=Cause.OOM)
    recover.now()
    assert ended.statuses() == {"a": "canceled", "b": "ready", "c": "canceled"}


def test_the_records_of_allocations_are_made_true_first(ended, recover, program):
    ended.create("a", schedulers=(scheduler(),), bound=0)
    recover.now()
    name = ended_allocation(ended).name
    program("sacct", f"echo '101|TIMEOUT|0:0|2026-01-01T00:00:00|2026-01-01T01:00:00|{name}'")
    found = recover.now()
    assert len(found.allocations) == 1
    statuses = [one.status for one in ended.client.scheduled_compute_nodes.list(ended.workflow_id, sort_by="id")]
    assert statuses == ["failed", "pending"]
    assert re.fullmatch(r"worker_[0-9a-f]{6}_1", name)


def test_what_has_succeeded_stays_although_its_files_are_not_in_this_folder(ended, recover):
    ended.create("a", "b", files=(DraftFile(name="made", path="made.txt"),), output_files={"a": [0]})
    ended.end("a", 0, status=JobStatus.COMPLETED)
    ended.end("b", -9, cause=Cause.OOM)
    recover.now()
    assert ended.statuses() == {"a": "completed", "b": "ready"}


def test_where_there_is_no_slurm_jobs_are_only_made_ready(ended, recover, monkeypatch):
    """A workflow for Slurm may be tried on a laptop first."""
    ended.create("a", schedulers=(scheduler(),), bound=0)
    ended.end("a", -9, cause=Cause.OOM)
    monkeypatch.setenv("PATH", "/nowhere")
    found = recover.now()
    assert (ended.statuses(), found.is_for_slurm, found.allocations) == ({"a": "ready"}, False, [])
