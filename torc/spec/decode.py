"""Plain data becomes a Specification, or a list of every wrong key and type in it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct

from torc.errors import InvalidSpec
from torc.models.export import FORMAT as EXPORT
from torc.spec.document import Parameterized, Specification
from torc.spec.problems import Path, Problems, did_you_mean

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
BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=) (\S+)")
BREAK = re.compile(r" - at `\$(.*)`$")
STEP = re.compile(r"\[(\d+)\]|\.(\w+)")


FOR_EDITORS = "$schema"
"""A key of the whole file by which editors find the JSON Schema."""

STAND_INS: dict[str, dict[str, Any]] = {
    "jobs": {"command": "true"},
    "files": {"path": "path"},
    "user_data": {},
    "resource_requirements": {},
    "slurm_schedulers": {"account": "account"},
    "failure_handlers": {"rules": [{"match_all_exit_codes": True}]},
    "actions": {"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["true"]},
}
"""The least that an entry of each section needs, beside a name."""


def decode(data: Any, problems: Problems) -> Specification:
    """The specification in ``data``, which is changed. Every wrong key and type goes to ``problems``.

    Raises InvalidSpec when they leave nothing that could be checked any further.
    """
    if isinstance(data, dict):
        if data.get("format") == EXPORT:
            raise InvalidSpec(f"{problems.source} is an exported workflow; use `torc workflows import`.")
        if isinstance(data.get(FOR_EDITORS), str):
            del data[FOR_EDITORS]
    if not problems.mistakes.noted:
        with suppress(msgspec.ValidationError):
            return msgspec.convert(data, Specification)
    # msgspec stops at the first mistake; look at each part on its own to report them all.
    inspect(Specification, data, (), problems)
    replace_wrong_entries(data, problems)
    return msgspec.convert(data, Specification)


def replace_wrong_entries(data: Any, problems: Problems) -> None:
    """Put stand-ins where entries have mistakes, so that what refers to them, and all others, can be checked too."""
    paths = list(problems.mistakes.per_place)
    for path in paths:
        if len(path) < 2 or path[0] not in STAND_INS or int(path[1]) >= len(data[path[0]]):
            problems.raise_if_any()  # who knows what else is missing then
    for section, position in {(str(path[0]), int(path[1])) for path in paths}:
        entry = data[section][position]
        given = entry if isinstance(entry, dict) else {}
        wrong = {path[2] for path in paths if path[:2] == (section, position) and len(path) > 2}
        kept = {key: given[key] for key in Parameterized.__struct_fields__ if key in given and key not in wrong}
        name = {} if section == "actions" else {"name": str(given.get("name", f"{section}[{position}]"))}
        data[section][position] = {**STAND_INS[section], **name, **kept}
        problems.close((section, position))


def inspect(kind: type[Struct], data: Any, path: Path, problems: Problems) -> None:
    """Report what is wrong with one mapping and the mappings within it."""
    if not isinstance(data, dict):
        problems.add(path, f"must be a mapping of keys such as {kind.__struct_fields__[0]}, not {described(data)}")
        return
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in [key for key in data if key not in fields]:
        hint = did_you_mean(key, fields) or "; the keys here are " + ", ".join(fields)
        if problems.tolerates((*path, key), f'unknown key "{key}"{hint}'):
            del data[key]
    for name, field in fields.items():
        value = data.get(name)
        if value is None:
            if field.required:
                problems.add(path, f'the key "{name}" is missing; add it')
            continue
        one, many = mapping_in(field.type), entry_of(field.type)
        if many and isinstance(value, list):
            for position, item in enumerate(value):
                inspect(many, item, (*path, name, position), problems)
        elif one and isinstance(value, dict):
            inspect(one, value, (*path, name), problems)
        else:
            inspect_value(field.type, value, (*path, name), problems)


def mapping_in(kind: Any) -> type[Struct] | None:
    """The Struct that a field may hold itself."""
    alternatives = () if get_origin(kind) is list else (kind, *get_args(kind))
    return next((part for part in alternatives if isinstance(part, type) and issubclass(part, Struct)), None)


def entry_of(kind: Any) -> type[Struct] | None:
    """The Struct that a field may hold a list of."""
    lists = [part for part in (kind, *get_args(kind)) if get_origin(part) is list]
    return mapping_in(get_args(lists[0])[0]) if lists else None


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
        choices = list(choices_in(kind))
        return f'"{value}" is not one of {", ".join(choices)}' + did_you_mean(str(value), choices)
    if bound := BOUND.search(text):
        return f"must be at {'least' if bound[1] == '>=' else 'most'} {bound[2]}, not {value}"
    if mismatch := MISMATCH.search(text):
        wanted = mismatch[1].split(" | ")[0]
        cure = CURES.get((wanted, mismatch[2]))
        return f"must be {WORDS.get(wanted, wanted)}, not {described(value)}" + (f"; {cure}" if cure else "")
    return f"cannot be {described(value)} ({BREAK.sub('', text)})"


def choices_in(kind: Any) -> Iterator[str]:
    """The texts that a type admits, where it admits only some."""
    if isinstance(kind, str):
        yield kind
    for part in get_args(kind):
        yield from choices_in(part)


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
