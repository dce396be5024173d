"""Options and steps that every command has which takes a specification."""

import sys
from pathlib import Path

from torc.cli.command import argument, flag
from torc.cli.output import CONTROL
from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument
from torc.settings import user_name
from torc.workflow.read import check_spec

FILE = argument(
    "file", metavar="FILE", type=Path, help="a workflow specification in YAML, JSON, JSON5 or KDL; - is stdin"
)
SKIP_CHECKS = flag("--skip-checks", help="take unknown keys and nodes that no job asks for as warnings")


def document_of(file: Path, *, user: str | None, skip_checks: bool) -> DraftDocument:
    """The document in a specification, once its warnings have been said; an owner named here wins over the file."""
    checked = check_spec(file, user=user or user_name(), skip_checks=skip_checks)
    for line in checked.warnings:
        print(f"Warning: {line}".translate(CONTROL), file=sys.stderr)
    if checked.document is None:
        raise InvalidSpec("\n".join(checked.errors))
    if user:
        checked.document.workflow.user = user
    return checked.document
