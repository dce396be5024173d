"""How the end of a child becomes the report of a job."""

import os

from torc.models.status import Cause, JobStatus
from torc.models.sync import FinishedJob, OutputFile, SyncJob
from torc.runner.child import Child, Ending
from torc.runner.launcher import SpawnFailed
from torc.runner.watch import Observed
from torc.units import utc_now_iso


def report_end(child: Child, ending: Ending, observed: Observed) -> FinishedJob:
    """What the server is told about a child that ran.

    Exit code 0 with a declared output file missing is a failure: what depends on the job would fail later and
    further away.
    """
    job = child.job
    outputs, missing = _check_outputs(job) if not child.is_recovery else ([], [])
    status, cause = _judge(child, ending, missing, out_of_memory=observed.out_of_memory)
    figures = observed.figures
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
        peak_memory_bytes=figures.peak_memory_bytes,
        avg_memory_bytes=figures.avg_memory_bytes,
        avg_cpu_percent=figures.avg_cpu_percent,
        peak_cpu_percent=figures.peak_cpu_percent,
        gpu_ids=list(child.grant.gpu_ids) or None,
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


def _judge(child: Child, ending: Ending, missing: list[str], *, out_of_memory: bool) -> tuple[JobStatus, Cause | None]:
    if child.cause in (Cause.TIMEOUT, Cause.OOM):
        return JobStatus.FAILED, child.cause
    if child.stopped:
        return JobStatus.TERMINATED, child.cause
    if ending.return_code and out_of_memory:
        return JobStatus.FAILED, Cause.OOM
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
