"""What a script that calls setup_logging sees, on stderr and in its file."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SPEAKERS = """
import logging
for name in ("torc.api", "other.part", "__main__"):
    for level in ("debug", "info", "warning"):
        getattr(logging.getLogger(name), level)("%s %s", name, level)
"""


def said(call: str, folder: Path) -> str:
    code = f"from torc import setup_logging\nsetup_logging({call})\n{SPEAKERS}"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    return ran.stderr


def messages(text: str) -> list[str]:
    return [line.rpartition(" : ")[2] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("", ["torc.api info", "torc.api warning", "other.part warning", "__main__ info", "__main__ warning"]),
        ("console_level='WARNING'", ["torc.api warning", "other.part warning", "__main__ warning"]),
        (
            "packages=['other']",
            [f"{name} {level}" for name in ("torc.api", "other.part", "__main__") for level in ("info", "warning")],
        ),
    ],
)
def test_stderr_shows_torc_the_script_and_what_else_is_named(call: str, wanted: list[str], tmp_path: Path) -> None:
    assert messages(said(call, tmp_path)) == wanted


def test_a_file_holds_more_than_stderr(tmp_path: Path) -> None:
    assert "torc.api debug" not in messages(said("'run.log'", tmp_path))
    assert "torc.api debug" in messages((tmp_path / "run.log").read_text())


def test_a_file_is_overwritten_or_continued(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("before\n")
    said("'run.log', mode='a'", tmp_path)
    assert log.read_text().startswith("before\n")
    said("'run.log'", tmp_path)
    assert "before" not in log.read_text()


def test_a_full_file_is_set_aside(tmp_path: Path) -> None:
    said("'run.log', rotation='0.2 kB'", tmp_path)
    assert (tmp_path / "run.log").stat().st_size <= 200
    assert (tmp_path / "run.log.1").exists()


def test_a_file_may_grow_for_ever(tmp_path: Path) -> None:
    said("'run.log', rotation=None", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.log"]


def test_a_rotation_that_is_no_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        said("'run.log', rotation='1 week'", tmp_path)
    assert "rotation must be a size such as '10 MB', got '1 week'" in refused.value.stderr
