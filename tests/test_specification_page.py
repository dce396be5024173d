"""docs/specification.md: its workflows load, its formats say the same, its tables are those of the schema."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.test_docs import Block, blocks
from torc.spec import load_document
from torc.spec.schema import json_schema
from torc.spec.values import parse_values, plain_text

PAGE = Path(__file__).parents[1] / "docs" / "specification.md"
FORMATS = ("yaml", "json", "json5", "kdl")
REFUSED = ("circle.yaml", "wrong.yaml")  # shown with what is said about them
SPECIFICATIONS = [block for block in blocks(PAGE) if block.language in FORMATS and block.about not in REFUSED]
RANGES = re.findall(r"^\| `\"([^`]+)\"` \| ((?:[\d.]+, )+[\d.]+): ", PAGE.read_text(), re.MULTILINE)
KEYS = re.compile(r"(?<=<!-- keys -->\n).*(?=<!-- end of keys -->)", re.DOTALL)
REWRITE = "TORC_REWRITE_GOLDEN"

WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "mapping",
}


@pytest.mark.parametrize("block", SPECIFICATIONS, ids=lambda block: block.about)
def test_a_workflow_of_the_page_loads(block: Block) -> None:
    assert load_document(block.text, source=block.about, user="ada").jobs


def test_the_formats_side_by_side_say_the_same() -> None:
    side_by_side = {block.language: block for block in SPECIFICATIONS if Path(block.about).stem == "largest"}
    loaded = [load_document(block.text, source=block.about, user="ada") for block in side_by_side.values()]
    assert set(side_by_side) == set(FORMATS)
    assert [msgspec.to_builtins(document) for document in loaded] == 4 * [msgspec.to_builtins(loaded[0])]


@pytest.mark.parametrize(("form", "values"), RANGES)
def test_a_parameter_has_the_values_that_the_page_says(form: str, values: str) -> None:
    assert [plain_text(value) for value in parse_values(form)] == values.split(", ")


def test_every_heading_that_the_page_links_to_is_there() -> None:
    text = PAGE.read_text()
    headings = {
        re.sub(r"[^\w -]", "", found).lower().replace(" ", "-") for found in re.findall(r"^#+ (.+)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - headings == set()


def test_the_tables_of_keys_are_those_of_the_schema() -> None:
    """``TORC_REWRITE_GOLDEN=1`` writes them anew."""
    text = PAGE.read_text()
    tables = "\n".join(table(*mapping) for mapping in mappings())
    if os.environ.get(REWRITE):
        PAGE.write_text(KEYS.sub(lambda _: tables, text))
    found = KEYS.search(PAGE.read_text())
    assert found and found[0] == tables


def mappings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a specification under the place where it stands, such as ``failure_handlers[].rules[]``."""
    schema = json_schema()
    waiting = [("", schema)]
    for place, mapping in waiting:  # grows while it is walked
        yield place, mapping
        for key, value in mapping["properties"].items():
            here = f"{place}.{key}".removeprefix(".")
            for name, part in [(f"{here}[]", value.get("items", {})), *((here, one) for one in value.get("anyOf", []))]:
                if "$ref" in part:
                    waiting.append((name, schema["$defs"][part["$ref"].rpartition("/")[2]]))


def table(place: str, mapping: dict[str, Any]) -> str:
    """The keys of one mapping, in Markdown."""
    rows = [
        f"| `{key}`{', required' * (key in mapping['required'])} | {kind(value)} | {value['description']} |"
        for key, value in sorted(mapping["properties"].items(), key=lambda item: item[0] not in mapping["required"])
    ]
    heading = f"`{place}`" if place else "The whole file"
    return "\n".join([f"### {heading}\n", "| key | value | meaning |", "|---|---|---|", *rows, ""])


def kind(value: dict[str, Any]) -> str:
    """What may stand behind a key."""
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"] if word)
    if "anyOf" in value:
        return " or ".join(kind(part) for part in value["anyOf"] if part != {"type": "null"})
    types = value.get("type", "object" if "$ref" in value else "any")
    first = types if isinstance(types, str) else types[0]
    if first == "array":
        parts = kind(value["items"]).split(" or ")
        return "list of " + " or ".join(f"{part}s" if part in WORDS.values() else part for part in parts)
    least = f" from {value['minimum']}" if value.get("minimum") else ""
    return WORDS.get(first, "anything") + least
