"""Every failure torc can explain, with the HTTP status and the exit code that go with it."""

# Exit codes of `torc run`, beside 0 (every job completed), 1 (error) and 2 (usage); see docs/exit-codes.md.
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_JOBS_FAILED = 3
EXIT_NOTHING_FITS = 4
EXIT_SERVER_AWAY = 5
EXIT_INTERRUPTED = 130


class TorcError(Exception):
    """A failure torc can explain. The message says what happened and what to do."""

    http_status = 500
    exit_code = EXIT_ERROR

    def __init__(self, message: str, **details: object) -> None:
        """``details`` travel beside the message inside the ``error`` object of the answer."""
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidRequest(TorcError):
    """The request cannot be read: malformed JSON, a wrong type, a value out of range."""

    http_status = 400


class Unauthorized(TorcError):
    """Credentials are missing or wrong."""

    http_status = 401


class Forbidden(TorcError):
    """The request comes from a place that may not talk to this server."""

    http_status = 403


class NotFound(TorcError):
    """No such record."""

    http_status = 404


class Conflict(TorcError):
    """Understood, but not possible in the present state."""

    http_status = 409


class Unprocessable(TorcError):
    """Readable, but against a rule: a wrong job state, an id of another workflow, a cycle."""

    http_status = 422


class UpgradeRequired(TorcError):
    """A runner and a server whose versions cannot work together."""

    http_status = 426


class Unavailable(TorcError):
    """The server has no room for this request now."""

    http_status = 503


class InvalidSpec(TorcError):
    """A workflow specification that cannot be used; nothing was created."""

    http_status = 422


class UsageError(TorcError):
    """A command line that makes no sense."""

    exit_code = EXIT_USAGE


class DatabaseUnusable(TorcError):
    """The database file cannot be opened: locked, from the future, damaged or not writable."""


class ServerAway(TorcError):
    """No answer from the server within the time allowed."""

    http_status = 503
    exit_code = EXIT_SERVER_AWAY


BY_STATUS: dict[int, type[TorcError]] = {
    kind.http_status: kind
    for kind in (
        InvalidRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        Unprocessable,
        UpgradeRequired,
        Unavailable,
    )
}
