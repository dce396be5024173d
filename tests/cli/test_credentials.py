"""Which user name and password a command sends, and that none of them gets where others could read it."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said, Torc
from tests.conftest import Server
from torc import accounts

LIST = ("workflows", "list")
AS_ALICE = {"TORC_USERNAME": "alice", "TORC_PASSWORD": "wonder"}

ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture
def guarded(start_server: Callable[..., Server], tmp_path: Path) -> Server:
    """A server that lets in alice and bob."""
    path = tmp_path / "accounts"
    accounts.put(path, "alice", "wonder", 4)
    accounts.put(path, "bob", "builder", 4)
    return start_server("--auth-file", str(path), "--require-auth", "--log-level", "debug")


@pytest.fixture
def torc(offline: Torc, guarded: Server) -> Torc:
    """Commands for the guarded server."""

    def run(*words: object, env: dict[str, str] | None = None) -> Said:
        return offline(*words, env={"TORC_API_URL": guarded.url, **(env or {})})

    return run


@pytest.fixture
def typing(environment: dict[str, str], tmp_path: Path) -> Callable[..., Said]:
    """``typing("builder\\n", "-m", "torc", ...)``: python on a terminal of its own; ``err`` is the screen."""

    def run(typed: str, *words: str, env: dict[str, str] | None = None) -> Said:
        ours, its = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", ON_ITS_TERMINAL, *words],
            stdin=its,
            stdout=subprocess.PIPE,
            stderr=its,
            cwd=tmp_path,
            env={**environment, **(env or {})},
        )
        os.close(its)
        screen = b""
        impatience = threading.Timer(60, process.kill)  # a question that was not expected
        impatience.start()
        try:
            while chunk := os.read(ours, 4096):
                screen += chunk
                if typed and screen.endswith(b": "):  # a question; what comes earlier is thrown away
                    line, _, typed = typed.partition("\n")
                    os.write(ours, f"{line}\n".encode() if line != "\x04" else b"\x04")
        except OSError:
            pass  # Linux says EIO when the last process has closed the terminal
        impatience.cancel()
        os.close(ours)
        out, _ = process.communicate(timeout=60)
        return Said(process.returncode, out.decode(), screen.decode())

    return run


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """Alice's password, for her alone."""
    path = tmp_path / "password"
    path.write_text("wonder\n")
    path.chmod(0o600)
    return path


def names_logged(server: Server) -> list[str]:
    """Who was let in, once each."""
    lines = [line for line in server.log.read_text().splitlines() if "authenticated successfully" in line]
    return sorted({line.split("'")[1] for line in lines})


@pytest.mark.parametrize(
    ("options", "env", "name"),
    [
        (["--username", "alice", "--password", "wonder"], {}, "alice"),
        ([], AS_ALICE, "alice"),
        ([], {"TORC_CLIENT__USERNAME": "alice", "TORC_CLIENT__PASSWORD": "wonder"}, "alice"),
        (["--username", "alice"], {"TORC_PASSWORD": "wonder"}, "alice"),
        (["--username", "alice"], AS_ALICE, "alice"),
        (["--password", "wonder"], {"TORC_USERNAME": "alice"}, "alice"),
        (["--password", "wonder"], {"TORC_USERNAME": "alice", "TORC_PASSWORD": "wrong"}, "alice"),
        (["--username", "bob", "--password", "builder"], AS_ALICE, "bob"),
    ],
)
def test_name_and_password_come_from_options_then_from_the_environment(
    torc: Torc, guarded: Server, options: list[str], env: dict[str, str], name: str
) -> None:
    said = torc(*LIST, *options, env=env)
    assert (said.code, said.err) == (0, "")
    assert names_logged(guarded) == [name]


def test_no_credentials_are_refused(torc: Torc) -> None:
    said = torc(*LIST)
    assert said.code == 1
    assert "TORC_USERNAME and TORC_PASSWORD" in said.err


def test_a_password_without_a_name_is_a_mistake(torc: Torc) -> None:
    said = torc(*LIST, "--password", "wonder")
    assert said.code == 2
    assert "--username" in said.err
    assert "wonder" not in said.err


def test_without_a_terminal_the_variables_are_named(torc: Torc) -> None:
    said = torc(*LIST, "--username", "alice")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "TORC_PASSWORD, or TORC_PASSWORD_FILE" in said.err


def test_the_password_of_another_user_is_not_sent(torc: Torc, guarded: Server, password_file: Path) -> None:
    for env in (AS_ALICE, {"TORC_USERNAME": "alice", "TORC_PASSWORD_FILE": str(password_file)}):
        said = torc(*LIST, "--username", "bob", env=env)
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert "no password for 'bob'" in said.err and "'alice'" in said.err
    assert "bob" not in guarded.log.read_text()


def test_a_missing_password_is_asked_for_and_not_shown(typing: Callable[..., Said], guarded: Server) -> None:
    said = typing("builder\n", "-m", "torc", *LIST, "--username", "bob", env={**AS_ALICE, "TORC_API_URL": guarded.url})
    assert said.code == 0
    assert "No workflows found" in said.out
    assert said.err.strip() == "Password:"
    assert names_logged(guarded) == ["bob"]


def test_a_question_that_nobody_answers_is_one_sentence(typing: Callable[..., Said], guarded: Server) -> None:
    said = typing("\x04\n", "-m", "torc", *LIST, "--username", "bob", env={"TORC_API_URL": guarded.url})
    assert said.code == 1
    assert "Error: no password was typed." in said.err
    assert "Traceback" not in said.err


