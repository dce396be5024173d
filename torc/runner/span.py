"""The nodes of an allocation that a job spans, and how what it starts finds them."""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from torc.models.sync import SyncJob
from torc.runner.place import Place

OF_ANOTHER_SHAPE = (
    "SLURM_CPUS_PER_TASK",
    "SLURM_CPU_BIND",
    "SLURM_CPU_BIND_LIST",
    "SLURM_CPU_BIND_TYPE",
    "SLURM_CPU_BIND_VERBOSE",
    "SLURM_DISTRIBUTION",
    "SLURM_NPROCS",
    "SLURM_NTASKS",
    "SLURM_NTASKS_PER_NODE",
    "SLURM_STEP_NODELIST",
    "SLURM_STEP_NUM_NODES",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_STEP_TASKS_PER_NODE",
)
"""What Slurm says of the whole allocation, or of the step that this runner is; srun takes some of it for orders."""

SRUN = """#!/bin/sh
# Slurm would choose among all nodes of the allocation, and some are other jobs'.
[ -n "$SLURM_JOB_ID" ] || exec {srun} "$@"
exec {srun} --nodelist="$TORC_NODE_LIST" "$@"
"""


class Span:
    """Says in the environment of jobs which nodes are theirs, and sees to it that a plain ``srun`` uses no others."""

    def __init__(self, place: Place, *, num_cpus: int, folder: Path) -> None:
        """``num_cpus`` is what each node has; the stand-in for srun lies in ``folder``."""
        self._place = place
        self._num_cpus = num_cpus
        self._path = None
        if place.nodes_in_all > 1 and (srun := shutil.which("srun")):
            with suppress(OSError):  # then jobs have to name their nodes, as the documentation advises
                self._path = f"{_write_srun(folder, srun)}{os.pathsep}"

    def environment(self, job: SyncJob, nodes: Sequence[str], path: str) -> Mapping[str, str | None]:
        """Variables for a job that was given ``nodes``; None where one must not be there. ``path`` is its PATH.

        A job on one node, of a runner that has several, sees the whole allocation: such jobs look after it themselves.
        """
        if not self._place.nodes:
            return {}
        listed = ",".join(nodes)
        found: dict[str, str | None] = {"TORC_NODE_LIST": listed}
        looks_after_all = job.num_nodes == 1 and len(self._place.nodes) == self._place.nodes_in_all
        if looks_after_all or len(nodes) == self._place.nodes_in_all:
            return found
        count, cpus = str(len(nodes)), f"{self._num_cpus}(x{len(nodes)})"
        found |= dict.fromkeys(("SLURM_JOB_NODELIST", "SLURM_NODELIST"), listed)
        found |= dict.fromkeys(("SLURM_JOB_NUM_NODES", "SLURM_NNODES"), count)
        found |= dict.fromkeys(("SLURM_JOB_CPUS_PER_NODE", "SLURM_TASKS_PER_NODE"), cpus)
        found |= dict.fromkeys(OF_ANOTHER_SHAPE)
        return found | {"PATH": f"{self._path}{path}"} if self._path else found


def _write_srun(folder: Path, srun: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"srun.{os.getpid()}"
    draft.write_text(SRUN.format(srun=shlex.quote(srun)))
    draft.chmod(0o755)
    draft.replace(folder / "srun")
    return folder.absolute()
