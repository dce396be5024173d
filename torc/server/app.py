"""The Falcon application: middleware, routes, and how every failure is answered."""

import logging
import uuid
from typing import TYPE_CHECKING, Any

import falcon
from falcon import Request, Response

from torc.errors import BY_STATUS, InvalidRequest, TorcError
from torc.server.codec import answer_error
from torc.server.routes import add_routes
from torc.server.security import Security
from torc.server.stream import Streams
from torc.store.database import Database
from torc.store.leases import Leases

if TYPE_CHECKING:  # bcrypt is only for servers with accounts
    from torc.server.auth import Authenticator

logger = logging.getLogger(__name__)

SPAN_HEADER = "X-Span-ID"


class Plain:
    """Middleware for what holds for every request: two methods we have not, and the request id."""

    def process_request(self, req: Request, resp: Response) -> None:
        if req.method in ("HEAD", "OPTIONS"):  # Falcon would answer OPTIONS by itself
            raise falcon.HTTPMethodNotAllowed([])

    def process_response(self, req: Request, resp: Response, resource: object, req_succeeded: bool) -> None:
        resp.set_header(SPAN_HEADER, req.get_header(SPAN_HEADER) or str(uuid.uuid4()))


def create_app(
    database: Database,
    leases: Leases,
    *,
    instance: str,
    streams: Streams,
    log_place: str,
    host_names: frozenset[str] = frozenset(),
    token: str | None = None,
    authenticator: "Authenticator | None" = None,
) -> falcon.App[Request, Response]:
    """The API over ``database``. ``log_place`` says in words where the log is, for answers to what went wrong."""
    middleware: list[Any] = [Security(host_names, token, authenticator), Plain()]
    app = falcon.App(middleware=middleware)
    app.req_options.keep_blank_qs_values = True
    add_routes(app, database, leases, streams, instance)

    def internal_error(req: Request, resp: Response, error: Exception, params: dict[str, Any]) -> None:
        logger.error("%s %s failed", req.method, req.relative_uri, exc_info=error)
        answer_error(resp, TorcError(f"an internal error occurred in the server; the reason is in {log_place}"))

    app.add_error_handler(Exception, internal_error)
    app.add_error_handler(TorcError, _torc_error)
    app.add_error_handler(falcon.HTTPError, _falcon_error)
    app.add_error_handler(OverflowError, _overflow)
    return app


def _torc_error(req: Request, resp: Response, error: TorcError, params: dict[str, Any]) -> None:
    answer_error(resp, error)


def _overflow(req: Request, resp: Response, error: OverflowError, params: dict[str, Any]) -> None:
    answer_error(resp, InvalidRequest(f"a number in the request does not fit in 64 bits: {error}"))


def _falcon_error(req: Request, resp: Response, error: falcon.HTTPError, params: dict[str, Any]) -> None:
    """Falcon's own refusals, in our shape: no such route, no such method, a broken request."""
    if isinstance(error, falcon.HTTPRouteNotFound):
        message = f"there is no endpoint {req.method} {req.path}"
    elif isinstance(error, falcon.HTTPMethodNotAllowed):
        message = f"{req.method} is not possible on {req.path}"
    else:
        message = error.description or error.title or "the request cannot be read"
    kind = BY_STATUS.get(error.status_code, TorcError)
    answer_error(resp, kind(message))
    resp.status = error.status
