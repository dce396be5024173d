"""``torc jobs create``, ``update``, ``delete`` and ``delete-all``."""

import argparse
from itertools import count
from typing import TYPE_CHECKING, Any

from torc.cli import ask
from torc.cli.ask import NO_PROMPTS
from torc.cli.command import WORKFLOW_ID, Argument, StoreOnce, argument, command, flag, id_or_name, number
from torc.cli.jobs.show import JOB_ID, JOBS
from torc.cli.output import Message, Record
from torc.errors import NotFound, UsageError
from torc.models.job import Job

if TYPE_CHECKING:
    from torc.client.api import Client

COMMAND = ("-c", "--command")

FORCE = flag("--force", help="although results would be lost, or other jobs depend on them")


class Ids(list[Any]):
    """The words behind an option that takes several; ``place`` orders such options as the line has them."""

    place = 0


class StoreIds(StoreOnce):
    """Keeps Ids."""

    _places = count(1)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        ids = Ids(values)
        ids.place = next(self._places)
        super().__call__(parser, namespace, ids, option)


def _ids(short: str, long: str, help: str) -> Argument:
    return argument(short, long, metavar="ID", nargs="+", type=id_or_name, action=StoreIds, help=help)


LISTS = {
    "blocking_job_ids": "depends_on_job_ids",
    "input_file_ids": "input_file_ids",
    "output_file_ids": "output_file_ids",
}
"""What a list is called on the command line and in a job."""


def _lists_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """The job's fields. An option that takes several IDs also takes the workflow's, if that stands behind them."""
    given: dict[str, Ids] = {name: arguments.pop(name) or Ids() for name in LISTS}
    last = max(given.values(), key=lambda ids: ids.place)
    if arguments["workflow_id"] is None and len(last) > 1:
        arguments["workflow_id"] = last.pop()
    for name, ids in given.items():
        for word in ids:
            if not isinstance(word, int):
                raise UsageError(f"--{name.replace('_', '-')}: {word!r} is not an ID.")
    lists = {LISTS[name]: list(ids) or None for name, ids in given.items()}
    fields = {
        "name": arguments["name"],
        "command": arguments["command"],
        "resource_requirements_id": arguments["resource_requirements_id"],
    }
    return {"workflow_id": arguments["workflow_id"], "fields": {**fields, **lists}}


@command(
    "jobs create",
    WORKFLOW_ID,
    argument("-n", "--name", metavar="NAME", required=True, help="what people call it"),
    argument(*COMMAND, metavar="TEXT", required=True, help="what it runs, in bash"),
    argument("-r", "--resource-requirements-id", metavar="ID", type=number(1), help="what it needs; default: 1 CPU"),
    _ids("-b", "--blocking-job-ids", "the jobs it waits for"),
    _ids("-i", "--input-file-ids", "the files it reads"),
    _ids("-o", "--output-file-ids", "the files it writes"),
    prepare=_lists_of,
    examples=(
        "torc jobs create 5 --name prepare --command 'python prepare.py'",
        "torc jobs create 5 -n merge -c 'bash merge.sh' -b 12 13 -i 3 -o 4",
    ),
)
def create(torc: "Client", workflow_id: int, *, fields: dict[str, Any]) -> Record:
    """Add a job to a workflow.

    It runs once the workflow has been initialized, or initialized again.
    """
    return JOBS.done("created", torc.jobs.create(Job(workflow_id=workflow_id, **fields)))


def _changes_of(arguments: dict[str, Any]) -> dict[str, Any]:
    wanted = {"name": arguments["name"], "command": arguments["command"]}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change; give --name or --command.")
    return {"job_id": arguments["job_id"], "changes": changes}


@command(
    "jobs update",
    JOB_ID,
    argument("-n", "--name", metavar="NAME", help="a new name"),
    argument(*COMMAND, metavar="TEXT", help="what it runs from now on"),
    prepare=_changes_of,
    examples=("torc jobs update 12 --command 'python prepare.py --fast'",),
)
def update(torc: "Client", job_id: int, *, changes: dict[str, Any]) -> Record:
    """Change a job that has not been initialized."""
    return JOBS.done("updated", torc.jobs.change(job_id, changes))


def _some(arguments: dict[str, Any]) -> dict[str, Any]:
    if not arguments["job_ids"]:
        raise UsageError("At least one job ID must be provided.")
    return arguments


@command(
    "jobs delete",
    argument("job_ids", metavar="ID", nargs="*", type=number(1), help="one or several; all are deleted, or none"),
    FORCE,
    prepare=_some,
    examples=("torc jobs delete 12 13   # both or, if one cannot be, none", "torc jobs delete 12 --force"),
)
def delete(torc: "Client", job_ids: list[int], *, force: bool) -> Message:
    """Delete jobs: all of them, or none if one is refused."""
    try:
        jobs = torc.jobs.delete_several(job_ids, force=force)
    except NotFound as error:
        raise NotFound(f"{error.message}. No jobs were deleted.") from error
    lines = [f"  ID: {job.id} - Name: {job.name} - Command: {job.command}" for job in jobs]
    return Message(says="\n".join([f"Successfully removed {len(jobs)} job(s):", *lines]), data={"jobs": jobs})


@command(
    "jobs delete-all",
    WORKFLOW_ID,
    NO_PROMPTS,
    FORCE,
    examples=("torc jobs delete-all 5", "torc jobs delete-all 5 --no-prompts   # in a script"),
)
def delete_all(torc: "Client", workflow_id: int, *, no_prompts: bool, force: bool) -> Message:
    """Delete all jobs of a workflow."""
    jobs = sum(torc.workflows.job_counts(workflow_id).values())
    if not jobs:
        return Message(
            says=f"No jobs found for workflow ID: {workflow_id}", data={"deleted": 0, "message": "No jobs to delete"}
        )
    if not ask.consent(f"Delete {jobs} job(s) of workflow {workflow_id}?", no_prompts=no_prompts):
        return Message(says="Deletion cancelled", data={"deleted": 0, "message": "Deletion cancelled"})
    deleted = torc.jobs.delete_all(workflow_id, force=force)
    return Message(
        says=f"Successfully deleted {deleted} job(s) from workflow ID: {workflow_id}", data={"count": deleted}
    )
