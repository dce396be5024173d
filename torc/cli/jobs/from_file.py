"""``torc jobs create-from-file``."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command, number
from torc.cli.output import Message
from torc.cli.resource_requirements import memory, runtime
from torc.errors import TorcError
from torc.models.job import Job
from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME, ResourceRequirements

if TYPE_CHECKING:
    from torc.client.api import Client

BATCH = 10_000
"""Jobs that the server takes in one request."""


def _commands_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """The lines of the file that are neither empty nor remarks."""
    path = Path(arguments["file"])
    if not path.exists():
        raise TorcError(f"File does not exist: {path}")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise TorcError(f"{path} cannot be read as text: {error}.") from error
    commands = [line for line in lines if line and not line.startswith("#")]
    if not commands:
        raise TorcError(f"No valid commands found in file {path}; it needs one in each line.")
    return {**arguments, "commands": commands}


@command(
    "jobs create-from-file",
    WORKFLOW_ID,
    argument("file", metavar="FILE", help="a command per line; empty lines and those that begin with # do not count"),
    argument("--cpus-per-job", metavar="N", type=number(1), default=1, help="CPUs (default: 1)"),
    argument("--memory-per-job", metavar="SIZE", type=memory, default=DEFAULT_MEMORY, help="512m or 20g (default: 1m)"),
    argument(
        "--runtime-per-job",
        metavar="TIME",
        type=runtime,
        default=DEFAULT_RUNTIME,
        help="PT2H, 2h or 02:00:00; a bare number is minutes (default: 1 minute)",
    ),
    prepare=_commands_of,
    examples=("torc jobs create-from-file 5 commands.txt --cpus-per-job 4 --memory-per-job 8g --runtime-per-job 2h",),
)
def create_from_file(
    torc: "Client",
    workflow_id: int,
    *,
    file: str,
    commands: list[str],
    cpus_per_job: int,
    memory_per_job: str,
    runtime_per_job: str,
) -> Message:
    """Add a job for each line of a file; all of them, or none if something goes wrong."""
    names = _names(torc, workflow_id)
    needs = ResourceRequirements(
        workflow_id=workflow_id,
        name=f"batch_jobs_req_{int(time.time())}",
        num_cpus=cpus_per_job,
        memory=memory_per_job,
        runtime=runtime_per_job,
    )
    needs_id = torc.resource_requirements.create(needs).id
    assert needs_id is not None  # the server has sent it
    jobs = [
        Job(workflow_id=workflow_id, name=next(names), command=line, resource_requirements_id=needs_id)
        for line in commands
    ]
    _create_all(torc, jobs, needs_id)
    lines = {
        "File": file,
        "Workflow ID": workflow_id,
        "CPUs per job": cpus_per_job,
        "Memory per job": memory_per_job,
        "Runtime per job": runtime_per_job,
    }
    done = f"Successfully created {len(jobs)} jobs from file"
    return Message(
        says="\n".join([f"{done}:", *(f"  {heading}: {value}" for heading, value in lines.items())]),
        data={"workflow_id": workflow_id, "jobs_created": len(jobs), "status": "success", "message": done},
    )


def _names(torc: "Client", workflow_id: int) -> Iterator[str]:
    """``job<k>`` from the number of jobs on; where one has that name already, ``job<k>_1``, ``job<k>_2``, ..."""
    torc.workflows.get(workflow_id)
    taken = {job.name for job in torc.jobs.list(workflow_id)}
    number_of_jobs = sum(torc.workflows.job_counts(workflow_id).values())
    return _free_names(taken, number_of_jobs)


def _free_names(taken: set[str], after: int) -> Iterator[str]:
    while True:
        after += 1
        name, tries = f"job{after}", 0
        while name in taken:
            tries += 1
            name = f"job{after}_{tries}"
        yield name


def _create_all(torc: "Client", jobs: list[Job], needs_id: int) -> None:
    """Up to BATCH jobs are one transaction of the server; of more, those that are there go again after a failure."""
    made: list[int] = []
    try:
        for start in range(0, len(jobs), BATCH):
            made += [job.id for job in torc.jobs.create_many(jobs[start : start + BATCH]) if job.id is not None]
    except BaseException as error:
        _undo(torc, made, needs_id, error)
        raise


def _undo(torc: "Client", made: list[int], needs_id: int, failure: BaseException) -> None:
    try:
        if made:
            torc.jobs.delete_several(made, force=True)
        torc.resource_requirements.delete(needs_id)
    except TorcError as error:
        left = f"{len(made)} jobs, IDs {made[0]} to {made[-1]}, and " if made else ""
        raise TorcError(
            f"{failure} {left}resource requirements {needs_id} could not be removed again: {error.message}"
        ) from failure
