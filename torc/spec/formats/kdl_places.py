"""Where the parts of a specification stand in KDL. Looked up only when there is something to report."""

from typing import NamedTuple

import ckdl  # type: ignore[import-untyped]  # it has no stubs
from msgspec import Struct

from torc.spec.document import Specification
from torc.spec.formats.kdl_scan import Scan
from torc.spec.formats.kdl_syntax import parse_nodes
from torc.spec.formats.kdl_text import fields_of
from torc.spec.problems import Path


class Step(NamedTuple):
    """Which child holds the value at a path, the rest of the path in it, and what the child stands for."""

    child: int
    rest: Path
    struct: type[Struct] | None


class KdlPlaces:
    """The nodes of a readable text with their places."""

    def __init__(self, text: str) -> None:
        nodes, version = parse_nodes(text)
        self.document = ckdl.Node("", [], nodes)
        self.root = Scan(text, version).root

    def find(self, path: Path) -> int:
        """Where the innermost known node begins that holds the value at ``path``."""
        node, place = self.document, self.root
        struct: type[Struct] | None = Specification
        while path and len(place.children) == len(node.children):
            step = step_in_entry(node, struct, path) if struct is not None else step_in_value(node, path)
            if step is None:
                break
            node, place = node.children[step.child], place.children[step.child]
            _, path, struct = step
        return place.offset


def step_in_entry(node: ckdl.Node, struct: type[Struct], path: Path) -> Step | None:
    """The next step towards ``path`` from a node that stands for a ``struct``."""
    fields = fields_of(struct)
    names = {name: field.name for name, field in fields.items()}
    field, rest = fields.get(str(path[0])), path[1:]
    places = [index for index, child in enumerate(node.children) if names.get(child.name, child.name) == path[0]]
    if not places:
        return None
    if field is None or not field.is_list or not rest:
        return Step(places[-1], rest, field.struct if field and not field.is_list else None)
    before = sum(names.get(name) == field.name for name in node.properties)
    for index in places:
        child = node.children[index]
        before += 1 if field.struct else len(child.args) + len(child.children)
        if before > int(rest[0]):
            return Step(index, rest[1:], field.struct)
    return None


def step_in_value(node: ckdl.Node, path: Path) -> Step | None:
    """The next step towards ``path`` from a node whose children have names of their own, or are list items."""
    places = [index for index, child in enumerate(node.children) if child.name == path[0]]
    if isinstance(path[0], int) and 0 <= path[0] - len(node.args) < len(node.children):
        places = [path[0] - len(node.args)]
    return Step(places[-1], path[1:], None) if places else None
