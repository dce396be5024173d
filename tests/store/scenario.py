"""Who plays in the tests of the store: workflows from a line per job, runners that lose answers, a clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec

from torc.models.action import WorkflowAction
from torc.models.compute_node import ComputeNode
from torc.models.draft import (
    DraftBatch,
    DraftCounts,
    DraftFile,
    DraftGroup,
    DraftJob,
    DraftRequest,
    DraftRequirements,
    DraftUserData,
)
from torc.models.job import Job
from torc.models.queries import Paging
from torc.models.status import Cause, JobStatus
from torc.models.sync import PROTOCOL, FinishedJob, Offer, StartedJob, SyncAnswer, SyncJob, SyncRequest
from torc.models.workflow import InitializeRequest, Workflow
from torc.store import actions, drafts, events, jobs, lifecycle, nodes, sync, workflows
from torc.store.database import Database
from torc.store.leases import Leases

GIB = 1024**3
TICK_S = 100.0
ELSEWHERE = 10**6
"""A node of some other workflow, so that somebody is heard from."""
WHEN = "2026-01-01T00:00:00.000Z"


class Clock:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Step:
    """A job of a test workflow; everything it refers to is named."""

    name: str
    after: Sequence[str] = ()  # jobs
    after_groups: Sequence[str] = ()
    needs: str | None = None
    keep_going: bool = False  # cancel_on_blocking_job_failure is off
    stops_gently: bool = False  # supports_termination
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    reads_data: Sequence[str] = ()
    writes_data: Sequence[str] = ()
    command: str = "true"


def as_step(text: str | Step) -> Step:
    """``"c: a b"`` is job c after a and b."""
    if isinstance(text, Step):
        return text
    name, _, after = text.partition(":")
    return Step(name, after=after.split())


def every_field(record):
    """What an update of a whole record gives."""
    return frozenset(record.__struct_fields__)


@dataclass
class Flow:
    """A workflow in the database, spoken of by the names of its jobs."""

    database: Database
    leases: Leases
    workflow_id: int
    ids: dict[str, int] = field(default_factory=dict)

    def id(self, name: str) -> int:
        """The id of a job."""
        return self.ids[name]

    def name(self, job_id: int) -> str:
        """The name of a job."""
        return next(name for name, known in self.ids.items() if known == job_id)

    def job(self, name: str) -> Job:
        """A job as it stands."""
        return jobs.get(self.database, self.id(name))

    def statuses(self) -> dict[str, str]:
        """Every job's status by name."""
        found = jobs.page(self.database, self.workflow_id, Paging()).items
        return {job.name: str(job.status) for job in found}

    def status(self, name: str) -> str:
        """One job's status."""
        return str(self.job(name).status)

    def add(self, step: str | Step) -> int:
        """Add an uninitialized job with plain dependencies."""
        step = as_step(step)
        (job,) = jobs.create_many(
            self.database,
            [
                Job(
                    workflow_id=self.workflow_id,
                    name=step.name,
                    command=step.command,
                    depends_on_job_ids=[self.id(name) for name in step.after],
                    cancel_on_blocking_job_failure=not step.keep_going,
                )
            ],
        )
        assert job.id is not None
        self.ids[step.name] = job.id
        return job.id

    def initialize(self) -> "Flow":
        """Begin a run."""
        lifecycle.initialize(self.database, self.workflow_id, InitializeRequest())
        return self

    def run_id(self) -> int:
        """The run the workflow is in."""
        return workflows.status(self.database, self.workflow_id).run_id

    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return workflows.is_complete(self.database, self.workflow_id).is_complete

    def runner(self, **fields: Any) -> "Runner":
        """A runner of ours that has joined; ``fields`` are those of its node."""
        node = ComputeNode(
            **{
                "workflow_id": self.workflow_id,
                "hostname": "here",
                "pid": 1,
                "start_time": WHEN,
                "is_active": True,
                "num_cpus": 64,
                "memory_gb": 64.0,
                "num_gpus": 0,
                "num_nodes": 1,
                "compute_node_type": "local",
                "spool_path": "/spool",
            }
            | fields
        )
        joined = nodes.create(self.database, self.leases, node)
        return Runner(self, joined)

    def action(self, trigger: str, *names: str, **fields: Any) -> int:
        """Add an action that waits for the jobs named, or for no job in particular; its id."""
        made = actions.create(
            self.database,
            self.workflow_id,
            WorkflowAction(
                trigger_type=trigger,
                action_type="run_commands",
                action_config={"commands": ["true"]},
                job_ids=[self.id(name) for name in names] if names else None,
                **fields,
            ),
        )
        assert made.id is not None
        return made.id

    def actions(self) -> dict[int, WorkflowAction]:
        """Every action by id."""
        return {action.id: action for action in actions.list_all(self.database, self.workflow_id) if action.id}

    def events(self, category: str | None = None) -> list[dict[str, Any]]:
        """The data of the events, in order."""
        found = events.page(self.database, self.workflow_id, Paging(), category=category).items
        return [
            msgspec.json.decode(event.data) if isinstance(event.data, msgspec.Raw) else event.data for event in found
        ]

    def select(self, sql: str, *arguments: Any) -> list[Any]:
        """What stands in the tables."""
        with self.database.read() as db:
            return db.execute(sql, arguments).fetchall()

    def value(self, column: str, name: str) -> Any:
        """One column of a job that is on no wire."""
        ((value,),) = self.select(f"SELECT {column} FROM job WHERE id = ?", self.id(name))
        return value

    def alter(self, sql: str, *arguments: Any) -> None:
        """Change a row behind the store's back."""
        with self.database.write() as db:
            assert db.execute(sql, arguments).rowcount > 0


