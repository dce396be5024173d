"""``torc workflows archive``."""

import argparse
from typing import TYPE_CHECKING

from torc.cli.command import WORKFLOW_IDS, argument, command
from torc.cli.output import Message
from torc.errors import EXIT_ERROR, TorcError

if TYPE_CHECKING:
    from torc.client.api import Client

WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _yes_or_no(text: str) -> bool:
    try:
        return WORDS[text.lower()]
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false") from error


@command(
    "workflows archive",
    argument("is_archived", metavar="true|false", type=_yes_or_no, help="true puts them away, false takes them out"),
    WORKFLOW_IDS,
    examples=("torc workflows archive true 5 6", "torc workflows list --include-archived"),
)
def archive(torc: "Client", is_archived: bool, workflow_ids: list[int]) -> Message:
    """Put workflows away, so that lists leave them out, or take them out again.

    Everything in them stays, and can be looked at. An archived workflow cannot begin a new run.
    """
    verb = "archive" if is_archived else "unarchive"
    updated: list[int] = []
    errors: list[str] = []
    for workflow_id in workflow_ids:
        try:
            torc.workflows.archive(workflow_id, is_archived)
            updated.append(workflow_id)
        except TorcError as error:
            errors.append(f"Failed to {verb} workflow {workflow_id}: {error.message}")
    status = "success" if not errors else "partial_success" if updated else "error"
    return Message(
        says="\n".join(f"Successfully {verb}d workflow {workflow_id}" for workflow_id in updated),
        data={
            "status": status,
            "updated_workflows": updated,
            "is_archived": is_archived,
            **({"errors": errors} if errors else {}),
        },
        remark="\n".join(f"Error: {error}" for error in errors) or None,
        exit_code=EXIT_ERROR if errors else 0,
    )
