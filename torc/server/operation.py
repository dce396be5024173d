"""One operation of the API: what it is called, where it is, what it takes and what it answers.

The signature of the function behind it is the declaration. Requests are read by it, and the OpenAPI document is
written from it, so the two cannot differ.
"""

import re
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from falcon import Request, Response

from torc.models.record import Page, Record
from torc.server.codec import answer, answer_page, read_body, read_optional_body, read_update
from torc.server.parameters import kind_of, read_query, read_value, refuse_unknown


@dataclass(frozen=True)
class Operation:
    """One method on one path.

    ``call`` takes the parameters of the path by name and, if it wants them, ``query`` (a Struct), ``body`` (a Struct,
    or None where it may be absent), ``given`` (the fields an update names), ``req`` and ``resp``. Operations without a
    ``body`` ignore what is sent as one, as existing clients expect. An answer of None was sent by ``call`` itself.
    """

    name: str  # operationId, and the method of the Python client
    method: str
    path: str  # below the base path, parameters in braces
    call: Callable[..., Any]
    summary: str
    parameters: dict[str, Any]  # of the path, with their types
    query: type[Record] | None
    body: Any  # the type; None without one
    body_is_required: bool
    read: Callable[[Request, Any], Any]  # how a body that is no update is read
    takes: frozenset[str]
    answer: Any
    media: str  # of the answer

    @property
    def key(self) -> str:
        """The name a list has beside ``items``."""
        return self.path.rpartition("/")[2]

    def respond(self, req: Request, resp: Response, **path: str) -> None:
        """Falcon's responder: parse, call, answer."""
        arguments: dict[str, Any] = {
            name: read_value(name, path[name], kind_of(kind)) for name, kind in self.parameters.items()
        }
        if self.query is not None:
            arguments["query"] = read_query(req, self.query)
        else:
            refuse_unknown(req, {})
        if "given" in self.takes:
            arguments["body"], arguments["given"] = read_update(req, self.body)
        elif self.body is not None:
            arguments["body"] = self.read(req, self.body)
        if "req" in self.takes:
            arguments["req"] = req
        if "resp" in self.takes:
            arguments["resp"] = resp
        value = self.call(**arguments)
        if isinstance(value, Page):
            answer_page(req, resp, value, self.key)
        elif value is not None:
            answer(resp, value)


def operation(name: str, method: str, path: str, call: Callable[..., Any], **known: Any) -> Operation:
    """Declare an operation from the signature and the docstring of ``call``.

    ``known`` gives the types (``query``, ``body``, ``answer``) where the function serves many resources and its
    signature leaves them open, ``media`` what is not JSON, and ``read`` the reader of a body with rules of its own.
    """
    hints = get_type_hints(call, include_extras=True)
    hints |= {role: kind for role, kind in known.items() if hints.get(role, Any) is Any}
    body, body_is_required = _body(hints.get("body"))
    return Operation(
        name=name,
        method=method,
        path=path,
        call=call,
        summary=known.get("summary") or (call.__doc__ or "").strip().partition("\n")[0],
        parameters={part: hints[part] for part in re.findall(r"{(\w+)}", path)},
        query=hints.get("query"),
        body=body,
        body_is_required=body_is_required,
        read=known.get("read", read_body if body_is_required else read_optional_body),
        takes=frozenset(hints),
        answer=known.get("answer", hints.get("return")),
        media=known.get("media", "application/json"),
    )


def _body(kind: Any) -> tuple[Any, bool]:
    """The type of a body, and whether it must be there."""
    if get_origin(kind) in (Union, types.UnionType) and types.NoneType in get_args(kind):
        (kind,) = (part for part in get_args(kind) if part is not types.NoneType)
        return kind, False
    return kind, kind is not None


class Endpoint:
    """Everything that can be done on one path, as Falcon wants it."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        for found in operations:
            setattr(self, f"on_{found.method.lower()}", found.respond)
