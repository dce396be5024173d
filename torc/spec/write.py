"""A specification back to text: the tree that a file was read into, in the format of that file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torc.spec.formats.kdl_text import ITEM, singular

SAME_FOR_ONE = {"resource_requirements"}
"""Nodes that other readers of such files know in the plural only."""


def write(tree: Mapping[str, Any], source: str) -> str:
    """The text: KDL or JSON for a ``source`` with such an extension, else YAML. Comments are gone."""
    suffix = Path(source).suffix.lower()
    if suffix in (".json", ".json5"):
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_kdl(tree)) + "\n" if suffix == ".kdl" else _yaml(tree)


def _yaml(tree: Mapping[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts of several lines as blocks, lists indented below their key; no anchors for what is there twice."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(dict(tree), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def _kdl(tree: Mapping[str, Any], margin: str = "") -> Iterator[str]:
    """A node for each value; one for each entry of a list of entries, with its name as argument."""
    for key, value in tree.items():
        if value is None:
            continue
        if key == "data":
            yield f"{margin}data {_scalar(json.dumps(value, ensure_ascii=False))}"
        elif isinstance(value, dict):
            yield from _block(_word(key), value, margin)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for item in value:
                rest = {name: inner for name, inner in item.items() if name != "name"}
                node = key if key in SAME_FOR_ONE else singular(key)
                head = f"{node} {_scalar(item['name'])}" if "name" in item else node
                yield from _block(head, rest, margin)
        elif isinstance(value, list) and any(isinstance(item, list) for item in value):
            yield from _block(_word(key), {ITEM: value}, margin)
        else:
            items = value if isinstance(value, list) else [value]
            yield f"{margin}{_word(key)} {' '.join(map(_scalar, items))}".rstrip()


def _block(head: str, tree: Mapping[str, Any], margin: str) -> Iterator[str]:
    yield f"{margin}{head} {{"
    yield from _kdl(tree, f"{margin}    ")
    yield f"{margin}}}"


def _word(text: str) -> str:
    return text if text.isidentifier() else _scalar(text)


def _scalar(value: Any) -> str:
    """A value of KDL 2; JSON's escapes are KDL's, but for the slash, which json does not escape."""
    if value is None or isinstance(value, bool):
        return {None: "#null", True: "#true", False: "#false"}[value]
    return json.dumps(value, ensure_ascii=False)
