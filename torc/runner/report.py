"""How the end of a child becomes the report of a job."""

import os

from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob, OutputFile, SyncJob
from torc.runner.child import Child, Ending
from torc.runner.launcher import SpawnFailed
from torc.units import utc_now_iso


def report_end(child: Child, ending: Ending) -> FinishedJob:
    """What the server is told about a child that ran.

    Exit code 0 with a declared output file missing is a failure: what depends on the job would fail later and
    further away.
    """
    job = child.job
    outputs, missing = _check_outputs(job)
    status, cause = _judge(child, ending, missing)
    cpu_percent = 100 * ending.cpu_s / ending.runtime_s if ending.runtime_s > 0 else None
    return FinishedJob(
        job_id=job.id,
        run_id=job.run_id,
        attempt_id=job.attempt_id,
        status=status,
        return_code=ending.return_code,
        cause=cause,
        signal=-ending.return_code if ending.return_code < 0 else None,
        exec_time_minutes=ending.runtime_s / 60,
        completion_time=utc_now_iso(),
        peak_memory_bytes=ending.peak_memory_bytes,
        avg_cpu_percent=cpu_percent,
        peak_cpu_percent=cpu_percent,  # one sample over the whole run: its peak is its mean
        output_files=outputs,
        missing_files=missing if cause is Cause.MISSING_OUTPUT else [],
    )


def report_spawn_failure(job: SyncJob, failure: SpawnFailed) -> FinishedJob:
    """What the server is told about a job that never ran."""
    return FinishedJob(
        job_id=job.id,
        run_id=job.run_id,
        attempt_id=job.attempt_id,
        status=JobStatus.FAILED,
        return_code=failure.return_code,
        cause=Cause.SPAWN_FAILED,
        exec_time_minutes=0.0,
        completion_time=utc_now_iso(),
    )


def _judge(child: Child, ending: Ending, missing: list[str]) -> tuple[JobStatus, Cause | None]:
    if child.stopped:
        return JobStatus.TERMINATED, Cause.USER
    if ending.return_code < 0:
        return JobStatus.FAILED, Cause.SIGNAL
    if ending.return_code > 0:
        return JobStatus.FAILED, Cause.EXIT
    if missing:
        return JobStatus.FAILED, Cause.MISSING_OUTPUT
    return JobStatus.COMPLETED, None


def _check_outputs(job: SyncJob) -> tuple[list[OutputFile], list[str]]:
    """The declared files that exist, and the paths of those that do not. Relative paths: as the job saw them."""
    found, missing = [], []
    for file_id, _, path in job.output_files:
        try:
            state = os.stat(path)
        except OSError:
            missing.append(path)
        else:
            found.append(OutputFile(file_id=file_id, st_mtime=state.st_mtime, size=state.st_size))
    return found, missing
