"""Errors of the Python library by the names that existing scripts catch. Refusals are in ``torc.openapi_client``."""

from torc.errors import Conflict, InvalidSpec, ServerAway, TorcError

TorcBaseException = TorcError
InvalidWorkflow = InvalidSpec
TorcOperationNotAllowed = Conflict


class DatabaseOffline(ServerAway):
    """No answer from the server."""


class InvalidParameter(TorcError, ValueError):
    """An argument that cannot be used; nothing was sent."""


class ExecutionError(TorcError):
    """Never raised; scripts may name it."""
