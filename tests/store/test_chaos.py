"""Random runners: answers get lost, requests arrive late, nodes die and come back; nothing is lost or counted twice."""

import random

import pytest

from tests.store.scenario import Step, an_offer, expire
from torc.errors import Conflict
from torc.store import doctor

STEPS = 60


class Chaos:
    """A workflow, three runners, and a die."""

    def __init__(self, build, clock, seed):
        self.rng = random.Random(seed)
        self.clock = clock
        names = [f"j{n}" for n in range(12)]
        members = self.rng.sample(names[:5], 3)
        self.flow = build(
            *(self.step(name, names[:n]) for n, name in enumerate(names[:8])),
            *(Step(name, after_groups=["g"], keep_going=self.rng.random() < 0.5) for name in names[8:]),
            groups={"g": members},
        ).initialize()
        self.runners = [self.flow.runner() for _ in range(3)]
        self.late = []

    def step(self, name, earlier):
        after = self.rng.sample(earlier, min(len(earlier), self.rng.choice([0, 0, 1, 2])))
        return Step(name, after=after, keep_going=self.rng.random() < 0.5)

    def some(self, runner, status):
        names = [name for name in runner.jobs if self.flow.status(name) == status]
        return self.rng.sample(names, min(len(names), self.rng.randint(0, 2)))

    def claim(self, runner):
        runner.claim(limit=self.rng.randint(1, 3))

    def claim_and_lose_the_answer(self, runner):
        runner.lose_answer(offer=an_offer(), limit=self.rng.randint(1, 3))

    def start(self, runner):
        runner.start(*self.some(runner, "pending"))

    def end(self, runner):
        reported = {report.job_id for report in runner.finished}
        for name in self.some(runner, "running"):
            if runner.jobs[name].id not in reported:
                runner.end(name, self.rng.choice(["completed", "completed", "completed", "failed"]))

    def end_and_lose_the_answer(self, runner):
        self.end(runner)
        runner.lose_answer()

    def sync(self, runner):
        runner.sync()

    def give_back(self, runner):
        runner.give_back(*self.some(runner, "pending"))
        runner.sync()

    def hold_a_request_up(self, runner):
        self.late.append((runner, runner.request(offer=an_offer())))
        runner.sync()

    def deliver_a_late_request(self, runner):
        for sender, request in self.late:
            with pytest.raises(Conflict):
                sender.send(request)
        self.late.clear()

    def fall_silent(self, runner):
        expire(self.flow, self.clock, [runner.node_id])

    def restart(self, runner):
        self.runners[self.runners.index(runner)] = self.flow.runner()

    def forget(self, runner):
        runner.jobs, runner.started, runner.released = {}, [], []
        runner.finished = []
        runner.sync()

    def finish(self):
        """All old runners are gone; a last one does what is left."""
        expire(self.flow, self.clock, [node for (node,) in self.flow.select("SELECT id FROM compute_node")])
        last = self.flow.runner()
        while names := last.claim():
            last.start(*names)
            for name in names:
                last.end(name)
            last.sync()


DEEDS = (
    *(Chaos.claim,) * 4, Chaos.claim_and_lose_the_answer, *(Chaos.start,) * 4, *(Chaos.end,) * 3,
    Chaos.end_and_lose_the_answer, *(Chaos.sync,) * 2, Chaos.give_back, Chaos.hold_a_request_up,
    Chaos.deliver_a_late_request, Chaos.fall_silent, Chaos.restart, Chaos.forget,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_every_job_ends_once_whatever_gets_lost(build, clock, seed):
    chaos = Chaos(build, clock, seed)
    flow, history = chaos.flow, []
    for _ in range(STEPS):
        deed = chaos.rng.choice(DEEDS)
        history.append(deed.__name__)
        deed(chaos, chaos.rng.choice(chaos.runners))
        assert doctor.problems(flow.database) == [], history
    chaos.finish()
    assert flow.is_complete(), (flow.statuses(), history)
    ends = flow.select("SELECT job_id, count(*) FROM event WHERE kind = 'job_completed' GROUP BY job_id")
    assert {flow.name(job): count for job, count in ends} == {
        name: 1 for name, status in flow.statuses().items() if status in ("completed", "failed")
    }
    current = flow.select("SELECT job.name, job.status, r.status FROM job JOIN result AS r ON r.id = current_result_id")
    assert [name for name, status, reported in current if status != reported] == []
