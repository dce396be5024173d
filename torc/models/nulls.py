"""``null`` on the wire: for a field that may be None it is a value, for any other it is the same as leaving it out."""

import types
from typing import Any, Union, get_args, get_origin

import msgspec


def admits_null(kind: Any) -> bool:
    """Whether ``null`` is a value of this type."""
    return kind is Any or types.NoneType in get_args(kind)


def without_nulls(value: Any, kind: Any) -> Any:
    """``value`` with the fields that are null left out where ``kind`` has a Struct; free JSON is kept as it is."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not types.NoneType)
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        types_of = {field.name: field.type for field in msgspec.structs.fields(kind)}
        return {
            name: without_nulls(item, types_of.get(name, Any))
            for name, item in value.items()
            if item is not None or types_of.get(name) is Any
        }
    if isinstance(value, list) and get_origin(kind) is list:
        return [without_nulls(item, get_args(kind)[0]) for item in value]
    return value
