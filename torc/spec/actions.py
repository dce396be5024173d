"""The actions of a document: what they watch, and what they start."""

from typing import Any

from torc.models.draft import DraftAction
from torc.spec.document import ActionSpec
from torc.spec.names import Names
from torc.spec.problems import Path, Problems
from torc.spec.references import REFERENCE

JOB_TRIGGERS = ("on_jobs_ready", "on_jobs_complete")
SCHEDULING = ("scheduler", "scheduler_type", "num_allocations", "start_one_worker_per_node", "max_parallel_jobs")
"""What only schedule_nodes has use for."""


def build_actions(specs: list[ActionSpec], jobs: Names, schedulers: Names) -> list[DraftAction]:
    """All actions. Their references become positions."""
    return [build(spec, ("actions", position), jobs, schedulers) for position, spec in enumerate(specs)]


def build(spec: ActionSpec, path: Path, jobs: Names, schedulers: Names) -> DraftAction:
    """One action."""
    problems = jobs.problems
    refuse_wrong_keys(spec, path, problems)
    watched = watched_jobs(spec, path, jobs)
    if watched is None and spec.trigger_type in JOB_TRIGGERS:
        problems.add(path, f"{spec.trigger_type} needs to know which jobs; add jobs or job_name_regexes")
    if watched and spec.trigger_type not in JOB_TRIGGERS:
        problems.warn(path, f"{spec.trigger_type} does not look at jobs; remove jobs and job_name_regexes")
    return DraftAction(
        trigger_type=spec.trigger_type,
        action_type=spec.action_type,
        action_config=config_of(spec),
        jobs=watched,
        scheduler=None if spec.scheduler is None else schedulers.look_up(spec.scheduler, (*path, "scheduler")),
        persistent=spec.persistent,
    )


def refuse_wrong_keys(spec: ActionSpec, path: Path, problems: Problems) -> None:
    """Report what the type of the action needs and does not have, and what it has no use for."""
    if spec.action_type == "run_commands":
        if not spec.commands:
            problems.add(path, "run_commands has nothing to run; add commands: a list of shell commands")
        needless = [field for field in SCHEDULING if getattr(spec, field) is not None]
    else:
        for field, example in (("scheduler", "the name of one of slurm_schedulers"), ("scheduler_type", "slurm")):
            if getattr(spec, field) is None:
                problems.add(path, f'schedule_nodes needs the key "{field}"; add it: {example}')
        needless = ["commands"] if spec.commands is not None else []
    for field in needless:
        problems.add((*path, field), f"{spec.action_type} has no use for {field}; remove it")
    for position, command in enumerate(spec.commands or ()):
        if not command.strip() or "\0" in command:
            problems.add((*path, "commands", position), "the command is empty or holds a NUL character; correct it")
        if reference := REFERENCE.search(command):
            problems.add(
                (*path, "commands", position), f"{reference[0]} means something in jobs alone; write what it stands for"
            )


def watched_jobs(spec: ActionSpec, path: Path, jobs: Names) -> list[int] | None:
    """The positions of the jobs an action names; None when it names none."""
    if spec.jobs is None and spec.job_name_regexes is None:
        return None
    found: set[int] = set()
    for position, name in enumerate(spec.jobs or ()):
        index = jobs.look_up(name, (*path, "jobs", position))
        found.update(() if index is None else (index,))
    for position, pattern in enumerate(spec.job_name_regexes or ()):
        found.update(jobs.match(pattern, (*path, "job_name_regexes", position)))
    if not spec.jobs and not spec.job_name_regexes:
        jobs.problems.add(path, "names no jobs; add some to jobs or job_name_regexes, or remove these keys")
    return sorted(found)


def config_of(spec: ActionSpec) -> dict[str, Any]:
    """What the server keeps as ``action_config``."""
    if spec.action_type == "run_commands":
        return {"commands": spec.commands or []}
    config: dict[str, Any] = {
        "scheduler_type": spec.scheduler_type,
        "num_allocations": spec.num_allocations or 1,
        "start_one_worker_per_node": spec.start_one_worker_per_node is True,
    }
    if spec.max_parallel_jobs is not None:
        config["max_parallel_jobs"] = spec.max_parallel_jobs
    return config
