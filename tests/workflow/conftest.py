"""A workflow whose jobs have ended as a test wants, and a Slurm of scripts."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from torc.client.api import Client
from torc.models.compute_node import ComputeNode
from torc.models.draft import DraftAction, DraftDocument, DraftFile, DraftJob, DraftRequirements, DraftScheduler
from torc.models.job import Job
from torc.models.result import Result
from torc.models.status import Cause, JobStatus
from torc.models.workflow import InitializeRequest, Workflow
from torc.units import utc_now_iso
from torc.workflow import stdio
from torc.workflow.create import create_workflow

NEEDS = DraftRequirements(name="big", num_cpus=2, memory="8g", runtime="PT1H")


class Ended:
    """A workflow in its first run, whose jobs end when they are told to."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.output_dir = folder / "output"
        stdio.folder(self.output_dir).mkdir(parents=True)
        self.workflow_id = 0
        self.node_ids: dict[int, int] = {}  # by Slurm job

    def create(
        self,
        *names: str,
        after: dict[str, str] | None = None,
        schedulers: tuple[DraftScheduler, ...] = (),
        bound: int | None = None,
        actions: tuple[DraftAction, ...] = (),
        needs: DraftRequirements = NEEDS,
        files: tuple[DraftFile, ...] = (),
        output_files: dict[str, list[int]] | None = None,
        **fields: Any,
    ) -> "Ended":
        """Jobs that need NEEDS, some after others, bound to the scheduler at an index."""
        jobs = [
            DraftJob(
                name=name,
                command="true",
                resource_requirements=0,
                depends_on=[names.index(after[name])] if after and name in after else [],
                scheduler=bound,
                output_files=(output_files or {}).get(name, []),
                **fields,
            )
            for name in names
        ]
        document = DraftDocument(
            workflow=Workflow(name="w", user="tester"),
            jobs=jobs,
            files=list(files),
            resource_requirements=[needs],
            slurm_schedulers=list(schedulers),
            actions=list(actions),
        )
        self.workflow_id = create_workflow(self.client, document)
        self.client.workflows.initialize(self.workflow_id, InitializeRequest())
        return self

    def job(self, name: str) -> Job:
        return next(job for job in self.client.jobs.list(self.workflow_id) if job.name == name)

    def node(self, slurm_job: int, *, scheduler_id: int | None = None, is_active: bool = False) -> int:
        """A runner in an allocation, which has left."""
        if slurm_job not in self.node_ids:
            node = ComputeNode(
                workflow_id=self.workflow_id,
                hostname="n1",
                pid=1,
                start_time=utc_now_iso(),
                is_active=is_active,
                num_cpus=4,
                memory_gb=16.0,
                num_gpus=0,
                num_nodes=1,
                compute_node_type="slurm",
                scheduler_config_id=scheduler_id,
                scheduler={"slurm_job_id": str(slurm_job)},
            )
            self.node_ids[slurm_job] = self.client.compute_nodes.create(node).id or 0
        return self.node_ids[slurm_job]

    def end(
        self,
        name: str,
        return_code: int,
        *,
        cause: Cause | None = None,
        status: JobStatus = JobStatus.FAILED,
        slurm_job: int = 77,
        stderr: str | None = None,
        minutes: float = 1.0,
        peak: int | None = None,
    ) -> None:
        """Run a job so that it ends like this."""
        job, node_id = self.job(name), self.node(slurm_job)
        assert job.id is not None
        run_id = self.client.workflows.status(self.workflow_id).run_id
        self.client.jobs.start(job.id, run_id=run_id, compute_node_id=node_id)
        result = Result(
            job_id=job.id,
            workflow_id=self.workflow_id,
            run_id=run_id,
            compute_node_id=node_id,
            return_code=return_code,
            exec_time_minutes=minutes,
            completion_time=utc_now_iso(),
            peak_memory_bytes=peak,
            status=status,
            cause=cause,
        )
        self.client.jobs.complete(job.id, status=status, run_id=run_id, result=result)
        if stderr is not None:
            names = {"workflow_id": self.workflow_id, "job_id": job.id, "run_id": run_id, "attempt_id": 1}
            (stdio.folder(self.output_dir) / stdio.file_name(**names, extension="e")).write_text(stderr)

    def statuses(self) -> dict[str, str]:
        return {job.name: str(job.status) for job in self.client.jobs.list(self.workflow_id)}

    def needs(self, name: str) -> tuple[str, str]:
        found = self.client.resource_requirements.get(self.job(name).resource_requirements_id or 0)
        return found.memory, found.runtime


@pytest.fixture
def ended(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ended]:
    monkeypatch.chdir(tmp_path)
    with closing(Client(server.url)) as client:
        yield Ended(client, tmp_path)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``program(name, text)``: a script that is found on PATH; nothing else of Slurm is."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.delenv("SLURM_CONF", raising=False)

    def write(name: str, text: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    for name in ("sbatch", "squeue", "sacct", "scancel", "scontrol"):
        write(name, "echo 'no such cluster' >&2; exit 1")
    return write