def test_a_password_file_takes_the_place_of_the_variable(torc: Torc, guarded: Server, password_file: Path) -> None:
    env = {"TORC_USERNAME": "alice", "TORC_PASSWORD_FILE": str(password_file)}
    assert torc(*LIST, env=env).code == 0
    assert torc(*LIST, env={**env, "TORC_PASSWORD": "wrong"}).code == 1
    password_file.write_text("wrong")
    assert torc(*LIST, env={**env, "TORC_PASSWORD": "wonder"}).code == 0
    password_file.write_text("wonder")  # without the end of the line
    password_file.chmod(0o400)
    assert torc(*LIST, env=env).code == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_password_file_that_others_may_use_is_refused(torc: Torc, password_file: Path, mode: int) -> None:
    password_file.chmod(mode)
    said = torc(*LIST, env={"TORC_USERNAME": "alice", "TORC_PASSWORD_FILE": str(password_file)})
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert f"(mode {mode:03o})" in said.err
    assert f"chmod 600 {password_file}" in said.err
    assert "wonder" not in said.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot read the password file {path}: No such file or directory"),
        (b"", "the password file {path} has to hold one line"),
        (b"\n", "the password file {path} has to hold one line"),
        (b"wonder\nland\n", "the password file {path} has to hold one line"),
        (b"\xff\n", "the password file {path} is not text in UTF-8"),
    ],
)
def test_a_password_file_without_one_password_is_refused(
    torc: Torc, password_file: Path, content: bytes | None, sentence: str
) -> None:
    if content is None:
        password_file.unlink()
    else:
        password_file.write_bytes(content)
    said = torc(*LIST, env={"TORC_USERNAME": "alice", "TORC_PASSWORD_FILE": str(password_file)})
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert said.err.startswith("Error: " + sentence.format(path=password_file))
    assert "wonder" not in said.err


SEEN_BY_JOB = """
import json, os
from pathlib import Path

names = ("TORC_API_URL", "TORC_USERNAME", "TORC_PASSWORD")
commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in os.listdir("/proc") if pid == str(os.getppid())]
runner = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]
commands.append(Path(f"/proc/{runner}/cmdline").read_text())
Path("seen.json").write_text(json.dumps({"env": {name: os.environ[name] for name in names}, "commands": commands}))
"""


def write_spec(folder: Path) -> Path:
    """One job that notes what it sees and then asks the server for something, with what its environment gives it."""
    (folder / "look.py").write_text(SEEN_BY_JOB)
    command = f"{sys.executable} look.py && {sys.executable} -m torc workflows get $TORC_WORKFLOW_ID"
    spec = folder / "spec.json"
    spec.write_text(json.dumps({"name": "looking", "jobs": [{"name": "look", "command": command}]}))
    return spec


@pytest.mark.parametrize("kind", ["password", "file", "typed"])
def test_jobs_get_the_credentials_in_their_environment(
    torc: Torc, typing: Callable[..., Said], guarded: Server, password_file: Path, tmp_path: Path, kind: str
) -> None:
    spec = write_spec(tmp_path)
    env = {
        "password": AS_ALICE,
        "file": {"TORC_USERNAME": "alice", "TORC_PASSWORD_FILE": str(password_file)},
        "typed": {"TORC_USERNAME": "alice"},
    }[kind]
    if kind == "typed":
        ran = typing("wonder\n", "-m", "torc", "run", str(spec), env={"TORC_API_URL": guarded.url, **env})
    else:
        ran = torc("run", spec, env=env)
    assert ran.code == 0, ran.err
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["env"] == {"TORC_API_URL": guarded.url, **AS_ALICE}
    assert len(seen["commands"]) == 2 and "look.py" in seen["commands"][0] and "run" in seen["commands"][1]
    assert "wonder" not in str(seen["commands"])
    written = [path for path in (tmp_path / "output").rglob("*") if path.is_file()]
    assert written
    assert not any(b"wonder" in path.read_bytes() for path in written)


def test_jobs_of_a_private_server_get_its_token(offline: Torc, tmp_path: Path) -> None:
    ran = offline("--standalone", "run", write_spec(tmp_path), env=AS_ALICE)
    assert ran.code == 0, ran.err
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["env"]["TORC_USERNAME"] == "torc"
    assert len(seen["env"]["TORC_PASSWORD"]) >= 43
    assert seen["env"]["TORC_PASSWORD"] not in str(seen["commands"])


def test_standalone_names_the_server_that_wants_a_password(offline: Torc, guarded: Server) -> None:
    said = offline("--standalone", "--database", guarded.database, *LIST, env=AS_ALICE)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert guarded.url in said.err and "--username" in said.err


def test_our_programs_work_inside_jobs_of_a_server_that_asks_for_a_password(
    torc: Torc, guarded: Server, tmp_path: Path
) -> None:
    (tmp_path / "inside.yaml").write_text(
        """
name: inside
user_data: [{name: said}]
jobs:
  - name: job
    command: |
      count=$(torc -f json jobs get $TORC_JOB_ID | grep -c running)
      torc user-data update ${user_data.output.said} --data "\\"$count\\""
"""
    )
    said = torc("run", "inside.yaml", env=AS_ALICE)
    assert said.code == 0, said
    assert '"1"' in torc("-f", "json", "user-data", "list", "1", env=AS_ALICE).out
    assert "wonder" not in guarded.log.read_text()
    assert b"wonder" not in b"".join(path.read_bytes() for path in (tmp_path / "output").rglob("*") if path.is_file())
