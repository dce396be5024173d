"""A specification without Slurm becomes one with: schedulers, actions that ask for nodes, and jobs bound to both.

What is planned is the expanded workflow; what is written is the user's own text with as few changes as possible.
"""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torc.errors import InvalidSpec
from torc.hpc.match import Need, best, nearest
from torc.hpc.profile import Partition, Profile
from torc.models.draft import DraftDocument, DraftRequirements
from torc.spec.formats.read import parse_text
from torc.spec.load import load_with_entries
from torc.spec.unfold import unfold
from torc.workflow.sizing import Options, Size, memory_text, need_of, scheduler_of, size_of, words
from torc.workflow.waves import Waves

NAMES_WRITTEN_OUT = 20
"""Up to so many jobs of an entry are named one by one in an action; more by a pattern."""

RESUMES = {"causes": ["time_up"], "max_retries": 10}
"""Of jobs that save their work when time is up: the next allocation goes on with them."""


@dataclass
class Generated:
    """The specification with schedulers, as the tree that a file is read into."""

    tree: dict[str, Any]
    schedulers: int
    actions: int
    warnings: list[str] = field(default_factory=list)


@dataclass
class _Group:
    """Jobs that share a scheduler: of the same stage, on the same partition."""

    name: str
    stage: int
    partition: Partition
    jobs: list[int] = field(default_factory=list)
    needs: list[tuple[DraftRequirements, Need]] = field(default_factory=list)  # of each job


def generate(text: str, source: str, profile: Profile, options: Options, *, user: str) -> Generated:
    """Plan the allocations of a specification. Raises InvalidSpec for what cannot be read, or fits nowhere."""
    tree = parse_text(text, source)
    if isinstance(tree, dict):
        _refuse_what_is_there(tree, source, options.force)
        tree = _without_slurm(tree)
        text = json.dumps(tree)
        source = source if source.endswith((".json", ".json5")) else f"{source} (without schedulers)"
    document, entries = load_with_entries(text, source=source, user=user)
    if not tree.get("resource_requirements") and all(job.resource_requirements is None for job in document.jobs):
        raise InvalidSpec("Workflow has no resource_requirements defined. Cannot generate schedulers.")
    warnings: list[str] = []
    groups = _grouped(document, profile, options, warnings)
    if not groups:
        raise InvalidSpec("No schedulers could be generated. Check resource requirements.")
    names = [job.name for job in document.jobs]
    _bind(tree, groups, entries)
    _resume(tree)
    tree["slurm_schedulers"] = [_scheduler(group, options, warnings) for group in groups]
    actions = [_action(group, tree, names, entries, options) for group in groups] if options.with_actions else []
    if actions:
        tree["actions"] = [*tree.get("actions", ()), *actions]
    return Generated(tree, len(groups), len(actions), warnings)


def _refuse_what_is_there(tree: dict[str, Any], source: str, force: bool) -> None:
    for key, what in (("slurm_schedulers", "schedulers"), ("actions", "actions")):
        if tree.get(key) and not force:
            raise InvalidSpec(
                f"{source}: Workflow already has {key} defined. Use a specification without {what}, or "
                "replace them with --force."
            )


