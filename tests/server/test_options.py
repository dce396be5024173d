"""Where ``torc-server`` takes its settings from, and what it says of those it cannot use."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from torc import settings
from torc.server.options import complete, parser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path: Path):
    """``start(*options, file=..., env={...})``: run a server that cannot serve; its complaint."""

    def run(*options: str, file: str, env: dict[str, str] | None = None) -> str:
        (tmp_path / "torc.toml").write_text(file)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORC_", "DATABASE_URL"))}
        done = subprocess.run(
            [sys.executable, "-m", "torc.server", "run", *options],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(ROOT), **(env or {})},
            timeout=30,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``options(*words, file=...)``: what the server would go by."""
    monkeypatch.chdir(tmp_path)
    for variable in ("DATABASE_URL", "RUST_LOG", "TORC_AUTH_FILE"):
        monkeypatch.delenv(variable, raising=False)

    def read(*words: str, file: str) -> argparse.Namespace:
        Path("torc.toml").write_text(file)
        settings.in_files.cache_clear()
        found = parser(print, print, print).parse_args(["run", *words])
        complete(found)
        return found

    yield read
    settings.in_files.cache_clear()


FILE = """
[server]
url = "127.0.0.1"
port = 9000
threads = 3
database = "of_file.db"
auth_file = "accounts"
require_auth = true
completion_check_interval_secs = 2.5
log_level = "debug"
"""


def test_a_file_says_how_to_serve(options):
    found = options(file=FILE)
    assert (found.url, found.port, found.threads, found.database) == ("127.0.0.1", 9000, 3, "of_file.db")
    assert (found.auth_file, found.require_auth) == (Path("accounts"), True)
    assert (found.completion_check_interval_secs, found.log_level) == (2.5, "debug")


def test_an_option_wins_even_when_it_is_the_default(options, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:of_environment.db")
    found = options("--port", "8080", "--no-require-auth", "-c", "5", file=FILE)
    assert (found.port, found.require_auth, found.completion_check_interval_secs) == (8080, False, 5.0)
    assert found.database == "sqlite:of_environment.db"
    assert options("-d", "of_line.db", file=FILE).database == "of_line.db"


def test_a_private_server_is_not_told_by_files_whom_to_serve(options):
    found = options("--standalone", file=FILE)
    assert (found.url, found.auth_file, found.require_auth) == ("localhost", None, False)


def test_a_database_of_the_file_must_be_usable(start):
    said = start("--port", "0", file='[server]\ndatabase = "/nowhere/at/all.db"\n')
    assert "/nowhere/at/all.db" in said


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("[server]\nport = 'many'\n", "torc.toml:2: server.port: 'many' is not a whole number."),
        ("[server]\nthread = 4\n", "torc.toml:2: there is no setting 'server.thread'; do you mean 'server.threads'?"),
        ("[server]\nhttps = true\n", "--https needs a certificate and its key"),
        ("[server]\nrequire_auth = true\n", "authentication is required, but there are no accounts"),
    ],
)
def test_a_mistake_is_one_sentence_and_nobody_is_served(start, file, sentence):
    said = start("--port", "0", "--database", "x.db", file=file)
    assert sentence in said
    assert not (Path.cwd() / "x.db").exists()
