"""``torc-slurm-job-runner``: the program that Slurm starts in an allocation."""

import argparse
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torc import __version__, logs
from torc.cli import credentials
from torc.cli.command import Parser
from torc.client.api import Client
from torc.errors import EXIT_ERROR, ServerAway, TorcError, UsageError
from torc.hpc import slurm
from torc.models.scheduler import LIVE_ALLOCATIONS, ScheduledComputeNode
from torc.models.status import JobStatus
from torc.rendezvous import host_name
from torc.runner.allocation import Allocation, environment_text
from torc.runner.ending import Outcome
from torc.runner.place import Place
from torc.runner.run import RunOptions, run_workflow
from torc.settings import API_URL, LOG_LEVEL, any_path, as_argument, positive_number, user_name, whole_number
from torc.units import utc_now_iso
from torc.workflow import allocations
from torc.workflow.reconcile import LOOK_EVERY_S, reconcile_in_turn

logger = logging.getLogger(__name__)

DESCRIPTION = """Runs the jobs of a workflow in a Slurm allocation. `torc slurm schedule-nodes` and `torc submit` ask
for allocations that start it; what it may use it reads from the variables of Slurm."""

EXAMPLES = """examples:
  torc-slurm-job-runner http://login1:8080/torc-service/v1 5 output
  srun --ntasks-per-node=1 torc-slurm-job-runner $TORC_API_URL 5 output --poll-interval 30

exit codes:
  0  nothing was left to do, or the time was up
  1  an error; the log in the output folder says which
  2  usage error"""

RETRY_S = 30.0
RECORD_PATIENCE_S = 10.0
"""How long the submitter may take to write down what it has submitted."""


