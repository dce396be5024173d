"""The base of every Struct that travels, and how their fields are declared."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

NotNegative = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A record on the wire. A field that is None is left out; ``null`` reads as left out."""


def always(value: Any) -> Any:
    """Declare a field with a default that is written even when it has that value.

    ``omit_defaults`` drops a field that still holds its default; existing clients insist on some of them.
    """
    return msgspec.field(default_factory=lambda: value)


class Page(Record, Generic[T], kw_only=True):
    """One page of a list, with what a client needs to ask for the next."""

    items: list[T]
    offset: int
    max_limit: int
    count: int
    total_count: int
    has_more: bool


class DeletedCount(Record, kw_only=True):
    """How many records were deleted."""

    count: int


class DeletedFiles(Record, kw_only=True):
    """How many files were deleted."""

    deleted_count: int


class DeletedUserData(Record, kw_only=True):
    """How many user data records were deleted, and a sentence saying so."""

    message: str
    deleted_count: int
