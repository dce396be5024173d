"""Where the server listens, and under which names."""

import ipaddress
import socket
from collections.abc import Iterable

from torc.errors import TorcError
from torc.rendezvous import host_name


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; TorcError with the cure when the port is taken or the host is not this one."""
    try:
        # The first address, but IPv4 for localhost: some machines resolve it to ::1 and listen to neither.
        family = socket.AF_INET if host == "localhost" else socket.AF_UNSPEC
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise TorcError(
            f"cannot listen on {host}, port {port}: {error.strerror}; choose another with --port or --host, "
            "or --port 0 for any free port"
        ) from error
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    address: str = listener.getsockname()[0]
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def in_url(listener: socket.socket) -> str:
    """The address at which clients on this machine reach it."""
    address: str = listener.getsockname()[0]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    return f"[{reachable}]" if ":" in reachable else reachable


def own_names(listener: socket.socket, host: str, allowed: Iterable[str]) -> frozenset[str]:
    """Host names this server answers to. Those of the machine come from its own configuration, not from a client."""
    names = {*allowed, host, host_name()}
    if not is_loopback(listener):
        names.add(socket.getfqdn())  # may ask a name server, which a private server has no need for
    return frozenset(name.lower().rstrip(".") for name in names)