@dataclass
class Runner:
    """Speaks sync() as a runner does: a new number for every send, what is not acknowledged is said again."""

    flow: Flow
    node: ComputeNode
    seq: int = 0
    jobs: dict[str, SyncJob] = field(default_factory=dict)  # given and not acknowledged as finished
    finished: list[FinishedJob] = field(default_factory=list)
    started: list[StartedJob] = field(default_factory=list)
    released: list[tuple[int, int]] = field(default_factory=list)

    @property
    def node_id(self) -> int:
        assert self.node.id is not None
        return self.node.id

    def request(self, **sections: Any) -> SyncRequest:
        """The next sync, with everything that is not acknowledged yet."""
        self.seq += 1
        assert self.node.database_id is not None and self.node.generation is not None
        said = SyncRequest(
            protocol=PROTOCOL,
            seq=self.seq,
            database_id=self.node.database_id,
            generation=self.node.generation,
            finished=list(self.finished),
            started=list(self.started),
            released=list(self.released),
            holding=[(job.id, job.attempt_id) for job in self.jobs.values()],
        )
        return msgspec.structs.replace(said, **sections)

    def send(self, request: SyncRequest) -> SyncAnswer:
        """Let the server apply a request; what it answers gets lost unless it goes to receive()."""
        return sync.sync(self.flow.database, self.flow.leases, self.node_id, request)

    def receive(self, request: SyncRequest, answer: SyncAnswer) -> SyncAnswer:
        """Take note of an answer."""
        done = {(report.job_id, report.attempt_id) for report in request.finished}
        gone = done | set(answer.lost)
        self.jobs = {name: job for name, job in self.jobs.items() if (job.id, job.attempt_id) not in gone}
        self.finished = [report for report in self.finished if report not in request.finished]
        self.started = [entry for entry in self.started if entry not in request.started]
        self.released = [entry for entry in self.released if entry not in request.released]
        self.jobs.update({job.name: job for job in answer.jobs})
        return answer

    def sync(self, **sections: Any) -> SyncAnswer:
        """One round trip."""
        request = self.request(**sections)
        return self.receive(request, self.send(request))

    def lose_answer(self, **sections: Any) -> SyncAnswer:
        """One round trip whose answer never arrives; returned for the test's eyes only."""
        return self.send(self.request(**sections))

    def claim(self, limit: int | None = None, **offer: Any) -> list[str]:
        """Ask for jobs; the names of those that came, in order."""
        return [job.name for job in self.sync(offer=an_offer(**offer), limit=limit).jobs]

    def start(self, *names: str) -> SyncAnswer:
        """Spawn children and say so."""
        self.started += [
            StartedJob(job_id=self.jobs[name].id, attempt_id=self.jobs[name].attempt_id, start_time=1000.0)
            for name in names
        ]
        return self.sync()

    def take(self, *names: str) -> None:
        """Claim exactly these jobs and start them."""
        assert set(self.claim()) == set(names)
        self.start(*names)

    def end(self, name: str, status: str = "completed", **fields: Any) -> FinishedJob:
        """A child has ended: the report waits for the next sync."""
        self.finished.append(report_of(self.jobs[name], status, **fields))
        return self.finished[-1]

    def finish(self, name: str, status: str = "completed", **fields: Any) -> SyncAnswer:
        """A child has ended: report it alone."""
        self.end(name, status, **fields)
        return self.sync()

    def give_back(self, *names: str) -> None:
        """Return jobs that were never started, at the next sync."""
        self.released += [(self.jobs[name].id, self.jobs[name].attempt_id) for name in names]
        for name in names:
            del self.jobs[name]

    def die(self, clock: Clock) -> None:
        """Fall silent until the lease is over, while another node is heard from."""
        expire(self.flow, clock, [self.node_id])


