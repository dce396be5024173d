"""The control groups this process is in, and the folders in which the kernel shows them.

Sources: cgroups(7), ``/proc/pid/cgroup``; proc(5), ``/proc/pid/mountinfo``. ``root`` stands for ``/`` everywhere.
"""

from pathlib import Path, PurePosixPath
from typing import Literal

UNIFIED: Literal[""] = ""
"""The one hierarchy of version 2; in version 1 each controller may have one of its own."""

Controller = Literal["", "memory", "cpu"]


def lineage(controller: Controller, root: Path = Path("/")) -> list[Path]:
    """The group of this process, then the groups around it, as far as they can be seen from here.

    Empty where there is no such hierarchy. What limits any of these groups limits this process.
    """
    path = _path_of(controller, root)
    mount = _mount_of(controller, root)
    if path is None or mount is None:
        return []
    visible, folder = mount
    # A container may see only a part of the hierarchy, and itself at its top.
    inside = path.relative_to(visible) if path.is_relative_to(visible) else PurePosixPath()
    found = [folder / inside]
    while found[-1] != folder:
        found.append(found[-1].parent)
    return found if found[0].is_dir() else [folder]


def number_in(file: Path, name: str | None = None) -> int | None:
    """The number in a file of a group, or that behind ``name``; None without one, ``max`` included."""
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        return None
    for words in lines:
        if words and (name is None or words[0] == name) and words[-1].lstrip("-").isdigit():
            return int(words[-1])
    return None


def _path_of(controller: Controller, root: Path) -> PurePosixPath | None:
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if path and controller in controllers.split(","):  # none are named where the hierarchy is the unified one
            # "/../path" is a group outside of what this process may see.
            return PurePosixPath("/" if ".." in path else path)
    return None


def _mount_of(controller: Controller, root: Path) -> tuple[PurePosixPath, Path] | None:
    """Which part of the hierarchy is mounted, and where."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, about = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(about) < 3:
            continue
        wanted = "cgroup2" if controller == UNIFIED else "cgroup"
        if about[0] == wanted and (controller == UNIFIED or controller in about[2].split(",")):
            return PurePosixPath(fields[3]), root / fields[4].lstrip("/")
    return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []
