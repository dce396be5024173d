"""Warnings: what a specification may say, but often does not mean."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from torc.models.draft import DraftDocument, DraftRequirements, DraftScheduler
from torc.spec.document import Specification
from torc.spec.expand import Expansion
from torc.spec.names import Names
from torc.spec.problems import Problems
from torc.units import parse_duration, parse_memory, parse_slurm_memory, parse_walltime

Shapes = Counter[tuple[int | None, int | None]]
"""How many jobs have which requirements and which scheduler, by index."""

TRAITS: dict[str, Callable[[DraftScheduler], object]] = {
    "GPUs (gres)": lambda scheduler: scheduler.gres,
    "memory (mem)": lambda scheduler: memory_of(scheduler.mem),
    "walltime": lambda scheduler: parse_walltime(scheduler.walltime),
    "partition": lambda scheduler: scheduler.partition,
}
"""In what schedulers can differ so that it matters where a job runs."""

GPUS = re.compile(r"(?:gres/)?gpu(?::[^:,()]+)?(?::([0-9]+))?(?:\(.*\))?")
ASKS_FOR_GPUS = re.compile(r"(?:^|\s)(?:-G|--gpu|--gres)")

NAMES_SHOWN = 3


def advise(document: DraftDocument, expansion: Expansion) -> None:
    """Note every warning; and, as mistakes that can be skipped, nodes that nobody would use."""
    problems = expansion.problems
    for names, section in (
        (expansion.files, "files"),
        (expansion.user_data, "user_data"),
        (expansion.requirements.names, "resource_requirements"),
        (expansion.schedulers, "slurm_schedulers"),
        (expansion.failure_handlers, "failure_handlers"),
    ):
        warn_of_unused(names, section, problems)
    warn_of_unused_parameters(expansion.spec, problems)
    if document.slurm_schedulers:
        shapes = Counter((job.resource_requirements, job.scheduler) for job in document.jobs)
        warn_of_unequal_schedulers(document, expansion, shapes)
        warn_of_what_fits_nowhere(document, expansion, shapes)
        refuse_idle_nodes(document, expansion, shapes)


def warn_of_unused(names: Names, section: str, problems: Problems) -> None:
    """Name the records that nothing refers to, entry by entry."""
    unused: dict[int, list[str]] = {}
    for index, path in enumerate(names.paths):
        if index not in names.used and path[0] == section:
            unused.setdefault(int(path[1]), []).append(names.all[index])
    for entry, found in unused.items():
        more = f" and {len(found) - NAMES_SHOWN:,} more" if len(found) > NAMES_SHOWN else ""
        shown = ", ".join(f'"{name}"' for name in found[:NAMES_SHOWN])
        problems.warn((section, entry), f"nothing uses {names.noun} {shown}{more}")


def warn_of_unused_parameters(spec: Specification, problems: Problems) -> None:
    """Name the parameters of the workflow that no entry takes over: only those it lists apply to it."""
    entries = [*spec.jobs, *(spec.files or ()), *(spec.user_data or ())]
    used = {name for entry in entries for name in entry.use_parameters or ()}
    for name in spec.parameters or ():
        if name not in used:
            problems.warn(
                ("parameters", name),
                f'nothing uses the parameter "{name}"; list it under use_parameters where it is meant, or remove it',
            )


def warn_of_unequal_schedulers(document: DraftDocument, expansion: Expansion, shapes: Shapes) -> None:
    """Jobs without a scheduler may land on nodes that are meant for others."""
    schedulers = document.slurm_schedulers
    differences = [words for words, trait in TRAITS.items() if len({trait(one) for one in schedulers}) > 1]
    free = sum(count for (_, scheduler), count in shapes.items() if scheduler is None)
    chosen = expansion.spec.jobs_sort_method or expansion.spec.job_sort_method
    if len(schedulers) > 1 and differences and free and not chosen:
        expansion.problems.warn(
            ("slurm_schedulers",),
            f"the {len(schedulers)} schedulers differ in {', '.join(differences)}, but {free:,} job(s) name no"
            " scheduler and jobs_sort_method is not set. Ready jobs will be handed out by GPUs, then runtime, then"
            " memory (gpus_runtime_memory); if that does not suit them, set jobs_sort_method to gpus_memory_runtime or"
            " none, or name a scheduler in each job",
        )


def warn_of_what_fits_nowhere(document: DraftDocument, expansion: Expansion, shapes: Shapes) -> None:
    """Jobs that no allocation of their schedulers can run."""
    for (needs, bound), count in shapes.items():
        if needs is None:
            continue  # one CPU for a minute fits everywhere
        offered = document.slurm_schedulers if bound is None else [document.slurm_schedulers[bound]]
        reasons = [next(shortages(document.resource_requirements[needs], scheduler), "") for scheduler in offered]
        if all(reasons):
            path = expansion.requirements.names.paths[needs]
            name = expansion.requirements.names.all[needs]
            which = f'the requirements "{name}"' if path[0] == "resource_requirements" else "these requirements"
            lacking = [f'"{scheduler.name}": {why}' for scheduler, why in zip(offered, reasons, strict=True)]
            more = f"; and {len(lacking) - NAMES_SHOWN:,} more" if len(lacking) > NAMES_SHOWN else ""
            expansion.problems.warn(
                path,
                f"{count:,} job(s) with {which} fit into no allocation of {'any' if bound is None else 'their'}"
                f" scheduler ({'; '.join(lacking[:NAMES_SHOWN])}{more})",
            )


def shortages(need: DraftRequirements, scheduler: DraftScheduler) -> Iterator[str]:
    """What an allocation of a scheduler lacks for a job, in words."""
    if need.num_nodes > scheduler.nodes:
        yield f"it needs {need.num_nodes} nodes, an allocation has {scheduler.nodes}"
    walltime = parse_walltime(scheduler.walltime)
    if walltime and parse_duration(need.runtime) > walltime:  # 0 is no limit, as in sbatch(1)
        yield f"its runtime {need.runtime} is longer than the walltime {scheduler.walltime}"
    memory = memory_of(scheduler.mem)
    if memory and parse_memory(need.memory) > memory:
        yield f"it needs {need.memory} of memory, a node has {scheduler.mem}"
    # Other options of sbatch ask for GPUs too.
    if need.num_gpus > gpus_of(scheduler.gres) and not ASKS_FOR_GPUS.search(scheduler.extra or ""):
        yield f"it needs {need.num_gpus} GPU(s), gres gives {scheduler.gres or 'none'}"


def memory_of(mem: str | None) -> int:
    """Bytes on a node; 0 when it has all there is or nothing is said."""
    return parse_slurm_memory(mem) if mem else 0


def gpus_of(gres: str | None) -> int:
    """GPUs on a node according to a text such as ``gpu:h100:4``; other kinds of gres do not count."""
    matches = [GPUS.fullmatch(part.strip()) for part in (gres or "").split(",")]
    return sum(int(match[1] or 1) for match in matches if match)


def refuse_idle_nodes(document: DraftDocument, expansion: Expansion, shapes: Shapes) -> None:
    """A worker that spans nodes runs only jobs that span as many; report allocations where no job does."""
    for position, action in enumerate(document.actions):
        if action.scheduler is None or action.action_config.get("start_one_worker_per_node"):
            continue
        scheduler = document.slurm_schedulers[action.scheduler]
        mine = [needs for needs, bound in shapes if bound == action.scheduler]
        sizes = {1 if needs is None else document.resource_requirements[needs].num_nodes for needs in mine}
        if scheduler.nodes > 1 and mine and scheduler.nodes not in sizes:
            expansion.problems.tolerates(
                ("actions", position),
                f'an allocation of the scheduler "{scheduler.name}" has {scheduler.nodes} nodes, but no job that names'
                f" it needs num_nodes: {scheduler.nodes}; say so in their requirements, or set"
                " start_one_worker_per_node: true to run a worker on each node",
            )
