"""``torc jobs cancel``, ``terminate``, ``retry``, ``disable`` and ``enable``."""

from typing import TYPE_CHECKING

from torc.cli.command import argument, command, number
from torc.cli.output import Message
from torc.models.job import Job, JobVerb
from torc.models.status import JobStatus
from torc.settings import user_name

if TYPE_CHECKING:
    from torc.client.api import Client


def _declare(verb: JobVerb, promise: str, says: str) -> None:
    """Make ``torc jobs <verb> ID...``; all of the jobs or none."""

    def run(torc: "Client", job_ids: list[int]) -> Message:
        jobs = torc.jobs.command(verb, job_ids, user=user_name())
        lines = [f"  Job {job.id} '{job.name}': {_outcome(verb, job)}" for job in jobs]
        return Message(says="\n".join([says.format(len(jobs)), *lines]), data={"jobs": jobs})

    run.__doc__ = promise
    command(
        f"jobs {verb}",
        argument("job_ids", metavar="ID", nargs="+", type=number(1), help=IDS_HELP),
        examples=(f"torc jobs {verb} 12", f"torc jobs {verb} 12 13 14   # all of them or, if one is refused, none"),
    )(run)


def _outcome(verb: JobVerb, job: Job) -> str:
    if verb == JobVerb.TERMINATE and job.status == JobStatus.RUNNING:
        return "running; its runner is asked to stop it"
    return str(job.status)


IDS_HELP = "one or several; if one of them is refused, nothing happens to the others"

_declare(JobVerb.CANCEL, "Cancel jobs: nobody runs them, and who has one stops it.", "Canceled {} job(s):")
_declare(
    JobVerb.TERMINATE,
    "Let runners end jobs, with a grace time for those that support termination.",
    "Terminated {} job(s):",
)
_declare(
    JobVerb.RETRY,
    "Run finished jobs again, and what depends on them.\n\nWhat was canceled because of them comes back. What they are "
    "given is what they asked for.",
    "Retried {} job(s):",
)
_declare(JobVerb.DISABLE, "Keep jobs from being run.", "Disabled {} job(s):")
_declare(JobVerb.ENABLE, "Let disabled jobs run, and what was canceled because of them.", "Enabled {} job(s):")
