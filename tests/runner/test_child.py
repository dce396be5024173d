"""Children: how they start, what they see, and that none of what they start survives being stopped."""

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob, SyncJob
from torc.runner import session
from torc.runner.launcher import Launcher, SpawnFailed
from torc.runner.report import report_end, report_spawn_failure

Eventually = Callable[..., Any]


def job(command: str, *, attempt_id: int = 1, script: str | None = None, outputs: list[Path] | None = None) -> SyncJob:
    return SyncJob(
        id=5,
        name="the job",
        command=command,
        invocation_script=script,
        run_id=3,
        attempt_id=attempt_id,
        num_cpus=1,
        num_gpus=0,
        num_nodes=1,
        memory_bytes=1,
        runtime_s=60,
        output_files=[(index, path.name, str(path)) for index, path in enumerate(outputs or [], start=1)],
    )


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path, 9, {"TORC_WORKFLOW_ID": "9", "TORC_API_URL": "http://x"})
    yield launcher
    launcher.close()


@pytest.fixture
def run(launcher: Launcher, eventually: Eventually) -> Callable[[SyncJob], FinishedJob]:
    def run(job: SyncJob) -> FinishedJob:
        child = launcher.start(job)
        return report_end(child, eventually(child.collect))

    return run


@pytest.fixture
def wait_for(tmp_path: Path, eventually: Eventually) -> Callable[[str], str]:
    """The content of a file that a job writes, once it is there."""
    return lambda name: eventually(lambda: (tmp_path / name).exists() and (tmp_path / name).read_text().strip())


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


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
    report = run(job(f"echo 12345 > {there}", outputs=[there, missing]))
    assert (report.status, report.return_code, report.cause) == (JobStatus.FAILED, 0, Cause.MISSING_OUTPUT)
    assert report.missing_files == [str(missing)]
    assert [(file.file_id, file.size) for file in report.output_files] == [(1, 6)]
    assert report.output_files[0].st_mtime == there.stat().st_mtime


def test_a_job_that_failed_anyway_misses_nothing(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    report = run(job("exit 1", outputs=[tmp_path / "missing"]))
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


def test_the_environment_says_who_the_job_is(run: Callable[[SyncJob], FinishedJob], tmp_path: Path) -> None:
    run(job("python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'", attempt_id=2))
    found = json.loads((tmp_path / "job_stdio" / "job_9_5_3_r2.o").read_text())
    assert {name: value for name, value in found.items() if name.startswith("TORC_")} == {
        "TORC_WORKFLOW_ID": "9",
        "TORC_API_URL": "http://x",
        "TORC_JOB_ID": "5",
        "TORC_JOB_NAME": "the job",
        "TORC_RUN_ID": "3",
        "TORC_ATTEMPT_ID": "2",
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
        launcher.start(job(command))
    report = report_spawn_failure(job(command), failure.value)
    assert (report.status, report.return_code, report.cause) == (JobStatus.FAILED, 126, Cause.SPAWN_FAILED)
    assert str(failure.value) in (tmp_path / "job_stdio" / "job_9_5_3.e").read_text()


def test_an_output_folder_that_is_gone_fails_the_job(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "job_stdio").rmdir()
    with pytest.raises(SpawnFailed, match="job_stdio") as failure:
        launcher.start(job("true"))
    assert failure.value.return_code == 127


def test_starting_jobs_leaves_no_open_files(run: Callable[[SyncJob], FinishedJob], launcher: Launcher) -> None:
    before = len(os.listdir("/proc/self/fd"))
    run(job("true"))
    with pytest.raises(SpawnFailed):
        launcher.start(job("x" * 200_000))
    assert len(os.listdir("/proc/self/fd")) == before


# A process group of its own inside the session, as interactive shells and `set -m` make them.
FAMILY = "sleep 600 & echo $! > {0}/one; set -m; sleep 601 & echo $! > {0}/two; wait"


def test_a_kill_reaches_every_process_of_the_session(
    launcher: Launcher, tmp_path: Path, wait_for: Callable[[str], str], eventually: Eventually
) -> None:
    child = launcher.start(job(FAMILY.format(tmp_path)))
    one, two = int(wait_for("one")), int(wait_for("two"))
    child.kill()
    ending = eventually(child.collect)
    assert ending.return_code == -signal.SIGKILL
    assert not is_alive(one) and not is_alive(two)


def test_a_child_that_was_asked_to_end_may_finish_its_checkpoint(
    launcher: Launcher, tmp_path: Path, wait_for: Callable[[str], str], eventually: Eventually
) -> None:
    # The shell dies of SIGTERM at once; what it was waiting for does not.
    inner = f"trap 'sleep 0.3; echo saved > {tmp_path}/checkpoint; exit 0' TERM; echo > {tmp_path}/up; sleep 600 & wait"
    child = launcher.start(job(f'bash -c "{inner}"; true'))
    eventually((tmp_path / "up").exists)
    child.terminate(grace_s=30)
    ending = eventually(child.collect)
    assert (tmp_path / "checkpoint").read_text() == "saved\n"
    assert report_end(child, ending).status == JobStatus.TERMINATED


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(
    launcher: Launcher, tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"trap '' TERM; echo > {tmp_path}/up; while true; do sleep 0.05; done"))
    eventually((tmp_path / "up").exists)
    child.terminate(grace_s=0.2)
    asked = time.monotonic()
    ending = eventually(child.collect)
    assert ending.return_code == -signal.SIGKILL
    assert time.monotonic() - asked >= 0.2


def test_a_stopped_job_is_terminated_by_a_user_whatever_it_returned(
    launcher: Launcher, tmp_path: Path, eventually: Eventually
) -> None:
    child = launcher.start(job(f"trap 'exit 0' TERM; echo > {tmp_path}/up; while true; do sleep 0.05; done"))
    eventually((tmp_path / "up").exists)
    child.terminate(grace_s=30)
    report = report_end(child, eventually(child.collect))
    assert (report.status, report.return_code, report.cause) == (JobStatus.TERMINATED, 0, Cause.USER)


def test_a_pid_and_its_birth_tell_a_process_from_a_later_one(launcher: Launcher, eventually: Eventually) -> None:
    child = launcher.start(job("sleep 600"))
    after, before = child.born
    assert session.was_born(child.pid, after, before)
    assert not session.was_born(child.pid, after - 10, before - 10)
    assert not session.was_born(child.pid, after + 10, before + 10)
    child.kill()
    eventually(child.collect)
    assert not session.was_born(child.pid, after, before)
