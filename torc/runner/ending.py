"""Why a runner ends, in a word for programs and a sentence for people."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from torc.models.status import JobStatus
from torc.models.sync import SyncAnswer
from torc.models.workflow import Workflow


@dataclass(frozen=True)
class Outcome:
    """How a run ended. Failed jobs do not show here: a workflow with failures is complete too."""

    kind: Literal["complete", "canceled", "idle", "interrupted", "time_up", "nothing_fits", "server_away", "no_work"]
    message: str | None = None


class Progress(Protocol):
    """Told what happens while it happens; called from the runner's thread, and not to take long."""

    def job_started(self, name: str) -> None: ...

    def job_finished(self, name: str, status: JobStatus, return_code: int) -> None: ...

    def note(self, text: str) -> None: ...


def ending_of(answer: SyncAnswer, workflow: Workflow, *, idle_s: float) -> Outcome | None:
    """Whether a runner that has nothing left of its own should end; None to go on asking."""
    state = answer.workflow
    if state.is_canceled and state.is_complete:
        return Outcome("canceled", f"workflow {workflow.id} was canceled")
    if state.is_complete and not workflow.compute_node_ignore_workflow_completion:
        return Outcome("complete")
    if answer.misfit is not None:
        misfit = answer.misfit
        return Outcome(
            "nothing_fits",
            f"job {misfit.job_name} (id {misfit.job_id}) needs {misfit.need}, and no runner of workflow {workflow.id} "
            f"offers more than {misfit.offer}; run it on a larger machine, or change what the job asks for",
        )
    if state.nothing_for_node:
        return Outcome("no_work", "all jobs that are left are for the allocations of other schedulers")
    limit_s = workflow.compute_node_wait_for_new_jobs_seconds
    if not limit_s or state.waiting_until_s is not None or idle_s < limit_s:
        return None
    if state.jobs_uninitialized:
        return Outcome("idle", uninitialized(workflow))
    return Outcome("idle", f"no job became ready within {limit_s} s; others may still be running jobs")


def uninitialized(workflow: Workflow) -> str:
    """What a person has to do before there is anything to run."""
    return f"workflow {workflow.id} has jobs that were never initialized; run: torc workflows initialize {workflow.id}"


def interrupted(number: int) -> Outcome:
    """A person or the system told this process to end."""
    return Outcome("interrupted", f"interrupted by {signal.Signals(number).name}")


def time_up() -> Outcome:
    """The time limit of this runner is over, less the time that its jobs may take to end."""
    return Outcome("time_up", "the time limit is reached; what is left is for the next runner")


def server_away(silence_s: float, spool: Path) -> Outcome:
    """The server has been silent for longer than the workflow allows."""
    return Outcome(
        "server_away",
        f"no answer from the server for {silence_s:.0f} s; the results it does not have are kept in "
        f"{spool}, and the next runner of this workflow on this machine delivers them",
    )
