"""This machine as a node of a workflow: what it offers, its record on the server, its places on disk."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from torc.client.api import Client
from torc.errors import TorcError, UsageError
from torc.models.compute_node import ComputeNode
from torc.models.sync import Offer
from torc.rendezvous import host_name
from torc.runner import detect
from torc.runner.launcher import Launcher
from torc.runner.spool import Spool
from torc.runner.takeover import NodeLock
from torc.units import GIB, utc_now_iso

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """What the user may choose. None: what the machine has, and no limit on the number of jobs."""

    output_dir: Path
    poll_interval_s: float = 5.0
    max_parallel_jobs: int | None = None
    num_cpus: int | None = None
    memory_gb: float | None = None  # GiB
    num_gpus: int | None = None


def resources(options: RunOptions) -> Offer:
    """All that this node offers."""
    return Offer(
        num_cpus=detect.cpu_count() if options.num_cpus is None else options.num_cpus,
        memory_bytes=detect.memory_bytes() if options.memory_gb is None else int(options.memory_gb * GIB),
        num_gpus=detect.gpu_count() if options.num_gpus is None else options.num_gpus,
    )


def register(client: Client, workflow_id: int, total: Offer, spool_folder: Path) -> ComputeNode:
    """Tell the server of this runner; the answer has its id and the identity of the database."""
    return client.compute_nodes.create(
        ComputeNode(
            workflow_id=workflow_id,
            hostname=host_name(),
            pid=os.getpid(),
            start_time=utc_now_iso(),
            is_active=True,
            num_cpus=total.num_cpus,
            memory_gb=total.memory_bytes / GIB,
            num_gpus=total.num_gpus,
            num_nodes=total.num_nodes,
            compute_node_type="local",
            spool_path=str(spool_folder),
        )
    )


def prepare_folders(output_dir: Path, workflow_id: int, environment: dict[str, str]) -> tuple[Launcher, Path]:
    """The folders for output and spool. Raises UsageError."""
    try:
        spool_folder = (output_dir / ".torc").absolute()
        spool_folder.mkdir(parents=True, exist_ok=True)
        return Launcher(output_dir, workflow_id, environment), spool_folder
    except OSError as error:
        raise _unwritable(output_dir, error) from error


def open_spool(folder: Path, node: ComputeNode) -> Spool:
    """Raises UsageError."""
    try:
        return Spool(folder / f"{node.id}.spool")
    except FileExistsError:
        # A node of another database that used the same folder: it may live, or its results still be wanted.
        return Spool(folder / f"{node.id}-{node.database_id}-{os.getpid()}.spool")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write to {folder} ({error.strerror}); choose another folder with --output-dir")


def job_environment(client: Client, workflow_id: int) -> dict[str, str]:
    """What every job of this run finds in its environment; secrets travel here and never on a command line."""
    found = {
        "TORC_API_URL": client.url,
        "TORC_WORKFLOW_ID": str(workflow_id),
        "TORC_USERNAME": client.username,
        "TORC_PASSWORD": client.password,
    }
    return {name: value for name, value in found.items() if value is not None}


def lock_node(node: ComputeNode, spool: Path) -> NodeLock | None:
    """None where it cannot be had; then nobody takes over before the lease has run out."""
    try:
        return NodeLock(node, spool)
    except (TorcError, OSError) as error:
        logger.warning("node %d: no lock, so its lease alone tells that it lives: %s", node.id, error)
        return None
