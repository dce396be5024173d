"""Wait, reap, claim, start; in that order, until told to stop.

Everything that happens arrives on one queue: signals, SIGCHLD among them, and the server's answers. Nothing here
blocks on the server or on a child.
"""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from queue import Empty

from torc.client.api import Client
from torc.errors import Conflict, TorcError
from torc.models.compute_node import ComputeNode
from torc.models.sync import PROTOCOL, SyncAnswer, SyncRequest
from torc.models.workflow import Workflow
from torc.runner.capacity import Capacity
from torc.runner.contact import Contact
from torc.runner.ending import Outcome, Progress, ending_of, interrupted, server_away, uninitialized
from torc.runner.events import Answered, Failed, Inbox, signals_as_events
from torc.runner.node import (
    RunOptions,
    job_environment,
    lock_node,
    open_spool,
    prepare_folders,
    register,
    resources,
)
from torc.runner.pace import BATCH_RESULTS, OLDEST_RESULT_S
from torc.runner.takeover import take_over
from torc.runner.work import REAP_POLL_S, Work

__all__ = ["Outcome", "Progress", "RunOptions", "run_workflow"]

START_UNTOLD_S = 0.5
"""The server hears within this time of a start that nothing else would tell it."""

UNSTARTED_S = 2.0
"""A claimed job that could not be started within this time is given back: a stock behind a long job."""

FAREWELL_S = 10.0
"""How long a leaving runner tries to reach a silent server. A signal cuts it short."""

HURRIED_FAREWELL_S = 2.0
"""The same after a second signal: what was killed is reported too, if the server is there."""

REFUSALS = 5
"""A sync may be refused because it was delivered twice on its way, but not again and again."""


def run_workflow(client: Client, workflow_id: int, options: RunOptions, progress: Progress) -> Outcome:
    """Run the jobs of a workflow here until there is nothing left to do.

    Call it in the main thread: it takes the process's signals until it returns. Raises what the server refuses, and
    ServerAway as long as there is nothing to lose. Whatever happens, no job is left running.
    """
    workflow = client.workflows.get(workflow_id)
    total = resources(options)
    environment = job_environment(client, workflow_id)
    with ExitStack() as stack:
        launcher, spool_folder = prepare_folders(options.output_dir, workflow_id, environment)
        stack.callback(launcher.close)
        node = register(client, workflow_id, total, spool_folder)
        spool = open_spool(spool_folder, node)
        lock = lock_node(node, spool.path)
        take_over(client, node, progress.note)

        inbox = stack.enter_context(signals_as_events())
        contact = Contact(client, node.id or 0, inbox)
        stack.callback(contact.close)
        capacity = Capacity(total, slots=options.max_parallel_jobs)
        work = Work(capacity=capacity, launcher=launcher, spool=spool, progress=progress)
        stack.callback(work.bury_all)
        loop = Loop(contact, work, node, workflow, progress, inbox, poll_interval_s=options.poll_interval_s)
        outcome = loop.run()
        # What is left stays for a successor on this machine, which finds it by the lock that nobody holds.
        closed = outcome.kind != "server_away" and loop.say_farewell()
        spool.close(discard=closed)
        if lock:
            lock.release(gone=closed)
        return outcome


