"""The one call of our own runners: report, reconcile and claim in one transaction, whatever got lost on the way."""

import math
import sqlite3
import time

from torc.errors import Conflict, NotFound, Unprocessable, UpgradeRequired
from torc.models.status import COMPLETE, HANDED_OUT, JobStatus
from torc.models.sync import PROTOCOL, StopJob, SyncAnswer, SyncRequest, SyncWorkflow
from torc.store import actions, attempts, claims, events, misfits, nodes, outcomes, retries, workflows
from torc.store.claims import Run
from torc.store.database import Database
from torc.store.leases import Leases
from torc.store.outcomes import Held
from torc.store.rows import exists
from torc.store.shapes import EachAlone, Room

SOON_S = 0.05
"""How soon to ask again when jobs that run elsewhere may release work at any moment, at the earliest."""

GIB = 1024**3


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
    with database.write() as db:
        workflow_id, is_hidden, run = _begin(db, node_id, request.seq)
        if is_hidden:
            return _deleted(leases, request)
        answer = _Sync(db, leases, workflow_id, node_id, request, run).run()
        workflows.touch(db, workflow_id)
    if request.closing:
        leases.forget(node_id)
    else:
        leases.hold(node_id, len(request.holding) - len(request.finished) + len(answer.jobs))
    return answer


