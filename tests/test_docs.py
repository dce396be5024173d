"""What the documentation shows is run: commands, their output, the state diagram, the links."""

import os
import re
import subprocess
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from torc.models.status import MAY_FOLLOW

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
EVERY_TEXT = sorted([*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"])
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+) ?(?P<about>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind that on the opening line, and the lines within."""

    language: str
    about: str
    text: str


def blocks(document: Path) -> list[Block]:
    return [
        Block(found["language"], found["about"], re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE))
        for found in FENCE.finditer(document.read_text())
    ]


def is_skipped(block: Block) -> bool:
    """Marked ``no-run: reason``; a marker without a reason is refused."""
    if not block.about.startswith("no-run"):
        return False
    assert re.fullmatch(r"no-run: \w.{9,}", block.about), f"say why, as in `no-run: needs a cluster`: {block.about}"
    return True


def commands(block: Block) -> list[tuple[str, str | None]]:
    """The command lines of a block, each with the output shown below it; an ``sh`` block shows none."""
    if block.language == "sh":
        return [(block.text, None)]
    pieces = re.split(r"^\$ ", re.sub(r"\\\n> +", "", block.text), flags=re.MULTILINE)[1:]  # "> " goes on a line
    return [(line, output) for line, _, output in (piece.partition("\n") for piece in pieces)]


def blurred(text: str) -> str:
    """Output without what differs from run to run: times, sizes, processes, and the width they give a table."""
    text = re.sub(r"\d[\d:.T-]*Z?", "0", text)
    return re.sub(r"[─ ]+", " ", text).strip()


def shown_in(output: str) -> re.Pattern[str]:
    """Matches what was printed when it is what the document shows; a line ``...`` stands for any lines."""
    parts = re.split(r"^\.\.\.\n", output, flags=re.MULTILINE)
    return re.compile(r"\s*.*?\s*".join(re.escape(blurred(part)) for part in parts), re.DOTALL)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The folder of someone who follows a document: bin/ and examples/ are there, everything else is new."""
    for name in ("bin", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def api_url(request: pytest.FixtureRequest, document: Path) -> str | None:
    """The server that a document speaks of when its commands use TORC_API_URL."""
    if "$TORC_API_URL" not in document.read_text():
        return None
    return str(request.getfixturevalue("start_server")().url)


def run(command: str, folder: Path, api_url: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command line as its reader would, with stdout and stderr in one stream as on a terminal."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
    environ |= {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    environ |= {"TORC_API_URL": api_url} if api_url else {}
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def follow(block: Block, folder: Path, api_url: str | None = None) -> None:
    """Do what a block says: write the file it is named for, or run its commands and compare their output."""
    if block.language not in ("sh", "console"):
        if "." in block.about:
            (folder / block.about).write_text(block.text)
        return
    for command, shown in commands(block):
        done = run(command, folder, api_url)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        assert shown is None or shown_in(shown).fullmatch(blurred(done.stdout)), f"{command}\n{done.stdout}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if blocks(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_command_works_and_prints_what_is_shown(document: Path, reader: Path, api_url: str | None) -> None:
    for block in blocks(document):
        if not is_skipped(block):
            follow(block, reader, api_url)


def test_the_readme_shows_commands() -> None:
    shown = [command for block in blocks(ROOT / "README.md") if not is_skipped(block) for command in commands(block)]
    assert len(shown) > 3


@pytest.mark.parametrize("document", EVERY_TEXT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert missing == []


def test_the_state_diagram_is_the_transition_table() -> None:
    drawn = next(block.text for block in blocks(ROOT / "docs" / "architecture.md") if block.language == "mermaid")
    boxes: dict[str, list[str]] = {}
    for box, inside in re.findall(r"state (\w+) \{(.*?)\}", drawn, re.DOTALL):
        boxes[box] = [word for word in re.findall(r"\w+", re.sub(r":.*", "", inside)) if word in set(MAY_FOLLOW)]
    arrows = {
        pair
        for before, after in re.findall(r"^\s*(\w+) --> (\w+)", drawn, re.MULTILINE)
        for pair in product(boxes.get(before, [before]), boxes.get(after, [after]))
    }
    assert arrows == {(before.value, after.value) for before, states in MAY_FOLLOW.items() for after in states}
