"""Wait, reap, claim, start; in that order, until told to stop.

Everything that happens arrives on one queue: signals, SIGCHLD among them, and the server's answers. Nothing here
blocks on the server or on a child.
"""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty

from torc.errors import Conflict, TorcError
from torc.models.compute_node import ComputeNode
from torc.models.status import Cause
from torc.models.sync import PROTOCOL, Offer, SyncAnswer, SyncRequest
from torc.models.workflow import Workflow
from torc.runner.actions import ActionRunner
from torc.runner.clock import FAREWELL_S, LEAVING_GRACE_S, Clock
from torc.runner.contact import Contact
from torc.runner.ending import Outcome, Progress, ending_of, interrupted, server_away, time_up, uninitialized
from torc.runner.events import Answered, Event, Failed, Inbox, OverMemory
from torc.runner.excuse import Ended, excuse, patience_s
from torc.runner.pace import BATCH_RESULTS, OLDEST_RESULT_S
from torc.runner.place import Place
from torc.runner.work import REAP_POLL_S, Work

START_UNTOLD_S = 0.5
"""The server hears within this time of a start that nothing else would tell it."""

UNSTARTED_S = 2.0
"""A claimed job that could not be started within this time is given back: a stock behind a long job."""

HURRIED_FAREWELL_S = 2.0
"""The time of a farewell after a second signal: what was killed is reported too, if the server is there."""

BY_A_PERSON = (signal.SIGINT, signal.SIGHUP)
"""Ctrl-C, and a terminal that was closed."""

REFUSALS = 5
"""A sync may be refused because it was delivered twice on its way, but not again and again."""


