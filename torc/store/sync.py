"""The one call of our own runners: report, reconcile and claim in one transaction, whatever got lost on the way.

Syncs that wait for the write lock at the same time are applied as one: every step is taken for all of them before the
next. It is as if each runner had first reported and then asked, and costs little more than one sync.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from torc.errors import Conflict, NotFound, TorcError, Unprocessable, UpgradeRequired
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.models.sync import PROTOCOL, Misfit, StopJob, SyncAnswer, SyncRequest, SyncWorkflow
from torc.store import (
    action_turns,
    actions,
    attempts,
    claims,
    events,
    misfits,
    nodes,
    offers,
    outcomes,
    retries,
    workflows,
)
from torc.store.action_turns import Board
from torc.store.claims import Queue, Run
from torc.store.database import Database
from torc.store.leases import Leases
from torc.store.offers import Asks
from torc.store.outcomes import Held, Told
from torc.store.rows import PAIRS, json_ids, select_at_once, to_json

TERMINATED = "the job was terminated by hand"

SOON_S = 0.05
"""How soon to ask again when jobs that run elsewhere may release work at any moment, at the earliest."""

PREPARING_S = 0.5
"""How soon to ask again while another node prepares the workflow, or a verb over the whole of it is under way."""


def sync(database: Database, leases: Leases, node_id: int, request: SyncRequest) -> SyncAnswer:
    """Apply what a runner reports and answer with what it should do next.

    Raises UpgradeRequired for a protocol this server does not speak, and Conflict for a sync that is not newer than
    the last one applied or that belongs to another life of the database (``reregister``). Unprocessable if a report
    tells no outcome.
    """
    if request.protocol not in (PROTOCOL, PROTOCOL - 1):
        raise UpgradeRequired(
            f"this runner speaks sync protocol {request.protocol}, the server {PROTOCOL}; install the same torc on both"
        )
    if (request.database_id, request.generation) != (database.database_id, database.generation):
        raise Conflict(
            "the server's database was restored or replaced since this runner joined; start the runner again",
            reregister=True,
        )
    for report in request.finished:
        if report.status not in COMPLETE:
            raise Unprocessable(f"finished: job {report.job_id} cannot end as '{report.status}'")
    leases.renew(node_id)  # on arrival, before the wait for the write lock
    answer = database.write_together(_apply, _Said(leases, node_id, request))
    if request.closing:
        leases.forget(node_id)
    return answer


class _Said(NamedTuple):
    """What a node asked."""

    leases: Leases
    node_id: int
    request: SyncRequest


@dataclass(slots=True, eq=False)
class _Sync:
    """One request on its way to its answer."""

    leases: Leases
    node_id: int
    request: SyncRequest
    ended: set[tuple[int, int]] = field(init=False)  # the attempts it reports
    lost: list[tuple[int, int]] = field(default_factory=list)
    stop: list[StopJob] = field(default_factory=list)
    job_ids: list[int] = field(default_factory=list)  # delivered again, then claimed
    action_ids: list[int] = field(default_factory=list)  # likewise
    is_preparing: bool = False
    answer: SyncAnswer | TorcError | None = None

    def __post_init__(self) -> None:
        self.ended = {(report.job_id, report.attempt_id) for report in self.request.finished}

    def note_held(self) -> None:
        """Let other nodes know how many jobs this one has. Too many if the commit fails, until the next sync."""
        self.leases.hold(self.node_id, len(self.request.holding) - len(self.request.finished) + len(self.job_ids))


def _apply(db: sqlite3.Connection, said: Sequence[_Said]) -> list[SyncAnswer | TorcError]:
    """Apply the syncs of any nodes and workflows. One that is refused leaves no trace."""
    syncs = [_Sync(*one) for one in said]
    for turn in _one_of_each_node(syncs):
        for group in _begin(db, turn):
            group.run()
    answers = [one.answer for one in syncs if one.answer is not None]
    assert len(answers) == len(syncs)
    return answers


def _one_of_each_node(syncs: Sequence[_Sync]) -> Iterator[list[_Sync]]:
    """The syncs in their order, a repeated one after what it repeats."""
    left = list(syncs)
    while left:
        turn: dict[int, _Sync] = {}
        for one in left:
            turn.setdefault(one.node_id, one)
        yield list(turn.values())
        left = [one for one in left if turn[one.node_id] is not one]


def _begin(db: sqlite3.Connection, syncs: Iterable[_Sync]) -> list["_Group"]:
    """Check and take the sequence numbers: the nodes are alive from now on. What may be applied, by workflow."""
    by_node = {one.node_id: one for one in syncs}
    groups: dict[int, _Group] = {}
    taken: list[tuple[int, int]] = []
    rows = select_at_once(
        db,
        """
        n.id, n.last_seq, w.id, w.hidden, s.run_id, s.is_canceled, s.busy, w.jobs_sort_method,
        EXISTS (SELECT 1 FROM failure_handler AS h WHERE h.workflow_id = w.id)
            OR EXISTS (SELECT 1 FROM job WHERE job.workflow_id = w.id AND job.not_before IS NOT NULL),
        EXISTS (SELECT 1 FROM workflow_action AS a WHERE a.workflow_id = w.id)
        """,
        """
          FROM compute_node AS n JOIN workflow AS w ON w.id = n.workflow_id JOIN workflow_status AS s ON s.id = w.id
         WHERE n.id IN (SELECT value FROM json_each(?))
        """,
        (json_ids(by_node),),
    )
    for node_id, last_seq, workflow_id, hidden, run_id, is_canceled, busy, sort_method, backs_off, acts in rows:
        one = by_node.pop(node_id)
        seq = one.request.seq
        if seq <= last_seq:
            one.answer = Conflict(
                f"sync {seq} of compute node {node_id} came after sync {last_seq}; nothing was applied"
            )
            continue
        taken.append((node_id, seq))
        if hidden:
            one.answer = _deleted(one)
            continue
        if workflow_id not in groups:
            run = Run(run_id, bool(is_canceled), busy, sort_method)
            groups[workflow_id] = _Group(db, workflow_id, run, may_back_off=bool(backs_off), has_actions=bool(acts))
        groups[workflow_id].by_node[node_id] = one
    for node_id, one in by_node.items():
        one.answer = NotFound(f"Compute node not found with ID: {node_id}; its workflow was deleted")
    db.execute(
        f"UPDATE compute_node SET last_seq = taken.b, is_active = 1 FROM {PAIRS} AS taken WHERE id = taken.a",
        (to_json(taken),),
    )
    return list(groups.values())


def _deleted(one: _Sync) -> SyncAnswer:
    """The workflow is gone, and with it every job."""
    return SyncAnswer(
        jobs=[],
        lost=one.request.holding,
        workflow=SyncWorkflow(run_id=0, is_complete=True, is_canceled=True),
        lease_s=one.leases.lease_s,
    )


class _Group:
    """Syncs of one workflow, of as many nodes: each step is taken for all of them at once."""

    def __init__(
        self, db: sqlite3.Connection, workflow_id: int, run: Run, *, may_back_off: bool, has_actions: bool
    ) -> None:
        self.db = db
        self.workflow_id = workflow_id
        self.run_state = run
        self.may_back_off = may_back_off  # what is not there need not be looked for
        self.has_actions = has_actions
        self.by_node: dict[int, _Sync] = {}
        self.waiting_s: float | None = None  # until the next back-off is over

    @property
    def syncs(self) -> Iterable[_Sync]:
        """One of each node."""
        return self.by_node.values()

    def run(self) -> None:
        """The order is the rule: reports, starts, gifts, what the runners hold, and only then new jobs."""
        self._accept()
        self._take_back_held()
        self._start()
        self._release()
        self._redeliver()
        if self.has_actions:
            self._hear_of_actions()
        self._close()
        if self.may_back_off:
            self.waiting_s = retries.wake(self.db, self.workflow_id, time.time())
        if self.has_actions:
            self._hand_out_actions()
        self._hand_out()
        self._answer()
        workflows.touch(self.db, self.workflow_id)

    def _accept(self) -> None:
        told = [Told(one.node_id, report) for one in self.syncs for report in one.request.finished]
        # A job that ended within one round trip is reported started and finished together.
        starts = {
            (one.node_id, entry.job_id, entry.attempt_id): entry.start_time
            for one in self.syncs
            for entry in one.request.started
        }
        for node_id, report in outcomes.accept(self.db, self.workflow_id, told, starts):
            self.by_node[node_id].lost.append((report.job_id, report.attempt_id))

    def _held(self, job_ids: Sequence[int]) -> dict[int, Held]:
        return outcomes.held_jobs(self.db, self.workflow_id, job_ids) if job_ids else {}

    def _take_back_held(self) -> None:
        """Jobs whose lease expired come home; jobs that are not this node's any more are named."""
        holding = [(one, entry) for one in self.syncs for entry in one.request.holding if entry not in one.ended]
        jobs = self._held([job_id for _, (job_id, _) in holding])
        home: list[int] = []
        for one, (job_id, attempt_id) in holding:
            job = jobs.get(job_id)
            if job is None or (job.node_id, job.attempt_id) != (one.node_id, attempt_id):
                one.lost.append((job_id, attempt_id))
            elif job.status == JobStatus.READY:
                home.append(job_id)
            elif job.status == JobStatus.CANCELED:
                one.stop.append(self._stop(job_id, attempt_id))
            elif job.status == JobStatus.RUNNING and job.stop_requested:
                one.stop.append(StopJob(job_id=job_id, attempt_id=attempt_id, how="terminate", reason=TERMINATED))
            elif job.status not in HANDED_OUT:
                one.lost.append((job_id, attempt_id))
        if home:
            attempts.resume(self.db, home)

    def _stop(self, job_id: int, attempt_id: int) -> StopJob:
        (gently,) = self.db.execute("SELECT supports_termination FROM job WHERE id = ?", (job_id,)).fetchone()
        return StopJob(
            job_id=job_id, attempt_id=attempt_id, how="terminate" if gently else "kill", reason="the job was canceled"
        )

    def _start(self) -> None:
        started = [
            (one.node_id, entry)
            for one in self.syncs
            for entry in one.request.started
            if (entry.job_id, entry.attempt_id) not in one.ended
        ]
        if not started:
            return
        jobs = self._held([entry.job_id for _, entry in started])
        begun = [
            (
                entry,
                outcomes.start_of(entry.job_id, jobs[entry.job_id].run_id, entry.attempt_id, node_id, entry.start_time),
            )
            for node_id, entry in started
            if _is_pending_on(node_id, jobs.get(entry.job_id), entry.attempt_id)
        ]
        attempts.start(self.db, [(entry.job_id, entry.start_time) for entry, _ in begun])
        events.add_job_events(self.db, self.workflow_id, [event for _, event in begun])

    def _release(self) -> None:
        released = [(one.node_id, *entry) for one in self.syncs for entry in one.request.released]
        if not released:
            return
        jobs = self._held([job_id for _, job_id, _ in released])
        attempts.give_back(
            self.db,
            [
                job_id
                for node_id, job_id, attempt_id in released
                if _is_pending_on(node_id, jobs.get(job_id), attempt_id)
            ],
        )

    def _redeliver(self) -> None:
        """Jobs whose delivery got lost come again with the same attempt; jobs a runner lost are ready for others."""
        handed_out = attempts.handed_out(self.db, self.by_node)
        for one in self.syncs:
            if one.request.closing:
                continue  # whatever it has not ended is for others
            request, holding = one.request, set(one.request.holding)
            unknown = {
                job_id: status
                for job_id, (status, attempt_id) in handed_out[one.node_id].items()
                if (job_id, attempt_id) not in holding
            }
            forgotten = [job_id for job_id, status in unknown.items() if status == JobStatus.RUNNING]
            if forgotten:
                attempts.lose(self.db, one.node_id, end_attempt=True, only=forgotten)
                outcomes.fail_lost(self.db, self.workflow_id, one.node_id, forgotten)
            if request.offer is not None or request.slots is not None:
                one.job_ids = sorted(job_id for job_id, status in unknown.items() if status == JobStatus.PENDING)

    def _hear_of_actions(self) -> None:
        requests = {one.node_id: one.request for one in self.syncs}
        for node_id, again in action_turns.report(self.db, self.workflow_id, requests).items():
            self.by_node[node_id].action_ids = again

    def _close(self) -> None:
        for one in self.syncs:
            if one.request.closing:
                nodes.leave(self.db, self.workflow_id, one.node_id)

    def _hand_out_actions(self) -> None:
        """One action for each node that could carry it out now. No job starts on a node that still prepares."""
        board = Board(self.db, self.workflow_id, self.run_state, self.by_node)
        for one in self.syncs:
            if not one.action_ids and not one.request.closing:
                one.action_ids = board.give(one.node_id, one.request)
        for one in self.syncs:
            one.is_preparing = board.preparation(one.node_id, one.request) is not None

    def _hand_out(self) -> None:
        """Jobs for those that ask, in the order of their coming."""
        queue = Queue(self.db, self.workflow_id, self.run_state, nodes=len(self.by_node))
        for one in self.syncs:
            if self.run_state.is_open and not one.request.closing and not one.is_preparing:
                asks = Asks(self.workflow_id, one.node_id, one.request, one.job_ids)
                one.job_ids += offers.claim(self.db, one.leases, asks, queue)
            one.note_held()
        queue.hand_out()

    def _answer(self) -> None:
        job_ids = [job_id for one in self.syncs for job_id in one.job_ids]
        jobs = {job.id: job for job in claims.deliver(self.db, self.workflow_id, job_ids)}
        given = action_turns.deliver(self.db, [action_id for one in self.syncs for action_id in one.action_ids])
        for one in self.syncs:
            is_complete = not one.job_ids and self._is_settled
            is_idle = not is_complete and not one.job_ids and not one.request.holding
            may_judge = is_idle and self.run_state.is_open and not one.is_preparing
            one.answer = SyncAnswer(
                jobs=[jobs[job_id] for job_id in one.job_ids],
                stop=one.stop,
                lost=one.lost,
                actions=[given[action_id] for action_id in one.action_ids],
                workflow=SyncWorkflow(
                    run_id=self.run_state.run_id,
                    is_complete=is_complete,
                    is_canceled=self.run_state.is_canceled,
                    jobs_uninitialized=may_judge and self._has_uninitialized,
                    waiting_until_s=self.waiting_s,
                    is_preparing=one.is_preparing,
                    nothing_for_node=may_judge and self._has_nothing_for(one),
                ),
                lease_s=one.leases.lease_s,
                misfit=self._misfit if may_judge else None,
                retry_after_s=self._retry_after_s(one) if is_idle else None,
            )

    @cached_property
    def _is_settled(self) -> bool:
        """Whether this run is over. A verb under way may end it, or begin the next."""
        return self.run_state.busy is None and (self.run_state.is_canceled or not self._has_unsettled)

    @cached_property
    def _has_unsettled(self) -> bool:
        return workflows.has_unsettled(self.db, self.workflow_id)

    @cached_property
    def _has_uninitialized(self) -> bool:
        return workflows.has_jobs(self.db, self.workflow_id, JobStatus.UNINITIALIZED)

    def _has_nothing_for(self, one: _Sync) -> bool:
        """Whether no job that is left, and no action, can ever be for this node."""
        scheduler_id = one.request.offer and one.request.offer.scheduler_config_id
        if not scheduler_id or (self.has_actions and actions.are_due(self.db, self.workflow_id)):
            return False
        return not workflows.has_unsettled_for(self.db, self.workflow_id, scheduler_id)

    @cached_property
    def _misfit(self) -> Misfit | None:
        return misfits.look(self.db, self.workflow_id)

    def _retry_after_s(self, one: _Sync) -> float | None:
        """Sooner than the poll interval when a back-off ends before that, or a job that fits nowhere can be named."""
        if self.run_state.busy is not None or (one.is_preparing and not one.action_ids):
            return PREPARING_S
        soon = [time_s for time_s in (self.waiting_s, misfits.second_look_in_s(self.workflow_id)) if time_s is not None]
        return max(SOON_S, min(soon)) if soon else None


def _is_pending_on(node_id: int, job: Held | None, attempt_id: int) -> bool:
    return job is not None and (job.node_id, job.attempt_id, job.status) == (node_id, attempt_id, JobStatus.PENDING)
