"""Help, and the page that is made of it: each command has a summary, an example and its exit codes."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.shell_lines import commands_in
from torc.cli.command import Command
from torc.cli.completions.grammar import every_command
from torc.cli.main import parse
from torc.cli.reference import reference
from torc.errors import EXIT_USAGE

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
REWRITE = "TORC_REWRITE_GOLDEN"


def called(declared: Command) -> list[str]:
    """The paths of the commands that its examples call. SystemExit for one that is not read."""
    lines = [line for text in declared.examples for line in commands_in(text)]
    return [parse(shlex.split(line)[1:])["declared"].path for line in lines]


def all_without(wanted: Callable[[Command], object]) -> list[str]:
    return [declared.path for declared in every_command() if not wanted(declared)]


def test_every_command_has_a_summary_of_one_line() -> None:
    assert all_without(lambda one: one.help and len(one.help) < 100) == []


def test_every_command_has_an_example() -> None:
    assert all_without(lambda one: one.examples) == []


@pytest.mark.parametrize("path", [one.path for one in every_command()])
def test_examples_are_read_and_call_their_command(path: str) -> None:
    declared = next(one for one in every_command() if one.path == path)
    assert not declared.examples or path in called(declared)


def test_every_command_says_what_its_exit_codes_mean() -> None:
    assert all_without(lambda one: {0, 1, EXIT_USAGE} <= set(one.exit_codes) and all(one.exit_codes.values())) == []


def test_the_page_is_what_the_parsers_say() -> None:
    if os.environ.get(REWRITE):
        PAGE.write_text(reference())
    assert PAGE.read_text() == reference(), f"run {REWRITE}=1 pytest {Path(__file__).name}"


def test_the_page_has_every_command() -> None:
    page = PAGE.read_text()
    assert all_without(lambda one: f"\n## torc {one.path}\n" in page) == []
