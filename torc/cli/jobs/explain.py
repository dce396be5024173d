"""``torc jobs explain``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torc.cli.command import command
from torc.cli.jobs.show import JOB_ID
from torc.cli.output import CONTROL, Message
from torc.models.explanation import Explanation, Reason

if TYPE_CHECKING:
    from torc.client.api import Client


@command(
    "jobs explain",
    JOB_ID,
    examples=("torc jobs explain 12", "torc -f json jobs explain 12 | jq -r '.reasons[].kind'"),
)
def explain(torc: "Client", job_id: int) -> Message:
    """Say why a job is not running.

    Which jobs it waits for, whose failure canceled it, what no active runner offers, who comes before it; of a job
    that has been handed out, who has it, and of one that has ended, how.
    """
    found = torc.jobs.explain(job_id)
    return Message(says="\n".join(_lines(found)).translate(CONTROL), data=found)


def _lines(found: Explanation) -> Iterator[str]:
    yield f"Job {found.job_id} '{found.job_name}' of workflow {found.workflow_id} is {found.status}:"
    for reason in found.reasons:
        yield f"  - {reason.says}{':' if reason.jobs else ''}"
        yield from _jobs_of(reason)


def _jobs_of(reason: Reason) -> Iterator[str]:
    jobs = reason.jobs or []
    for job in jobs:
        yield f"      {job.id} '{job.name}': {job.status}"
    if jobs and reason.count is not None and reason.count > len(jobs):
        yield f"      and {reason.count - len(jobs)} more"
