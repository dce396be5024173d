"""How a server and the clients on its machine find each other: the files beside a database, and their locks.

The truth is a lock, not a pid: who holds the server lock exclusively serves the database; every ``--standalone``
client holds the users lock shared. The kernel drops both when a process dies, however it dies.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import socket
import stat
import tempfile
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torc.errors import DatabaseUnusable

STANDALONE_USER = "torc"
PORT_LINE = "TORC_SERVER_PORT="
"""Beginning of the line a server prints when it answers; for whoever started it."""

ERROR_LINE = "TORC_SERVER_ERROR="
"""Beginning of the line a standalone server prints instead when it cannot start. Its stderr is its log."""

BASE_PATH = "/torc-service/v1"

RECORD_BYTES = 65536  # a record is far smaller

NO_FLOCK = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What flock answers on file systems mounted without locks."""

# WAL needs memory shared between processes, which only file systems of one machine give. What is not listed
# (nfs, lustre, gpfs, fuse.*, ceph, panfs, wekafs, afs, 9p, ...) may be seen by other machines too.
LOCAL_FILESYSTEMS = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs tmpfs ramfs overlay apfs hfs ufs".split()
)


@dataclass(frozen=True)
class ServerRecord:
    """Who serves a database: the content of the server file and, without the token, of the lock file."""

    instance: str  # random; /ping answers with it
    url: str
    host: str
    pid: int
    master_pid: int
    started: str  # ISO 8601 UTC
    version: str
    database_inode: int
    token: str | None = None

    def who(self) -> str:
        """For a sentence: ``the torc server with pid 7 on host a (http://...)``."""
        return f"the torc server with pid {self.pid} on host {self.host} ({self.url})"


@dataclass(frozen=True)
class Places:
    """The files that belong to one database, named after its real path so that links to it agree."""

    database: Path

    @classmethod
    def of(cls, database: Path) -> "Places":
        """Resolve links: two names of one database must meet at the same files."""
        return cls(database.resolve())

    def _beside(self, suffix: str) -> Path:
        return self.database.with_name(self.database.name + suffix)

    @property
    def lock(self) -> Path:
        return self._beside(".lock")

    @property
    def users(self) -> Path:
        return self._beside(".users")

    @property
    def server(self) -> Path:
        return self._beside(".server")

    @property
    def log(self) -> Path:
        return self._beside(".log")


class Lock:
    """flock on a file; on a node-local stand-in where the file system has no locks. The kernel drops it at exit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = open_private(path)

    def acquire(self, *, shared: bool = False) -> bool:
        """Take or change the lock without waiting; whether that worked."""
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        try:
            self._flock(kind)
        except BlockingIOError:
            return False
        return True

    def _flock(self, kind: int) -> None:
        try:
            fcntl.flock(self._fd, kind)
        except OSError as error:
            if error.errno not in NO_FLOCK:
                raise
            os.close(self._fd)
            self._fd = open_private(node_local_lock(self.path))
            fcntl.flock(self._fd, kind)

    def release(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock up."""
        os.close(self._fd)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock exclusively. Takes it shared for a moment; takers try more than once."""
    lock = Lock(path)
    try:
        return not lock.acquire(shared=True)
    finally:
        lock.close()


def open_private(path: Path, flags: int = os.O_RDWR) -> int:
    """Open or make a file only its owner may use; never through a link. Raises DatabaseUnusable."""
    try:
        return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable_directory(path, error) from error


def unusable_directory(path: Path, error: OSError) -> DatabaseUnusable:
    """The sentence for a place where the files beside a database cannot be written."""
    reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
    return DatabaseUnusable(
        f"cannot write {path}: {reason}; choose a database in a directory of yours that can be written, with --database"
    )


def node_local_directory() -> Path:
    """``<temporary directory>/torc-<uid>``, made if missing. Raises DatabaseUnusable if it is not ours alone."""
    directory = Path(tempfile.gettempdir()) / f"torc-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    state = directory.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise DatabaseUnusable(f"{directory} must be a directory that only you can use; remove it or set TMPDIR")
    return directory


def node_local_lock(path: Path) -> Path:
    """Where the lock of ``path`` lives when its own file system has none."""
    return node_local_directory() / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}{path.suffix}"


def write_lock_owner(lock_path: Path, record: ServerRecord | None) -> None:
    """Say in the lock file who holds it; None when the holder leaves.

    Written in place: a rename would leave the lock on a file without a name.
    """
    content = "" if record is None else json.dumps(asdict(record) | {"token": None})
    fd = open_private(lock_path)
    with os.fdopen(fd, "w") as file:
        file.truncate(0)
        file.write(content)


def read_lock_owner(lock_path: Path) -> ServerRecord | None:
    """Who said last that they hold the lock. Says nothing about whether they still do."""
    try:
        return _record(lock_path.read_text())
    except (OSError, UnicodeDecodeError):
        return None


def write_server_file(path: Path, record: ServerRecord) -> None:
    """Publish where the server is, and the token, to this user alone; all at once. Raises DatabaseUnusable."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            os.fchmod(fd, 0o600)  # a umask may have taken the owner's own bits
            file.write(json.dumps(asdict(record)))
        os.rename(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise unusable_directory(path, error) from error


def read_server_file(path: Path) -> ServerRecord | None:
    """What the server published; None when there is no (whole) file.

    Raises DatabaseUnusable for a file someone else may have planted: it would send this user's commands to them.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatabaseUnusable(f"not trusting {path}: {_why_untrusted(error)}; remove it") from error
    try:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode) or state.st_uid != os.getuid():
            raise DatabaseUnusable(f"not trusting {path}: it is not a file of yours; remove it")
        if state.st_mode & 0o077:
            mode = stat.S_IMODE(state.st_mode)
            raise DatabaseUnusable(f"not trusting {path}: others may use it (mode {mode:03o}); remove it")
        return _record(os.read(fd, RECORD_BYTES).decode(errors="replace"))
    finally:
        os.close(fd)


def _why_untrusted(error: OSError) -> str:
    return "it is a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)


def _record(text: str) -> ServerRecord | None:
    try:
        found: dict[str, Any] = json.loads(text)
        # A newer server may say more; its version must be readable all the same.
        return ServerRecord(**{field.name: found[field.name] for field in fields(ServerRecord)})
    except (ValueError, TypeError, KeyError):  # empty or cut off
        return None


def host_name() -> str:
    """This machine, as locks on shared file systems name it."""
    return socket.gethostname()


def filesystem_type(path: Path, mountinfo: str | None = None) -> str | None:
    """The type of the file system that holds ``path``, such as ``ext4``; None where the system does not tell.

    Format: proc(5), ``/proc/pid/mountinfo``. The mount with the longest matching path counts, the last of equals.
    """
    if mountinfo is None:
        try:
            mountinfo = Path("/proc/self/mountinfo").read_text()
        except OSError:
            return None
    best, found = -1, None
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split()[4]))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), source.split()[0]
    return found


def network_filesystem(database: Path) -> str | None:
    """The file system type, if other machines might see the database too; None when it is local."""
    kind = filesystem_type(database.resolve().parent)
    return None if kind is None or kind in LOCAL_FILESYSTEMS else kind
