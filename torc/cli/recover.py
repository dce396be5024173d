"""``torc recover``: what failed for want of memory or time gets more, and runs again."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.command import WORKFLOW_ID, argument, command, flag
from torc.cli.output import CONTROL, Message, table, tell
from torc.cli.slurm.asking import wishes
from torc.cli.slurm.generate import SITE
from torc.cli.slurm.nodes import FORCE
from torc.cli.slurm.parse_logs import OUTPUT_DIR
from torc.cli.slurm.regenerate import site_of
from torc.errors import EXIT_JOBS_FAILED
from torc.raising import FACTOR
from torc.settings import positive_number, user_name
from torc.views import recovery as views

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.workflow.recover import Recovery
    from torc.workflow.regenerate import Site
    from torc.workflow.submit import MakeWish

HOW = (
    argument(
        "--memory-factor",
        "--memory-multiplier",
        metavar="F",
        type=positive_number,
        default=FACTOR,
        help=f"memory for a job that ran out of it: its peak, or what it had, times this (default: {FACTOR})",
    ),
    argument(
        "--runtime-factor",
        "--runtime-multiplier",
        metavar="F",
        type=positive_number,
        default=FACTOR,
        help=f"runtime for a job that was not done in time (default: {FACTOR})",
    ),
    flag("--retry-unknown", help="run also what failed for reasons that more memory or time would not cure"),
    OUTPUT_DIR,
    *SITE,
    FORCE,
)
"""The options of recovering, here and in `torc watch`."""


class Recoverer:
    """Recovers a workflow as the options say; the same for one time and for many."""

    def __init__(
        self,
        torc: "Client",
        workflow_id: int,
        *,
        memory_factor: float,
        runtime_factor: float,
        retry_unknown: bool,
        output_dir: Path,
        force: bool,
        **site: Any,
    ) -> None:
        from torc.workflow.recover import Options

        self._torc = torc
        self._workflow_id = workflow_id
        self._output_dir = output_dir
        self._force = force
        self._planning = site
        self._options = Options(
            output_dir=output_dir,
            user=user_name(),
            memory_factor=memory_factor,
            runtime_factor=runtime_factor,
            retry_unknown=retry_unknown,
        )

    def prepare(self) -> "Recovery":
        """What would be done."""
        from torc.workflow.recover import prepare

        return prepare(self._torc, self._workflow_id, self._options, self._site, self._make)

    def carry_out(self, recovery: "Recovery", note: Callable[[str], None] = tell) -> "Recovery":
        """Do it."""
        from torc.workflow.recover import carry_out

        return carry_out(self._torc, recovery, self._site, self._make, note)

    def _site(self) -> "Site":
        return site_of(**self._planning)

    def _make(self) -> "MakeWish":
        return wishes(self._torc, output_dir=self._output_dir, force=self._force)


@command(
    "recover",
    WORKFLOW_ID,
    *HOW,
    flag("--dry-run", help="only tell what failed and why, and what would be done about it"),
    examples=(
        "torc recover 5 --dry-run",
        "torc recover 5 --memory-factor 2",
        "torc watch 5 --recover   # does this whenever it is needed, until all is done",
    ),
    exit_codes={EXIT_JOBS_FAILED: "jobs failed, and nothing that is known would help"},
)
def recover(torc: "Client", workflow_id: int, *, dry_run: bool, **how: Any) -> Message:
    """Run again what ran out of memory or time, with more of it.

    Each job that did not succeed is looked at: what its runner has measured, what it wrote to stderr, what Slurm says
    of its allocation. Only what ran out is raised, for that job only. Jobs whose node or allocation went away run again
    as they are; what failed for other reasons stays, with what waits for it, unless ``--retry-unknown``. For workflows
    with Slurm schedulers the allocations that are missing then are asked for; others go on with ``torc run``.
    """
    doing = Recoverer(torc, workflow_id, **how)
    found = doing.prepare()
    if found.helps and not dry_run:
        doing.carry_out(found)
    return Message(
        says="\n".join(describe(found)),
        data=_document(found, dry_run),
        exit_code=EXIT_JOBS_FAILED if found.changes and not found.helps else 0,
        remark=_remark(found, dry_run),
    )


def describe(found: "Recovery") -> list[str]:
    """For people: what failed, what becomes of it, and the allocations."""
    lines = []
    if found.changes:
        shown = found.changes[: views.SHOWN]
        lines.append(table(views.TABLE, [[column.text(change) for column in views.TABLE] for change in shown]))
    if len(found.changes) > views.SHOWN:
        lines.append(f"... and {len(found.changes) - views.SHOWN} more; all of them: --format json")
    lines += views.staying(found.changes)
    if any(ask.jobs for ask in found.asks):
        lines += ["Allocations:", *views.allocations(found.asks)]
    return [line.translate(CONTROL) for line in lines]


def _remark(found: "Recovery", dry_run: bool) -> str:
    number = found.workflow_id
    if not found.helps:
        return f"Nothing was done: {_why_nothing(found)}"
    jobs = len(found.renewal.jobs) if found.renewal else 0
    asked = sum(ask.count for ask in found.asks)
    if dry_run:
        more = f", and {asked} allocation(s) be asked for" if found.is_for_slurm else ""
        return f"Would be done: {jobs} job(s) of workflow {number} run again{more}"
    if not found.is_for_slurm:
        return f"{jobs} job(s) of workflow {number} are to run again; go on with: torc run {number}"
    return f"{jobs} job(s) of workflow {number} are to run again; submitted {len(found.allocations)} Slurm job(s)"


def _why_nothing(found: "Recovery") -> str:
    if found.changes:
        return "nothing that is known would help; --retry-unknown runs again what failed, as it is"
    if any(ask.jobs for ask in found.asks):
        return "the allocations that are needed wait or run already"
    return "no job has failed or was lost"


def _document(found: "Recovery", dry_run: bool) -> dict[str, Any]:
    return {
        "workflow_id": found.workflow_id,
        "dry_run": dry_run,
        "recovered": found.helps and not dry_run,
        "jobs": [views.as_document(change) for change in found.changes],
        "jobs_run_again": len(found.renewal.jobs) if found.renewal else 0,
        "run_id": found.renewal.run_id if found.renewal else None,
        "allocations": [views.ask_document(ask) for ask in found.asks],
        "slurm_job_ids": [one.scheduler_id for one in found.allocations],
    }
