"""This machine as a node of a workflow: what it offers, its record on the server, its places on disk."""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from torc.client.api import Client
from torc.errors import TorcError, UsageError
from torc.models.compute_node import ComputeNode
from torc.models.sync import Offer
from torc.models.workflow import Workflow
from torc.rendezvous import host_name
from torc.runner import detect
from torc.runner.gpus import Devices
from torc.runner.launcher import Launcher
from torc.runner.place import HERE, Place
from torc.runner.spool import Spool
from torc.runner.takeover import NodeLock
from torc.units import GIB, format_duration_s, utc_now_iso
from torc.workflow import stdio

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
    time_limit_s: float | None = None
    enforce_runtime: bool = False
    enforce_memory: bool = False
    oom_score_adj: int = 0
    place: Place = HERE
    asks_for_nodes: bool = False  # carry out actions that want allocations of Slurm


def resources(options: RunOptions, workflow: Workflow, devices: Devices) -> Offer:
    """All that this node offers, as if nothing ran. Jobs must be gone before the time is up."""
    limit_s = options.time_limit_s
    return Offer(
        num_cpus=detect.cpu_count() if options.num_cpus is None else options.num_cpus,
        memory_bytes=detect.memory_bytes() if options.memory_gb is None else int(options.memory_gb * GIB),
        num_gpus=len(devices.ids),
        num_nodes=options.place.num_nodes,
        scheduler_config_id=options.place.scheduler_config_id,
        time_left_s=None if limit_s is None else max(0, limit_s - workflow.compute_node_expiration_buffer_seconds),
    )


def register(client: Client, workflow_id: int, place: Place, total: Offer, spool_folder: Path) -> ComputeNode:
    """Tell the server of this runner; the answer has its id and the identity of the database."""
    limit_s = total.time_left_s
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
            time_limit=None if limit_s is None else format_duration_s(int(limit_s)),
            scheduler_config_id=place.scheduler_config_id,
            compute_node_type=place.kind,
            scheduler=place.scheduler,
            spool_path=str(spool_folder),
        )
    )


def make_folders(output_dir: Path) -> Path:
    """Make the folders for output and spool and try whether they take files; the spool's. Raises UsageError."""
    spool_folder = (output_dir / ".torc").absolute()
    for folder in (output_dir, stdio.folder(output_dir), spool_folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise _unwritable(folder, error) from error
    return spool_folder


def prepare_folders(output_dir: Path, workflow_id: int, environment: dict[str, str]) -> tuple[Launcher, Path]:
    """The launcher of jobs and the folder for the spool. Raises UsageError."""
    spool_folder = make_folders(output_dir)
    try:
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
