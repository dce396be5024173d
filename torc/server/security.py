"""Who may talk to this server: the same origin, a known host name, and whoever knows the token or has an account."""

import base64
import binascii
import hmac
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from falcon import Request, Response

from torc.errors import Forbidden, Unauthorized
from torc.rendezvous import STANDALONE_USER

if TYPE_CHECKING:  # bcrypt is only for servers with accounts
    from torc.server.auth import Authenticator

CHALLENGE = 'Basic realm="Torc"'


class Security:
    """Middleware. A web page the user visits can send requests here, so loopback alone protects nobody.

    A page of another site carries its own Origin; a site whose name was pointed at this machine (DNS rebinding)
    carries that name as Host. Addresses cannot be rebound.
    """

    def __init__(
        self, host_names: frozenset[str], token: str | None, authenticator: "Authenticator | None" = None
    ) -> None:
        """``host_names`` are lower case; with a ``token`` every request must present it, and accounts do not count."""
        self.host_names = host_names | {"localhost"}
        self.authenticator = authenticator
        self.credentials = None if token is None else f"{STANDALONE_USER}:{token}".encode()

    def process_request(self, req: Request, resp: Response) -> None:
        host = req.get_header("Host")
        if host is not None and not self._is_known(host):
            raise Forbidden(
                f"this server does not answer to the host name in '{host[:80]}'; "
                "use its address, or start it with --allowed-host NAME"
            )
        origin = req.get_header("Origin")
        if origin is not None and (host is None or urlsplit(origin).netloc.lower() != host.lower()):
            raise Forbidden(f"requests from web pages of another site ({origin[:80]}) are refused")
        try:
            req.context.user = self._user(req.get_header("Authorization"))
        except Unauthorized:
            resp.set_header("WWW-Authenticate", CHALLENGE)
            raise

    def _user(self, header: str | None) -> str | None:
        """Raises Unauthorized. The token proves that a client belongs to this server's user, not who that is."""
        if self.credentials is not None:
            if not self._is_authorized(header):
                raise Unauthorized("missing or wrong credentials; this server needs a user name and a password")
            return None
        return None if self.authenticator is None else self.authenticator.admit(header)

    def _is_known(self, host: str) -> bool:
        name = _name_in(host)
        if name in self.host_names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _is_authorized(self, header: str | None) -> bool:
        given = basic_credentials(header or "")
        return given is not None and self.credentials is not None and hmac.compare_digest(given, self.credentials)


def basic_credentials(header: str) -> bytes | None:
    """``user:password`` in an Authorization header; None for what is not HTTP Basic."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def user_of(req: Request) -> str | None:
    """The user whose password came with the request; None for an anonymous one, and on a private server."""
    user: str | None = req.context.user
    return user


def _name_in(host: str) -> str:
    """The name or address in a Host header, without port, brackets and final dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")