class Loop:
    """One runner at work for one workflow."""

    def __init__(
        self,
        contact: Contact,
        work: Work,
        actions: ActionRunner,
        node: ComputeNode,
        workflow: Workflow,
        progress: Progress,
        inbox: Inbox,
        clock: Clock,
        place: Place,
    ) -> None:
        self._contact = contact
        self._work = work
        self._actions = actions
        self._node = node
        self._workflow = workflow
        self._progress = progress
        self._inbox = inbox
        self._clock = clock
        self._place = place
        self._last: SyncAnswer | None = None
        self._sync_at = 0.0  # when to sync without any other reason
        self._retry_at = 0.0  # but not before, after a failure
        self._failures = 0  # in a row
        self._failing_since: float | None = None
        self._leaving: Outcome | None = None  # once the children and the last actions have ended
        self._has_taken_leave = False  # and was given nothing more to do
        self._hurried = False
        self._told_at = -math.inf  # by the batch system, to end
        self._told_uninitialized = False

    def run(self) -> Outcome:
        """Until there is nothing left to do. Raises what the server refuses; jobs may still run then."""
        outcome = None
        while outcome is None:
            self._sync_if_due()
            self._wait()
            self._actions.reap()
            self._work.end_overdue()
            ended = self._work.reap()
            if self._place.is_batch:
                self._hear_batch_system(ended)
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
        self._work.start_waiting(self._clock.left_s())

    def _wait(self, until: float = math.inf) -> None:
        """Sleep until something happens or is due, then take in all that has happened."""
        wake_at = min(until, *self._deadlines())
        with suppress(Empty):
            self._take_in(self._inbox.get(timeout=max(wake_at - time.monotonic(), 0.0)))
            while True:
                self._take_in(self._inbox.get_nowait())

    def _deadlines(self) -> Iterator[float]:
        now = time.monotonic()
        yield now + self._clock.poll_interval_s
        yield from self._work.overdue_at()
        if not self._leaving:
            yield now + self._clock.left_s()
        if not self._contact.in_flight:
            yield max(self._sync_due_at(), self._retry_at)
        if self._work.needs_polling():
            yield now + REAP_POLL_S

    def _take_in(self, event: Event) -> None:
        if isinstance(event, Answered):
            self._hear(event)
        elif isinstance(event, Failed):
            self._miss(event.error)
        elif isinstance(event, OverMemory):
            self._work.end_over_memory(event.key, event.used_bytes)
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
        self._actions.acknowledge(request)
        for key in answer.lost:
            self._work.lose(key)
        for stop in answer.stop:
            self._work.stop(stop)
        if not self._contact.is_stale():  # else somebody else may have them by now; they come again if not
            self._actions.receive(answer.actions, answer.workflow)
        self._has_taken_leave = request.leaving and not answer.actions
        self._work.receive(answer.jobs)
        if self._leaving:
            self._work.ledger.release(self._work.ledger.waiting)
        if answer.workflow.waiting_until_s is not None or answer.workflow.is_preparing or self._actions.is_busy():
            self._work.changed_at = now  # what is waited for, or done beside the jobs, is no idleness
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
        """The first signal asks jobs to end; another one hurries, unless a batch system repeats itself."""
        if self._place.is_batch and number not in BY_A_PERSON:
            self._told_at = time.monotonic()
            self._place.when_told()
            if self._leaving is None:
                self._leave(interrupted(number), Cause.TIME_UP)
        elif self._leaving is None:
            # What ends a batch job sends SIGTERM; a person presses Ctrl-C or closes the terminal.
            self._leave(interrupted(number), Cause.USER if number in BY_A_PERSON else Cause.TIME_UP)
        else:
            self._hurried = True
            self._work.kill_all()
            self._actions.kill_all()

    def _hear_batch_system(self, ended: Ended) -> None:
        """What it has to say of jobs that have ended, and of the time that is left to others."""
        give_up_at = time.monotonic() + patience_s(ended)
        with suppress(Empty):
            while self._leaving is None and (left_s := give_up_at - time.monotonic()) > 0:
                self._take_in(self._inbox.get(timeout=left_s))
        excuse(ended, self._told_at)
        if self._leaving:
            self._work.hasten(self._clock.grace_s(most_s=math.inf))

    def _leave(self, outcome: Outcome, cause: Cause) -> None:
        self._leaving = outcome
        self._sync_at = 0.0
        self._actions.leave()
        has_its_time = self._place.is_batch and cause is Cause.TIME_UP and self._clock.left_s() < math.inf
        self._work.wind_down(cause, self._clock.grace_s(most_s=math.inf if has_its_time else LEAVING_GRACE_S))

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
            self._actions.report_due_at(START_UNTOLD_S),
        ]
        if self._may_claim() and self._work.pace.runs_low(len(ledger.waiting)):
            return 0.0
        return min(time_s for time_s in due if time_s is not None)

    def _sync_if_due(self) -> None:
        now = time.monotonic()
        if self._contact.in_flight or now < max(self._sync_due_at(), self._retry_at):
            return
        self._work.ledger.release_older_than(UNSTARTED_S)
        self._sync_at = now + self._clock.poll_interval_s
        self._contact.send(self._request())

    def _request(self, *, closing: bool = False) -> SyncRequest:
        request = SyncRequest(
            protocol=PROTOCOL,
            seq=self._contact.next_seq(),
            database_id=self._node.database_id or "",
            generation=self._node.generation or 0,
            closing=closing,
            leaving=self._leaving is not None,
            **self._work.ledger.sections(),
            **self._actions.sections(),
        )
        if self._may_claim() and not closing:
            request.prefetch = max(0, self._work.pace.stock() - len(self._work.ledger.waiting))
            if request.prefetch or self._work.capacity.has_room():
                request.offer, request.slots = self._offer(), self._work.capacity.free_slots()
        return request

    def _offer(self) -> Offer | None:
        offer, left_s = self._work.capacity.offer(), self._clock.left_s()
        config_id = self._node.scheduler_config_id
        if left_s < math.inf or config_id is not None:
            offer = offer or Offer(num_cpus=0, memory_bytes=0)  # jobs are counted: only time and scheduler matter
            offer.time_left_s = max(left_s, 0.0) if left_s < math.inf else None
            offer.scheduler_config_id = config_id
        return offer

    def _decide(self) -> Outcome | None:
        """Whether to end now."""
        now = time.monotonic()
        if self._leaving is not None:
            return None if self._work.ledger.children or self._has_last_actions() else self._leaving
        patience_s = 60 * self._workflow.compute_node_wait_for_healthy_database_minutes
        if self._failing_since is not None and now - self._failing_since > patience_s:
            self._leave(server_away(now - self._failing_since, self._work.spool_path), Cause.LOST_NODE)
            return None
        if self._clock.left_s() <= 0:
            self._leave(time_up(), Cause.TIME_UP)
            return None
        if self._last is None or self._contact.in_flight or not self._work.ledger.is_empty():
            return None
        if not self._actions.is_empty():
            return None
        if self._last.workflow.jobs_uninitialized and not self._told_uninitialized:
            self._told_uninitialized = True
            self._progress.note(uninitialized(self._workflow))
        outcome = ending_of(self._last, self._workflow, idle_s=now - self._work.changed_at)
        if outcome is not None:
            self._leave(outcome, Cause.USER)
        return None

    def _has_last_actions(self) -> bool:
        """Whether something is left to be done at the end of this runner; nobody asks a server that is away."""
        if self._hurried or self._failing_since is not None:
            return self._actions.is_busy()
        return not (self._has_taken_leave and self._actions.is_empty())
