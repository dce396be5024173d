"""Asking the batch system for nodes: each allocation has its record before it is asked for, and is asked for once."""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from torc.errors import Conflict, TorcError, UsageError
from torc.hpc import script, slurm
from torc.models.event import Event
from torc.models.scheduler import LIVE_ALLOCATIONS, ScheduledComputeNode, SlurmScheduler
from torc.rendezvous import host_name
from torc.units import utc_now_iso

if TYPE_CHECKING:
    from torc.client.api import Client

logger = logging.getLogger(__name__)

TRIES = 6
PAUSE_S = 10.0
"""Between tries of a submission that the batch system could not take at the moment."""

INSTANT_S = 60.0
INSTANT_FAILURES = 3
"""So many allocations in a row that failed within so long of their start: the next one would, too."""


class Limits(NamedTuple):
    """How much may be asked for on behalf of a workflow. None: no limit."""

    max_nodes: int | None = None  # in all its allocations that wait or run
    max_queued: int | None = None  # allocations that wait
    per_minute: int | None = None  # submissions; more than that wait


@dataclass(frozen=True)
class Wish:
    """What to ask for: ``count`` allocations of a scheduler, and how their runners work."""

    scheduler: SlurmScheduler
    output_dir: Path
    api_url: str  # as compute nodes reach the server
    count: int = 1
    prefix: str = "worker"
    poll_interval_s: int = 60
    max_parallel_jobs: int | None = None
    worker_per_node: bool = False
    keep_scripts: bool = False
    limits: Limits = Limits()
    ignore_failures: bool = False  # of allocations before

    def with_count(self, count: int) -> "Wish":
        """The same, but more or fewer."""
        return replace(self, count=count)


def url_for_nodes(client_url: str, answers: Callable[[str], bool]) -> str:
    """The address of the server for compute nodes. UsageError, with the cure, when they cannot reach it.

    ``answers`` tells whether a server answers at a URL.
    """
    parts = urlsplit(client_url)
    if not _is_loopback(parts.hostname or ""):
        return client_url
    port = f":{parts.port}" if parts.port else ""
    named = parts._replace(netloc=f"{host_name()}{port}").geturl()
    if answers(named):
        return named
    raise UsageError(
        f"compute nodes cannot reach {client_url}: the server listens to this machine only. Start it again with: "
        f"torc-server run --host 0.0.0.0 --port {parts.port or 80} --database FILE, and accounts for its users "
        "(docs/authentication.md); or name the address at which nodes reach it as client.slurm.api_url."
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check(client: "Client", workflow_id: int, wishes: Sequence[Wish]) -> None:
    """Refuse, before anything is changed, what cannot or should not be submitted."""
    slurm.require("sbatch")
    wishes = [wish for wish in wishes if wish.count]
    if not wishes:
        return
    live = live_allocations(client, workflow_id)
    limits, wanted = wishes[0].limits, sum(wish.count for wish in wishes)
    queued = sum(one.status != "active" for one in live)
    if limits.max_queued is not None and queued + wanted > limits.max_queued:
        raise Conflict(
            f"{queued} allocations of workflow {workflow_id} wait in the queue, and {wanted} more would be over the "
            f"limit of {limits.max_queued} (client.slurm.max_queued_allocations)."
        )
    if limits.max_nodes is not None:
        sizes = {one.id: one.nodes for one in client.slurm_schedulers.list(workflow_id)}
        nodes = sum(sizes.get(one.scheduler_config_id, 1) for one in live)
        more = sum(wish.count * wish.scheduler.nodes for wish in wishes)
        if nodes + more > limits.max_nodes:
            raise Conflict(
                f"workflow {workflow_id} has or waits for {nodes} nodes and {more} more would be over the limit of "
                f"{limits.max_nodes} (client.slurm.max_nodes)."
            )
    if not wishes[0].ignore_failures:
        _break_circuit(client, workflow_id)


def _break_circuit(client: "Client", workflow_id: int) -> None:
    """Refuse to feed a batch system in which everything fails at once."""
    last = list(
        client.scheduled_compute_nodes.list(workflow_id, limit=INSTANT_FAILURES, sort_by="id", reverse_sort=True)
    )
    if len(last) == INSTANT_FAILURES and all(_failed_at_once(one) for one in last):
        raise Conflict(
            f"the last {INSTANT_FAILURES} allocations of workflow {workflow_id} failed within {INSTANT_S:.0f} s of "
            f"their start ({last[0].reason or 'no reason is known'}); look at "
            f"slurm_output_{last[0].scheduler_id}.e in the output folder, or submit all the same with --force."
        )


def _failed_at_once(one: ScheduledComputeNode) -> bool:
    if one.status != "failed" or one.started_at is None or one.ended_at is None:
        return False
    return (_moment(one.ended_at) - _moment(one.started_at)).total_seconds() < INSTANT_S


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def live_allocations(client: "Client", workflow_id: int) -> list[ScheduledComputeNode]:
    """Those that somebody waits for or uses."""
    return [
        one
        for status in LIVE_ALLOCATIONS
        for one in client.scheduled_compute_nodes.list(workflow_id, status=status)
        if one.scheduler_type == "slurm"
    ]


def submit(
    client: "Client", workflow_id: int, wish: Wish, note: Callable[[str], None] = logger.warning
) -> list[ScheduledComputeNode]:
    """Ask for the allocations, one after another; the records of them. What was submitted before a failure stays.

    The caller has asked ``check``. A crash at any point leaves a record whose ``name`` tells whether it was submitted.
    """
    folder = wish.output_dir.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}; choose another with --output.") from error
    token = secrets.token_hex(3)
    pace = _Pace(client, workflow_id, wish.limits.per_minute, note)
    return [
        _submit_one(client, workflow_id, wish, folder, f"{wish.prefix}_{token}_{number}", pace, note)
        for number in range(1, wish.count + 1)
    ]