def _without_slurm(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree without schedulers, without actions that ask for nodes, and without jobs bound to either."""
    tree = copy.deepcopy(tree)
    tree.pop("slurm_schedulers", None)
    kept = [one for one in tree.pop("actions", None) or () if one.get("action_type") != "schedule_nodes"]
    if kept:
        tree["actions"] = kept
    for job in tree.get("jobs") or ():
        if isinstance(job, dict):
            job.pop("scheduler", None)
            job.pop("slurm_scheduler", None)
    return tree


def _grouped(document: DraftDocument, profile: Profile, options: Options, warnings: list[str]) -> list[_Group]:
    """The groups, in the order of stages and of the first job of each."""
    waves = Waves(document)
    found: dict[tuple[str, int], _Group] = {}
    places: dict[int, Partition] = {}  # by requirements
    for index, job in enumerate(document.jobs):
        if job.resource_requirements is None:
            warnings.append(f"Job '{job.name}' has no resource_requirements, skipping scheduler generation")
            continue
        has = document.resource_requirements[job.resource_requirements]
        need = need_of(has, buffer_s=document.workflow.compute_node_expiration_buffer_seconds)
        if job.resource_requirements not in places:
            partition = best(profile, need)
            if partition is None:
                raise InvalidSpec(
                    f"Job '{job.name}' fits on no partition of {profile.title}: it needs {words(has)}, and "
                    f"{nearest(profile, need)}."
                )
            places[job.resource_requirements] = partition
        partition, stage = places[job.resource_requirements], waves.stage_of(index)
        by_partition = options.group_by == "partition"
        label = partition.name if by_partition else has.name
        key = (label, stage)
        if key not in found:
            suffix = "scheduler" if stage == 1 else f"stage{stage}_scheduler"
            found[key] = _Group(f"{label}_{suffix}", stage, partition)
        found[key].jobs.append(index)
        found[key].needs.append((has, need))
    return sorted(found.values(), key=lambda group: (group.stage, group.jobs[0]))


def _scheduler(group: _Group, options: Options, warnings: list[str]) -> dict[str, Any]:
    needs = [need for _, need in group.needs]
    made = scheduler_of(group.name, group.partition, needs, options, warnings)
    return made | {"mem": _memory(group, _size(group, options))}


def _size(group: _Group, options: Options) -> Size:
    needs = [need for _, need in group.needs]
    return size_of(group.partition, needs, single_allocation=options.single_allocation)


def _memory(group: _Group, size: Size) -> str:
    """As the requirements word it where that is all; else in MB, or in whole GiB."""
    has, need = group.needs[0]
    if size.memory_mb == need.memory_mb and has.memory[-1:].lower() in "kmg":
        return has.memory
    return memory_text(size.memory_mb)


def _action(
    group: _Group, tree: dict[str, Any], names: Sequence[str], entries: Sequence[int], options: Options
) -> dict[str, Any]:
    size = _size(group, options)
    made: dict[str, Any] = {"trigger_type": "on_workflow_start", "action_type": "schedule_nodes"}
    if group.stage > 1:
        made["trigger_type"] = "on_jobs_ready"
        made["job_name_regexes"] = _patterns(group, tree, names, entries)
    made |= {"scheduler": group.name, "scheduler_type": "slurm", "num_allocations": size.allocations}
    if size.has_workers:
        made["start_one_worker_per_node"] = True
    return made


def _patterns(group: _Group, tree: dict[str, Any], names: Sequence[str], entries: Sequence[int]) -> list[str]:
    """Regular expressions for exactly the jobs of a group."""
    wanted = set(group.jobs)
    of_entry: dict[int, list[int]] = defaultdict(list)
    for index in group.jobs:
        of_entry[entries[index]].append(index)
    patterns: list[str] = []
    for jobs in of_entry.values():
        exact = [f"^{re.escape(names[index])}$" for index in jobs]
        pattern = _common_pattern([names[index] for index in jobs])
        is_exact = all((re.search(pattern, name) is not None) == (at in wanted) for at, name in enumerate(names))
        patterns += [pattern] if len(jobs) > NAMES_WRITTEN_OUT and is_exact else exact
    return patterns


def _common_pattern(names: Iterable[str]) -> str:
    """What the names have in common, with digits and words where they differ: ``^fit_[^_]+_b$``."""
    split = [re.split(r"([^A-Za-z0-9.]+)", name) for name in names]
    if len({len(parts) for parts in split}) > 1:
        return "(?!)"  # matches nothing
    columns = ({*column} for column in zip(*split, strict=True))
    return "^" + "".join(re.escape(*column) if len(column) == 1 else "[A-Za-z0-9.]+" for column in columns) + "$"


def _bind(tree: dict[str, Any], groups: Sequence[_Group], entries: list[int]) -> None:
    """Name the scheduler in each entry. An entry whose jobs are in several groups is written out."""
    of_job = {index: group.name for group in groups for index in group.jobs}
    of_entry: dict[int, list[str | None]] = defaultdict(list)
    for index, entry in enumerate(entries):
        of_entry[entry].append(of_job.get(index))
    jobs: list[dict[str, Any]] = []
    for entry, written in enumerate(tree["jobs"]):
        schedulers = of_entry[entry]
        if len(set(schedulers)) == 1:
            jobs.append(written | ({"scheduler": schedulers[0]} if schedulers[0] else {}))
        else:
            unfolded = zip(unfold(tree, entry), schedulers, strict=True)
            jobs += [job | ({"scheduler": name} if name else {}) for job, name in unfolded]
    tree["jobs"] = jobs


def _resume(tree: dict[str, Any]) -> None:
    """Let jobs that can save their work go on in the next allocation, unless the user has said what is to happen."""
    saving = [job for job in tree["jobs"] if job.get("supports_termination") and "failure_handler" not in job]
    if not saving:
        return
    taken = {handler["name"] for handler in tree.get("failure_handlers") or ()}
    name = next(name for name in ("resume", "resume_in_next_allocation", "torc_resume") if name not in taken)
    tree["failure_handlers"] = [*(tree.get("failure_handlers") or ()), {"name": name, "rules": [dict(RESUMES)]}]
    for job in saving:
        job["failure_handler"] = name