def expire(flow: Flow, clock: Clock, silent: Sequence[int]) -> None:
    """Let a lease time pass in which only ``silent`` nodes are not heard from."""
    active = {node_id for (node_id,) in flow.select("SELECT id FROM compute_node WHERE is_active")}
    for _ in range(4):
        clock.advance(TICK_S)
        for node_id in (active - set(silent)) or {ELSEWHERE}:
            flow.leases.renew(node_id)
        nodes.expire(flow.database, flow.leases)
    flow.leases.forget(ELSEWHERE)


def an_offer(cpus: int = 64, memory_gb: float = 64, **fields: Any) -> Offer:
    """What is free on a node."""
    return Offer(num_cpus=cpus, memory_bytes=int(memory_gb * GIB), **fields)


def report_of(job: SyncJob, status: str = "completed", **fields: Any) -> FinishedJob:
    """How an attempt ended."""
    failed = status != "completed"
    values: dict[str, Any] = {
        "job_id": job.id,
        "run_id": job.run_id,
        "attempt_id": job.attempt_id,
        "status": JobStatus(status),
        "return_code": 1 if failed else 0,
        "cause": Cause.EXIT if failed else None,
        "exec_time_minutes": 0.5,
        "completion_time": WHEN,
    }
    return FinishedJob(**(values | fields))


class Builder:
    """Makes workflows through drafts, as every client of ours does."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def __call__(
        self,
        *steps: str | Step,
        groups: dict[str, Sequence[str]] | None = None,
        needs: Sequence[DraftRequirements] = (),
        user_data: Sequence[DraftUserData] = (),
        workflow: Workflow | None = None,
    ) -> Flow:
        """A visible workflow; ``groups`` names the members of each group."""
        all_steps = [as_step(step) for step in steps]
        batch = self.batch(all_steps, groups or {}, needs, user_data)
        counts = DraftCounts(
            files=len(batch.files),
            user_data=len(batch.user_data),
            resource_requirements=len(batch.resource_requirements),
            jobs=len(batch.jobs),
            groups=len(batch.groups),
        )
        record = workflow or Workflow(name="test", user="tester")
        answer = drafts.create(self.database, DraftRequest(workflow=record, counts=counts), None)
        drafts.add(self.database, answer.workflow_id, answer.token, batch)
        drafts.finalize(self.database, answer.workflow_id, answer.token)
        flow = Flow(self.database, self.leases, answer.workflow_id)
        flow.ids = {
            job.name: job.id for job in jobs.page(self.database, flow.workflow_id, Paging()).items if job.id is not None
        }
        return flow

    def batch(
        self,
        steps: Sequence[Step],
        groups: dict[str, Sequence[str]],
        needs: Sequence[DraftRequirements],
        user_data: Sequence[DraftUserData],
    ) -> DraftBatch:
        """Everything in one batch, names resolved to indexes."""
        job_index = {step.name: index for index, step in enumerate(steps)}
        files = sorted({name for step in steps for name in chain(step.reads, step.writes)})
        known = [item.name for item in user_data]
        records = [*user_data] + [
            DraftUserData(name=name)
            for name in sorted({name for step in steps for name in chain(step.reads_data, step.writes_data)})
            if name not in known
        ]
        data = [item.name for item in records]
        return DraftBatch(
            batch=1,
            files=[DraftFile(name=name, path=name) for name in files],
            user_data=records,
            resource_requirements=list(needs),
            groups=[DraftGroup(members=sorted(job_index[name] for name in members)) for members in groups.values()],
            jobs=[
                DraftJob(
                    name=step.name,
                    command=step.command,
                    cancel_on_blocking_job_failure=not step.keep_going,
                    supports_termination=step.stops_gently,
                    resource_requirements=[item.name for item in needs].index(step.needs) if step.needs else None,
                    depends_on=sorted(job_index[name] for name in step.after),
                    depends_on_groups=sorted(list(groups).index(name) for name in step.after_groups),
                    input_files=[files.index(name) for name in sorted(step.reads)],
                    output_files=[files.index(name) for name in sorted(step.writes)],
                    input_user_data=sorted(data.index(name) for name in step.reads_data),
                    output_user_data=sorted(data.index(name) for name in step.writes_data),
                )
                for step in steps
            ],
        )
