"""Logging as ``--log-level`` and ``RUST_LOG`` say, in a process of its own each time."""

import subprocess
import sys
from pathlib import Path

import pytest

TALK = """
import logging, sys
from pathlib import Path
from torc import logs
logs.configure(sys.argv[1])
if len(sys.argv) > 2: logs.move_to_file(Path(sys.argv[2]))
for name in ("torc.runner.loop", "other"):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(name), level)("%s of %s", level, name)
"""


def heard(*words: object) -> list[str]:
    done = subprocess.run([sys.executable, "-c", TALK, *map(str, words)], stderr=subprocess.PIPE, text=True, check=True)
    return [line.rpartition(": ")[2] for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("directives", "lines"),
    [
        ("warn", ["warning of torc.runner.loop", "error of torc.runner.loop", "warning of other", "error of other"]),
        ("error,torc=off", ["error of other"]),
        ("torc::runner=DEBUG,off", [f"{level} of torc.runner.loop" for level in ("debug", "info", "warning", "error")]),
        ("off", []),
    ],
)
def test_directives_choose_what_is_heard(directives, lines):
    assert heard(directives) == lines


def test_an_unknown_word_is_a_warning_and_no_more():
    assert heard("off,loud") == []
    (first, *rest) = heard("loud")
    assert first.startswith("off, error, warn")
    assert "info of other" in rest


def test_with_a_file_the_terminal_hears_warnings_only(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("before\n")
    assert "info of other" not in heard("info", path)
    written = path.read_text()
    assert written.startswith("before\n")
    assert "info of other" in written
    assert "debug" not in written
