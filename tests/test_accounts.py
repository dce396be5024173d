"""htpasswd files: what is read, what is refused, and that an edit loses nothing."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import pytest

from torc import accounts
from torc.errors import InvalidRequest, NotFound, TorcError

COST = 4
GOOD = "$2b$04$" + "a" * 21 + "O" + "b" * 31


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an htpasswd file may be; nothing is there yet."""
    return tmp_path / "accounts"


def test_comments_and_blank_lines_are_passed_over(path: Path) -> None:
    path.write_text(f"# somebody wrote this\n\n  \nalice:{hashed('one')}\r\n   # and this\nbob:{hashed('two')}")
    known = accounts.read(path)
    assert known.users == ["alice", "bob"]
    assert known.verify("alice", "one")
    assert known.verify("bob", "two")
    assert not known.verify("bob", "one")


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
def test_every_bcrypt_of_other_programs_is_read(path: Path, kind: str) -> None:
    path.write_text(f"alice:{hashed('one').replace('$2b$', f'${kind}$')}\n")
    assert accounts.read(path).verify("alice", "one")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("alice", "there is no ':'"),
        (f":{GOOD}", "'' cannot be a user name: it is blank"),
        ("alice:", "'alice' is no bcrypt hash"),
        ("alice:$apr1$secret1$secret", "no bcrypt hash"),
        ("alice:{SHA}secret", "no bcrypt hash"),
        ("alice:secret", "no bcrypt hash"),
        (f"alice:{GOOD[:-1]}", "no bcrypt hash"),
        (f"alice:{GOOD}x", "no bcrypt hash"),
        (f"alice:{GOOD}:more", "no bcrypt hash"),
        (f"alice:{GOOD.replace('$2b$', '$2x$')}", "no bcrypt hash"),
        (f"alice:{GOOD.replace('$04$', '$03$')}", "no bcrypt hash"),
        (f"alice:{GOOD.replace('$04$', '$32$')}", "no bcrypt hash"),
        (f"alice:{GOOD.replace('aO', 'aa')}", "no bcrypt hash"),  # the library refuses this salt
        (f"ali\x07ce:{GOOD}", "a control character"),
        (f"known:{GOOD}", "'known' stands on line 2 already"),
    ],
)
def test_a_broken_line_is_named_and_not_shown(path: Path, line: str, reason: str) -> None:
    path.write_text(f"# a comment\nknown:{GOOD}\n{line}\n")
    with pytest.raises(TorcError) as refused:
        accounts.read(path)
    assert refused.value.message.startswith(f"{path}, line 3: ")
    assert reason in refused.value.message
    assert "secret" not in refused.value.message
    assert GOOD[7:20] not in refused.value.message


def test_every_hash_that_is_read_can_be_checked(path: Path) -> None:
    path.write_text(f"alice:{GOOD}\n")
    assert not accounts.read(path).verify("alice", "anything")


def test_a_line_that_is_no_text_is_named(path: Path) -> None:
    path.write_bytes(b"# good\n\xff\xfe\n")
    with pytest.raises(TorcError, match="line 2: this is not text in UTF-8"):
        accounts.read(path)


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(TorcError, match="cannot read the accounts in"):
        accounts.read(tmp_path / name)


def test_an_unknown_user_has_a_hash_of_the_usual_cost_and_no_password(path: Path) -> None:
    path.write_text(f"a:{GOOD.replace('$04$', '$05$')}\nb:{GOOD}\nc:{GOOD}\n")
    known = accounts.read(path)
    assert known.hash_of("nobody").startswith(b"$2b$04$")
    assert len(known.hash_of("nobody")) == len(GOOD)
    assert not known.verify("nobody", "")
    assert accounts.Accounts({}).hash_of("nobody").startswith(b"$2b$12$")


@pytest.mark.parametrize("password", ["x" * 73, "é" * 37, "right\0", "\0", "", "\udcff"])
def test_a_password_that_cannot_be_is_wrong(path: Path, password: str) -> None:
    path.write_text(f"alice:{hashed('x' * 72)}\nbob:{hashed('right')}\ncarol:{hashed('é' * 36)}\n")
    known = accounts.read(path)
    assert known.verify("alice", "x" * 72)
    assert not any(known.verify(user, password) for user in ("alice", "bob", "carol"))


