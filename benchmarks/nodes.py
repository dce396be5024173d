"""A runner without processes: it claims and reports as a real one does, and starts nothing."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from torc.client.api import Client
from torc.models.compute_node import ComputeNode
from torc.models.status import JobStatus
from torc.models.sync import PROTOCOL, FinishedJob, SyncAnswer, SyncJob, SyncRequest


def register(client: Client, workflow_id: int) -> ComputeNode:
    """A node that offers room for anything."""
    return client.compute_nodes.create(
        ComputeNode(
            workflow_id=workflow_id,
            hostname="benchmark",
            pid=os.getpid(),
            start_time=_now(),
            is_active=True,
            num_cpus=1_000_000,
            memory_gb=1_000_000.0,
            num_gpus=0,
            num_nodes=1,
            compute_node_type="local",
        )
    )


def finished(jobs: Sequence[SyncJob], status: JobStatus = JobStatus.COMPLETED) -> list[FinishedJob]:
    """The reports of jobs that ended all alike."""
    return [
        FinishedJob(
            job_id=job.id,
            run_id=job.run_id,
            attempt_id=job.attempt_id,
            status=status,
            return_code=0 if status == JobStatus.COMPLETED else 1,
            exec_time_minutes=0.001,
            completion_time=_now(),
        )
        for job in jobs
    ]


def claim_request(
    node: ComputeNode,
    seq: int,
    limit: int,
    *,
    done: Sequence[SyncJob] = (),
    status: JobStatus = JobStatus.COMPLETED,
    unused: Sequence[SyncJob] = (),
) -> SyncRequest:
    """Report what is done, give back what is unused and ask for ``limit`` more."""
    return SyncRequest(
        protocol=PROTOCOL,
        seq=seq,
        database_id=node.database_id or "",
        generation=node.generation or 0,
        finished=finished(done, status),
        released=[(job.id, job.attempt_id) for job in unused],
        holding=[],
        slots=limit,
        limit=limit,
    )


class Node:
    """One such runner, over a client."""

    def __init__(self, client: Client, workflow_id: int) -> None:
        self._client = client
        self._record = register(client, workflow_id)
        self._seq = 0

    def sync(
        self,
        limit: int,
        *,
        done: Sequence[SyncJob] = (),
        status: JobStatus = JobStatus.COMPLETED,
        unused: Sequence[SyncJob] = (),
    ) -> SyncAnswer:
        """One round trip."""
        self._seq += 1
        assert self._record.id is not None
        request = claim_request(self._record, self._seq, limit, done=done, status=status, unused=unused)
        return self._client.sync(self._record.id, request)


def drain(client: Client, workflow_id: int, batch: int) -> int:
    """Claim and complete every job of a workflow, ``batch`` at a time; how many there were."""
    node = Node(client, workflow_id)
    jobs = node.sync(batch).jobs
    count = 0
    while jobs:
        count += len(jobs)
        jobs = node.sync(batch, done=jobs).jobs
    return count


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
