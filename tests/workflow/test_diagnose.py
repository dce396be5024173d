"""What jobs lacked that did not succeed, told by what their runner, their own words and Slurm say."""

from typing import Any

import pytest

from torc.models.status import Cause, JobStatus
from torc.workflow import diagnose

GIB = 1 << 30

TERMINATED = {"status": JobStatus.TERMINATED, "cause": Cause.TIME_UP, "return_code": -15}
CUDA = "torch.cuda.OutOfMemoryError: CUDA out of memory."

ENDS: list[tuple[dict[str, Any], str, str]] = [
    ({"return_code": -9, "cause": Cause.OOM, "peak": 9 * GIB}, "memory", "killed for using more than its memory, 9g"),
    ({"return_code": -15, "cause": Cause.TIMEOUT}, "time", "it took longer than its runtime of PT1H"),
    ({**TERMINATED, "minutes": 61.0}, "time", "it was not done after its runtime of PT1H"),
    ({**TERMINATED, "minutes": 3.0}, "node", "its allocation ended before the time it asked for"),
    ({"return_code": 1, "stderr": "numpy._ArrayMemoryError: Unable to allocate 9 GiB\n"}, "memory", "Python memory"),
    ({"return_code": 134, "stderr": "what():  std::bad_alloc\nAborted\n"}, "memory", "C++ memory allocation failure"),
    ({"return_code": 1, "stderr": f"{CUDA}\nexiting\n"}, "unknown", "exit code 1"),
    ({"return_code": 1, "stderr": "Traceback (most recent call last):\nKeyError: 3\n"}, "unknown", "exit code 1"),
    ({"return_code": -9, "peak": 8 * GIB - 4096}, "memory", "killed while it used 8g of 8g"),
    ({"return_code": 137, "peak": GIB}, "unknown", "killed, and nobody says why"),
    ({"return_code": 7}, "unknown", "exit code 7"),
    ({"return_code": 0, "cause": Cause.MISSING_OUTPUT}, "unknown", "missing_output"),
]


@pytest.mark.parametrize(("how", "kind", "evidence"), ENDS)
def test_an_end_tells_what_was_lacking(ended, program, how, kind, evidence):
    ended.create("a").end("a", **how)
    (failure,) = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert (failure.job.name, str(failure.kind)) == ("a", kind)
    assert evidence in failure.evidence


@pytest.mark.parametrize(
    ("accounts", "log", "kind"),
    [
        ("77|OUT_OF_MEMORY|0:125|2026-01-01T00:00:00|2026-01-01T01:00:00|w", "", "memory"),
        ("77|COMPLETED|0:0|2026-01-01T00:00:00|2026-01-01T01:00:00|w", "", "unknown"),
        (None, "slurmstepd-node1: error: Exceeded job memory limit\n", "memory"),
        (None, "slurmstepd: error: *** JOB 77 ON n1 CANCELLED ***\n", "unknown"),
    ],
)
def test_slurm_knows_what_an_allocation_lacked_in_which_a_job_was_killed(ended, program, accounts, log, kind):
    if accounts is not None:
        program("sacct", f"echo '{accounts}'")
    (ended.output_dir / "slurm_output_77.e").write_text(log)
    ended.create("a").end("a", -9)
    (failure,) = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert str(failure.kind) == kind


def test_jobs_of_a_dead_runner_were_lost_with_it(ended, program):
    ended.create("a", "b")
    node_id = ended.node(78, is_active=True)
    for name in "ab":
        ended.client.jobs.start(ended.job(name).id, run_id=1, compute_node_id=node_id)
    ended.client.release(node_id)
    found = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert [(one.job.name, str(one.kind), one.result) for one in found] == [("a", "node", None), ("b", "node", None)]
    assert found[0].evidence == "allocation 78 ended under it"
    (ended.output_dir / "slurm_output_78.e").write_text("slurmstepd-node1: error: Exceeded job memory limit\n")
    found = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert {str(one.kind) for one in found} == {"memory"}


def test_what_a_person_ended_and_what_did_not_fail_is_told_apart(ended, program):
    ended.create("a", "b", "c", after={"c": "b"})
    ended.client.jobs.command("cancel", [ended.job("a").id])
    ended.end("b", 3)
    assert ended.statuses() == {"a": "canceled", "b": "failed", "c": "canceled"}
    found = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert [one.job.name for one in found] == ["b"]


def test_who_saves_its_work_goes_on_with_what_it_had(ended, program):
    ended.create("a", supports_termination=True).end("a", minutes=90.0, **TERMINATED)
    (failure,) = diagnose.failures(ended.client, ended.workflow_id, ended.output_dir)
    assert (str(failure.kind), failure.evidence) == ("node", "its allocation was over; it goes on from what it saved")
