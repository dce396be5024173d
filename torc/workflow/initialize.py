"""Start a new run of all jobs of a workflow, after a look at the files it reads and writes."""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torc.errors import Conflict, Unprocessable
from torc.models.file import File
from torc.models.status import HANDED_OUT
from torc.models.workflow import InitializeAnswer, InitializeRequest
from torc.workflow import files_on_disk
from torc.workflow.files_on_disk import NAMED, FilesOnDisk, name_files

if TYPE_CHECKING:
    from torc.client.api import Client


@dataclass(frozen=True)
class FilesFound:
    """What is on disk of the files a workflow declares."""

    on_disk: FilesOnDisk
    missing_inputs: list[File]  # read by jobs, written by none, not there
    existing_outputs: list[File]  # written by jobs, and there already


def find_files(client: "Client", workflow_id: int) -> FilesFound:
    """Look for every file of a workflow, relative to the current folder."""
    on_disk = files_on_disk.look(client, workflow_id)
    there = {file_id for file_id in on_disk.files if on_disk.is_there(file_id)}
    missing = set(client.workflows.required_existing_files(workflow_id)) & on_disk.files.keys() - there
    if not missing and not there:
        return FilesFound(on_disk, [], [])  # as before most first runs; who writes what need not be asked
    written = {file.id for file in client.files.list(workflow_id, is_output=True) if file.id is not None}
    # An output that an earlier run has left and somebody has deleted is written again.
    return FilesFound(on_disk, on_disk.named(missing - written), on_disk.named(written & there))


def initialize_workflow(
    client: "Client",
    workflow_id: int,
    found: FilesFound,
    *,
    user: str,
    ignore_missing_inputs: bool = False,
    delete_outputs: bool = False,
) -> InitializeAnswer:
    """Begin a new run of all jobs. What is refused has changed nothing and deleted no file."""
    if found.missing_inputs and not ignore_missing_inputs:
        raise Unprocessable(
            f"workflow {workflow_id} reads files that are not there: {name_files(found.missing_inputs)}. Put them in "
            "place, or go on without them with --force."
        )
    _check_user_data(client, workflow_id)
    deleted = found.existing_outputs if delete_outputs else []
    if deleted:
        _check_idle(client, workflow_id)
        files_on_disk.delete(deleted)
    files = found.on_disk.states(without=deleted)
    request = InitializeRequest(files=files, user=user, hostname=socket.gethostname())
    return client.workflows.initialize(workflow_id, request)


def _check_user_data(client: "Client", workflow_id: int) -> None:
    missing = client.workflows.missing_user_data(workflow_id)
    if missing:
        names = [f"{client.user_data.get(one).name!r} (ID {one})" for one in missing[:NAMED]]
        names += [f"ID {one}" for one in missing[NAMED:]]
        raise Unprocessable(
            f"workflow {workflow_id} reads user data that has no value and that no job writes: "
            f"{files_on_disk.first(names)}. Give it a `data` in the specification."
        )


def _check_idle(client: "Client", workflow_id: int) -> None:
    """Refuse before a file is gone what the server would refuse afterwards."""
    counts = client.workflows.job_counts(workflow_id)
    handed_out = sum(counts.get(status, 0) for status in HANDED_OUT)
    status = client.workflows.status(workflow_id)
    if handed_out or status.busy or status.is_archived:
        state = f"has {handed_out} running jobs" if handed_out else f"is {status.busy or 'archived'}"
        raise Conflict(f"workflow {workflow_id} {state}, so it cannot be initialized; no file was deleted.")
