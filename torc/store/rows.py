"""Rows become Structs at the door, and Structs become rows."""

import sqlite3
import types
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from torc.models.record import Record

R = TypeVar("R", bound=Record)

_scalars = (int, float, str, bool)


def json_ids(ids: Iterable[int]) -> str:
    """Ids as one bound value, for ``IN (SELECT value FROM json_each(?))``: any number of them, one statement."""
    return f"[{','.join(map(str, ids))}]"


@cache
def columns(model: type[Record], skip: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The fields of ``model`` that are columns of its table; ``skip`` are the ones that are not."""
    return tuple(name for name in model.__struct_fields__ if name not in skip)


@cache
def _readers(model: type[Record]) -> dict[str, Callable[[Any], Any]]:
    """How a stored value becomes a field, where that is more than taking it as it is."""
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in msgspec.structs.fields(model):
        kind = _plain_type(field.type)
        if kind is bool:
            readers[field.name] = bool
        elif kind not in _scalars and not (isinstance(kind, type) and issubclass(kind, str)) and not _is_literal(kind):
            readers[field.name] = _raw
    return readers


def _plain_type(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not types.NoneType)
    return kind


def _is_literal(kind: Any) -> bool:
    return str(get_origin(kind)) == "typing.Literal"


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())  # goes out as it was stored, without being parsed


def to_record(model: type[R], names: Sequence[str], row: Sequence[Any]) -> R:
    """One row, whose columns are ``names``, as a Struct. JSON columns become msgspec.Raw."""
    readers = _readers(model)
    return model(
        **{
            name: readers[name](value) if name in readers else value
            for name, value in zip(names, row, strict=True)
            if value is not None
        }
    )


def to_row(record: Record, names: Sequence[str]) -> list[Any]:
    """The values of the columns ``names``; a field that may hold any JSON is stored as JSON text, strings too."""
    readers = _readers(type(record))
    values = [(name, getattr(record, name)) for name in names]
    return [to_json(value) if value is not None and readers.get(name) is _raw else value for name, value in values]


def to_json(value: Any) -> str:
    """JSON text as it is stored."""
    return msgspec.json.encode(value).decode()


def exists(db: sqlite3.Connection, sql: str, arguments: Sequence[Any]) -> bool:
    """Whether the SELECT in ``sql`` has a row."""
    return bool(db.execute(f"SELECT EXISTS ({sql})", arguments).fetchone()[0])
