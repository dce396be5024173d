"""Bytes to Structs and back: bodies and answers, strict about types and clear about places."""

import json
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from falcon import Request, Response
from msgspec import Meta

from torc.errors import InvalidRequest, TorcError
from torc.models.nulls import admits_null, without_nulls
from torc.models.record import Page

T = TypeVar("T")

MOST_BODY_BYTES = 256 * 1024 * 1024

Json = Annotated[Any, Meta(description="any JSON")]

NOTHING = (b"", b"null")
"""Bodies that say nothing."""

_encoder = msgspec.json.Encoder()


def answer(resp: Response, value: Any) -> None:
    """Send ``value`` as JSON."""
    resp.data = _encoder.encode(value)


def answer_page(req: Request, resp: Response, page: Page[Any], key: str) -> None:
    """Send one page of a list: the rows under ``items``, and under ``key`` as well, as the users' book shows it.

    Clients that do not need the copy say so with ``Prefer: return=minimal`` (RFC 7240).
    """
    items = msgspec.Raw(_encoder.encode(page.items))
    frame = {name: getattr(page, name) for name in page.__struct_fields__ if name != "items"}
    copy = {} if "return=minimal" in (req.get_header("Prefer") or "") else {key: items}
    resp.data = _encoder.encode({"items": items, **frame, **copy})


def answer_error(resp: Response, error: TorcError) -> None:
    """Send the sentence of ``error`` in the one shape errors have."""
    resp.status = error.http_status
    answer(resp, {"error": {"message": error.message, **error.details}})


def read_body(req: Request, kind: type[T]) -> T:
    """The required JSON body as ``kind``; the Content-Type is not looked at.

    ``null`` for a field that cannot be null reads as left out. Raises InvalidRequest with the JSON path.
    """
    body = _read(req)
    if not body.strip() or (kind is not Json and body.strip() in NOTHING):
        raise InvalidRequest(f"{req.method} {req.path} needs a JSON body" + _fields_of(kind))
    return decode(body, kind)


def read_optional_body(req: Request, kind: type[T]) -> T | None:
    """As read_body, for a body that may be absent, empty or ``null``: then None."""
    body = _read(req)
    return None if body.strip() in NOTHING else decode(body, kind)


def read_object(req: Request, kind: type[T]) -> T | None:
    """As read_optional_body, where existing clients send anything at all: what is no JSON object says nothing."""
    body = _read(req)
    return decode(body, kind) if body.lstrip().startswith(b"{") else None


def read_update(req: Request, model: type[T]) -> tuple[T, frozenset[str]]:
    """A record to be written over a stored one, and the fields the body gives.

    A field that is left out keeps its stored value, ``null`` clears it; where a field cannot be null, ``null`` is the
    same as leaving it out.
    """
    body = _read(req)
    if body.strip() in NOTHING:
        raise InvalidRequest(f"{req.method} {req.path} needs a JSON body" + _fields_of(model))
    record = decode(body, model)
    hints = get_type_hints(model)
    return record, frozenset(
        name
        for name, value in decode(body, dict).items()
        if name in hints and (value is not None or admits_null(hints[name]))
    )


def _fields_of(kind: Any) -> str:
    return "" if kind is Json else f" with the fields of {kind.__name__}"


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
        return msgspec.convert(without_nulls(msgspec.json.decode(body), kind), type=kind)
    except msgspec.DecodeError as error:
        if "trailing characters" not in str(error):
            raise
        # Existing servers stop reading after the first value, so some clients may send more.
        text = body.decode().lstrip()
        _, end = json.JSONDecoder().raw_decode(text)
        return _decode(text[:end].encode(), kind)


def _name(kind: Any) -> str:
    return "JSON text" if kind is Json else str(kind.__name__)
