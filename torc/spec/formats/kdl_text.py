"""KDL text to the mapping that YAML would give. What a node means is read off the Structs of a specification.

Nothing is dropped: a node that does not fit its place is a mistake, and one that has no place an unknown key.
"""

import math
from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import ckdl  # type: ignore[import-untyped]  # it has no stubs
import msgspec
from msgspec import Struct

from torc.spec.decode import entry_of, mapping_in
from torc.spec.document import Specification
from torc.spec.formats.json_text import JsonProblem, parse_json
from torc.spec.formats.yaml_text import LARGEST_INTEGER, MAX_DEPTH, SMALLEST_INTEGER
from torc.spec.problems import Path

OTHER_NAMES = {"depends_on_job": "depends_on", "depends_on_jobs": "depends_on"}
ITEM = "-"
"""The node that is one item of a list, by the convention for JSON written as KDL."""


class Field(NamedTuple):
    """What the nodes of one name become: a list or not, of mappings (``struct``), free mappings, or single values."""

    name: str
    is_list: bool
    is_mapping: bool
    is_scalar: bool
    is_data: bool
    struct: type[Struct] | None


@cache
def fields_of(struct: type[Struct]) -> dict[str, Field]:
    """The fields of ``struct`` by node name, lists by the name of one item too: ``job`` and ``jobs``."""
    fields = {field.name: field_of(field.name, field.type) for field in msgspec.structs.fields(struct)}
    lists = {singular(name): field for name, field in fields.items() if field.is_list}
    others = {other: fields[name] for other, name in OTHER_NAMES.items() if name in fields}
    return lists | others | fields


