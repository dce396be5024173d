"""Which runner lives, and what becomes of what a dead one left on this machine.

A lock on a file says who lives: a pid proves nothing where containers share a host name.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from torc.client.api import Client
from torc.errors import Conflict, ServerAway, TorcError
from torc.models.compute_node import ComputeNode
from torc.models.record import Record
from torc.models.sync import PROTOCOL, FinishedJob, SyncAnswer, SyncRequest
from torc.rendezvous import Lock, node_local_directory
from torc.runner.ledger import Key
from torc.runner.pace import BATCH_RESULTS
from torc.runner.processes import node_mark
from torc.runner.spool import Spooled, read_spool
from torc.runner.survivors import Survivors

TRIES = 5
"""The dead runner's last request may still be on its way and take the number we use."""


class Tenant(Record, kw_only=True):
    """What the lock file of a node says about the runner that holds it, for whoever finds it dead."""

    workflow_id: int
    hostname: str
    pid: int
    generation: int  # of the database it joined
    spool: str


class NodeLock:
    """Held while the runner of a node lives."""

    def __init__(self, node: ComputeNode, spool: Path) -> None:
        """Raises TorcError or OSError where no lock can be held; then only the lease tells who lives."""
        self._path = _lock_path(node)
        tenant = Tenant(
            workflow_id=node.workflow_id,
            hostname=node.hostname,
            pid=node.pid,
            generation=node.generation or 0,
            spool=str(spool),
        )
        # Locked before it has its name: nobody can find it unlocked and take a living runner for a dead one.
        draft = self._path.with_suffix(".new")
        self._lock = Lock(draft)
        self._lock.acquire()
        draft.write_bytes(msgspec.json.encode(tenant))
        draft.rename(self._path)

    def release(self, *, gone: bool) -> None:
        """``gone`` when the node is closed and nothing is left for a successor."""
        if gone:
            self._path.unlink(missing_ok=True)
        self._lock.close()


def take_over(client: Client, own: ComputeNode, note: Callable[[str], None]) -> None:
    """Finish what dead runners of the same workflow and host began.

    Deliver their results, then kill the jobs that survived them, then close their nodes: a job is ready again only
    when nothing of its old attempt runs any more.
    """
    for path, node_id in list(_nodes_seen_here(own)):
        lock = Lock(path)
        try:
            if lock.acquire() and _settle(client, own, node_id, path, note):
                path.unlink(missing_ok=True)
        finally:
            lock.close()


def take_over_from(client: Client, own: ComputeNode, node: ComputeNode, note: Callable[[str], None]) -> None:
    """Finish what the runner of this node began, which may have been on another machine, and certainly is dead."""
    node = client.compute_nodes.get(node.id or 0)
    if not node.is_active:  # it was on this machine, and is settled by now
        return
    tenant = Tenant(
        workflow_id=node.workflow_id,
        hostname=node.hostname,
        pid=node.pid,
        generation=own.generation or 0,
        spool=str(Path(node.spool_path or "") / f"{node.id}.spool"),
    )
    _finish(client, own, node.id or 0, tenant, note)


def _settle(client: Client, own: ComputeNode, node_id: int, path: Path, note: Callable[[str], None]) -> bool:
    """Whether nothing is left to do for that node."""
    try:
        tenant = msgspec.json.decode(path.read_bytes(), type=Tenant)
    except (OSError, msgspec.MsgspecError):  # gone by now, or of another version
        return False
    if (tenant.workflow_id, tenant.hostname) != (own.workflow_id, own.hostname):
        return False
    _finish(client, own, node_id, tenant, note)
    return True


def _finish(client: Client, own: ComputeNode, node_id: int, tenant: Tenant, note: Callable[[str], None]) -> None:
    spool = Path(tenant.spool)
    left = read_spool(spool)
    if tenant.hostname != own.hostname:
        left.unfinished.clear()  # the batch system has killed them; the numbers mean other processes here
    note(f"taking over from the runner with pid {tenant.pid}, which did not end by itself")
    survivors = Survivors(node_mark(own.database_id, node_id))
    try:
        dead = _Dead(client, node_id, own.database_id or "", tenant.generation)
        _end_jobs(dead, left, survivors)
    except ServerAway:
        raise
    except TorcError as error:  # its workflow was deleted, or the database restored; its jobs must end all the same
        survivors.kill(left.unfinished, set())
        note(f"what the runner with pid {tenant.pid} left was refused: {error}")
    spool.unlink(missing_ok=True)


def _end_jobs(dead: "_Dead", left: Spooled, survivors: Survivors) -> None:
    """Deliver results, kill, close the node.

    A runner may die between a start and its record, or may not have been able to write one. So what carries a mark of
    the node is held too, and killed unless the server calls it lost: that was left behind by a job that has ended.
    """
    known = {(child.job_id, child.attempt_id) for child in left.unfinished}
    settled = {(report.job_id, report.attempt_id) for report in left.finished}
    unrecorded = survivors.attempts() - known - settled
    lost = dead.deliver(left.finished, holding=known | unrecorded)
    survivors.kill(left.unfinished, unrecorded - lost)
    dead.deliver([], holding=set(), closing=True)


class _Dead:
    """Speaks for a runner that cannot any more."""

    def __init__(self, client: Client, node_id: int, database_id: str, generation: int) -> None:
        self._client = client
        self._node_id = node_id
        self._database_id = database_id
        self._generation = generation
        self._seq = self._last_seq()

    def deliver(self, finished: list[FinishedJob], *, holding: set[Key], closing: bool = False) -> set[Key]:
        """Report what it would have. What it holds stays its own until its node closes; what is not is returned."""
        lost: set[Key] = set()
        for begin in range(0, max(len(finished), 1), BATCH_RESULTS):
            answer = self._send(
                SyncRequest(
                    protocol=PROTOCOL,
                    seq=0,
                    database_id=self._database_id,
                    generation=self._generation,
                    finished=finished[begin : begin + BATCH_RESULTS],
                    holding=sorted(holding),
                    closing=closing,
                )
            )
            lost.update(answer.lost)
        return lost

    def _send(self, request: SyncRequest) -> SyncAnswer:
        tries = 0
        while True:
            self._seq = request.seq = self._seq + 1
            try:
                return self._client.sync(self._node_id, request)
            except Conflict as error:
                tries += 1
                if tries == TRIES or "reregister" in error.details:
                    raise
                self._seq = self._last_seq()

    def _last_seq(self) -> int:
        return self._client.compute_nodes.get(self._node_id).last_seq or 0


def _lock_path(node: ComputeNode) -> Path:
    return node_local_directory() / f"node-{node.database_id}-{node.id}"


def _nodes_seen_here(own: ComputeNode) -> Iterator[tuple[Path, int]]:
    """The other nodes of the same database whose lock files are on this machine."""
    try:
        directory = node_local_directory()
    except (TorcError, OSError):
        return
    prefix = f"node-{own.database_id}-"
    for path in directory.glob(f"{prefix}*"):
        number = path.name.removeprefix(prefix)
        if number.isdigit() and int(number) != own.id:
            yield path, int(number)
