"""Asking Slurm for nodes: within limits, again after a hiccup, not when everything fails, and each allocation once."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.test_regenerate import at_start, scheduler
from torc.errors import Conflict
from torc.hpc.slurm import SubmitFailed
from torc.models.draft import DraftAction
from torc.models.scheduler import ScheduledComputeNode
from torc.models.status import JobStatus
from torc.workflow import allocations
from torc.workflow.allocations import Limits, Wish
from torc.workflow.reconcile import reconcile
from torc.workflow.submit import prepare, submit_workflow

ROOT = Path(__file__).resolve().parents[2]
ACCEPTS = 'n=$(cat asked 2>/dev/null | wc -l); echo "$1" >> asked; echo "Submitted batch job $((200 + n))"'


@pytest.fixture
def wish(ended, program):
    """``wish(count, **fields)``: for a workflow with one job and one scheduler, where sbatch accepts everything."""
    program("sbatch", ACCEPTS)
    ended.create("a", schedulers=(scheduler(nodes=2),), bound=0)
    (stored,) = ended.client.slurm_schedulers.list(ended.workflow_id)

    def make(count: int = 1, **fields: Any) -> Wish:
        return Wish(scheduler=stored, output_dir=Path("output"), api_url="http://n:1", count=count, **fields)

    return make


def ask(ended, wanted, said=None):
    """Check and submit."""
    allocations.check(ended.client, ended.workflow_id, [wanted])
    return allocations.submit(ended.client, ended.workflow_id, wanted, (said if said is not None else []).append)


def records(ended):
    return list(ended.client.scheduled_compute_nodes.list(ended.workflow_id, sort_by="id"))


def moment(seconds_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def add(ended, wanted, number, status, **fields):
    made = {"workflow_id": ended.workflow_id, "scheduler_config_id": wanted.scheduler.id, "scheduler_type": "slurm"}
    ended.client.scheduled_compute_nodes.create(
        ScheduledComputeNode(scheduler_id=number, status=status, **made, **fields)
    )


def test_each_allocation_has_its_record_and_a_name_like_no_other(ended, wish):
    first, second = ask(ended, wish(2))
    assert [(one.scheduler_id, one.status) for one in (first, second)] == [(200, "pending"), (201, "pending")]
    assert first.name and first.name != second.name and first.submitted_at
    assert not list(ended.output_dir.glob("*.sh"))
    events = [one.data for one in ended.client.events.list(ended.workflow_id, category="scheduler")]
    assert [one["slurm_job_id"] for one in events] == ["200", "201"]


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (Limits(max_queued=2), "1 allocations of workflow .* wait in the queue, and 2 more .* limit of 2"),
        (Limits(max_nodes=5), "has or waits for 2 nodes and 4 more would be over the limit of 5"),
    ],
)
def test_more_than_the_limits_is_refused_and_nothing_is_asked_for(ended, wish, limits, match):
    add(ended, wish(), 7, "pending")
    with pytest.raises(Conflict, match=match):
        ask(ended, wish(2, limits=limits))
    assert len(records(ended)) == 1 and not Path("asked").exists()
    assert len(ask(ended, wish(1, limits=limits))) == 1


def test_no_more_than_so_many_are_submitted_within_a_minute(ended, wish):
    add(ended, wish(), 7, "complete", submitted_at=moment(58.5))
    said: list[str] = []
    began = time.monotonic()
    ask(ended, wish(limits=Limits(per_minute=1)), said)
    assert 1 < time.monotonic() - began < 15
    assert "client.slurm.max_submissions_per_minute" in said[0]


def test_where_everything_fails_at_once_no_more_is_asked_for_unless_somebody_insists(ended, wish):
    for number in range(3):
        times = {"started_at": moment(100 - number), "ended_at": moment(95 - number), "reason": "FAILED 1:0"}
        add(ended, wish(), number, "failed", **times)
    with pytest.raises(Conflict, match=r"the last 3 .* failed within 60 s of their start \(FAILED 1:0\).*--force"):
        ask(ended, wish())
    assert len(ask(ended, wish(ignore_failures=True))) == 1


def test_what_slurm_cannot_take_now_is_tried_again(ended, wish, program, monkeypatch):
    monkeypatch.setattr(allocations, "PAUSE_S", 0.01)
    busy = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1"
    program("sbatch", f"[ -e tried ] || {{ touch tried; {busy}; }}; {ACCEPTS}")
    said: list[str] = []
    (made,) = ask(ended, wish(), said)
    assert made.status == "pending" and "Socket timed out" in said[0] and "Trying again" in said[0]
    program("sbatch", busy)
    with pytest.raises(SubmitFailed, match="Socket timed out"):
        ask(ended, wish())
    assert len(records(ended)) == 1


def test_what_slurm_refuses_leaves_no_record_and_no_script(ended, wish, program):
    program("sbatch", "echo 'sbatch: error: Batch job submission failed: Requested time limit is invalid' >&2; exit 1")
    with pytest.raises(SubmitFailed, match="Requested time limit is invalid"):
        ask(ended, wish(3))
    assert records(ended) == [] and not list(ended.output_dir.glob("*.sh"))


@pytest.mark.parametrize("accepted", [True, False])
def test_a_client_that_dies_while_it_submits_neither_loses_nor_doubles_an_allocation(ended, wish, program, accepted):
    """Whether Slurm has the job, its name tells: the record was there before."""
    wish()
    program("sbatch", "kill -9 $PPID; sleep 1; echo 'Submitted batch job 300'")
    killed = subprocess.run(
        [sys.executable, "-m", "torc", "slurm", "schedule-nodes", str(ended.workflow_id)],
        env={**os.environ, "TORC_API_URL": ended.client.url, "PYTHONPATH": str(ROOT)}
        | {"TORC_CLIENT__SLURM__API_URL": "http://n:1"},
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr
    (left,) = records(ended)
    assert (left.scheduler_id, left.status) == (0, "submitting")
    program("squeue", f"echo '300|RUNNING|None|{left.name}'" if accepted else "exit 0")
    program("sacct", "exit 0")
    if not accepted:
        assert reconcile(ended.client, [ended.workflow_id]) == [], "it may be on its way"
        ended.client.scheduled_compute_nodes.change(left.id or 0, {"submitted_at": moment(200)})
    reconcile(ended.client, [ended.workflow_id])
    (now,) = records(ended)
    if accepted:
        assert (now.scheduler_id, now.status) == (300, "active")
    else:
        assert (now.status, now.reason) == ("failed", "it was never submitted: the submission was interrupted")


def test_what_runners_left_to_be_asked_for_is_asked_for_by_the_next_submission(ended, program):
    """Rule 16: the jobs of a later stage became ready when nobody was there any more."""
    program("sbatch", ACCEPTS)
    later = DraftAction(
        trigger_type="on_jobs_ready",
        action_type="schedule_nodes",
        action_config={"scheduler_type": "slurm", "num_allocations": 2},
        jobs=[1],
        scheduler=0,
    )
    ended.create("a", "b", after={"b": "a"}, schedulers=(scheduler(),), bound=0, actions=(at_start(), later))

    def make(of: Any, count: int, worker_per_node: bool, max_parallel_jobs: int | None) -> Wish:
        return Wish(scheduler=of, output_dir=Path("output"), api_url="http://n:1", count=count)

    def submit():
        prepared = prepare(ended.client, ended.workflow_id, make)
        return submit_workflow(ended.client, prepared, [].append)

    assert len(submit()) == 1
    with pytest.raises(Conflict, match="were asked for already"):
        submit()
    ended.client.scheduled_compute_nodes.change(records(ended)[0].id or 0, {"status": "complete"})
    ended.end("a", 0, status=JobStatus.COMPLETED)
    assert len(submit()) == 2
    with pytest.raises(Conflict, match="were asked for already"):
        submit()
