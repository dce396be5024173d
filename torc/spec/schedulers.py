"""The Slurm schedulers of a document."""

from torc.models.draft import DraftScheduler
from torc.spec.document import SchedulerSpec
from torc.spec.names import Names
from torc.spec.problems import Path, Problems
from torc.units import format_walltime, parse_slurm_memory, parse_walltime

TEXTS = ("account", "partition", "qos", "gres", "mem", "tmp", "extra", "walltime")
DEFAULT_WALLTIME = "01:00:00"


def build_schedulers(specs: list[SchedulerSpec], names: Names) -> list[DraftScheduler]:
    """All schedulers, with names noted in ``names``."""
    schedulers = []
    for position, spec in enumerate(specs):
        path: Path = ("slurm_schedulers", position)
        names.add(spec.name, path)
        refuse_line_breaks(spec, path, names.problems)
        schedulers.append(
            DraftScheduler(
                name=spec.name,
                account=spec.account,
                nodes=names.problems.either(path, spec, "nodes", "num_nodes") or 1,
                walltime=slurm_walltime(spec.walltime or DEFAULT_WALLTIME, path, names.problems),
                partition=spec.partition,
                qos=spec.qos,
                gres=spec.gres,
                mem=checked_memory(spec.mem, path, names.problems),
                tmp=spec.tmp,
                ntasks_per_node=spec.ntasks_per_node,
                extra=spec.extra,
            )
        )
    return schedulers


def refuse_line_breaks(spec: SchedulerSpec, path: Path, problems: Problems) -> None:
    """Each text becomes one line of a batch script; a second line would be a command."""
    for field in TEXTS:
        text = getattr(spec, field)
        if text is not None and not text.isprintable():
            problems.add((*path, field), "holds a line break or control character; sbatch takes none, remove it")
    if not spec.account.strip():
        problems.add((*path, "account"), "the account is empty; write the one your allocation is charged to")


def slurm_walltime(text: str, path: Path, problems: Problems) -> str:
    """A walltime in a form that Slurm reads."""
    try:
        seconds = parse_walltime(text)
    except ValueError as error:
        problems.add(
            (*path, "walltime"), f'"{text}" is no walltime ({error}); write one such as 04:00:00, 2-12:00:00 or 90m'
        )
        return text
    return text.strip() if text.strip()[-1].isdigit() else format_walltime(seconds)


def checked_memory(text: str | None, path: Path, problems: Problems) -> str | None:
    """The memory of a node as Slurm reads it."""
    if text is not None:
        try:
            parse_slurm_memory(text)
        except ValueError as error:
            problems.add(
                (*path, "mem"), f'"{text}" is no amount of memory ({error}); write one such as 180G or 0 for all'
            )
    return text
