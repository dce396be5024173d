"""Bytes to Structs and back: bodies, path ids and query values, strict about types and clear about places."""

import json
import types
from enum import StrEnum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from falcon import Request, Response
from falcon.routing import BaseConverter

from torc.errors import InvalidRequest, TorcError
from torc.models.record import Record
from torc.store.table import MAX_LIMIT, Paging

T = TypeVar("T")
R = TypeVar("R", bound=Record)

MOST_BODY_BYTES = 256 * 1024 * 1024

NOTHING = (b"", b"null")
"""Bodies that say nothing."""

ID_LIMIT = 2**63  # ids and counts are SQLite integers

_encoder = msgspec.json.Encoder()


def answer(resp: Response, value: Any) -> None:
    """Send ``value`` as JSON."""
    resp.data = _encoder.encode(value)


def answer_error(resp: Response, error: TorcError) -> None:
    """Send the sentence of ``error`` in the one shape errors have."""
    resp.status = error.http_status
    answer(resp, {"error": {"message": error.message, **error.details}})


def read_body(req: Request, model: type[R]) -> R:
    """The required JSON body as ``model``; the Content-Type is not looked at.

    ``null`` for a field that cannot be null reads as left out. Raises InvalidRequest with the JSON path.
    """
    body = _read(req)
    if body.strip() in NOTHING:
        raise InvalidRequest(f"{req.method} {req.path} needs a JSON body with the fields of {model.__name__}")
    return decode(body, model)


def read_optional_body(req: Request, model: type[R]) -> R:
    """As read_body, for a body that may be absent, empty or ``null``: then ``model`` without arguments."""
    body = _read(req)
    return model() if body.strip() in NOTHING else decode(body, model)


def read_json(req: Request) -> Any:
    """A required body that may be any JSON."""
    body = _read(req)
    if not body.strip():
        raise InvalidRequest(f"{req.method} {req.path} needs a JSON body")
    return decode(body, Any)


def _read(req: Request) -> bytes:
    try:
        body: bytes = req.stream.read(MOST_BODY_BYTES + 1)  # ends with the request, also with one sent in chunks
    except OSError as error:
        raise InvalidRequest(f"the request body did not arrive: {error.strerror}") from error
    if len(body) > MOST_BODY_BYTES:
        raise InvalidRequest(f"the request body has more than {MOST_BODY_BYTES} bytes; send it in parts")
    return body


def decode(body: bytes, kind: type[T]) -> T:
    """JSON text as ``kind``, or InvalidRequest naming the place."""
    try:
        return _decode(body, kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidRequest(f"the request body is not a valid {_name(kind)}: {error}") from error
    except RecursionError as error:
        raise InvalidRequest("the request body is nested too deeply") from error


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        if "got `null`" not in str(error):
            raise
        return msgspec.convert(_without_nulls(msgspec.json.decode(body), kind), type=kind)
    except msgspec.DecodeError as error:
        if "trailing characters" not in str(error):
            raise
        # Existing servers stop reading after the first value, so some clients may send more.
        text = body.decode().lstrip()
        _, end = json.JSONDecoder().raw_decode(text)
        return _decode(text[:end].encode(), kind)


def _name(kind: Any) -> str:
    return "JSON text" if kind is Any else str(kind.__name__)


def _without_nulls(value: Any, kind: Any) -> Any:
    """``value`` with the fields that are null left out where ``kind`` has a Struct; free JSON is kept as it is."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not types.NoneType)
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        return {
            key: _without_nulls(item, hints.get(key, Any))
            for key, item in value.items()
            if item is not None or hints.get(key) is Any
        }
    if isinstance(value, list) and get_origin(kind) is list:
        return [_without_nulls(item, get_args(kind)[0]) for item in value]
    return value


def to_int(text: str, name: str) -> int:
    """Optional sign and digits, 64 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    # int() would also take blanks, underscores and the digits of other scripts
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and -ID_LIMIT <= int(text) < ID_LIMIT:
        return int(text)
    raise InvalidRequest(f"{name} must be an integer of at most 64 bits, got '{text[:40]}'")


def to_bool(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} must be true or false, got '{text[:40]}'")
    return text == "true"


def to_choice(text: str, name: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise InvalidRequest(f"{name} must be one of {', '.join(choices)}; got '{text[:40]}'")
    return text


class IdConverter(BaseConverter):
    """``{workflow_id:id}`` in a route: an integer, or a 400 that says so instead of a 404."""

    def convert(self, value: str) -> int:
        return to_int(value, "an id in the path")


class Query:
    """The query string of one request. Every parameter the endpoint knows is asked for, then the rest is refused."""

    def __init__(self, req: Request) -> None:
        self._req = req
        self._known: list[str] = []

    def text(self, name: str) -> str | None:
        """The first value of a parameter; None when it is absent."""
        values = self.texts(name)
        return values[0] if values else None

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        self._known.append(name)
        values = self._req.params.get(name, [])
        return values if isinstance(values, list) else [values]

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        return None if text is None else to_int(text, name)

    def boolean(self, name: str, default: bool | None = None) -> bool | None:
        text = self.text(name)
        return default if text is None else to_bool(text, name)

    def flag(self, name: str) -> bool:
        """A boolean that is false when absent."""
        return bool(self.boolean(name))

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        text = self.text(name)
        return None if text is None else to_choice(text, name, choices)

    def value(self, name: str, kind: Any) -> Any:
        """A value of the type a Struct field has: what a list can be filtered by."""
        if get_origin(kind) in (Union, types.UnionType):
            (kind,) = (part for part in get_args(kind) if part is not types.NoneType)
        if kind is bool:
            return self.boolean(name)
        if kind is int:
            return self.integer(name)
        if get_origin(kind) is Literal:
            return self.choice(name, get_args(kind))
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return self.choice(name, tuple(kind))
        return self.text(name)

    def workflow_id(self) -> int:
        """The parameter every list needs."""
        workflow_id = self.integer("workflow_id")
        if workflow_id is None:
            raise InvalidRequest("Missing required query parameter workflow_id")
        return workflow_id

    def paging(self) -> Paging:
        """Limit, offset and order of a list."""
        offset, limit = self.integer("offset"), self.integer("limit")
        if limit is not None and not 0 <= limit <= MAX_LIMIT:
            raise InvalidRequest(f"limit must be between 0 and {MAX_LIMIT}, got {limit}; read on with offset")
        if offset is not None and offset < 0:
            raise InvalidRequest(f"offset must not be negative, got {offset}")
        return Paging(
            offset=offset or 0,
            limit=MAX_LIMIT if limit is None else limit,
            sort_by=self.text("sort_by") or None,  # existing clients send an empty one
            reverse_sort=self.flag("reverse_sort"),
        )

    def done(self) -> None:
        """Refuse parameters nobody asked for: a misspelt filter would list everything."""
        unknown = [name for name in self._req.params if name not in self._known]
        if unknown:
            known = ", ".join(self._known) or "none"
            raise InvalidRequest(f"unknown query parameter '{unknown[0][:40]}'; {self._req.path} takes: {known}")
