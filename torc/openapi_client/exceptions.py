"""What the client raises. No answer at all is ``torc.errors.ServerAway``, with a sentence that says what to do."""

from collections.abc import Mapping

import msgspec

from torc.openapi_client.model import ValidationError as ValidationError
from torc.openapi_client.models.refusals import DefaultErrorResponse, NotFoundErrorResponse


class OpenApiException(Exception):
    """Anything this client raises by itself."""


class ApiTypeError(OpenApiException, TypeError):
    """A method was called with an argument it does not have."""


class ApiValueError(OpenApiException, ValueError):
    """An argument that no request can be made from."""


class ApiAttributeError(OpenApiException, AttributeError):
    """Never raised; scripts may name it."""


class ApiKeyError(OpenApiException, KeyError):
    """Never raised; scripts may name it."""


class ApiException(OpenApiException):
    """The server refused. ``body`` is its answer as text, ``data`` the same as a model where it is one."""

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        data: DefaultErrorResponse | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.body = body
        self.headers = headers
        self.data = data
        super().__init__(status, reason)

    def __str__(self) -> str:
        message = self.data.error.get("message") if self.data else None
        return f"({self.status}) {message or self.body or self.reason}"


class BadRequestException(ApiException):
    """400: the request cannot be read."""


class UnauthorizedException(ApiException):
    """401: credentials are missing or wrong."""


class ForbiddenException(ApiException):
    """403: the request comes from a place that may not talk to this server."""


class NotFoundException(ApiException):
    """404: no such record."""


class ConflictException(ApiException):
    """409: understood, but not possible in the present state."""


class UnprocessableEntityException(ApiException):
    """422: readable, but against a rule."""


class ServiceException(ApiException):
    """5xx: the server failed, or has no room now."""


BY_STATUS: dict[int, type[ApiException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    422: UnprocessableEntityException,
}


def refusal(status: int, reason: str | None, body: bytes, headers: Mapping[str, str]) -> ApiException:
    """The exception for an answer that is not a success."""
    kind = BY_STATUS.get(status, ServiceException if status >= 500 else ApiException)
    model = NotFoundErrorResponse if kind is NotFoundException else DefaultErrorResponse
    try:
        data = msgspec.json.decode(body, type=model)
    except msgspec.MsgspecError:
        data = None  # a proxy's page, or a server of another kind
    return kind(status, reason, body=body.decode(errors="replace"), headers=headers, data=data)
