"""Start a new run of what has not succeeded, has changed or depends on such. Which jobs those are, the server says."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from torc.models.file import File
from torc.models.workflow import ReinitializeAnswer, ReinitializeRequest
from torc.workflow import files_on_disk
from torc.workflow.files_on_disk import FilesOnDisk

if TYPE_CHECKING:
    from torc.client.api import Client


@dataclass(frozen=True)
class Look:
    """The run a workflow is in, and the files as they are."""

    workflow_id: int
    run_id: int
    on_disk: FilesOnDisk


@dataclass(frozen=True)
class Renewal:
    """What runs again, or would, with the files that are spoken of."""

    answer: ReinitializeAnswer
    missing_inputs: list[File]
    existing_outputs: list[File]  # that are written again

    def is_safe(self, *, ignore_missing: bool = False) -> bool:
        """Whether nothing is missing that would refuse it."""
        return not self.answer.missing_user_data and (ignore_missing or not self.missing_inputs)


def look(client: "Client", workflow_id: int) -> Look:
    """Look for every file of a workflow, relative to the current folder."""
    status = client.workflows.status(workflow_id)
    return Look(workflow_id, status.run_id, files_on_disk.look(client, workflow_id))


def preview(client: "Client", seen: Look, wish: ReinitializeRequest) -> Renewal:
    """What a new run would be; raises when there cannot be one now, but not for what is missing. Nothing changes."""
    return _ask(client, seen, msgspec.structs.replace(wish, dry_run=True))


def reinitialize_workflow(
    client: "Client", seen: Look, wish: ReinitializeRequest, *, delete_outputs: bool = False
) -> Renewal:
    """Begin a new run; ``wish`` says who wants it and how. What is refused has changed nothing and deleted no file."""
    deleted: list[File] = []
    if delete_outputs:
        would = preview(client, seen, wish)
        if would.is_safe(ignore_missing=wish.ignore_missing):  # else the server will say what is missing
            deleted = would.existing_outputs
            files_on_disk.delete(deleted)
    return _ask(client, seen, wish, deleted)


def _ask(client: "Client", seen: Look, wish: ReinitializeRequest, deleted: Sequence[File] = ()) -> Renewal:
    request = msgspec.structs.replace(
        wish,
        files=seen.on_disk.states(without=deleted),
        from_run_id=seen.run_id,
        hostname=socket.gethostname(),
    )
    answer = client.workflows.reinitialize(seen.workflow_id, request)
    return Renewal(answer, seen.on_disk.named(answer.missing_files), seen.on_disk.named(answer.existing_outputs))
