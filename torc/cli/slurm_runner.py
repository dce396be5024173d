"""``torc-slurm-job-runner``: the program that Slurm starts in an allocation."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TypeVar

from torc import __version__, logs
from torc.cli import credentials
from torc.cli.command import Parser
from torc.client.api import Client
from torc.errors import EXIT_ERROR, ServerAway, TorcError, UsageError
from torc.hpc import slurm
from torc.models.status import JobStatus
from torc.rendezvous import host_name
from torc.runner import detect
from torc.runner.allocation import Allocation, environment_text
from torc.runner.allocation_record import AllocationRecord
from torc.runner.attendant import Attendant, End
from torc.runner.ending import Outcome
from torc.runner.events import BATCH_SIGNALS
from torc.runner.place import Place
from torc.runner.run import RunOptions, run_workflow
from torc.settings import (
    API_URL,
    ENFORCE_MEMORY,
    ENFORCE_RUNTIME,
    LOG_LEVEL,
    any_path,
    as_argument,
    positive_number,
    user_name,
    whole_number,
)
from torc.units import GIB
from torc.workflow import allocations

logger = logging.getLogger(__name__)

T = TypeVar("T")


DESCRIPTION = """Runs the jobs of a workflow in a Slurm allocation. `torc slurm schedule-nodes` and `torc submit` ask
for allocations that start it; what it may use it reads from the variables of Slurm."""

EXAMPLES = """examples:
  torc-slurm-job-runner http://login1:8080/torc-service/v1 5 output
  srun --ntasks-per-node=1 torc-slurm-job-runner $TORC_API_URL 5 output --poll-interval 30

exit codes:
  0  nothing was left to do, or the time was up
  1  an error; the log in the output folder says which
  2  usage error"""

REQUEUED = timedelta(seconds=10)
"""A job that ends and has its end so far in the future will begin anew."""

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0
"""Between two tries to reach the server at the start."""


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
            record = AllocationRecord(client, self._workflow_id, here)
            try:
                self._work(client, record)
            except _ToldToEnd:
                record.end("canceled", "Slurm ended it before any job had started")
            except BaseException as error:
                record.end("failed", str(error) or type(error).__name__)
                raise
            finally:
                _write_kernel_log(here.log_path(self._folder, "dmesg_slurm"))

    def _work(self, client: Client, record: AllocationRecord) -> None:
        _on_signals(_raise)
        self._wait_for_server(client)
        record.find()
        record.begin()
        end = End(self._allocation.job_id, self._allocation.ends_at)
        with Attendant(client, end, user=user_name() if self._allocation.is_first else None) as attendant:
            place = self._place(record, end, attendant)
            outcome = run_workflow(client, self._workflow_id, self._run_options(place, end), _Notes())
        _on_signals(signal.SIG_IGN)  # to end is all that is left to do
        logger.info("the end: %s", outcome.message or outcome.kind)
        if outcome.kind == "server_away":
            raise ServerAway(outcome.message or "the server does not answer any more.")
        record.end(*_ended_how(outcome, end))
        self._give_back_queued(client, outcome, place.scheduler_config_id)

    def _wait_for_server(self, client: Client) -> None:
        give_up_at = time.monotonic() + 60 * self._options.wait_for_healthy_database_minutes
        pause_s = FIRST_RETRY_S
        while True:
            try:
                client.workflows.get(self._workflow_id)
                return
            except ServerAway as error:
                if time.monotonic() > give_up_at:
                    raise
                logger.warning("%s Trying again in %.0f s.", error.message, pause_s)
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)

    def _run_options(self, place: Place, end: End) -> RunOptions:
        here, given = self._allocation, self._options
        memory_bytes = here.memory_bytes or (self._granted_memory_bytes() or detect.memory_bytes()) // here.parts
        return RunOptions(
            output_dir=self._folder,
            poll_interval_s=given.poll_interval,
            max_parallel_jobs=given.max_parallel_jobs,
            num_cpus=given.num_cpus or here.num_cpus,
            memory_gb=given.memory_gb or memory_bytes / GIB,
            num_gpus=given.num_gpus,
            time_limit_s=end.left_s(),
            enforce_memory=ENFORCE_MEMORY.configured(),
            enforce_runtime=ENFORCE_RUNTIME.configured(),
            place=place,
            asks_for_nodes=slurm.is_available(),
        )

    def _place(self, record: AllocationRecord, end: End, attendant: Attendant) -> Place:
        here = self._allocation
        return Place(
            kind="slurm",
            scheduler=here.scheduler,
            scheduler_config_id=self._options.scheduler_config_id or record.scheduler_config_id,
            nodes=self._nodes(),
            nodes_in_all=here.num_nodes,
            gpu_part=(here.local_id, here.runners_here) if here.shares_gpus else (0, 1),
            deadline=end.deadline,
            when_told=attendant.told,
            predecessors=record.predecessors(),
        )

    def _nodes(self) -> tuple[str, ...]:
        """The nodes that are this runner's, its own first."""
        here = self._allocation
        own = here.node_name or host_name()
        if here.has_own_node or here.num_nodes == 1 or here.node_list is None:
            return (own,)
        node_list = here.node_list
        return (own, *(name for name in _ask(lambda: slurm.host_names(node_list)) or () if name != own))

    def _granted_memory_bytes(self) -> int | None:
        here = self._allocation
        return _ask(lambda: slurm.granted_memory_bytes(here.job_id, here.node_name or host_name()))

    def _give_back_queued(self, client: Client, outcome: Outcome, scheduler_id: int | None) -> None:
        """Allocations that still wait would find nothing to do."""
        if outcome.kind not in ("complete", "canceled", "no_work"):
            return
        try:
            waiting = [
                one
                for one in allocations.live_allocations(client, self._workflow_id)
                if one.status == "pending" and (outcome.kind != "no_work" or one.scheduler_config_id == scheduler_id)
            ]
            for problem in allocations.cancel(client, waiting, "no work was left"):
                logger.warning("%s", problem)
        except TorcError as error:
            logger.warning("allocations that wait were not given back: %s", error.message)


class _ToldToEnd(BaseException):
    """A signal came before there was a job to be told of it."""


def _raise(number: int, frame: FrameType | None) -> None:
    raise _ToldToEnd


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """What SIGTERM and its like do where the runner does not take them."""
    for number in (signal.SIGTERM, *BATCH_SIGNALS):
        signal.signal(number, handler)


def _ask(question: Callable[[], T | None]) -> T | None:
    """What Slurm answers; None where it does not."""
    try:
        return question()
    except TorcError as error:
        logger.warning("%s", error.message)
        return None


def _ended_how(outcome: Outcome, end: End) -> tuple[str, str | None]:
    """Status and reason for the record of the allocation."""
    now = end.told() if outcome.kind == "interrupted" else None
    if now is None or now.state == "RUNNING":
        return "complete", outcome.message
    if now.reason == "TimeLimit":
        return "complete", now.reason
    if now.ends_at is not None and now.ends_at > datetime.now(UTC) + REQUEUED:
        return "pending", "requeued by Slurm"
    return "canceled", "canceled, or preempted: Slurm ended it before its time"


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
