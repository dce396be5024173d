"""The JSON Schema of a specification, from which editors complete, explain and check what is typed.

It refuses what ``torc.spec.decode`` refuses: unknown keys, missing keys, types, ranges, words. What needs the whole
document, such as a name that nothing has, is left to ``torc workflows create --dry-run``.
"""

from typing import Any

import msgspec
from msgspec import Struct

from torc.spec import document
from torc.spec.decode import FOR_EDITORS
from torc.spec.descriptions import description

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Torc workflow specification"


def json_schema() -> dict[str, Any]:
    """The schema of a whole specification."""
    _, mappings = msgspec.json.schema_components([document.Specification], ref_template="#/$defs/{name}")
    described = {name: describe(getattr(document, name), mapping) for name, mapping in mappings.items()}
    whole = described.pop(document.Specification.__name__)
    whole["properties"][FOR_EDITORS] = {"description": "Where editors find this schema.", "type": "string"}
    return {"$schema": DIALECT, "title": TITLE, **whole, "$defs": described}


def describe(kind: type[Struct], mapping: dict[str, Any]) -> dict[str, Any]:
    """The schema of one mapping, with what its keys mean."""
    keys = {
        key: {"description": description(kind, key), **simplified(value)}
        for key, value in mapping["properties"].items()
    }
    described = {**mapping, "properties": keys}
    del described["title"]  # the name of the Struct
    return described


def simplified(value: dict[str, Any]) -> dict[str, Any]:
    """A key that may be null without a choice of schemas, since editors word a choice badly and offer its null."""
    choices = value.get("anyOf", [])
    rest = [choice for choice in choices if choice != {"type": "null"}]
    if len(rest) != 1 or "$ref" in rest[0]:
        return {key: part for key, part in value.items() if key != "default"}
    if "enum" in rest[0]:
        return {"enum": [*rest[0]["enum"], None]}
    return {**rest[0], "type": [rest[0]["type"], "null"]}
