"""torc-htpasswd, as people and scripts call it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.cli.test_credentials import typing
from torc import __version__, accounts

__all__ = ["typing"]  # the fixture

Htpasswd = Callable[..., Said]


@pytest.fixture
def htpasswd(environment: dict[str, str], tmp_path: Path) -> Htpasswd:
    """``htpasswd("add", "--file", "accounts", "alice", said="wonder\\n")``, without a terminal."""

    def run(*words: object, said: bytes | str = "") -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "torc.cli.htpasswd", *map(str, words)],
            input=said if isinstance(said, bytes) else said.encode(),
            capture_output=True,
            cwd=tmp_path,
            env=environment,
            timeout=60,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def test_help_has_examples(htpasswd: Htpasswd) -> None:
    said = htpasswd("--help")
    assert said.code == 0
    assert "torc-htpasswd verify --file accounts alice" in said.out


@pytest.mark.parametrize("command", ["add", "list", "verify", "remove", "create"])
def test_every_command_has_help(htpasswd: Htpasswd, command: str) -> None:
    said = htpasswd(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: torc-htpasswd {command} [OPTIONS] --file FILE")


def test_version_is_printed(htpasswd: Htpasswd) -> None:
    assert htpasswd("--version").out == f"torc-htpasswd {__version__}\n"


def test_users_are_added_listed_verified_and_removed(htpasswd: Htpasswd, tmp_path: Path) -> None:
    added = htpasswd("add", "--file", "accounts", "--password", "wonder", "--cost", "4", "alice")
    assert (added.code, added.out) == (0, "Added user 'alice' to \"accounts\"\n")
    assert htpasswd("add", "-f", "accounts", "-p", "builder", "-c", "4", "bob").code == 0
    assert htpasswd("list", "--file", "accounts").out == 'Users in "accounts":\n  - alice\n  - bob\n'
    assert accounts.read(tmp_path / "accounts").hash_of("alice").startswith(b"$2b$04$")

    right = htpasswd("verify", "--file", "accounts", "--password", "wonder", "alice")
    assert (right.code, right.out) == (0, "Password is correct for user 'alice'\n")
    changed = htpasswd("add", "--file", "accounts", "--password", "new", "--cost", "5", "alice")
    assert changed.out == "Updated user 'alice' in \"accounts\"\n"
    wrong = htpasswd("verify", "--file", "accounts", "--password", "wonder", "alice")
    assert (wrong.code, wrong.out) == (1, "Password is incorrect for user 'alice'\n")

    removed = htpasswd("remove", "--file", "accounts", "alice")
    assert (removed.code, removed.out) == (0, "Removed user 'alice' from \"accounts\"\n")
    assert htpasswd("verify", "--file", "accounts", "--password", "new", "alice").code == 1
    assert htpasswd("remove", "--file", "accounts", "bob").code == 0
    assert htpasswd("list", "--file", "accounts").out == 'No users found in "accounts"\n'


def test_the_usual_cost_is_twelve(htpasswd: Htpasswd, tmp_path: Path) -> None:
    assert htpasswd("add", "--file", "accounts", "--password", "wonder", "alice").code == 0
    assert accounts.read(tmp_path / "accounts").hash_of("alice").startswith(b"$2b$12$")


def test_the_file_may_stand_before_the_name(htpasswd: Htpasswd) -> None:
    assert htpasswd("create", "accounts").code == 0
    assert htpasswd("add", "accounts", "alice", "--password", "wonder", "--cost", "4").code == 0
    assert htpasswd("list", "accounts").out == 'Users in "accounts":\n  - alice\n'


@pytest.mark.parametrize("line", ["wonder\n", "wonder", "wonder\r\n", "wonder\nmore\n"])
def test_a_password_comes_from_a_pipe(htpasswd: Htpasswd, line: str) -> None:
    assert htpasswd("add", "--file", "accounts", "--cost", "4", "alice", said=line).code == 0
    assert htpasswd("verify", "--file", "accounts", "alice", said=line).code == 0
    assert htpasswd("verify", "--file", "accounts", "--password", "wonder", "alice").code == 0


def on_terminal(typing: Callable[..., Said], typed: str, *words: str) -> Said:
    return typing(typed, "-m", "torc.cli.htpasswd", *words)


def test_a_password_is_asked_for_twice_and_not_shown(typing: Callable[..., Said], tmp_path: Path) -> None:
    said = on_terminal(typing, "wonder\nwonder\n", "add", "--file", "accounts", "--cost", "4", "alice")
    assert said.code == 0
    assert "Password for 'alice':" in said.err and "again:" in said.err
    assert "wonder" not in said.err + said.out
    checked = on_terminal(typing, "wonder\n", "verify", "--file", "accounts", "alice")
    assert (checked.code, checked.err.strip()) == (0, "Password for 'alice':")
    assert on_terminal(typing, "wander\n", "verify", "--file", "accounts", "alice").code == 1


def test_two_different_passwords_change_nothing(typing: Callable[..., Said], tmp_path: Path) -> None:
    said = on_terminal(typing, "wonder\nwander\n", "add", "--file", "accounts", "--cost", "4", "alice")
    assert said.code == 1
    assert "the two passwords differ" in said.err
    assert not (tmp_path / "accounts").exists()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "required: COMMAND"),
        (["list"], 2, "name one htpasswd file"),
        (["list", "one", "--file", "two"], 2, "name one htpasswd file"),
        (["add", "--file", "new"], 2, "required: USERNAME"),
        (["add", "--file", "new", "--cost", "3", "alice"], 2, "cost must be between 4 and 31, got '3'"),
        (["add", "--file", "new", "--cost", "32", "alice"], 2, "cost must be between 4 and 31, got '32'"),
        (["add", "--file", "new", "--cost", "x", "alice"], 2, "cost must be between 4 and 31, got 'x'"),
        (["add", "--file", "new", "--password", "", "alice"], 1, "the password cannot be used: it is empty"),
        (["add", "--file", "new", "--password", "x" * 73, "alice"], 1, "it has 73 bytes"),
        (["add", "--file", "new", "alice"], 1, "there is no password"),
        (["add", "--file", "new", "--password", "x", "a:b"], 1, "'a:b' cannot be a user name"),
        (["add", "--file", "no/folder", "--password", "x", "alice"], 1, "No such file or directory"),
        (["add", "--file", ".", "--password", "x", "alice"], 1, "cannot read the accounts in .: Is a directory"),
        (["add", "--file", "broken", "--password", "x", "alice"], 1, "broken, line 2: there is no ':'"),
        (["list", "--file", "broken"], 1, "broken, line 2: there is no ':'"),
        (["verify", "--file", "broken", "--password", "x", "alice"], 1, "broken, line 2"),
        (["remove", "--file", "broken", "alice"], 1, "broken, line 2"),
        (["remove", "--file", "empty", "alice"], 1, "there is no user 'alice' in empty"),
        (["create", "empty"], 1, "empty is there already"),
        (["list", "--file", "new"], 1, 'file "new" does not exist'),
        (["remove", "--file", "new", "alice"], 1, 'file "new" does not exist'),
        (["verify", "--file", "new", "--password", "x", "alice"], 1, 'file "new" does not exist'),
    ],
)
def test_a_mistake_is_one_sentence(
    htpasswd: Htpasswd, tmp_path: Path, words: list[str], code: int, sentence: str
) -> None:
    (tmp_path / "broken").write_text("# comment\nsecret\n")
    (tmp_path / "empty").write_text("")
    said = htpasswd(*words)
    assert (said.code, said.out) == (code, "")
    assert sentence in said.err
    assert "Traceback" not in said.err and "secret" not in said.err
    assert not (tmp_path / "new").exists()


def test_bytes_that_are_no_text_are_no_password(htpasswd: Htpasswd) -> None:
    said = htpasswd("add", "--file", "accounts", "--cost", "4", "alice", said=b"\xff\n")
    assert said.code == 1
    assert "not text in UTF-8" in said.err
