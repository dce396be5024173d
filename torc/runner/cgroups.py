"""A control group for each job, whose memory the kernel itself limits; where this process may make such groups.

Version 2 only, and only where the runner's own group was delegated to it, as ``systemd-run --user --scope
-p Delegate=yes torc run ...`` does. Source: the kernel's admin-guide/cgroup-v2, "Delegation" and "Memory".
"""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torc.runner import own_cgroup

logger = logging.getLogger(__name__)

RUNNER_GROUP = "torc_runner"


@dataclass(frozen=True)
class LeftCgroup:
    """What the kernel says of a job that has ended."""

    oom_killed: bool
    peak_bytes: int | None  # None: the kernel is older than 5.19


class JobCgroups:
    """The groups of the running jobs, beside one for the runner: a group with limits has no processes of its own."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._folders: dict[tuple[int, int], Path] = {}
        self._left: list[Path] = []  # of jobs that have ended; some process of theirs may live on
        self._told = False

    @classmethod
    def open(cls, root: Path = Path("/")) -> "JobCgroups | None":
        """Make room for groups of jobs. None where that cannot be had; then memory is watched without them."""
        own = next(iter(own_cgroup.lineage(own_cgroup.UNIFIED, root)), None)
        if own is None or not _is_ours_alone(own):
            logger.info("memory limits: no control group was delegated to this runner; it watches its jobs itself")
            return None
        groups = cls(own)
        try:
            (own / RUNNER_GROUP).mkdir(exist_ok=True)
            _write(own / RUNNER_GROUP / "cgroup.procs", os.getpid())
            _write(own / "cgroup.subtree_control", "+memory")
        except OSError as error:
            groups.close()
            logger.warning("memory limits: %s: %s; this runner watches its jobs itself", own, error.strerror)
            return None
        return groups

    def enter(self, key: tuple[int, int], pid: int, memory_bytes: int) -> None:
        """Limit a job that was just spawned. What it has forked before this moment stays without a limit.

        ``key`` is its job id and attempt id. Without swap the limit holds for what the job uses, and the kernel ends
        the job as a whole.
        """
        folder = self._own / f"job_{key[0]}_{key[1]}"
        try:
            folder.mkdir()
            self._folders[key] = folder
            _write(folder / "memory.max", memory_bytes)
            with suppress(OSError):  # a kernel that counts no swap has no such file, and before 4.19 no groups to kill
                _write(folder / "memory.swap.max", 0)
                _write(folder / "memory.oom.group", 1)
            _write(folder / "cgroup.procs", pid)
        except ProcessLookupError:
            pass  # ended already
        except OSError as error:
            if not self._told:
                self._told = True
                logger.warning("memory limits: %s: %s; jobs without a group are only watched", folder, error.strerror)

    def leave(self, key: tuple[int, int]) -> LeftCgroup | None:
        """What became of a job that has ended, None without a group; the group goes as soon as it is empty."""
        folder = self._folders.pop(key, None)
        if folder is None:
            return None
        left = LeftCgroup(
            oom_killed=bool(own_cgroup.number_in(folder / "memory.events", "oom_kill")),
            peak_bytes=own_cgroup.number_in(folder / "memory.peak"),
        )
        self._left = [folder for folder in (*self._left, folder) if not _remove(folder)]
        return left

    def close(self) -> None:
        """Remove what is left, once no job runs any more, and go back to where this process came from."""
        for folder in (*self._left, *self._folders.values()):
            _remove(folder)
        with suppress(OSError):
            _write(self._own / "cgroup.subtree_control", "-memory")
        with suppress(OSError):
            _write(self._own / "cgroup.procs", os.getpid())
        _remove(self._own / RUNNER_GROUP)


def _is_ours_alone(own: Path) -> bool:
    """Whether the group may be divided and holds no process but this one: others would have to be moved as well."""
    writable = all(os.access(own / name, os.W_OK) for name in (".", "cgroup.procs", "cgroup.subtree_control"))
    try:
        controllers = (own / "cgroup.controllers").read_text().split()
        members = (own / "cgroup.procs").read_text().split()
    except OSError:
        return False
    return writable and "memory" in controllers and members == [str(os.getpid())]


def _write(file: Path, value: int | str) -> None:
    """The kernel checks each write by itself, and its answer comes with the closing of the file at the latest."""
    file.write_text(f"{value}\n")


def _remove(folder: Path) -> bool:
    """Whether the group is gone. The kernel keeps one that still has processes."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
