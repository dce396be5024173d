"""Values and keys as they are written in TOML."""

import json
import re
from typing import Any


def as_key(name: str) -> str:
    """A part of a key, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else as_value(name)


def as_value(value: Any) -> str:
    """A value. Texts are written as those of JSON, which need not escape DEL."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