def _submit_one(
    client: "Client",
    workflow_id: int,
    wish: Wish,
    folder: Path,
    name: str,
    pace: "_Pace",
    note: Callable[[str], None],
) -> ScheduledComputeNode:
    assert wish.scheduler.id is not None
    path = folder / f"{name}.sh"
    text = script.script_text(
        wish.scheduler,
        job_name=name,
        output_dir=folder,
        api_url=wish.api_url,
        workflow_id=workflow_id,
        poll_interval_s=wish.poll_interval_s,
        max_parallel_jobs=wish.max_parallel_jobs,
        worker_per_node=wish.worker_per_node,
        username=client.username,
        password_file=script.write_password(folder, client.password),
    )
    pace.wait()
    record = client.scheduled_compute_nodes.create(
        ScheduledComputeNode(
            workflow_id=workflow_id,
            scheduler_id=0,
            scheduler_config_id=wish.scheduler.id,
            scheduler_type="slurm",
            status="submitting",
            name=name,
            submitted_at=utc_now_iso(),
        )
    )
    assert record.id is not None
    try:
        path.write_text(text)
        path.chmod(0o755)
        job_id = _try(path, note)
    except (TorcError, OSError):
        client.scheduled_compute_nodes.delete(record.id)  # the batch system does not have it
        path.unlink(missing_ok=True)
        raise
    # The runner may have begun already, and be ahead of us.
    changes: dict[str, Any] = {"scheduler_id": job_id}
    if client.scheduled_compute_nodes.get(record.id).status == "submitting":
        changes["status"] = "pending"
    record = client.scheduled_compute_nodes.change(record.id, changes)
    _tell(client, workflow_id, wish, record)
    if not wish.keep_scripts:
        path.unlink(missing_ok=True)
    return record


def _try(path: Path, note: Callable[[str], None]) -> int:
    """Submit a script, again after a while when the batch system only cannot take it now."""
    for tries_left in reversed(range(TRIES)):
        try:
            return slurm.submit(path)
        except slurm.SubmitFailed as error:
            if not error.is_transient or not tries_left:
                raise
            note(f"{error.message} Trying again in {PAUSE_S:.0f} s.")
            time.sleep(PAUSE_S)
    raise AssertionError("unreachable")


def _tell(client: "Client", workflow_id: int, wish: Wish, record: ScheduledComputeNode) -> None:
    data = {
        "category": "scheduler",
        "slurm_job_id": str(record.scheduler_id),
        "slurm_job_name": record.name,
        "scheduler_config_id": record.scheduler_config_id,
        "num_nodes": wish.scheduler.nodes,
    }
    try:
        client.events.create(Event(workflow_id=workflow_id, data=data))
    except TorcError as error:  # the record says the same
        logger.warning("the event of allocation %d is missing: %s", record.scheduler_id, error)


class _Pace:
    """Holds submissions back when there were too many within the last minute, whoever made them."""

    def __init__(self, client: "Client", workflow_id: int, per_minute: int | None, note: Callable[[str], None]) -> None:
        self._per_minute = per_minute
        self._note = note
        self._at: list[datetime] = []
        if per_minute is not None:
            last = client.scheduled_compute_nodes.list(workflow_id, limit=per_minute, sort_by="id", reverse_sort=True)
            self._at = sorted(_moment(one.submitted_at) for one in last if one.submitted_at)

    def wait(self) -> None:
        """Until another submission is within the limit, and count it."""
        if self._per_minute is None:
            return
        if len(self._at) >= self._per_minute:
            free_at = self._at[-self._per_minute] + timedelta(minutes=1)
            left_s = (free_at - datetime.now(UTC)).total_seconds()
            if left_s > 0:
                self._note(
                    f"{self._per_minute} allocations were submitted within a minute (client.slurm."
                    f"max_submissions_per_minute); going on in {left_s:.0f} s."
                )
                time.sleep(left_s)
        self._at.append(datetime.now(UTC))


def cancel(client: "Client", allocations: Sequence[ScheduledComputeNode], reason: str) -> list[str]:
    """Give allocations back, each once; a sentence for each that could not be. Their records say so."""
    problems = []
    for one in allocations:
        assert one.id is not None
        try:
            if one.scheduler_id:
                slurm.cancel([one.scheduler_id])
        except TorcError as error:
            problems.append(f"allocation {one.scheduler_id}: {error.message}")
            continue
        changes = {"status": "canceled", "reason": reason, "ended_at": utc_now_iso()}
        client.scheduled_compute_nodes.change(one.id, changes)
    return problems
