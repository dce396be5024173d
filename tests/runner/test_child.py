"""Children: how they start, what they see, and how they end by themselves."""

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.launched import is_alive, job, told
from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob, SyncJob
from torc.runner.launcher import Launcher, SpawnFailed
from torc.runner.report import report_spawn_failure

Eventually = Callable[..., Any]


@pytest.fixture
def run(launcher: Launcher, eventually: Eventually) -> Callable[[SyncJob], FinishedJob]:
    def run(job: SyncJob) -> FinishedJob:
        child = launcher.start(job, {})
        return told(child, eventually(child.collect))

    return run


@pytest.mark.parametrize(
    ("command", "status", "return_code", "cause"),
    [
        ("true", JobStatus.COMPLETED, 0, None),
        ("exit 7", JobStatus.FAILED, 7, Cause.EXIT),
        ("no_such_program", JobStatus.FAILED, 127, Cause.EXIT),
        ("kill -9 $$", JobStatus.FAILED, -9, Cause.SIGNAL),
        ("kill -TERM $$", JobStatus.FAILED, -15, Cause.SIGNAL),
    ],
)
def test_the_way_a_child_ends_decides(
    run: Callable[[SyncJob], FinishedJob], command: str, status: JobStatus, return_code: int, cause: Cause | None
) -> None:
    report = run(job(command))
    assert (report.status, report.return_code, report.cause) == (status, return_code, cause)
    assert report.signal == (-return_code if return_code < 0 else None)


def test_a_missing_output_is_a_failure(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    there, missing = tmp_path / "there", tmp_path / "missing"
    report = run(job(f"echo 12345 > {there}", outputs=(there, missing)))
    assert (report.status, report.return_code, report.cause) == (JobStatus.FAILED, 0, Cause.MISSING_OUTPUT)
    assert report.missing_files == [str(missing)]
    assert [(file.file_id, file.size) for file in report.output_files] == [(1, 6)]
    assert report.output_files[0].st_mtime == there.stat().st_mtime


def test_a_job_that_failed_anyway_misses_nothing(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    report = run(job("exit 1", outputs=(tmp_path / "missing",)))
    assert (report.cause, report.missing_files) == (Cause.EXIT, [])


def test_output_goes_to_files_of_the_attempt(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    run(job("echo out; echo err >&2"))
    run(job("echo again", attempt_id=2))
    stdio = tmp_path / "job_stdio"
    assert {path.name: path.read_text() for path in stdio.iterdir()} == {
        "job_9_5_3.o": "out\n",
        "job_9_5_3.e": "err\n",
        "job_9_5_3_r2.o": "again\n",
        "job_9_5_3_r2.e": "",
    }


def test_the_environment_says_who_the_job_is(
    run: Callable[[SyncJob], FinishedJob], launcher: Launcher, tmp_path: Path
) -> None:
    run(job("python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'", attempt_id=2))
    found = json.loads((tmp_path / "job_stdio" / "job_9_5_3_r2.o").read_text())
    assert {name: value for name, value in found.items() if name.startswith("TORC_")} == {
        "TORC_WORKFLOW_ID": "9",
        "TORC_API_URL": "http://x",
        "TORC_JOB_ID": "5",
        "TORC_JOB_NAME": "the job",
        "TORC_RUN_ID": "3",
        "TORC_ATTEMPT_ID": "2",
        "TORC_NUM_CPUS": "2",
        "TORC_NUM_GPUS": "0",
        "TORC_NUM_NODES": "1",
        "TORC_MEMORY_BYTES": "1048576",
        "TORC_MARK": f"{launcher.node_mark}5-2",
    }
    assert found["HOME"] == os.environ["HOME"]


def test_the_invocation_script_comes_first(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    run(job("one two", script="printf %s:%s:%s. zero"))
    assert (tmp_path / "job_stdio" / "job_9_5_3.o").read_text() == "zero:one:two."


def test_a_job_reads_nothing_and_dies_of_a_broken_pipe(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    assert run(job("cat; yes | head -n 1; exit ${PIPESTATUS[0]}")).return_code == 128 + signal.SIGPIPE


def test_a_child_leads_its_own_session(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    run(job("echo $$; ps -o sid= -p $$"))
    pid, sid = (tmp_path / "job_stdio" / "job_9_5_3.o").read_text().split()
    assert pid == sid


def test_the_peak_memory_is_the_childs_and_not_ours(run: Callable[[SyncJob], FinishedJob]) -> None:
    assert run(job("true")).peak_memory_bytes is None
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + (100 << 20)
    big = run(job(f"python3 -c 'x = bytearray({size})'")).peak_memory_bytes
    assert big is not None and big > size


@pytest.mark.parametrize("command", ["x" * 200_000, "echo \0"])
def test_a_job_that_cannot_be_started_says_why(launcher: Launcher, tmp_path: Path, command: str) -> None:
    with pytest.raises(SpawnFailed, match="the job") as failure:
        launcher.start(job(command), {})
    report = report_spawn_failure(job(command), failure.value)
    assert (report.status, report.return_code, report.cause) == (JobStatus.FAILED, 126, Cause.SPAWN_FAILED)
    assert str(failure.value) in (tmp_path / "job_stdio" / "job_9_5_3.e").read_text()


def test_an_output_folder_that_cannot_be_had_fails_the_job(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "job_stdio").rmdir()
    (tmp_path / "job_stdio").touch()
    with pytest.raises(SpawnFailed, match="job_stdio") as failure:
        launcher.start(job("true"), {})
    assert failure.value.return_code == 126


def test_an_output_folder_that_was_removed_is_made_again(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    (tmp_path / "job_stdio").rmdir()
    assert run(job("echo out")).status == JobStatus.COMPLETED
    assert (tmp_path / "job_stdio" / "job_9_5_3.o").read_text() == "out\n"


def test_starting_jobs_leaves_no_open_files(run: Callable[[SyncJob], FinishedJob], launcher: Launcher) -> None:
    before = len(os.listdir("/proc/self/fd"))
    run(job("true"))
    with pytest.raises(SpawnFailed):
        launcher.start(job("x" * 200_000), {})
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_child_that_ended_by_itself_before_it_was_told_to_has_done_what_it_did(
    launcher: Launcher, eventually: Eventually
) -> None:
    child = launcher.start(job("exit 7"), {})
    eventually(child.has_ended)
    child.terminate(10, Cause.USER)
    child.kill(Cause.TIMEOUT)
    report = told(child, eventually(child.collect))
    assert (report.status, report.return_code, report.cause) == (JobStatus.FAILED, 7, Cause.EXIT)
    child.kill(Cause.USER)  # nor does it harm whoever has its number by now
    assert not child.stopped


def test_the_first_cause_and_the_shortest_grace_count(launcher: Launcher) -> None:
    child = launcher.start(job("sleep 600"), {})
    child.terminate(10, Cause.TIMEOUT)
    first = child.kill_at
    child.terminate(600, Cause.USER)
    assert (child.cause, child.kill_at) == (Cause.TIMEOUT, first)
    child.kill(Cause.USER)
    assert child.cause == Cause.TIMEOUT
    assert child.kill_at is not None and child.kill_at <= time.monotonic()


def test_what_a_job_leaves_in_the_background_stays(
    launcher: Launcher, run: Callable[[SyncJob], FinishedJob], tmp_path: Path
) -> None:
    assert run(job(f"nohup sleep 600 & echo $! > {tmp_path}/left")).status == JobStatus.COMPLETED
    assert is_alive(int((tmp_path / "left").read_text()))
