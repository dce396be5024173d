"""What commands that take a specification have in common: options, reading it, telling its file from an id."""

import os
import sys
from pathlib import Path

from torc.cli.command import argument, flag
from torc.cli.output import CONTROL
from torc.errors import TorcError
from torc.models.draft import DraftDocument
from torc.settings import user_name
from torc.workflow.read import check_spec

FILE = argument(
    "file", metavar="FILE", type=Path, help="a workflow specification in YAML, JSON, JSON5 or KDL; - is stdin"
)
SKIP_CHECKS = flag("--skip-checks", help="take unknown keys and nodes that no job asks for as warnings")
SPEC_SUFFIXES = (".yaml", ".yml", ".json", ".json5", ".kdl")
STDIN = "-"


def document_of(file: Path, *, user: str | None, skip_checks: bool) -> DraftDocument:
    """The document in a specification, once its warnings have been said; an owner named here wins over the file."""
    checked = check_spec(file, user=user or user_name(), skip_checks=skip_checks)
    for line in checked.warnings:
        print(f"Warning: {line}".translate(CONTROL), file=sys.stderr)
    document = checked.usable()
    if user:
        document.workflow.user = user
    return document


def spec_or_id(given: str) -> Path | int | str:
    """The specification, or the id or name of a workflow. A file wins, even one called 17, and a pipe is a file."""
    is_file = os.path.exists(given) and not os.path.isdir(given)  # unlike Path's, these refuse no name
    if is_file or given == STDIN or given.lower().endswith(SPEC_SUFFIXES):
        return Path(given)
    if given.isascii() and given.isdecimal():
        return int(given)
    if not given.isprintable() or not given or os.path.isdir(given):
        raise TorcError(f"{given!r} is neither a workflow specification file nor the ID or name of a workflow.")
    return given
