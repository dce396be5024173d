"""Start a new run of a workflow, after a look at the files it reads and writes.

The server never touches the user's files, so what is on disk is looked up here.
"""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torc.errors import Conflict, TorcError, Unprocessable
from torc.models.file import File
from torc.models.status import HANDED_OUT
from torc.models.workflow import InitializeAnswer, InitializeRequest

if TYPE_CHECKING:
    from torc.client.api import Client

NAMED = 10
"""So many files or records are named in a message; the others are counted."""


@dataclass(frozen=True)
class FilesFound:
    """What is on disk of the files a workflow declares."""

    mtimes: dict[int, float | None]  # by file id, seconds since the epoch; None while missing
    missing_inputs: list[File]  # read by jobs, written by none, not there
    existing_outputs: list[File]  # written by jobs, and there already


def find_files(client: "Client", workflow_id: int) -> FilesFound:
    """Look for every file of a workflow, relative to the current folder."""
    files = {file.id: file for file in client.files.list(workflow_id) if file.id is not None}
    mtimes = {file_id: _mtime(file.path) for file_id, file in files.items()}
    required = set(client.workflows.required_existing_files(workflow_id))
    missing = [files[file_id] for file_id in sorted(required & files.keys()) if mtimes[file_id] is None]
    if not missing and all(mtime is None for mtime in mtimes.values()):
        return FilesFound(mtimes, [], [])  # as before most first runs; who writes what need not be asked
    written = _written_files(client, workflow_id)
    return FilesFound(
        mtimes,
        # An output that an earlier run has left and somebody has deleted is written again.
        [file for file in missing if file.id not in written],
        [files[file_id] for file_id in sorted(written & files.keys()) if mtimes[file_id] is not None],
    )


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
    mtimes = dict(found.mtimes)
    if delete_outputs and found.existing_outputs:
        _check_idle(client, workflow_id)
        _delete(found.existing_outputs)
        mtimes |= {file.id: None for file in found.existing_outputs if file.id is not None}
    request = InitializeRequest(file_mtimes=sorted(mtimes.items()), user=user, hostname=socket.gethostname())
    return client.workflows.initialize(workflow_id, request)


def name_files(files: list[File]) -> str:
    """Paths with the names the specification gives them, the first few of many."""
    return _first([f"{file.path} ({file.name!r})" if file.path != file.name else file.path for file in files])


def _first(words: list[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _mtime(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def _written_files(client: "Client", workflow_id: int) -> set[int]:
    """Ids of the files that some job writes."""
    jobs = client.jobs.list(workflow_id, include_relationships=True)
    return {file_id for job in jobs for file_id in job.output_file_ids or ()}


def _check_user_data(client: "Client", workflow_id: int) -> None:
    missing = client.workflows.missing_user_data(workflow_id)
    if missing:
        names = [f"{client.user_data.get(one).name!r} (ID {one})" for one in missing[:NAMED]]
        names += [f"ID {one}" for one in missing[NAMED:]]
        raise Unprocessable(
            f"workflow {workflow_id} reads user data that has no value and that no job writes: {_first(names)}. "
            "Give it a `data` in the specification."
        )


def _check_idle(client: "Client", workflow_id: int) -> None:
    """Refuse before a file is gone what the server would refuse afterwards."""
    counts = client.workflows.job_counts(workflow_id)
    handed_out = sum(counts.get(status, 0) for status in HANDED_OUT)
    status = client.workflows.status(workflow_id)
    if handed_out or status.busy or status.is_archived:
        state = f"has {handed_out} running jobs" if handed_out else f"is {status.busy or 'archived'}"
        raise Conflict(f"workflow {workflow_id} {state}, so it cannot be initialized; no file was deleted.")


def _delete(files: Iterable[File]) -> None:
    for file in files:
        try:
            os.unlink(file.path)
        except FileNotFoundError:
            pass  # somebody else was faster
        except OSError as error:
            raise TorcError(f"the output {file.path} cannot be deleted: {error.strerror}.") from error
