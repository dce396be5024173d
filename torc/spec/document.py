"""The Structs of a specification as written, before any expansion, and the check of its keys and types."""

import re
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from torc.models.workflow import SortMethod
from torc.spec.locator import Path
from torc.spec.problems import Problems, did_you_mean

Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]
NotNegative = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Later = Annotated[list[Any], Meta(max_length=0)] | None
"""A section this version cannot run; it may be there as long as it is empty."""


class InlineRequirements(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a job needs, written inside the job."""

    num_cpus: Positive | None = None
    num_gpus: NotNegative | None = None
    num_nodes: Positive | None = None
    memory: str | None = None
    runtime: str | None = None


class RequirementsSpec(InlineRequirements, kw_only=True, forbid_unknown_fields=True):
    """What jobs that name it need."""

    name: str


class Parameterized(Struct, kw_only=True, forbid_unknown_fields=True):
    """An entry that may stand for many."""

    parameters: dict[str, Any] | None = None
    parameter_mode: Literal["product", "zip"] | None = None
    use_parameters: list[str] | None = None


class FileSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A file."""

    name: str
    path: str
    st_mtime: float | None = None


class UserDataSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A user data record."""

    name: str
    is_ephemeral: bool | None = None
    data: Any = None


class JobSpec(Parameterized, kw_only=True, forbid_unknown_fields=True):
    """A job."""

    name: str
    command: str
    invocation_script: str | None = None
    cancel_on_blocking_job_failure: bool | None = None
    supports_termination: bool | None = None
    resource_requirements: str | InlineRequirements | None = None
    depends_on: list[str] | None = None
    depends_on_regexes: list[str] | None = None
    input_files: list[str] | None = None
    output_files: list[str] | None = None
    input_user_data: list[str] | None = None
    output_user_data: list[str] | None = None
    input_file_regexes: list[str] | None = None
    output_file_regexes: list[str] | None = None
    input_user_data_regexes: list[str] | None = None
    output_user_data_regexes: list[str] | None = None
    scheduler: None = None
    slurm_scheduler: None = None
    failure_handler: None = None


class MonitorSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """How closely jobs are watched."""

    enabled: bool | None = None
    granularity: Literal["summary", "time_series"] | None = None
    sample_interval_seconds: Positive | None = None
    generate_plots: bool | None = None


class Specification(Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole workflow."""

    name: str
    user: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    compute_node_expiration_buffer_seconds: NotNegative | None = None
    compute_node_wait_for_new_jobs_seconds: NotNegative | None = None
    compute_node_ignore_workflow_completion: bool | None = None
    compute_node_wait_for_healthy_database_minutes: NotNegative | None = None
    jobs_sort_method: SortMethod | None = None
    job_sort_method: SortMethod | None = None
    jobs: list[JobSpec]
    files: list[FileSpec] | None = None
    user_data: list[UserDataSpec] | None = None
    resource_requirements: list[RequirementsSpec] | None = None
    resource_monitor: MonitorSpec | None = None
    slurm_schedulers: Later = None
    actions: Later = None
    failure_handlers: Later = None


SECTIONS: dict[str, type[Struct]] = {
    "jobs": JobSpec,
    "files": FileSpec,
    "user_data": UserDataSpec,
    "resource_requirements": RequirementsSpec,
}

NOT_YET = {
    "slurm_schedulers": "Slurm schedulers",
    "actions": "actions",
    "failure_handlers": "failure handlers",
    "scheduler": "jobs bound to a scheduler",
    "slurm_scheduler": "jobs bound to a scheduler",
    "failure_handler": "failure handlers",
}

WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}

CURES = {
    ("str", "int"): "put it in quotes",
    ("str", "float"): "put it in quotes",
    ("str", "bool"): "put it in quotes",
    ("str", "null"): "write a text",
    ("array", "str"): "write a list, such as [name]",
    ("bool", "str"): "write true or false without quotes",
    ("int", "str"): "write the number without quotes",
}

MISMATCH = re.compile(r"Expected `(.+?)`, got `(\w+)`")
BOUND = re.compile(r"Expected `int` (>=|<=) (\S+)")
BREAK = re.compile(r" - at `\$(.*)`$")
STEP = re.compile(r"\[(\d+)\]|\.(\w+)")


def decode(data: Any, problems: Problems) -> Specification:
    """The specification in ``data``. Raises InvalidSpec with every wrong key and type in it."""
    try:
        return msgspec.convert(data, Specification)
    except msgspec.ValidationError as error:
        # msgspec stops at the first mistake; look at each part on its own to report them all.
        inspect(Specification, data, (), problems)
        problems.raise_if_any()
        raise AssertionError(f"a mistake was seen only at first sight: {error}") from error


def inspect(kind: type[Struct], data: Any, path: Path, problems: Problems) -> None:
    """Report what is wrong with one mapping and the mappings within it."""
    if not isinstance(data, dict):
        problems.add(path, f"must be a mapping of keys such as {kind.__struct_fields__[0]}, not {described(data)}")
        return
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in data:
        if key not in fields:
            problems.add((*path, key), f'unknown key "{key}"' + (did_you_mean(key, fields) or allowed(kind)))
    for name, field in fields.items():
        value = data.get(name)
        if value is None:
            if field.required:
                problems.add(path, f'the key "{name}" is missing; add it')
        elif name in NOT_YET:
            if value != []:
                problems.add((*path, name), f"this version does not run {NOT_YET[name]} yet; remove this key")
        elif kind is Specification and name in SECTIONS and isinstance(value, list):
            for position, item in enumerate(value):
                inspect(SECTIONS[name], item, (*path, name, position), problems)
        elif name == "resource_monitor":
            inspect(MonitorSpec, value, (*path, name), problems)
        elif kind is JobSpec and name == "resource_requirements" and isinstance(value, dict):
            inspect(InlineRequirements, value, (*path, name), problems)
        else:
            inspect_value(field.type, value, (*path, name), problems)


def inspect_value(kind: Any, value: Any, path: Path, problems: Problems) -> None:
    """Report what is wrong with a value that should be a ``kind``."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        if where := BREAK.search(text):
            for index, key in STEP.findall(where[1]):
                step: str | int = int(index) if index else key
                path = (*path, step)
                value = value[step]
        problems.add(path, sentence(kind, value, text))


def sentence(kind: Any, value: Any, text: str) -> str:
    """A msgspec complaint about ``value`` in words for people."""
    if text.startswith("Invalid enum value"):
        choices = [choice for part in get_args(kind) for choice in get_args(part) or (part,) if isinstance(choice, str)]
        return f'"{value}" is not one of {", ".join(choices)}' + did_you_mean(str(value), choices)
    if bound := BOUND.search(text):
        return f"must be at {'least' if bound[1] == '>=' else 'most'} {bound[2]}, not {value}"
    if mismatch := MISMATCH.search(text):
        wanted = mismatch[1].split(" | ")[0]
        cure = CURES.get((wanted, mismatch[2]))
        return f"must be {WORDS.get(wanted, wanted)}, not {described(value)}" + (f"; {cure}" if cure else "")
    return f"cannot be {described(value)} ({BREAK.sub('', text)})"


def described(value: Any) -> str:
    """A value as an error names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value[:60]}"'
    return "a list" if isinstance(value, list) else "a mapping"


def allowed(kind: type[Struct]) -> str:
    """The keys that may stand here, to append to a sentence about one that may not."""
    return "; the keys here are " + ", ".join(name for name in kind.__struct_fields__ if name not in NOT_YET)