def _begin(db: sqlite3.Connection, node_id: int, seq: int) -> tuple[int, bool, Run]:
    """Check and take the sequence number; the node is alive from now on. Its workflow, if that is gone, its run."""
    row = db.execute(
        """
        SELECT n.last_seq, w.id, w.hidden, s.run_id, s.is_canceled, s.busy, w.jobs_sort_method
          FROM compute_node AS n JOIN workflow AS w ON w.id = n.workflow_id JOIN workflow_status AS s ON s.id = w.id
         WHERE n.id = ?
        """,
        (node_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"Compute node not found with ID: {node_id}; its workflow was deleted")
    last_seq, workflow_id, hidden, run_id, is_canceled, busy, sort_method = row
    if seq <= last_seq:
        raise Conflict(f"sync {seq} of compute node {node_id} came after sync {last_seq}; nothing was applied")
    db.execute("UPDATE compute_node SET last_seq = ?, is_active = 1 WHERE id = ?", (seq, node_id))
    return workflow_id, hidden is not None, Run(run_id, bool(is_canceled), busy, sort_method)


def _deleted(leases: Leases, request: SyncRequest) -> SyncAnswer:
    """The workflow is gone, and with it every job."""
    return SyncAnswer(
        jobs=[],
        lost=request.holding,
        workflow=SyncWorkflow(run_id=0, is_complete=True, is_canceled=True),
        lease_s=leases.lease_s,
    )


class _Sync:
    """One sync under way: the steps share the node, the request and the answer."""

    def __init__(
        self, db: sqlite3.Connection, leases: Leases, workflow_id: int, node_id: int, request: SyncRequest, run: Run
    ) -> None:
        self.db = db
        self.leases = leases
        self.workflow_id = workflow_id
        self.node_id = node_id
        self.request = request
        self.run_state = run
        self.ended = {(report.job_id, report.attempt_id) for report in request.finished}
        self.lost: list[tuple[int, int]] = []
        self.stop: list[StopJob] = []
        self.waiting_s: float | None = None  # until the next back-off is over

    def run(self) -> SyncAnswer:
        """The order is the rule: reports, starts, gifts, what the runner holds, and only then new jobs."""
        # A job that ended within one round trip is reported started and finished together.
        starts = {(entry.job_id, entry.attempt_id): entry.start_time for entry in self.request.started}
        self.lost += outcomes.accept(self.db, self.workflow_id, self.node_id, self.request.finished, starts)
        self._take_back_held()
        self._start()
        self._release()
        again = self._redeliver()
        if self.request.closing:
            left = nodes.close(self.db, self.node_id, end_attempt=True)
            outcomes.fail_lost(self.db, self.workflow_id, self.node_id, left)
        self.waiting_s = retries.wake(self.db, self.workflow_id, time.time())
        claimed = self._claim(again) if self.run_state.is_open and not self.request.closing else []
        return self._answer([*again, *claimed])

    def _take_back_held(self) -> None:
        """Jobs whose lease expired come home; jobs that are not this node's any more are named."""
        holding = [entry for entry in self.request.holding if entry not in self.ended]
        if not holding:
            return
        jobs = outcomes.held_jobs(self.db, self.workflow_id, [job_id for job_id, _ in holding])
        home: list[int] = []
        for job_id, attempt_id in holding:
            job = jobs.get(job_id)
            if job is None or (job.node_id, job.attempt_id) != (self.node_id, attempt_id):
                self.lost.append((job_id, attempt_id))
            elif job.status == JobStatus.READY:
                home.append(job_id)
            elif job.status == JobStatus.CANCELED:
                self.stop.append(self._stop(job_id, attempt_id))
            elif job.status not in HANDED_OUT:
                self.lost.append((job_id, attempt_id))
        if home:
            attempts.resume(self.db, home)

    def _stop(self, job_id: int, attempt_id: int) -> StopJob:
        (gently,) = self.db.execute("SELECT supports_termination FROM job WHERE id = ?", (job_id,)).fetchone()
        return StopJob(
            job_id=job_id, attempt_id=attempt_id, how="terminate" if gently else "kill", reason="the job was canceled"
        )

    def _mine(self, job: Held | None, attempt_id: int, *statuses: JobStatus) -> bool:
        return (
            job is not None and (job.node_id, job.attempt_id) == (self.node_id, attempt_id) and job.status in statuses
        )

    def _start(self) -> None:
        started = [entry for entry in self.request.started if (entry.job_id, entry.attempt_id) not in self.ended]
        if not started:
            return
        jobs = outcomes.held_jobs(self.db, self.workflow_id, [entry.job_id for entry in started])
        mine = [entry for entry in started if self._mine(jobs.get(entry.job_id), entry.attempt_id, JobStatus.PENDING)]
        attempts.start(self.db, [(entry.job_id, entry.start_time) for entry in mine])
        begun = [
            outcomes.start_of(entry.job_id, jobs[entry.job_id].run_id, entry.attempt_id, self.node_id, entry.start_time)
            for entry in mine
        ]
        events.add_job_events(self.db, self.workflow_id, begun)

    def _release(self) -> None:
        if not self.request.released:
            return
        jobs = outcomes.held_jobs(self.db, self.workflow_id, [job_id for job_id, _ in self.request.released])
        attempts.give_back(
            self.db,
            [
                job_id
                for job_id, attempt_id in self.request.released
                if self._mine(jobs.get(job_id), attempt_id, JobStatus.PENDING)
            ],
        )

    def _redeliver(self) -> list[int]:
        """Jobs whose delivery got lost come again with the same attempt; jobs the runner lost are ready for others."""
        holding = set(self.request.holding)
        unknown = {
            job_id: status
            for job_id, (status, attempt_id) in attempts.handed_out(self.db, self.node_id).items()
            if (job_id, attempt_id) not in holding
        }
        forgotten = [job_id for job_id, status in unknown.items() if status == JobStatus.RUNNING]
        if forgotten:
            attempts.lose(self.db, self.node_id, end_attempt=True, only=forgotten)
            outcomes.fail_lost(self.db, self.workflow_id, self.node_id, forgotten)
        if self.request.closing or (self.request.offer is None and self.request.slots is None):
            return []
        return sorted(job_id for job_id, status in unknown.items() if status == JobStatus.PENDING)

    def _claim(self, again: list[int]) -> list[int]:
        """New jobs, beyond what is delivered again."""
        request = self.request
        limit = math.inf if request.limit is None else request.limit
        if request.slots is not None:
            room = Room(math.inf, math.inf, math.inf, math.inf)
            limit = min(limit, request.slots)
        elif request.offer is not None:
            room = claims.room_in(request.offer)
        else:
            return []
        for job in claims.deliver(self.db, self.workflow_id, again):
            room.num_cpus -= job.num_cpus
            room.memory_bytes -= job.memory_bytes
            room.num_gpus -= job.num_gpus
            room.num_nodes -= job.num_nodes if job.num_nodes > 1 else 0
        limit -= len(again)
        claimed: list[int] = []
        if limit > 0:
            claimed = self._hand_out(room, limit)
        if request.prefetch > 0 and self._may_prefetch(len(claimed)):
            claimed += self._hand_out(self._whole_node(), request.prefetch)
        return claimed

    def _hand_out(self, room: Room, limit: float) -> list[int]:
        return claims.claim(self.db, self.workflow_id, self.run_state, node_id=self.node_id, room=room, limit=limit)

    def _may_prefetch(self, claimed: int) -> bool:
        """Only while more jobs are ready than all active nodes hold: else a prefetched job starves another node."""
        active = self.db.execute("SELECT id FROM compute_node WHERE workflow_id = ? AND is_active", (self.workflow_id,))
        held = self.leases.held(node_id for (node_id,) in active) + claimed
        return exists(
            self.db,
            "SELECT 1 FROM job WHERE workflow_id = ? AND status = 'ready' AND not_before IS NULL LIMIT 1 OFFSET ?",
            (self.workflow_id, held),
        )

    def _whole_node(self) -> Room:
        """What one prefetched job may need at most. Each runs later, so they need not fit together."""
        if self.request.slots is not None:
            return Room(math.inf, math.inf, math.inf, math.inf)
        cpus, memory_gb, gpus, num_nodes = self.db.execute(
            "SELECT num_cpus, memory_gb, num_gpus, num_nodes FROM compute_node WHERE id = ?", (self.node_id,)
        ).fetchone()
        offer = self.request.offer
        assert offer is not None
        return EachAlone(
            cpus,
            memory_gb * GIB,
            gpus,
            num_nodes,
            math.inf if offer.time_left_s is None else offer.time_left_s,
            offer.scheduler_config_id,
        )

    def _answer(self, job_ids: list[int]) -> SyncAnswer:
        complete = self.run_state.is_canceled or (
            not job_ids and not workflows.has_unsettled(self.db, self.workflow_id)
        )
        idle = not complete and not job_ids and not self.request.holding
        misfit = misfits.look(self.db, self.workflow_id) if idle else None
        return SyncAnswer(
            jobs=claims.deliver(self.db, self.workflow_id, job_ids),
            stop=self.stop,
            lost=self.lost,
            actions=actions.select_pending(self.db, self.workflow_id),
            workflow=SyncWorkflow(
                run_id=self.run_state.run_id,
                is_complete=complete,
                is_canceled=self.run_state.is_canceled,
                jobs_uninitialized=idle and workflows.has_jobs(self.db, self.workflow_id, JobStatus.UNINITIALIZED),
                waiting_until_s=self.waiting_s,
            ),
            lease_s=self.leases.lease_s,
            retry_after_s=self._retry_after_s() if idle else None,
            misfit=misfit,
        )

    def _retry_after_s(self) -> float | None:
        """Sooner than the poll interval when a back-off ends before that, or a job that fits nowhere can be named."""
        soon = [time_s for time_s in (self.waiting_s, misfits.second_look_in_s(self.workflow_id)) if time_s is not None]
        return max(SOON_S, min(soon)) if soon else None