def test_a_new_file_is_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        assert accounts.put(path, "alice", "one", COST) is False
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("# Torc htpasswd file\n# Format: username:bcrypt_hash\nalice:$2b$04$")
    assert list(path.parent.iterdir()) == [path]


def test_an_edit_keeps_order_comments_and_mode(path: Path) -> None:
    other = hashed("other")
    path.write_text(f"# ours\nalice:{hashed('one')}\n\n# theirs\nbob:{other}")
    path.chmod(0o640)
    assert accounts.put(path, "alice", "new", COST) is True
    assert accounts.put(path, "carol", "three", COST) is False
    lines = path.read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["# ours", "alice", "", "# theirs", "bob", "carol"]
    assert lines[4] == f"bob:{other}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    known = accounts.read(path)
    assert known.verify("alice", "new") and known.verify("carol", "three")
    assert not known.verify("alice", "one")


def test_an_edit_is_another_file_with_the_same_name(path: Path) -> None:
    accounts.put(path, "alice", "one", COST)
    with path.open() as reader:  # whoever reads meanwhile sees the old accounts whole
        before = path.stat().st_ino
        accounts.remove(path, "alice")
        assert path.stat().st_ino != before
        assert "alice" in reader.read()
    assert accounts.read(path).users == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_an_edit_by_root_keeps_the_owner(path: Path) -> None:
    accounts.put(path, "alice", "one", COST)
    os.chown(path, 1234, 2345)
    accounts.put(path, "bob", "two", COST)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_link_stays_a_link(path: Path) -> None:
    target = path.with_name("target")
    path.symlink_to(target)
    accounts.put(path, "alice", "one", COST)
    assert path.is_symlink()
    assert accounts.read(target).users == ["alice"]


def test_what_is_no_ordinary_file_is_not_replaced(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(TorcError, match="not an ordinary file"):
        accounts.put(path, "alice", "one", COST)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_broken_file_is_not_edited(path: Path) -> None:
    path.write_text("broken\n")
    for edit in (lambda: accounts.put(path, "alice", "one", COST), lambda: accounts.remove(path, "broken")):
        with pytest.raises(TorcError, match="line 1"):
            edit()
    assert path.read_text() == "broken\n"


def test_a_folder_that_is_missing_is_one_sentence(path: Path) -> None:
    with pytest.raises(TorcError, match="No such file or directory"):
        accounts.put(path / "deeper", "alice", "one", COST)


def test_an_unknown_user_cannot_be_removed(path: Path) -> None:
    accounts.put(path, "alice", "one", COST)
    before = path.read_text()
    with pytest.raises(NotFound, match="'al'"):
        accounts.remove(path, "al")
    assert path.read_text() == before


def test_a_file_that_is_there_is_not_made_again(path: Path) -> None:
    accounts.create(path)
    assert accounts.read(path).users == []
    with pytest.raises(TorcError, match="is there already"):
        accounts.create(path)


@pytest.mark.parametrize("user", ["", " ", "a:b", "a\nb", "a\tb", "\x7f", "#a", " a", "a ", "\u200b", "\udcff"])
def test_names_that_file_or_wire_cannot_hold_are_refused(path: Path, user: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be a user name"):
        accounts.put(path, user, "one", COST)
    assert not path.exists()


@pytest.mark.parametrize("user", ["a b", "é", "名", "a@b.example", "o'brien"])
def test_other_names_are_good(path: Path, user: str) -> None:
    accounts.put(path, user, "one", COST)
    assert accounts.read(path).verify(user, "one")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "it is empty"),
        ("x" * 73, "it has 73 bytes, and bcrypt would ignore what follows the first 72"),
        ("é" * 37, "it has 74 bytes"),
        ("sec\0ret", "NUL"),
        ("secret\udcff", "not text in UTF-8"),
    ],
)
def test_a_password_that_bcrypt_would_not_keep_is_refused(path: Path, password: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason) as refused:
        accounts.put(path, "alice", password, COST)
    assert not password or password not in refused.value.message
    assert not path.exists()


def test_edits_at_the_same_time_are_all_kept(path: Path) -> None:
    code = "import sys; from pathlib import Path; from torc import accounts\n"
    code += "accounts.put(Path(sys.argv[1]), sys.argv[2], 'password', 4)"
    users = [f"user{number}" for number in range(12)]

    def put(user: str) -> int:
        return subprocess.run([sys.executable, "-c", code, path, user]).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(put, users)) == [0] * len(users)
    assert sorted(accounts.read(path).users) == sorted(users)
