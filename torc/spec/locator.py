"""Where in a text a part of the document stands."""

import yaml

from torc.spec.yaml_text import SpecLoader

Path = tuple[str | int, ...]
"""Where in the document: ("jobs", 3, "depends_on", 0)."""


class Locator:
    """Line and column of places in a text that has already been read once without error.

    Positions are looked up only when there is something to report: keeping them for every value would double
    the memory of a large document. JSON is read as YAML here, of which it is nearly a subset.
    """

    def __init__(self, text: str) -> None:
        try:
            self.root: yaml.Node | None = yaml.compose(text, Loader=SpecLoader)
        except yaml.YAMLError:
            self.root = None

    def position(self, path: Path) -> tuple[int, int] | None:
        """Line and column, from 1, of the nearest known place around ``path``; None in unreadable text."""
        if self.root is None:
            return None
        node, mark = self.root, self.root.start_mark
        for step in path:
            found = child(node, step)
            if found is None:
                break
            node, mark = found
        return mark.line + 1, mark.column + 1


def child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Mark] | None:
    """The value at ``step``, and where a reader would look for it: the key of a mapping, else the value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark
    return None