class Loop:
    """One runner at work for one workflow."""

    def __init__(
        self,
        contact: Contact,
        work: Work,
        node: ComputeNode,
        workflow: Workflow,
        progress: Progress,
        inbox: Inbox,
        *,
        poll_interval_s: float,
    ) -> None:
        self._contact = contact
        self._work = work
        self._node = node
        self._workflow = workflow
        self._progress = progress
        self._inbox = inbox
        self._poll_interval_s = poll_interval_s
        self._last: SyncAnswer | None = None
        self._sync_at = 0.0  # when to sync without any other reason
        self._retry_at = 0.0  # but not before, after a failure
        self._failures = 0  # in a row
        self._failing_since: float | None = None
        self._leaving: Outcome | None = None  # once the children have ended
        self._hurried = False
        self._told_uninitialized = False

    def run(self) -> Outcome:
        """Until there is nothing left to do. Raises what the server refuses; jobs may still run then."""
        outcome = None
        while outcome is None:
            self._sync_if_due()
            self._wait()
            ended = self._work.reap()
            self._start()  # before the paperwork: a slot that waits for it is idle
            self._work.settle(ended)
            outcome = self._decide()
        return outcome

    def say_farewell(self) -> bool:
        """Deliver what is left and close the node; whether the server has acknowledged that."""
        give_up_at = time.monotonic() + (HURRIED_FAREWELL_S if self._hurried else FAREWELL_S)
        self._hurried = closing = False
        while time.monotonic() < give_up_at and not self._hurried:
            if not self._contact.in_flight and time.monotonic() >= self._retry_at:
                closing = len(self._work.ledger.unacknowledged()) <= BATCH_RESULTS
                self._contact.send(self._request(closing=closing))
            try:
                self._wait(until=give_up_at)
            except TorcError as error:
                self._progress.note(f"the server refused this runner's last report: {error}")
                return False
            if closing and not self._contact.in_flight and not self._failures:
                return True
        self._progress.note(f"the server does not answer; what it does not know is kept in {self._work.spool_path}")
        return False

    def _start(self) -> None:
        if not self._work.ledger.waiting or not self._work.capacity.has_room() or self._leaving:
            return
        if self._contact.is_stale():
            self._sync_at = 0.0
            return
        self._work.start_waiting()

    def _wait(self, until: float = math.inf) -> None:
        """Sleep until something happens or is due, then take in all that has happened."""
        wake_at = min(until, *self._deadlines())
        with suppress(Empty):
            self._take_in(self._inbox.get(timeout=max(wake_at - time.monotonic(), 0.0)))
            while True:
                self._take_in(self._inbox.get_nowait())

    def _deadlines(self) -> Iterator[float]:
        now = time.monotonic()
        yield now + self._poll_interval_s
        if not self._contact.in_flight:
            yield max(self._sync_due_at(), self._retry_at)
        if self._work.needs_polling():
            yield now + REAP_POLL_S

    def _take_in(self, event: int | Answered | Failed) -> None:
        if isinstance(event, Answered):
            self._hear(event)
        elif isinstance(event, Failed):
            self._miss(event.error)
        elif event != signal.SIGCHLD:
            self._interrupt(event)

    def _hear(self, event: Answered) -> None:
        request, answer = event.request, event.answer
        now = time.monotonic()
        self._contact.in_flight = False
        if self._failing_since is not None:
            self._progress.note("the server answers again")
        self._failures, self._failing_since, self._retry_at = 0, None, 0.0
        self._last = answer
        self._work.pace.answered(request, answer, event.took_s)
        self._work.ledger.acknowledge(request)
        for key in answer.lost:
            self._work.lose(key)
        for stop in answer.stop:
            self._work.stop(stop)
        self._work.receive(answer.jobs)
        if self._leaving:
            self._work.ledger.release(self._work.ledger.waiting)
        if answer.workflow.waiting_until_s is not None:
            self._work.changed_at = now  # a job that backs off is no idleness
        self._work.tidy()
        if answer.retry_after_s is not None:
            self._sync_at = min(self._sync_at, now + answer.retry_after_s)

    def _miss(self, error: Exception) -> None:
        """We do not know whether the request was applied; the next one says everything again."""
        self._contact.in_flight = False
        self._failures += 1
        repeated = isinstance(error, Conflict) and "reregister" not in error.details and self._failures < REFUSALS
        if not isinstance(error, TorcError) or (error.http_status < 500 and not repeated):
            raise error
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
            self._progress.note(f"trying again, and going on with what runs: {error}")
        self._retry_at = now + self._contact.pause_s(self._failures)
        self._work.make_durable()

    def _interrupt(self, number: int) -> None:
        """The first signal asks jobs to end; another one hurries."""
        if self._leaving is None:
            self._leave(interrupted(number))
        else:
            self._hurried = True
            self._work.kill_all()

    def _leave(self, outcome: Outcome) -> None:
        self._leaving = outcome
        self._sync_at = 0.0
        self._work.wind_down()

    def _may_claim(self) -> bool:
        canceled = self._last is not None and self._last.workflow.is_canceled
        return self._leaving is None and not canceled and self._work.is_safe()

    def _sync_due_at(self) -> float:
        """In the past when an answer might fill an idle slot, else when the first thing has waited long enough."""
        ledger = self._work.ledger
        busy = self._may_claim() and not self._work.capacity.has_room()
        due = [
            self._sync_at,
            ledger.results_due_at(OLDEST_RESULT_S if busy else 0.0),
            ledger.starts_due_at(START_UNTOLD_S),
            ledger.oldest_waiting_at(UNSTARTED_S),
        ]
        if self._may_claim() and self._work.pace.runs_low(len(ledger.waiting)):
            return 0.0
        return min(time_s for time_s in due if time_s is not None)

    def _sync_if_due(self) -> None:
        now = time.monotonic()
        if self._contact.in_flight or now < max(self._sync_due_at(), self._retry_at):
            return
        self._work.ledger.release_older_than(UNSTARTED_S)
        self._sync_at = now + self._poll_interval_s
        self._contact.send(self._request())

    def _request(self, *, closing: bool = False) -> SyncRequest:
        request = SyncRequest(
            protocol=PROTOCOL,
            seq=self._contact.next_seq(),
            database_id=self._node.database_id or "",
            generation=self._node.generation or 0,
            closing=closing,
            **self._work.ledger.sections(),
        )
        if self._may_claim() and not closing:
            request.prefetch = max(0, self._work.pace.stock() - len(self._work.ledger.waiting))
            if request.prefetch or self._work.capacity.has_room():
                request.offer, request.slots = self._work.capacity.offer(), self._work.capacity.free_slots()
        return request

    def _decide(self) -> Outcome | None:
        """Whether to end now."""
        now = time.monotonic()
        if self._leaving is not None:
            return None if self._work.ledger.children else self._leaving
        patience_s = 60 * self._workflow.compute_node_wait_for_healthy_database_minutes
        if self._failing_since is not None and now - self._failing_since > patience_s:
            self._leave(server_away(now - self._failing_since, self._work.spool_path))
            return None
        if self._last is None or self._contact.in_flight or not self._work.ledger.is_empty():
            return None
        if self._last.workflow.jobs_uninitialized and not self._told_uninitialized:
            self._told_uninitialized = True
            self._progress.note(uninitialized(self._workflow))
        return ending_of(self._last, self._workflow, idle_s=now - self._work.changed_at)
