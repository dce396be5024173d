"""What the commands that ask Slurm for nodes have in common."""

from pathlib import Path
from typing import TYPE_CHECKING

from torc.cli.command import argument
from torc.errors import UsageError
from torc.rendezvous import STANDALONE_USER
from torc.settings import (
    KEEP_SUBMISSION_SCRIPTS,
    MAX_NODES,
    MAX_QUEUED_ALLOCATIONS,
    MAX_SUBMISSIONS_PER_MINUTE,
    NODES_API_URL,
    SLURM_POLL_INTERVAL,
)

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.models.scheduler import SlurmScheduler
    from torc.workflow.allocations import Wish
    from torc.workflow.submit import MakeWish

OUTPUT = argument(
    "-o",
    "--output",
    "--output-dir",
    metavar="DIR",
    type=Path,
    default=Path("output"),
    help="folder for output (default: output)",
)


def url_for_nodes(torc: "Client") -> str:
    """The address of the server for compute nodes. UsageError when they cannot reach it."""
    import os

    from torc.client.api import Client
    from torc.workflow import allocations

    if torc.username == STANDALONE_USER:
        raise UsageError(
            "compute nodes cannot use a private server, which ends with this command: leave out --standalone, start a "
            "server with `torc-server run --host 0.0.0.0 --database FILE`, and name it with --url or TORC_API_URL."
        )
    named: str | None = NODES_API_URL.configured()
    if named or "SLURM_JOB_ID" in os.environ:  # there, the address has proved to work
        return named or torc.url

    def answers(url: str) -> bool:
        other = Client(url, username=torc.username, password=torc.password, timeout_s=5.0)
        try:
            return other.ping()
        finally:
            other.close()

    return allocations.url_for_nodes(torc.url, answers)


def wishes(
    torc: "Client",
    *,
    output_dir: Path,
    prefix: str = "worker",
    poll_interval_s: int | None = None,
    keep_scripts: bool | None = None,
    force: bool = False,
) -> "MakeWish":
    """Makes wishes that agree in all but scheduler and number. Settings stand in for what is None."""
    from torc.workflow.allocations import Limits, Wish

    url = url_for_nodes(torc)
    limits = Limits(
        max_nodes=MAX_NODES.configured(),
        max_queued=MAX_QUEUED_ALLOCATIONS.configured(),
        per_minute=MAX_SUBMISSIONS_PER_MINUTE.configured(),
    )

    def make(scheduler: "SlurmScheduler", count: int, worker_per_node: bool, max_parallel_jobs: int | None) -> "Wish":
        return Wish(
            scheduler=scheduler,
            output_dir=output_dir,
            api_url=url,
            count=count,
            prefix=prefix,
            poll_interval_s=SLURM_POLL_INTERVAL.configured() if poll_interval_s is None else poll_interval_s,
            max_parallel_jobs=max_parallel_jobs,
            worker_per_node=worker_per_node,
            keep_scripts=KEEP_SUBMISSION_SCRIPTS.configured() if keep_scripts is None else keep_scripts,
            limits=limits,
            ignore_failures=force,
        )

    return make
