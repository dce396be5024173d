"""An answer with what came along with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class ApiResponse(Generic[T]):
    """What the methods named ``..._with_http_info`` return."""

    status_code: int
    data: T
    headers: Mapping[str, str]
    raw_data: bytes
