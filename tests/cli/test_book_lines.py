"""Every command line that the users' book prints is one that the programs read."""

import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.shell_lines import commands_in
from torc.cli import htpasswd, slurm_runner
from torc.cli.main import parse
from torc.pytorc import make_parser
from torc.server import options

BOOK = Path(__file__).resolve().parents[3] / "shared" / "book" / "torc-book.txt"

pytestmark = pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout")

NAME = re.compile(r"[a-z][a-z-]+")

LATER = {
    "torc tui": "the terminal interface",
    "torc plot-resources": "figures",
    "torc-server service": "services",
}
"""Commands that do not exist yet. The test fails for one that does, so this only shrinks."""

IMPOSSIBLE = {
    "torc slurm parse-logs, torc slurm sacct, etc.": "prose: a list of commands",
    "torc package": "prose: the package called torc",
    "torc --url 1": "half of a line, in front of a shell's completion",
}
"""Lines that no program could read, and why."""


def lines() -> list[str]:
    """The command lines of the book, each once and in its order; what only shows where options go is none."""
    text = re.sub(r"[ \t]*\\\n\s*", " ", BOOK.read_text())
    return [line for line in dict.fromkeys(commands_in(text)) if "[OPTIONS]" not in line]


def read(line: str) -> None:
    """Read a command line as its program does. SystemExit for one that it refuses, or that asks for help.

    The name of a command alone is a heading more often than a line to type; the help of it has to be there.
    """
    program, *words = shlex.split(line)
    if program in ("torc", "torc-client"):
        parse(["help", *words] if all(map(NAME.fullmatch, words[:2])) and len(words) < 3 else words)
    elif program == "torc-server":
        own = words and not words[0].startswith("-")
        options.parser(*[print] * 3).parse_args(words if own else ["run", *words])
    elif program == "torc-htpasswd":
        htpasswd.make_parser().parse_args(words)
    elif program == "torc-slurm-job-runner":
        slurm_runner.make_parser().parse_args(words)
    elif program == "pytorc":
        make_parser().parse_args(words)
    else:
        raise SystemExit(2)


def complaint(line: str) -> str | None:
    """What the program says against a line."""
    err = StringIO()
    try:
        with redirect_stderr(err), redirect_stdout(StringIO()):
            read(line)
    except SystemExit as end:
        return err.getvalue().partition("\n")[0] or "refused" if end.code else None
    return None


def is_later(line: str) -> bool:
    words = line.replace("torc-client", "torc", 1).split()
    return any(words[: len(later.split())] == later.split() for later in LATER)


def test_every_printed_line_is_read() -> None:
    refused = {line: said for line in lines() if not is_later(line) and (said := complaint(line))}
    assert {line: said for line, said in refused.items() if line not in IMPOSSIBLE} == {}
    assert set(IMPOSSIBLE) <= set(refused), "these are read now"


@pytest.mark.parametrize("later", LATER)
def test_what_is_later_is_printed_and_not_there(later: str) -> None:
    printed = [line for line in lines() if line.split()[: len(later.split())] == later.split()]
    assert printed
    assert complaint(printed[0]) is not None


def test_the_lines_are_found() -> None:
    found = lines()
    assert len(found) > 200
    assert "torc config show --format json" in found
