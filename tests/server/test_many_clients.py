"""Many clients that read and write at the same time: no error, nobody waits long, and the counters stay true."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.scenario import NODE, at_once
from torc.client.api import Client
from torc.models.compute_node import ComputeNode
from torc.models.event import Event
from torc.models.job import Job
from torc.models.status import JobStatus
from torc.models.sync import PROTOCOL, FinishedJob, SyncJob, SyncRequest
from torc.models.user_data import UserData
from torc.models.workflow import InitializeRequest, Workflow

CLIENTS = 40
SECONDS = 4.0
CHAINS = 200
LENGTH = 5
LONGEST_S = 10.0  # as long as a lock may be waited for; far more than anything takes here


class Worker:
    """A client that works through a workflow and looks at this and that in between."""

    def __init__(self, client: Client, workflow_id: int) -> None:
        self.client = client
        self.workflow_id = workflow_id
        self.node = client.compute_nodes.create(ComputeNode(workflow_id=workflow_id, spool_path="/spool", **NODE))
        assert self.node.id is not None
        self.node_id = self.node.id
        self.seq = 0
        self.held: list[SyncJob] = []
        self.finished: list[int] = []
        self.longest_s = 0.0

    def work(self, seconds: float) -> None:
        """Everything in turn, until the time is over."""
        calls: list[Callable[[], Any]] = [self.sync, self.look, self.sync, self.write, self.sync, self.come_and_go]
        stop_at = time.monotonic() + seconds
        while time.monotonic() < stop_at:
            for call in calls:
                begun = time.monotonic()
                call()
                self.longest_s = max(self.longest_s, time.monotonic() - begun)

    def sync(self) -> None:
        """Report the jobs of the last sync and claim others; every third one failed."""
        self.seq += 1
        request = SyncRequest(
            protocol=PROTOCOL,
            seq=self.seq,
            database_id=self.node.database_id or "",
            generation=self.node.generation or 0,
            finished=[self.report(job) for job in self.held],
            holding=[],
            slots=2,
        )
        answer = self.client.sync(self.node_id, request)
        assert answer.lost == []
        self.finished += [job.id for job in self.held]
        self.held = answer.jobs

    def report(self, job: SyncJob) -> FinishedJob:
        failed = job.id % 3 == 0
        return FinishedJob(
            job_id=job.id,
            run_id=job.run_id,
            attempt_id=job.attempt_id,
            status=JobStatus.FAILED if failed else JobStatus.COMPLETED,
            return_code=1 if failed else 0,
            exec_time_minutes=0.0,
            completion_time="2026-01-01T00:00:00.000Z",
        )

    def look(self) -> None:
        page = self.client.jobs.page(workflow_id=self.workflow_id, limit=100, include_relationships=True)
        assert (len(page.items), page.total_count) == (100, CHAINS * LENGTH)
        assert sum(self.client.workflows.job_counts(self.workflow_id).values()) == CHAINS * LENGTH

    def write(self) -> None:
        self.client.events.create(Event(workflow_id=self.workflow_id, data={"message": "here"}))
        made = self.client.user_data.create(UserData(workflow_id=self.workflow_id, name="mine", data={"step": 1}))
        assert made.id is not None
        made.data = {"step": 2}
        self.client.user_data.update(made.id, made)
        assert self.client.user_data.get(made.id).data == {"step": 2}
        self.client.user_data.delete(made.id)

    def come_and_go(self) -> None:
        """A workflow of its own, from creation to deletion."""
        made = self.client.workflows.create(Workflow(name="brief", user="tester"))
        assert made.id is not None
        jobs = [Job(workflow_id=made.id, name=f"job_{n}", command="true") for n in range(3)]
        self.client.jobs.create_many(jobs)
        assert self.client.workflows.initialize(made.id, InitializeRequest()).jobs_ready == 3
        self.client.workflows.delete(made.id)


def chains(client: Client) -> int:
    """A workflow of short chains; in each, whatever waits for a failed job is canceled."""
    made = client.workflows.create(Workflow(name="chains", user="tester"))
    assert made.id is not None
    above: list[Job] = []
    for depth in range(LENGTH):
        above = client.jobs.create_many(
            [
                Job(
                    workflow_id=made.id,
                    name=f"job_{chain}_{depth}",
                    command="true",
                    depends_on_job_ids=[above[chain].id or 0] if above else None,
                )
                for chain in range(CHAINS)
            ]
        )
    client.workflows.initialize(made.id, InitializeRequest())
    return made.id


@pytest.mark.slow
def test_many_clients_that_read_and_write_at_once_disturb_nobody(start_server: Callable[..., Any]) -> None:
    url = start_server().http.url
    client = Client(url)
    workflow_id = chains(client)
    clients = [Client(url) for _ in range(CLIENTS)]
    workers = [Worker(one, workflow_id) for one in clients]
    at_once(CLIENTS, lambda n: workers[n].work(SECONDS))
    assert client.doctor() == []
    assert max(worker.longest_s for worker in workers) < LONGEST_S
    finished = [job_id for worker in workers for job_id in worker.finished]
    assert len(finished) == len(set(finished)), "no job ran twice"
    stored = [result.job_id for result in client.results.list(workflow_id=workflow_id)]
    assert sorted(stored) == sorted(finished)
    for one in (client, *clients):
        one.close()
