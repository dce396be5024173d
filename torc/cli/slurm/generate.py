"""``torc slurm generate``, and what `torc submit-slurm` and `torc workflows create-slurm` share with it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc.cli.clusters import account_for, chosen
from torc.cli.command import argument, command, flag
from torc.cli.output import CONTROL, Message
from torc.cli.specification import FILE
from torc.errors import UsageError
from torc.settings import positive_number, user_name
from torc.workflow.read import content_of

if TYPE_CHECKING:
    from torc.hpc.profile import Profile
    from torc.models.checked import Checked
    from torc.workflow.generate import Generated

SITE = (
    argument("--account", metavar="ACCOUNT", help="account for the allocations (default: of the profile)"),
    argument("--hpc-profile", "--profile", metavar="NAME", help="profile of the cluster (default: of this one)"),
    flag("--single-allocation", help="one allocation of many nodes instead of many of one node"),
    argument(
        "--walltime-strategy",
        choices=("partition", "runtime"),
        default="partition",
        help="ask for the longest time of the partition, or for the longest runtime of a job times a factor",
    ),
    argument("--walltime-factor", metavar="F", type=positive_number, default=1.5, help="that factor (default: 1.5)"),
)
"""Which cluster it is, and how allocations there are planned."""

PLANNING = (
    *SITE,
    argument(
        "--group-by",
        choices=("requirements", "partition"),
        default="requirements",
        help="a scheduler for jobs with the same requirements, or for all on a partition (default: requirements)",
    ),
)


def plan(
    file: Path,
    *,
    account: str | None,
    hpc_profile: str | None,
    single_allocation: bool,
    group_by: Any,
    walltime_strategy: Any,
    walltime_factor: float,
    force: bool,
    with_actions: bool = True,
) -> "tuple[Generated, Profile]":
    """The specification in a file with schedulers, and the profile they are for."""
    from torc.workflow.generate import generate
    from torc.workflow.sizing import Options

    profile = chosen(hpc_profile)
    options = Options(
        account=account_for(profile, account),
        single_allocation=single_allocation,
        with_actions=with_actions,
        force=force,
        group_by=group_by,
        walltime=walltime_strategy,
        walltime_factor=walltime_factor,
    )
    text = content_of(file).decode("utf-8-sig", errors="replace")
    return generate(text, str(file), profile, options, user=user_name()), profile


def checked(file: Path, *, user: str | None, skip_checks: bool, **planning: Any) -> "Checked":
    """The document of a specification with schedulers, or its mistakes; what was planned is said."""
    import json

    from torc.spec.load import check

    made, profile = plan(file, **planning)
    print(
        f"Auto-generated {made.schedulers} scheduler(s) and {made.actions} action(s) using {profile.name} profile",
        *(f"  Warning: {line}".translate(CONTROL) for line in made.warnings),
        sep="\n",
        file=sys.stderr,
    )
    source = f"{file} (with schedulers).json"
    found = check(json.dumps(made.tree), source=source, user=user or user_name(), skip_checks=skip_checks)
    if user and found.document is not None:
        found.document.workflow.user = user
    return found


@command(
    "slurm generate",
    FILE,
    *PLANNING,
    argument("-o", "--output", metavar="FILE", type=Path, help="write to this file instead of stdout"),
    flag("--no-actions", help="only schedulers; ask for nodes by hand"),
    flag("--force", help="replace schedulers and actions that are there"),
    needs_server=False,
    examples=(
        "torc slurm generate sweep.yaml --account project7 -o sweep_slurm.yaml",
        "torc slurm generate sweep.yaml --account project7 --walltime-strategy runtime",
    ),
)
def generate(*, file: Path, output: Path | None, no_actions: bool, **planning: Any) -> Message:
    """Add Slurm schedulers to a specification, and actions that ask for nodes."""
    from torc.spec.write import write

    made, profile = plan(file, with_actions=not no_actions, **planning)
    summary = [
        "Summary:",
        f"  Schedulers generated: {made.schedulers}",
        f"  Actions added: {made.actions}",
        f"  Profile used: {profile.title}",
    ]
    if made.warnings:
        summary += ["", "Warnings:", *(f"  - {line}" for line in made.warnings)]
    text = write(made.tree, str(file))
    if output is None:
        print("", *(f"// {line}".rstrip() for line in summary), sep="\n", file=sys.stderr)
        return Message(says=text.rstrip("\n"), data=made.tree)
    try:
        output.write_text(text)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}; name another file with --output.") from error
    return Message(says="\n".join([f"Generated workflow written to: {output}", "", *summary]), data=made.tree)
