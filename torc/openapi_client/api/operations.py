"""How a method of DefaultApi becomes a request, and its answer what the method returns.

Each method is written once. ``<name>_with_http_info`` and ``<name>_without_preload_content`` are made from it: the same
method, called on a copy of the API that reads answers differently.
"""

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from torc.client.answer import Answer
from torc.openapi_client.api_client import TIMEOUT_S, ApiClient, RequestOptions
from torc.openapi_client.api_response import ApiResponse
from torc.openapi_client.exceptions import refusal
from torc.openapi_client.model import Model, decode

T = TypeVar("T")

Reader = Callable[[Answer, Any, str], Any]
"""Makes of an answer and the type that is expected what a method returns; the text says whose answer it is."""


def read_data(answer: Answer, kind: Any, source: str) -> Any:
    """The record, or the ApiException for what the server refused."""
    if answer.status != 200:
        raise refusal(answer.status, answer.reason, answer.data, answer.headers)
    return decode(answer.data, kind, source)


def read_all(answer: Answer, kind: Any, source: str) -> ApiResponse[Any]:
    """The record with status, headers and bytes."""
    data = read_data(answer, kind, source)
    return ApiResponse(answer.status, data, answer.headers, answer.data)


def read_nothing(answer: Answer, kind: Any, source: str) -> Answer:
    """The answer itself, refused or not; its body is still to be read."""
    return answer


VARIANTS: dict[str, tuple[Reader, str]] = {
    "with_http_info": (read_all, "as an ApiResponse with status, headers and bytes"),
    "without_preload_content": (read_nothing, "as the Answer itself, whose body is still to be read"),
}


class Operations:
    """A group of operations. Threads may share one."""

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = ApiClient.get_default() if api_client is None else api_client
        self._reader: Reader = read_data

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                for suffix, (reader, about) in VARIANTS.items():
                    setattr(cls, f"{name}_{suffix}", _variant(cls, method, suffix, reader, about))

    def _send(
        self,
        kind: type[T],
        options: RequestOptions,
        method: str,
        *path: object,
        body: object = None,
        _timeout_s: float = TIMEOUT_S,
        **query: object,
    ) -> T:
        """Send a request; a query parameter that is None is left out."""
        if method == "PUT" and isinstance(body, Model):
            body = body.for_update()
        answer = self.api_client.exchange(
            method,
            path,
            query=query,
            body=body,
            options=options,
            timeout_s=_timeout_s,
            preload=self._reader is not read_nothing,
        )
        source = f"the answer of {self.api_client.configuration.host} to {method} /{'/'.join(map(str, path))}"
        return self._reader(answer, kind, source)  # type: ignore[no-any-return]  # a variant returns something else


def _variant(
    owner: type[Operations], method: Callable[..., Any], suffix: str, reader: Reader, about: str
) -> Callable[..., Any]:
    """The method, with its answer read differently."""

    @functools.wraps(method)
    def call(self: Operations, *arguments: Any, **options: Any) -> Any:
        other = copy.copy(self)
        other._reader = reader
        return method(other, *arguments, **options)

    call.__name__ = f"{method.__name__}_{suffix}"
    call.__qualname__ = f"{owner.__qualname__}.{call.__name__}"
    call.__doc__ = f"``{method.__name__}``, {about}."
    call.__annotations__ = {**method.__annotations__, "return": Any}
    return call