def field_of(name: str, kind: Any) -> Field:
    """Take the type of a field apart, such as ``str | InlineRequirements | None``."""
    choices = [choice for choice in alternatives(kind) if choice is not type(None)]
    lists = [choice for choice in choices if get_origin(choice) is list]
    struct = mapping_in(kind) or entry_of(kind)
    is_mapping = any(get_origin(choice) is dict for choice in choices)
    is_scalar = not (lists or is_mapping or choices == [struct])
    return Field(name, bool(lists), is_mapping, is_scalar, Any in choices, struct)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or ``kind`` alone."""
    if get_origin(kind) is Annotated:
        return alternatives(get_args(kind)[0])
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def singular(name: str) -> str:
    """What one item of the list ``name`` is called."""
    return name.removesuffix("es") if name.endswith("regexes") else name.removesuffix("s")


class KdlReader:
    """Turns nodes into values, and notes what does not fit."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[Path, str]] = []

    def specification(self, nodes: list[ckdl.Node]) -> dict[str, Any]:
        """The whole document. Without job nodes it has no jobs: KDL cannot write an empty list."""
        return {"jobs": []} | self.entries(Specification, {}, nodes, ())

    def entry(self, struct: type[Struct], node: ckdl.Node, path: Path) -> dict[str, Any]:
        """The mapping that a node stands for. Its argument is the name."""
        properties = node.properties
        if node.args:
            takes_name = "name" in struct.__struct_fields__
            if len(node.args) > takes_name:
                self.refuse_surplus(node.args[takes_name], path)
            if takes_name and "name" in properties:
                self.mistakes.append(((*path, "name"), TWICE))
            elif takes_name:
                properties = {"name": node.args[0], **properties}
        return self.entries(struct, properties, node.children, path)

    def entries(
        self, struct: type[Struct], properties: dict[str, Any], nodes: list[ckdl.Node], path: Path
    ) -> dict[str, Any]:
        """The fields of ``struct``, each given as a property or as a node."""
        fields = fields_of(struct)
        content: dict[str, Any] = {}
        for name, value in properties.items():
            self.put(content, fields.get(name), ckdl.Node(name, [value]), path)
        for node in nodes:
            self.put(content, fields.get(node.name), node, path)
        return content

    def put(self, content: dict[str, Any], field: Field | None, node: ckdl.Node, path: Path) -> None:
        """Add to ``content`` what one node says."""
        name = field.name if field else node.name
        path = (*path, name)
        if not field:
            content.setdefault(name, None)  # the name itself is the mistake
        elif field.is_list:
            items = content.setdefault(name, [])
            if field.struct:
                items.append(self.entry(field.struct, node, (*path, len(items))))
            else:
                items.extend(self.items(node, path))
        elif field.is_mapping:
            self.merge(content.setdefault(name, {}), node, path)
        elif name in content:
            self.mistakes.append((path, TWICE))
        elif field.struct and (node.children or node.properties or not field.is_scalar):
            content[name] = self.entry(field.struct, node, path)
        elif field.is_data:
            content[name] = self.data(node, path)
        else:
            content[name] = self.single(node, path)

    def single(self, node: ckdl.Node, path: Path) -> Any:
        """The one value of a node."""
        if len(node.args) == 1 and not node.properties and not node.children:
            return self.plain(node.args[0], path)
        if len(node.args) > 1:
            self.refuse_surplus(node.args[1], path)
        self.refuse_properties(node, path)
        if node.children:
            self.mistakes.append((path, "takes one value and no block; remove what is in braces"))
        if not node.args:
            self.mistakes.append((path, NO_VALUE))
        return None

    def items(self, node: ckdl.Node, path: Path) -> Iterator[Any]:
        """The values of a node that stands for some items of a list."""
        self.refuse_properties(node, path)
        for value in node.args:
            yield self.plain(value, path)
        for child in node.children:
            if child.name != ITEM:
                self.mistakes.append((path, f'takes a list of values and no node "{child.name}"; remove it'))
            yield self.single(child, path)

    def merge(self, mapping: dict[str, Any], node: ckdl.Node, path: Path) -> None:
        """Add the properties and children of a node, whose names are free, to ``mapping``."""
        if node.args:
            self.refuse_surplus(node.args[0], path)
        for name, value in node.properties.items():
            self.define(mapping, name, self.plain(value, (*path, name)), path)
        for child in node.children:
            self.define(mapping, child.name, self.value(child, (*path, child.name)), path)

    def define(self, mapping: dict[str, Any], name: str, value: Any, path: Path) -> None:
        if name in mapping:
            self.mistakes.append(((*path, name), TWICE))
        mapping[name] = value

    def data(self, node: ckdl.Node, path: Path) -> Any:
        """A JSON value, as JSON text or written with nodes."""
        value = self.value(node, path)
        if len(node.args) != 1 or not isinstance(value, str):
            return value
        try:
            return parse_json(value)
        except JsonProblem as problem:
            place = f" (character {problem.offset + 1} of the text)" if problem.offset is not None else ""
            self.mistakes.append(
                (path, f"{problem.sentence}{place}; a text is read as JSON: a JSON text has quotes of its own")
            )
            return None

    def value(self, node: ckdl.Node, path: Path) -> Any:
        """What a node of any name stands for: a value, a list or a mapping."""
        if len(path) >= MAX_DEPTH:
            self.mistakes.append((path[:3], f"nested more than {MAX_DEPTH} levels deep"))
            return None
        if not (node.args or node.properties or node.children):
            self.mistakes.append((path, NO_VALUE))
            return None
        if node.properties or any(child.name != ITEM for child in node.children):
            mapping: dict[str, Any] = {}
            self.merge(mapping, node, path)
            return mapping
        values = [self.plain(value, path) for value in node.args]
        if len(values) == 1 and not node.children:
            return values[0]
        return values + [self.value(child, (*path, len(values) + i)) for i, child in enumerate(node.children)]

    def plain(self, value: Any, path: Path) -> Any:
        """An argument or the value of a property, without its type annotation."""
        if isinstance(value, str):
            return value
        if isinstance(value, ckdl.Value):
            return self.plain(value.value, path)
        if isinstance(value, float) and not math.isfinite(value):
            what = "#nan" if math.isnan(value) else "a number this large"
            self.mistakes.append((path, f"{what} cannot be stored or sent; write #null or put it in quotes"))
        elif isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            sentence = f"the whole number {value!s:.40} needs more than 64 bits; put it in quotes to keep it as text"
            self.mistakes.append((path, sentence))
        return value

    def refuse_surplus(self, value: Any, path: Path) -> None:
        self.mistakes.append((path, f"the argument {shown(value)} is one too many here; remove it or give it a name"))

    def refuse_properties(self, node: ckdl.Node, path: Path) -> None:
        for name in node.properties:
            self.mistakes.append((path, f'takes no property "{name}"; put quotes around a text with = in it'))


TWICE = "is given twice; remove one of them"
NO_VALUE = "has no value; write one behind it"


def shown(value: Any) -> str:
    """A value as it can stand in a sentence."""
    value = value.value if isinstance(value, ckdl.Value) else value
    return f'"{value}"' if isinstance(value, str) else str(value)
