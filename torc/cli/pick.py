"""Which workflow is meant: by its id, by its name, or by asking the person at the terminal."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from torc.cli import ask
from torc.cli.command import WORKFLOW_ID, WORKFLOW_IDS, Command, Parser
from torc.cli.output import CONTROL
from torc.errors import NotFound, TorcError, UsageError
from torc.settings import user_name

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.models.workflow import Workflow

OFFERED = 50
"""At most so many workflows are offered."""


def refuse_to_guess(command: Command, arguments: dict[str, Any], parser: Parser, *, no_prompts: bool) -> None:
    """End with a usage error when no workflow is named and nobody can be asked which."""
    if _is_missing(command, arguments) and (no_prompts or not ask.can_ask()):
        parser.error("the following arguments are required: WORKFLOW_ID (see `torc workflows list`)")


def workflows(torc: "Client", command: Command, arguments: dict[str, Any], *, user: str | None) -> None:
    """Replace names by ids, and what is missing by the answer to a question."""
    if _is_missing(command, arguments):
        chosen = _chosen(torc, user or user_name())
        arguments.update({"workflow_id": chosen} if WORKFLOW_ID in command.arguments else {"workflow_ids": [chosen]})
    if isinstance(arguments.get("workflow_id"), str):
        arguments["workflow_id"] = _named(torc, arguments["workflow_id"])
    if "workflow_ids" in arguments:
        named = (one if isinstance(one, int) else _named(torc, one) for one in arguments["workflow_ids"])
        arguments["workflow_ids"] = list(dict.fromkeys(named))


def _is_missing(command: Command, arguments: dict[str, Any]) -> bool:
    if WORKFLOW_ID in command.arguments:
        return arguments.get("workflow_id") is None
    return WORKFLOW_IDS in command.arguments and not arguments.get("workflow_ids")


def _named(torc: "Client", name: str) -> int:
    """The id of the only workflow with this name."""
    ids = [one.id for one in islice(torc.workflows.list(name=name), OFFERED) if one.id is not None]
    if not ids:
        raise NotFound(f"there is no workflow named {name!r}; see `torc workflows list --all-users`.")
    if len(ids) > 1:
        raise UsageError(f"{len(ids)} workflows are named {name!r}; say which by ID: {', '.join(map(str, ids))}.")
    return ids[0]


def _chosen(torc: "Client", user: str) -> int:
    """The user's only workflow, or the one that the person at the terminal chooses."""
    found = list(islice(torc.workflows.list(user=user, is_archived=False, sort_by="id", reverse_sort=True), OFFERED))
    if not found:
        raise NotFound(f"No workflows found for user: {user}")
    if len(found) == 1:
        _say(f"Workflow {found[0].id} ({found[0].name}), the only one of user {user}")
        return _id_of(found[0])
    _say("Available workflows:")
    for line in _lines(found):
        _say(line)
    answer = ask.read_line("\nEnter workflow ID:")
    if not (answer.isascii() and answer.isdecimal()):
        raise TorcError("Invalid input. Please enter a numeric workflow ID.")
    if int(answer) not in {one.id for one in found}:
        raise TorcError(f"Invalid workflow ID: {answer}")
    return int(answer)


def _lines(found: "list[Workflow]") -> list[str]:
    """A line for each, in columns that a narrow terminal cuts off at the end of the line."""
    from shutil import get_terminal_size

    cells = [(str(one.id), one.name, one.description or "", (one.timestamp or "")[:19]) for one in found]
    cells.insert(0, ("ID", "Name", "Description", "Created"))
    widths = (5, 30, 30, 20)
    room = get_terminal_size().columns
    columns = [[f"{_cut(row[at], width - 2):<{width}}" for row in cells] for at, width in enumerate(widths)]
    return ["".join(row).rstrip()[:room] for row in zip(*columns, strict=True)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _say(line: str) -> None:
    import sys

    print(line.translate(CONTROL), file=sys.stderr)


def _id_of(workflow: "Workflow") -> int:
    assert workflow.id is not None  # the server has sent it
    return workflow.id
