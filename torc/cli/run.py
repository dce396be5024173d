"""``torc run``: from a specification, or a workflow that is there already, to a table of results."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc import logs, settings
from torc.cli import begin
from torc.cli.ask import NO_PROMPTS
from torc.cli.begin import DELETE_OUTPUTS, FORCE
from torc.cli.command import argument, command
from torc.cli.outcome import report
from torc.cli.output import Message
from torc.cli.progress import progress_on, show_sending
from torc.cli.specification import SKIP_CHECKS, document_of, spec_or_id
from torc.errors import (
    EXIT_ERROR,
    EXIT_JOBS_FAILED,
    EXIT_NOTHING_FITS,
    EXIT_SERVER_AWAY,
    Conflict,
    ServerAway,
    TorcError,
    UsageError,
)
from torc.hpc import slurm
from torc.models.draft import DraftDocument
from torc.models.status import HANDED_OUT, JobStatus
from torc.rendezvous import STANDALONE_USER
from torc.workflow.create import create_workflow

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.runner.run import RunOptions

logger = logging.getLogger(__name__)

EXIT_CODES = {
    0: "every job completed",
    EXIT_ERROR: "an error, or the runner left before the workflow had ended",
    EXIT_JOBS_FAILED: "some jobs failed or were canceled",
    EXIT_NOTHING_FITS: "a ready job needs more than any runner offers",
    EXIT_SERVER_AWAY: "the server does not answer",
}


def _resolve(arguments: dict[str, Any]) -> dict[str, Any]:
    """Tell a specification from an id; one that is refused needs no server."""
    named = spec_or_id(arguments.pop("spec_or_id"))
    skip_checks: bool = arguments.pop("skip_checks")
    directory: Path | None = arguments.pop("directory")
    if directory is not None:
        arguments["output_dir"] = directory
    document, workflow_id = None, None
    if isinstance(named, Path):
        document = document_of(named, user=None, skip_checks=skip_checks)
    else:
        workflow_id = named
    # Loading the runner takes as long as a third of a server's start, which we may be about to wait for.
    threading.Thread(target=import_module, args=("torc.runner.run",), daemon=True).start()
    return {**arguments, "document": document, "workflow_id": workflow_id}


@command(
    "run",
    argument("spec_or_id", metavar="SPEC_OR_ID", help="a workflow specification, or the ID or name of a workflow"),
    argument("directory", metavar="DIR", nargs="?", type=Path, help="the same as --output-dir"),
    *settings.RUN,
    FORCE,
    DELETE_OUTPUTS,
    NO_PROMPTS,
    SKIP_CHECKS,
    examples=(
        "torc run sweep.yaml",
        "torc run sweep.yaml --standalone          # without a server of your own",
        "torc run 5 --max-parallel-jobs 4 -o logs  # a workflow that was created before",
    ),
    exit_codes=EXIT_CODES,
    prepare=_resolve,
)
def run(
    torc: "Client",
    *,
    document: DraftDocument | None,
    workflow_id: int | None,
    output_dir: Path,
    poll_interval: float,
    time_limit: int | None,
    force: bool,
    delete_outputs: bool,
    no_prompts: bool,
    **resources: Any,
) -> Message:
    """Run a workflow on this machine.

    A specification is created and initialized first, a workflow that has not begun yet is initialized, and so are jobs
    that were added or imported since it was.
    """
    from torc.runner.run import RunOptions, make_folders  # psutil is not for --help

    with _blaming(output_dir):
        output_dir.mkdir(parents=True, exist_ok=True)
    make_folders(output_dir)  # before anything is created or begun
    choices = {"user": None, "force": force, "delete_outputs": delete_outputs, "no_prompts": no_prompts}
    workflow_id = _begin(torc, document, workflow_id, choices)
    options = RunOptions(
        output_dir=output_dir,
        poll_interval_s=poll_interval,
        time_limit_s=time_limit,
        asks_for_nodes=torc.username != STANDALONE_USER and slurm.is_available(),
        **resources,
    )
    return _run(torc, workflow_id, options)


def _begin(torc: "Client", document: DraftDocument | None, workflow_id: int | None, choices: dict[str, Any]) -> int:
    """The id of the workflow, with jobs that are ready."""
    if workflow_id is not None:
        torc.workflows.get(workflow_id)  # is_uninitialized is true of what does not exist
        _refuse_if_put_away(torc, workflow_id)
        if torc.workflows.is_uninitialized(workflow_id):
            begin.initialize(torc, workflow_id, **choices)
        elif _is_half_done(torc.workflows.job_counts(workflow_id)):
            torc.workflows.initialize_jobs(workflow_id, only_uninitialized=True)
        elif torc.workflows.is_complete(workflow_id).is_complete:
            print(
                f"Every job of workflow {workflow_id} has ended. What did not complete or has changed runs again "
                f"after: torc workflows reinitialize {workflow_id}",
                file=sys.stderr,
            )
        return workflow_id
    assert document is not None  # _resolve gives either
    workflow_id = create_workflow(torc, document, progress=show_sending)
    try:
        begin.initialize(torc, workflow_id, **choices)
    except BaseException:
        # Whoever puts the missing file in place runs the same command again, and wants one workflow of it.
        with contextlib.suppress(TorcError):
            torc.workflows.delete(workflow_id)
        raise
    print(f"Created workflow {workflow_id}", file=sys.stderr)
    return workflow_id


def _refuse_if_put_away(torc: "Client", workflow_id: int) -> None:
    """No job would start; of a canceled workflow the last actions may still have to be carried out."""
    status = torc.workflows.status(workflow_id)
    if status.is_archived:
        raise Conflict(
            f"workflow {workflow_id} is archived; take it out again with: torc workflows archive false {workflow_id}"
        )
    if status.is_canceled and not torc.workflows.pending_actions(workflow_id, "on_workflow_complete"):
        raise Conflict(
            f"workflow {workflow_id} was canceled; begin a new run of what did not complete with: "
            f"torc workflows reinitialize {workflow_id}"
        )


def _is_half_done(counts: dict[str, int]) -> bool:
    """Whether jobs were added or imported beside others that ran, and nobody works on the workflow now."""
    return JobStatus.UNINITIALIZED in counts and not HANDED_OUT & counts.keys()


@contextlib.contextmanager
def _blaming(output_dir: Path) -> Iterator[None]:
    """Turn a refusal of the operating system into a sentence about the output folder."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the output folder {output_dir} cannot be used: {error.strerror}; name another with --output-dir."
        ) from error


def _run(torc: "Client", workflow_id: int, options: "RunOptions") -> Message:
    from torc.runner.run import run_workflow

    run_id = torc.workflows.status(workflow_id).run_id
    with _blaming(options.output_dir):
        logs.move_to_file(options.output_dir / logs.runner_file_name(workflow_id, run_id))
    counts = torc.workflows.job_counts(workflow_id)
    with progress_on(sys.stderr, counts) as progress, contextlib.redirect_stderr(progress.stream):
        outcome = run_workflow(torc, workflow_id, options, progress)
    if outcome.kind == "server_away":
        raise ServerAway(outcome.message or "the server does not answer any more.")
    return report(torc, workflow_id, run_id, options.output_dir, outcome)
