"""The counters of readiness.py against a brute-force evaluation of the rule: random graphs, groups, flags, resets."""

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from torc.models.job import Job
from torc.models.status import BAD, SETTLED, JobStatus
from torc.models.workflow import Workflow
from torc.store import doctor, groups, jobs, readiness, workflows
from torc.store.database import Database
from torc.store.readiness import Change

GRAPHS = 600
STEPS = 40


class Model:
    """What the jobs of one workflow should be: every dependency spelled out, everything evaluated again and again."""

    def __init__(self, depends_on: dict[int, set[int]], cancels: dict[int, bool]) -> None:
        self.depends_on = depends_on
        self.cancels = cancels
        self.status = dict.fromkeys(depends_on, JobStatus.UNINITIALIZED)

    def settle(self) -> None:
        """Apply the rule to all blocked and ready jobs until nothing changes."""
        changed = True
        while changed:
            changed = False
            for job, status in self.status.items():
                if status in (JobStatus.BLOCKED, JobStatus.READY) and self.verdict(job) != status:
                    self.status[job] = self.verdict(job)
                    changed = True

    def verdict(self, job: int) -> JobStatus:
        before = [self.status[other] for other in self.depends_on[job]]
        if self.cancels[job] and any(status in BAD for status in before):
            return JobStatus.CANCELED
        return JobStatus.READY if all(status in SETTLED for status in before) else JobStatus.BLOCKED


class Scenario:
    """A random graph, in the database and in the model."""

    def __init__(self, database: Database, rng: random.Random) -> None:
        self.database = database
        self.rng = rng
        workflow = workflows.create(database, Workflow(name="model", user="tester"), None)
        assert workflow.id is not None
        self.workflow_id = workflow.id
        size = rng.randint(2, 14)
        made = jobs.create_many(
            database,
            [
                Job(
                    workflow_id=workflow.id,
                    name=f"job {n}",
                    command="true",
                    cancel_on_blocking_job_failure=rng.random() < 0.7,
                )
                for n in range(size)
            ],
        )
        self.ids = [job.id for job in made if job.id is not None]
        depends_on: dict[int, set[int]] = {job: set() for job in self.ids}
        with database.write() as db:
            for position, job in enumerate(self.ids):
                self._add_edges(db, job, self.ids[:position], depends_on)
            for _ in range(rng.randint(0, 3)):
                self._add_group(db, depends_on)
            readiness.recount(db, self.ids)
        self.model = Model(depends_on, {job.id: job.cancel_on_blocking_job_failure for job in made if job.id})

    def _add_edges(self, db: sqlite3.Connection, job: int, earlier: list[int], depends_on: dict[int, set[int]]) -> None:
        for other in self.rng.sample(earlier, min(len(earlier), self.rng.randint(0, 3))):
            db.execute("INSERT INTO job_depends_on (job_id, depends_on_job_id) VALUES (?, ?)", (job, other))
            depends_on[job].add(other)

    def _add_group(self, db: sqlite3.Connection, depends_on: dict[int, set[int]]) -> None:
        cut = self.rng.randint(1, len(self.ids) - 1)
        members = sorted(self.rng.sample(self.ids[:cut], self.rng.randint(1, cut)))
        later = self.ids[cut:]
        dependents = self.rng.sample(later, self.rng.randint(1, len(later)))
        groups.depend(db, dependents, groups.ensure(db, self.workflow_id, members))
        for job in dependents:
            depends_on[job].update(members)

    def step(self) -> str:
        """One random event, applied to both."""
        event = self.rng.choice(EVENTS)
        candidates = [job for job in self.ids if self.model.status[job] in event.source]
        if not candidates:
            return "nothing"
        chosen = self.rng.sample(candidates, self.rng.randint(1, min(3, len(candidates))))
        event.apply(self, chosen)
        self.model.settle()
        return f"{event.name} {chosen}"

    def change(self, chosen: list[int], status: JobStatus) -> None:
        with self.database.write() as db:
            readiness.change_status(db, self.workflow_id, [Change(job, status) for job in chosen])
        for job in chosen:
            self.model.status[job] = status

    def decide(self, chosen: list[int]) -> None:
        """What initialize does with uninitialized jobs, one range at a time."""
        for job in chosen:
            with self.database.write() as db:
                readiness.decide_uninitialized(db, self.workflow_id, {job: "made of this"})
            self.model.status[job] = self.model.verdict(job)
            self.model.settle()

    def stored(self) -> dict[int, str]:
        with self.database.read() as db:
            return dict(db.execute("SELECT id, status FROM job WHERE workflow_id = ?", (self.workflow_id,)))


class Event:
    """Something that may happen to jobs with one of the ``source`` statuses."""

    def __init__(self, name: str, source: set[JobStatus], apply: Callable[[Scenario, list[int]], None]) -> None:
        self.name = name
        self.source = source
        self.apply = apply


def becomes(status: JobStatus) -> Callable[[Scenario, list[int]], None]:
    return lambda scenario, chosen: scenario.change(chosen, status)


RUNNABLE = {JobStatus.READY}
OUTCOMES = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.TERMINATED}
EVENTS = [
    Event("decide", {JobStatus.UNINITIALIZED}, Scenario.decide),
    Event("decide", {JobStatus.UNINITIALIZED}, Scenario.decide),
    Event("complete", RUNNABLE, becomes(JobStatus.COMPLETED)),
    Event("complete", RUNNABLE, becomes(JobStatus.COMPLETED)),
    Event("fail", RUNNABLE, becomes(JobStatus.FAILED)),
    Event("terminate", RUNNABLE, becomes(JobStatus.TERMINATED)),
    Event("cancel", {JobStatus.BLOCKED, JobStatus.READY}, becomes(JobStatus.CANCELED)),
    Event("disable", {JobStatus.UNINITIALIZED, JobStatus.BLOCKED, JobStatus.READY}, becomes(JobStatus.DISABLED)),
    Event("reset", OUTCOMES | {JobStatus.DISABLED}, becomes(JobStatus.UNINITIALIZED)),
    Event("report by hand", {JobStatus.UNINITIALIZED, JobStatus.BLOCKED}, becomes(JobStatus.COMPLETED)),
]


@pytest.fixture
def memory_path(tmp_path):
    """A folder in memory where there is one: thousands of commits that nobody needs to survive."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize("seed", range(6))
def test_counters_and_decisions_equal_a_brute_force_evaluation(memory_path, seed):
    rng = random.Random(seed)
    database = Database(memory_path / "model.db")
    for _ in range(GRAPHS // 6):
        scenario = Scenario(database, rng)
        history = []
        for _ in range(STEPS):
            history.append(scenario.step())
            assert scenario.stored() == scenario.model.status, history
    problems = doctor.problems(database)
    counted = [text for text in problems if " counts " in text or " ready " in text or " blocked " in text]
    assert counted == []
    database.close()
