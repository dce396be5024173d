"""Questions to the person at the terminal, and the options that answer them. Without a terminal nobody is asked."""

import sys
from typing import TYPE_CHECKING

from torc.cli.command import flag
from torc.cli.output import CONTROL
from torc.models.workflow import InitializeAnswer
from torc.settings import user_name
from torc.workflow.initialize import find_files, initialize_workflow, name_files

if TYPE_CHECKING:
    from torc.client.api import Client

FORCE = flag("--force", help="go on without input files that are missing")
DELETE_OUTPUTS = flag("--delete-outputs", help="first delete the output files that are there already")
NO_PROMPTS = flag("--no-prompts", help="never ask anything")


def can_ask() -> bool:
    """Whether somebody sees a question and can answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str) -> bool:
    """Ask on stderr, so that stdout keeps only the result; anything but yes is no."""
    print(f"{question} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def initialize(
    torc: "Client", workflow_id: int, *, user: str | None, force: bool, delete_outputs: bool, no_prompts: bool
) -> InitializeAnswer:
    """Initialize a workflow, asking what shall become of the outputs that are on disk already."""
    found = find_files(torc, workflow_id)
    if found.existing_outputs and not delete_outputs:
        note = f"Found {len(found.existing_outputs)} existing output file(s): {name_files(found.existing_outputs)}"
        note = note.translate(CONTROL)
        if can_ask() and not no_prompts:
            print(note, file=sys.stderr)
            delete_outputs = confirm("Delete these files before initializing? [y/N]:")
        else:
            print(f"Warning: {note}. They are kept; --delete-outputs deletes them.", file=sys.stderr)
    return initialize_workflow(
        torc,
        workflow_id,
        found,
        user=user or user_name(),
        ignore_missing_inputs=force,
        delete_outputs=delete_outputs,
    )
