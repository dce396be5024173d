"""The real ``torc`` in a process of its own, and files that hold what it should print."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "TORC_REWRITE_GOLDEN"
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Torc = Callable[..., Said]


@pytest.fixture
def environment() -> dict[str, str]:
    """No setting of whoever runs the tests gets into them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORC_", "RUST_LOG"))}
    return {**kept, "USER": "tester", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def offline(environment: dict[str, str], tmp_path: Path) -> Torc:
    """``offline("jobs", "list", "1", env={...})`` in an empty folder, where no server answers."""

    def run(*words: object, env: dict[str, str] | None = None, stdin: str = "") -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "torc", *map(str, words)],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=tmp_path,
            env={**environment, "TORC_API_URL": "http://127.0.0.1:9/torc-service/v1", **(env or {})},
            timeout=120,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def torc(offline: Torc, server: Any) -> Torc:
    """The same against the shared server."""

    def run(*words: object, env: dict[str, str] | None = None, stdin: str = "") -> Said:
        return offline(*words, env={"TORC_API_URL": server.url, **(env or {})}, stdin=stdin)

    return run


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """``golden(name, text)``: compare with a file; ``TORC_REWRITE_GOLDEN=1 pytest tests/cli`` rewrites all of them."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get(REWRITE):
            path.write_text(text)
        assert text == path.read_text()

    return compare


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path, server: Any) -> Iterator[Callable[..., Said]]:
    """``terminal("run", spec, typed="y\\n")``: stdin and stderr are a terminal; ``err`` is the screen."""

    def run(*words: object, typed: str = "", env: dict[str, str] | None = None) -> Said:
        ours, its = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "torc", *map(str, words)],
            stdin=its,
            stdout=subprocess.PIPE,
            stderr=its,
            text=True,
            cwd=tmp_path,
            env={**environment, "TORC_API_URL": server.url, **(env or {})},
        )
        os.close(its)
        os.write(ours, typed.encode())
        screen = b""
        try:
            while chunk := os.read(ours, 4096):
                screen += chunk
        except OSError:
            pass  # Linux says EIO when the last process has closed the terminal
        os.close(ours)
        out, _ = process.communicate(timeout=60)
        return Said(process.returncode, out, screen.decode())

    yield run
