"""Where in a text a part of the document stands."""

from typing import Protocol

import yaml

from torc.spec.formats.json5_text import parse_json5
from torc.spec.formats.json_places import JsonPlaces
from torc.spec.formats.json_text import JsonProblem
from torc.spec.formats.kdl_places import KdlPlaces
from torc.spec.formats.kdl_syntax import KdlProblem
from torc.spec.formats.syntax import languages, line_and_column
from torc.spec.formats.yaml_text import SpecLoader
from torc.spec.problems import Path


class Places(Protocol):
    """The places in a text of one language."""

    def find(self, path: Path) -> int | None:
        """The offset of the nearest known place around ``path``."""
        ...


class Locator:
    """Line and column of places in a text that has already been read once without error.

    Positions are looked up only when there is something to report: keeping them for every value would double
    the memory of a large document.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.places = places_in(self.text, source)

    def position(self, path: Path) -> tuple[int, int] | None:
        """Line and column, from 1, of the nearest known place around ``path``; None in unreadable text."""
        offset = self.places.find(path) if self.places else None
        return None if offset is None else line_and_column(self.text, offset)


def places_in(text: str, source: str) -> Places | None:
    """The places in a text, which is in the first language that can read it."""
    for language in languages(text, source):
        try:
            if language == "YAML":
                return YamlPlaces(text)
            if language == "KDL":
                return KdlPlaces(text)
            parse_json5(text)
            return JsonPlaces(text)
        except (yaml.YAMLError, JsonProblem, KdlProblem):
            continue
    return None


class YamlPlaces:
    """The nodes of a YAML text. An empty text has none."""

    def __init__(self, text: str) -> None:
        self.root = yaml.compose(text, Loader=SpecLoader)

    def find(self, path: Path) -> int | None:
        if self.root is None:
            return None
        node, mark = self.root, self.root.start_mark
        for step in path:
            found = child(node, step)
            if found is None:
                break
            node, mark = found
        return int(mark.index)


def child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Mark] | None:
    """The value at ``step``, and where a reader would look for it: the key of a mapping, else the value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark
    return None
