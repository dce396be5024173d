"""The runner's line to the server: a thread that sends one sync at a time, and one that keeps the lease.

Both only put what happened on the loop's queue, or note when the server was last heard; the loop decides.
"""

import threading
import time
from queue import SimpleQueue

from torc.client.api import Client
from torc.errors import TorcError
from torc.models.sync import SyncRequest
from torc.runner.events import Answered, Failed, Inbox
from torc.runner.processes import boot_time
from torc.runner.threads import start_without_signals

RENEWALS_PER_LEASE = 4
LONGEST_PAUSE_S = 10.0
"""Between two tries. A refused connection costs the server nothing, and runners should notice that it is back."""

FIRST_PAUSE_S = 0.1
JOIN_S = 1.0


class Contact:
    """Sends syncs of one node in the order of their ``seq``."""

    def __init__(self, client: Client, node_id: int, inbox: Inbox) -> None:
        self.in_flight = False
        self._client = client
        self._node_id = node_id
        self._inbox = inbox
        self._outbox: SimpleQueue[SyncRequest | None] = SimpleQueue()
        self._seq = 0
        self._lease_s: float | None = None
        self._heard_at = boot_time()  # when the last request that was answered had been sent
        self._closing = threading.Event()
        self._renewal = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._sender = threading.Thread(target=self._send, name="sync", daemon=True)
        start_without_signals(self._sender)  # which starts the other one, with the same mask

    def next_seq(self) -> int:
        """Every send needs a number of its own, a repeat included: a late first copy is then refused."""
        self._seq += 1
        return self._seq

    def send(self, request: SyncRequest) -> None:
        """Answered or Failed will be on the inbox. One at a time."""
        self.in_flight = True
        self._outbox.put(request)

    def is_stale(self) -> bool:
        """Whether the server may already have given our jobs to others: nothing may be started before a sync."""
        return self._lease_s is not None and boot_time() - self._heard_at > self._lease_s / 2

    def pause_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        longest = min(LONGEST_PAUSE_S, self._renewal_interval_s())
        return min(longest, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20))

    def close(self) -> None:
        """Send nothing more. A request that hangs is left to its time-out."""
        self._closing.set()
        self._outbox.put(None)
        self._sender.join(JOIN_S)
        if self._renewal.is_alive():
            self._renewal.join(JOIN_S)

    def _send(self) -> None:
        while (request := self._outbox.get()) is not None:
            sent_at, begun = boot_time(), time.monotonic()
            try:
                answer = self._client.sync(self._node_id, request)
            except Exception as error:  # the loop raises what it cannot cure
                self._inbox.put(Failed(request, error))
                continue
            self._heard(sent_at, answer.lease_s)
            self._inbox.put(Answered(request, answer, time.monotonic() - begun))

    def _heard(self, sent_at: float, lease_s: float) -> None:
        first = self._lease_s is None
        self._heard_at = max(self._heard_at, sent_at)
        self._lease_s = lease_s
        if first:
            self._renewal.start()

    def _renew(self) -> None:
        """Keep the lease while the loop has nothing to say, or hangs in a file system."""
        while not self._closing.wait(self._renewal_interval_s() / 2):
            sent_at = boot_time()
            if sent_at - self._heard_at < self._renewal_interval_s() / 2:
                continue
            try:
                answer = self._client.renew(self._node_id)
            except TorcError:
                continue  # the next sync tells what is wrong
            self._heard(sent_at, answer.lease_s)

    def _renewal_interval_s(self) -> float:
        return (self._lease_s or 0.0) / RENEWALS_PER_LEASE or LONGEST_PAUSE_S