def main(words: Sequence[str] | None = None) -> int:
    """Run until there is nothing left to do or the time is up; the exit code."""
    options = make_parser().parse_args(words)
    try:
        _Runner(options).run()
    except TorcError as error:
        logger.error("%s", error.message)
        print(f"Error: {error.message}", file=sys.stderr)
        return EXIT_ERROR
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The command line: of the submission scripts, and the shorter one for people."""
    parser = Parser(
        prog="torc-slurm-job-runner",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"torc-slurm-job-runner {__version__}")
    add("places", metavar="[URL] WORKFLOW_ID [OUTPUT_DIR]", nargs="+", help="URL: TORC_API_URL; OUTPUT_DIR: output")
    whole = as_argument(whole_number(1))
    add("--max-parallel-jobs", type=whole, metavar="N", help="run this many jobs at a time, whatever they need")
    seconds = as_argument(positive_number)
    add("-p", "--poll-interval", type=seconds, default=60.0, metavar="SECONDS", help="pause between two questions")
    add("--is-subtask", action="store_true", help="this is one of several runners on a node")
    minutes = as_argument(whole_number(0))
    text = "how long to wait for a server that does not answer at the start (default 20)"
    add("--wait-for-healthy-database-minutes", type=minutes, default=20, metavar="N", help=text)
    add(
        "--scheduler-config-id",
        type=whole,
        metavar="ID",
        help="take jobs of this scheduler (default: of the allocation)",
    )
    add("--num-cpus", type=whole, metavar="N", help="CPUs to offer (default: those of the allocation)")
    add("--memory-gb", type=seconds, metavar="GIB", help="memory to offer (default: that of the allocation)")
    add("--num-gpus", type=as_argument(whole_number(0)), metavar="N", help="GPUs to offer (default: of the allocation)")
    return parser


def _places(words: Sequence[str]) -> tuple[str, int, Path]:
    """Server, workflow and folder of either form of the command line."""
    given = list(words)
    url = given.pop(0) if not given[0].isdecimal() else str(API_URL.configured())
    if not given or not given[0].isdecimal() or len(given) > 2:
        raise UsageError(f"{' '.join(words)!r} has to be: [URL] WORKFLOW_ID [OUTPUT_DIR].")
    return url, int(given[0]), any_path(given[1] if len(given) > 1 else "output")


class _Runner:
    """One run of this program."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._url, self._workflow_id, self._folder = _places(options.places)
        self._allocation = Allocation.of(os.environ, is_subtask=options.is_subtask)
        self._record: ScheduledComputeNode | None = None

    def run(self) -> None:
        """Everything, from the first line of the log to the last word about the allocation."""
        here = self._allocation
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            here.log_path(self._folder, "slurm_env").write_text(environment_text(os.environ))
            logs.configure(str(LOG_LEVEL.configured()))
            logs.move_to_file(here.log_path(self._folder, "job_runner_slurm"))
        except OSError as error:
            raise UsageError(f"the output folder {self._folder} cannot be used: {error.strerror}.") from error
        logger.info("runner of workflow %d in Slurm job %d, node %d", self._workflow_id, here.job_id, here.node_id)
        username, password = credentials.find(None, None)
        with closing(Client(self._url, username=username, password=password)) as client:
            try:
                self._work(client)
            except BaseException as error:
                self._tell(client, status="failed", reason=str(error) or type(error).__name__, ended_at=utc_now_iso())
                raise
            finally:
                _write_kernel_log(here.log_path(self._folder, "dmesg_slurm"))

    def _work(self, client: Client) -> None:
        self._wait_for_server(client)
        self._record = self._find_record(client)
        self._tell(client, status="active", reason=None, started_at=utc_now_iso())
        if self._allocation.restarts:
            self._release_predecessor(client)
        with _Reconciler(client, self._allocation):
            outcome = run_workflow(client, self._workflow_id, self._run_options(), _Notes())
        logger.info("the end: %s", outcome.message or outcome.kind)
        if outcome.kind == "server_away":
            raise ServerAway(outcome.message or "the server does not answer any more.")
        self._tell(client, status="complete", reason=outcome.message, ended_at=utc_now_iso())
        self._give_back_queued(client, outcome)

    def _wait_for_server(self, client: Client) -> None:
        give_up_at = time.monotonic() + 60 * self._options.wait_for_healthy_database_minutes
        while True:
            try:
                client.workflows.get(self._workflow_id)
                return
            except ServerAway as error:
                if time.monotonic() > give_up_at:
                    raise
                logger.warning("%s Trying again in %.0f s.", error.message, RETRY_S)
                time.sleep(RETRY_S)

    def _find_record(self, client: Client) -> ScheduledComputeNode | None:
        """The record of this allocation. The one who submitted it may still be about to write its number there."""
        give_up_at = time.monotonic() + RECORD_PATIENCE_S
        while True:
            found = list(
                client.scheduled_compute_nodes.list(self._workflow_id, scheduler_id=self._allocation.job_id)
            ) or list(client.scheduled_compute_nodes.list(self._workflow_id, name=self._allocation.job_name))
            if found:
                return found[0]
            if time.monotonic() > give_up_at:
                logger.info("nobody has noted down this allocation; it takes jobs of any scheduler")
                return None
            time.sleep(0.5)

    def _run_options(self) -> RunOptions:
        here, given = self._allocation, self._options
        config_id = given.scheduler_config_id or (self._record and self._record.scheduler_config_id)
        place = Place(
            kind="slurm", scheduler=here.scheduler, scheduler_config_id=config_id or None, num_nodes=here.num_nodes
        )
        return RunOptions(
            output_dir=self._folder,
            poll_interval_s=given.poll_interval,
            max_parallel_jobs=given.max_parallel_jobs,
            num_cpus=given.num_cpus or here.num_cpus,
            memory_gb=given.memory_gb or here.memory_gb,
            num_gpus=given.num_gpus,
            time_limit_s=self._left_s(),
            place=place,
            asks_for_nodes=slurm.is_available(),
        )

    def _left_s(self) -> float | None:
        """The time until Slurm ends this job; None when nobody knows."""
        ends_at = self._allocation.ends_at
        if ends_at is None:
            try:
                ends_at = slurm.end_time(self._allocation.job_id)
            except TorcError as error:
                logger.warning("no end of this allocation is known: %s", error.message)
        if ends_at is None:
            return None
        logger.info("the allocation ends at %s", ends_at.astimezone(UTC).isoformat())
        return max(0.0, (ends_at - datetime.now(UTC)).total_seconds())

    def _release_predecessor(self, client: Client) -> None:
        """This job was requeued: what its first run had taken is free, whatever its lease says."""
        for node in client.compute_nodes.list(self._workflow_id, is_active=True):
            where: dict[str, Any] = node.scheduler if isinstance(node.scheduler, dict) else {}
            if (where.get("slurm_job_id"), where.get("node_id")) == (
                str(self._allocation.job_id),
                str(self._allocation.node_id),
            ) and node.hostname != host_name():  # here, what is left of it is taken over
                assert node.id is not None
                logger.info("compute node %d was this job before it was requeued", node.id)
                client.release(node.id)

    def _tell(self, client: Client, **changes: Any) -> None:
        """Say in the record what became of the allocation. The first node speaks for all."""
        if self._record is None or not self._allocation.is_first:
            return
        assert self._record.id is not None
        try:
            now = client.scheduled_compute_nodes.get(self._record.id)
            if now.status in LIVE_ALLOCATIONS:  # else somebody has canceled it
                changes = {"scheduler_id": self._allocation.job_id, **changes}
                self._record = client.scheduled_compute_nodes.change(self._record.id, changes)
        except TorcError as error:
            logger.warning("the record of this allocation says what was, not what is: %s", error.message)

    def _give_back_queued(self, client: Client, outcome: Outcome) -> None:
        """Allocations that still wait would find nothing to do."""
        if outcome.kind not in ("complete", "canceled"):
            return
        try:
            waiting = [
                one for one in allocations.live_allocations(client, self._workflow_id) if one.status == "pending"
            ]
            for problem in allocations.cancel(client, waiting, "no work was left"):
                logger.warning("%s", problem)
        except TorcError as error:
            logger.warning("allocations that wait were not given back: %s", error.message)


class _Reconciler:
    """Looks after all allocations of this user while the runner works, when it is this one's turn."""

    def __init__(self, client: Client, allocation: Allocation) -> None:
        self._client = client
        self._is_ours = allocation.is_first
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="reconciler", daemon=True)

    def __enter__(self) -> None:
        if self._is_ours:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            try:
                for change in reconcile_in_turn(self._client, user_name()):
                    job_id, now = change.record.scheduler_id, change.record
                    logger.info("allocation %d: %s, now %s (%s)", job_id, change.before, now.status, now.reason)
            except TorcError as error:
                logger.warning("the allocations could not be looked after: %s", error.message)


class _Notes:
    """What happens goes to the log."""

    def job_started(self, name: str) -> None:
        logger.info("job %s started", name)

    def job_finished(self, name: str, status: JobStatus, return_code: int) -> None:
        logger.info("job %s %s with return code %d", name, status, return_code)

    def note(self, text: str) -> None:
        logger.warning("%s", text)


def _write_kernel_log(path: Path) -> None:
    """What the kernel said on this node, which tells of memory that ran out. Nothing where it may not be read."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(["dmesg", "--ctime"], capture_output=True, text=True, errors="replace", timeout=20)
        path.write_text(done.stdout + (f"--- stderr ---\n{done.stderr}" if done.stderr else ""))
