"""The files and locks by which clients and a server find each other (R1, R5, R7)."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from torc.errors import DatabaseUnusable
from torc.rendezvous import (
    Lock,
    Places,
    ServerRecord,
    filesystem_type,
    is_held,
    node_local_directory,
    open_private,
    read_lock_owner,
    read_server_file,
    write_lock_owner,
    write_server_file,
)

RECORD = ServerRecord(
    instance="abc",
    url="http://127.0.0.1:4711/torc-service/v1",
    host="here",
    pid=7,
    master_pid=6,
    started="2026-01-01T00:00:00.000Z",
    version="1.0",
    database_inode=5,
    token="secret",
)

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,nosuid shared:7 - nfs4 server:/export/home rw,vers=4.2
31 22 0:41 / /home/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:42 / /lustre rw - lustre 10.0.0.1@o2ib:/fs rw,flock
33 22 0:43 / /lustre rw - tmpfs over rw
34 22 0:44 / /mnt/ssh rw master:2 - fuse.sshfs me@there: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib/torc", "ext4"),
        ("/home/me/project", "nfs4"),
        ("/homes/me", "ext4"),
        ("/home/local disk/project", "xfs"),
        ("/lustre/project", "tmpfs"),
        ("/mnt/ssh", "fuse.sshfs"),
    ],
)
def test_the_longest_and_last_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert filesystem_type(Path(path), MOUNTS.strip()) == kind


def test_the_server_file_is_read_back_and_private(tmp_path: Path) -> None:
    path = tmp_path / "torc.db.server"
    os.umask(previous := os.umask(0o777))
    os.umask(0o277)
    try:
        write_server_file(path, RECORD)
    finally:
        os.umask(previous)
    assert read_server_file(path) == RECORD
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_server_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "torc.db.server"
    write_server_file(path, RECORD)
    newer = replace(RECORD, instance="def")
    write_server_file(path, newer)
    assert read_server_file(path) == newer


def test_a_server_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "torc.db.server"
    path.symlink_to(victim)
    write_server_file(path, RECORD)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()


def others_may_read(path: Path) -> None:
    path.chmod(0o640)


def others_may_write(path: Path) -> None:
    path.chmod(0o602)


def is_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".target"))
    path.symlink_to(path.with_suffix(".target"))


def is_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def is_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def belongs_to_another(path: Path) -> None:
    os.chown(path, 12345, -1)


@pytest.mark.parametrize("spoil", [others_may_read, others_may_write, is_a_link, is_a_pipe, is_a_directory])
def test_a_server_file_somebody_else_may_have_planted_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "torc.db.server"
    write_server_file(path, RECORD)
    spoil(path)
    with pytest.raises(DatabaseUnusable, match="not trusting .*remove it"):
        read_server_file(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user")
def test_a_server_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torc.db.server"
    write_server_file(path, RECORD)
    belongs_to_another(path)
    with pytest.raises(DatabaseUnusable, match="not a file of yours"):
        read_server_file(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"instance": "abc"}', "\x00"])
def test_a_server_file_that_is_not_whole_says_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "torc.db.server"
    write_server_file(path, RECORD)
    path.write_text(content)
    assert read_server_file(path) is None


def test_a_missing_server_file_says_nothing(tmp_path: Path) -> None:
    assert read_server_file(tmp_path / "torc.db.server") is None


def test_the_lock_file_names_the_owner_without_the_token(tmp_path: Path) -> None:
    path = tmp_path / "torc.db.lock"
    write_lock_owner(path, RECORD)
    assert read_lock_owner(path) == replace(RECORD, token=None)
    assert "secret" not in path.read_text()
    write_lock_owner(path, None)
    assert read_lock_owner(path) is None


def test_writing_the_owner_keeps_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "torc.db.lock"
    lock = Lock(path)
    assert lock.acquire()
    write_lock_owner(path, RECORD)
    assert is_held(path)
    lock.close()
    assert not is_held(path)


def test_shared_locks_do_not_look_held(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / "users"), Lock(tmp_path / "users")
    assert one.acquire(shared=True)
    assert other.acquire(shared=True)
    assert not is_held(tmp_path / "users")
    one.close()
    assert other.acquire()
    assert is_held(tmp_path / "users")
    other.close()


def test_a_killed_process_loses_its_lock(tmp_path: Path, eventually: Callable[..., object]) -> None:
    path = tmp_path / "torc.db.lock"
    code = (
        "import sys, time, pathlib; from torc.rendezvous import Lock; lock = Lock(pathlib.Path(sys.argv[1]));"
        "print(lock.acquire(), flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "True\n"
        assert is_held(path)
        holder.kill()
        holder.wait(timeout=20)
    eventually(lambda: not is_held(path))


@pytest.mark.parametrize("answer", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_flock_does_not_work_the_lock_is_node_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    shared, local = tmp_path / "shared", tmp_path / "local"
    for directory in (shared, local):
        directory.mkdir()
    flock = fcntl.flock

    def refuse(fd: int, kind: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{fd}")).is_relative_to(shared):
            raise OSError(answer, os.strerror(answer))
        flock(fd, kind)

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr("tempfile.tempdir", str(local))
    one, other = Lock(shared / "torc.db.lock"), Lock(shared / "torc.db.lock")
    assert one.acquire()
    assert not other.acquire()
    assert is_held(shared / "torc.db.lock")
    assert not is_held(shared / "other.db.lock")
    one.close()
    assert other.acquire()
    other.close()


def test_links_to_a_database_meet_at_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Places.of(tmp_path / "link" / "torc.db") == Places.of(tmp_path / "real" / "torc.db")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="--database"):
        open_private(tmp_path / "missing" / "torc.db.lock")
    (tmp_path / "torc.db.lock").symlink_to("elsewhere")
    with pytest.raises(DatabaseUnusable, match="symbolic link"):
        open_private(tmp_path / "torc.db.lock")
    assert not (tmp_path / "elsewhere").exists()


def test_the_node_local_directory_must_be_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = node_local_directory()
    assert directory.stat().st_mode & 0o777 == 0o700
    directory.chmod(0o755)
    with pytest.raises(DatabaseUnusable):
        node_local_directory()
    directory.rmdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(DatabaseUnusable):
        node_local_directory()
