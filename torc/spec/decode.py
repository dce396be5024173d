"""Plain data becomes a Specification, or a list of every wrong key and type in it."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct

from torc.spec.document import Specification
from torc.spec.locator import Path
from torc.spec.problems import Problems, did_you_mean

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


def decode(data: Any, problems: Problems) -> Specification:
    """The specification in ``data``. Raises InvalidSpec with every wrong key and type in it.

    Where ``problems`` tolerates unknown keys, they are removed from ``data``.
    """
    try:
        return msgspec.convert(data, Specification)
    except msgspec.ValidationError:
        # msgspec stops at the first mistake; look at each part on its own to report them all.
        inspect(Specification, data, (), problems)
        problems.raise_if_any()
        return msgspec.convert(data, Specification)


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
    """The Struct that a field may hold."""
    return next((part for part in (kind, *get_args(kind)) if isinstance(part, type) and issubclass(part, Struct)), None)


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
