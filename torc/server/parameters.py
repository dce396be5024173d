"""Text in a path or a query string becomes typed values, strictly; what nobody asked for is refused."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from falcon import Request
from msgspec import inspect

from torc.errors import InvalidRequest
from torc.models.record import Record

R = TypeVar("R", bound=Record)

ID_LIMIT = 2**63  # ids and counts are SQLite integers
SHOWN = 40
"""So much of a bad value is repeated to its sender."""


def read_query(req: Request, model: type[R]) -> R:
    """The query string as ``model``. A misspelt filter would list everything, so unknown parameters are refused."""
    given, kinds = req.params, query_kinds(model)
    values = {name: _read_all(name, given[name], kind) for name, kind in kinds.items() if name in given}
    refuse_unknown(req, kinds)
    for name in _required(model):
        if name not in values:
            raise InvalidRequest(f"Missing required query parameter {name}")
    return model(**values)


def refuse_unknown(req: Request, known: Mapping[str, object]) -> None:
    """Raise InvalidRequest for a query parameter the endpoint does not have."""
    for name in req.params:
        if name not in known:
            names = ", ".join(known) or "none"
            raise InvalidRequest(f"unknown query parameter '{name[:SHOWN]}'; {req.path} takes: {names}")


@cache
def query_kinds(model: type[Record]) -> dict[str, inspect.Type]:
    """The parameters of a query, each with its type."""
    return {field.encode_name: _without_none(field.type) for field in _fields(model)}


@cache
def _required(model: type[Record]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in _fields(model) if field.required)


def _fields(model: type[Record]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(model)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _without_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        (kind,) = (part for part in kind.types if not isinstance(part, inspect.NoneType))
    return kind


def _read_all(name: str, given: str | list[str], kind: inspect.Type) -> Any:
    texts = given if isinstance(given, list) else [given]
    if isinstance(kind, inspect.ListType):
        return [read_value(name, text, kind.item_type) for text in texts]
    return read_value(name, texts[0], kind)  # repeated: the first wins


def read_value(name: str, text: str, kind: inspect.Type) -> Any:
    """``text`` as a value of ``kind``, or InvalidRequest."""
    match kind:
        case inspect.IntType(ge=least, le=most):
            return _in_range(name, _integer(name, text), least, most)
        case inspect.BoolType():
            if text not in ("true", "false"):
                raise InvalidRequest(f"{name} must be true or false, got '{text[:SHOWN]}'")
            return text == "true"
        case inspect.EnumType(cls=enum):
            return enum(_choice(name, text, [member.value for member in enum]))
        case inspect.LiteralType(values=values):
            return _choice(name, text, values)
        case _:
            return text


def _integer(name: str, text: str) -> int:
    """Optional sign and digits, 64 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    # int() would also take blanks, underscores and the digits of other scripts
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and -ID_LIMIT <= int(text) < ID_LIMIT:
        return int(text)
    raise InvalidRequest(f"{name} must be an integer of at most 64 bits, got '{text[:SHOWN]}'")


def _in_range(name: str, value: int, least: int | None, most: int | None) -> int:
    if (least is None or value >= least) and (most is None or value <= most):
        return value
    if most is None:
        raise InvalidRequest(f"{name} must be at least {least}, got {value}")
    raise InvalidRequest(f"{name} must be between {least} and {most}, got {value}")


def _choice(name: str, text: str, choices: Sequence[Any]) -> str:
    if text not in choices:
        raise InvalidRequest(f"{name} must be one of {', '.join(map(str, choices))}; got '{text[:SHOWN]}'")
    return text


@cache
def kind_of(annotation: Any) -> inspect.Type:
    """The type in a signature, for read_value."""
    return _without_none(msgspec.inspect.type_info(annotation))
