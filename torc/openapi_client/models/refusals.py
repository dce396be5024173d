"""What a server answers when it refuses: the ``data`` of an ApiException."""

from typing import Any

from torc.models.record import Record
from torc.openapi_client.model import Model


class DefaultErrorResponse(Model, Record, kw_only=True):
    """``error["message"]`` is the server's sentence; what else ``error`` holds depends on the refusal."""

    error: dict[str, Any]
    code: int | None = None


class NotFoundErrorResponse(DefaultErrorResponse, kw_only=True):
    """There is no such record."""
