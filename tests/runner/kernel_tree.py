"""A folder that stands for ``/``: what the kernel says of control groups, as plain files."""

from pathlib import Path

UNIFIED_MOUNT = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
MEMORY_MOUNT = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
CPU_MOUNT = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct"
OTHER_MOUNT = "23 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def write_tree(root: Path, *, groups: list[str], mounts: list[str], files: dict[str, str]) -> Path:
    """``groups`` and ``mounts`` are the lines in /proc; ``files`` are relative to /sys/fs/cgroup."""
    own = root / "proc" / "self"
    own.mkdir(parents=True)
    (own / "cgroup").write_text("".join(f"{line}\n" for line in groups))
    (own / "mountinfo").write_text("".join(f"{line}\n" for line in [OTHER_MOUNT, *mounts]))
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root
