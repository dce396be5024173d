"""Beginning a run of a workflow: its options, and what is asked about outputs that are on disk already."""

import sys
from typing import TYPE_CHECKING

from torc.cli.ask import can_ask, confirm
from torc.cli.command import flag
from torc.cli.output import CONTROL
from torc.models.file import File
from torc.models.workflow import InitializeAnswer, ReinitializeRequest
from torc.settings import user_name
from torc.workflow.files_on_disk import name_files
from torc.workflow.initialize import find_files, initialize_workflow
from torc.workflow.reinitialize import Renewal, look, preview, reinitialize_workflow

if TYPE_CHECKING:
    from torc.client.api import Client

FORCE = flag("--force", help="go on without input files that are missing")
DELETE_OUTPUTS = flag("--delete-outputs", help="first delete the output files that are there already")


def initialize(
    torc: "Client", workflow_id: int, *, user: str | None, force: bool, delete_outputs: bool, no_prompts: bool
) -> InitializeAnswer:
    """Initialize a workflow, asking what shall become of the outputs that are on disk already."""
    found = find_files(torc, workflow_id)
    delete_outputs = delete_outputs or may_delete(found.existing_outputs, before="initializing", no_prompts=no_prompts)
    return initialize_workflow(
        torc,
        workflow_id,
        found,
        user=user or user_name(),
        ignore_missing_inputs=force,
        delete_outputs=delete_outputs,
    )


def reinitialize(
    torc: "Client", workflow_id: int, wish: ReinitializeRequest, *, delete_outputs: bool, no_prompts: bool
) -> Renewal:
    """Begin a new run of a part, asking what shall become of the outputs that will be written again."""
    seen = look(torc, workflow_id)
    if not delete_outputs and can_ask() and not no_prompts:
        would = preview(torc, seen, wish)
        if would.is_safe(ignore_missing=wish.ignore_missing):
            delete_outputs = may_delete(would.existing_outputs, before="reinitializing", no_prompts=False)
        return reinitialize_workflow(torc, seen, wish, delete_outputs=delete_outputs)
    begun = reinitialize_workflow(torc, seen, wish, delete_outputs=delete_outputs)
    if not delete_outputs:
        may_delete(begun.existing_outputs, before="reinitializing", no_prompts=True)
    return begun


def may_delete(outputs: list[File], *, before: str, no_prompts: bool) -> bool:
    """Whether existing outputs shall be deleted; where nobody can be asked they are kept, and that is said."""
    if not outputs:
        return False
    note = f"Found {len(outputs)} existing output file(s): {name_files(outputs)}".translate(CONTROL)
    if can_ask() and not no_prompts:
        print(note, file=sys.stderr)
        return confirm(f"Delete these files before {before}? [y/N]:")
    print(f"Warning: {note}. They are kept; --delete-outputs deletes them.", file=sys.stderr)
    return False
