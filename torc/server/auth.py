"""HTTP Basic against an htpasswd file.

The name of this module is that of the logger people filter by: ``RUST_LOG=torc::server::auth=debug``.
"""

import hashlib
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import Future
from pathlib import Path

from torc import accounts
from torc.accounts import Accounts
from torc.errors import TorcError, Unauthorized, Unavailable
from torc.server.security import basic_credentials

logger = logging.getLogger(__name__)

REMEMBER_S = 300.0
"""How long a password that was checked stays known after its last use."""

MOST_REMEMBERED = 1000

AT_ONCE = 2
"""Passwords checked at the same time. bcrypt takes a whole core for a quarter of a second or more."""

FLOOD_S = 60.0
"""Half as many wrong passwords as there are threads, within so many seconds, are an attack or a forgotten script."""

SHOWN = 80
"""Characters of a user name in a log line; who is refused may have sent anything."""


class Authenticator:
    """Tells who sends a request. Threads share it.

    Both answers of bcrypt are remembered, under a digest of user, stored hash and password whose key only this
    process has: a changed or deleted hash is another digest, so what was remembered for it ends by itself.
    """

    def __init__(self, path: Path, *, is_required: bool, threads: int) -> None:
        """``threads`` answer requests. Raises TorcError for a file that cannot be used, or without users."""
        self.is_required = is_required
        self._file = AuthFile(path)
        self._most_in_flood = max(1, threads // 2)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()  # of all below
        self._right = Recent()
        self._wrong = Recent()
        self._running: dict[bytes, Future[bool]] = {}
        self._waiting = 0
        self._failures: deque[float] = deque(maxlen=self._most_in_flood)
        self._gate = threading.Semaphore(AT_ONCE)

    def admit(self, header: str | None) -> str | None:
        """The user that an Authorization header proves; None without one, where that is allowed.

        Raises Unauthorized, and Unavailable while too many passwords wait to be checked.
        """
        if not header:
            if self.is_required:
                logger.warning("Authentication required but no credentials provided")
                raise Unauthorized("this server needs a user name and a password, and the request has none")
            logger.debug("No credentials provided, allowing anonymous access")
            return None
        credentials = _basic(header)
        if credentials is None:
            logger.warning("Authentication failed: the credentials are not HTTP Basic")
            raise Unauthorized("the credentials cannot be read; this server takes HTTP Basic, in UTF-8")
        user, password = credentials
        if not self._is_right(user, password):
            raise Unauthorized("the user name or the password is wrong")
        logger.debug("User %r authenticated successfully", user)
        return user

    def _is_right(self, user: str, password: str) -> bool:
        known_accounts = self._file.current()
        digest = self._digest(user, known_accounts.hash_of(user), password)
        with self._lock:
            now = time.monotonic()
            if self._right.has(digest, now):
                return True
            if self._wrong.has(digest, now):
                return False
            self._refuse_flood(now)
            shared = self._running.get(digest)
            verdict = self._running.setdefault(digest, Future())
            self._waiting += 1
        try:
            if shared is None:
                self._verify(known_accounts, user, password, digest, verdict)
            return verdict.result()
        finally:
            with self._lock:
                self._waiting -= 1

    def _refuse_flood(self, now: float) -> None:
        """Keep threads free for users who are known already: everyone else waits in one while bcrypt works."""
        is_flood = len(self._failures) == self._most_in_flood and now - self._failures[0] < FLOOD_S
        if is_flood and self._waiting >= self._most_in_flood:
            raise Unavailable("too many passwords wait to be checked, after many wrong ones; try again in a second")

    def _verify(
        self, known_accounts: Accounts, user: str, password: str, digest: bytes, verdict: "Future[bool]"
    ) -> None:
        """Settle ``verdict``, for this thread and for those that wait for the same."""
        try:
            with self._gate:
                logger.debug("Checking the password of user %r with bcrypt", user[:SHOWN])
                is_right = known_accounts.verify(user, password)
        except BaseException as error:
            with self._lock:
                del self._running[digest]
            verdict.set_exception(error)
            return
        if not is_right:
            logger.warning("Authentication failed for user %r", user[:SHOWN])
        with self._lock:
            now = time.monotonic()
            (self._right if is_right else self._wrong).add(digest, now)
            if not is_right:
                self._failures.append(now)
            del self._running[digest]
        verdict.set_result(is_right)

    def _digest(self, user: str, stored: bytes, password: str) -> bytes:
        name = user.encode()
        lengths = f"{len(name)} {len(stored)} ".encode()  # so that no part can pass for the end of another
        return hashlib.blake2b(lengths + name + stored + password.encode(), key=self._key, digest_size=32).digest()


class AuthFile:
    """The accounts as the file has them now; as it had them last, while it is missing or broken."""

    def __init__(self, path: Path) -> None:
        """Raises TorcError, also for a file without users: nobody could come in."""
        self._path = path.absolute()
        self._lock = threading.Lock()
        self._complaint: str | None = None
        logger.info("Loading htpasswd file from: %s", self._path)
        self._state = _state(self._path)
        self._accounts = accounts.read(self._path)
        if not self._accounts.users:
            raise TorcError(f"{path} has no users; add one with: torc-htpasswd add --file {path} NAME")
        logger.info("Loaded %d users from htpasswd file", len(self._accounts.users))

    def current(self) -> Accounts:
        """Looks at the file each time, so whoever is removed from it is out at once."""
        if _state(self._path) != self._state:
            with self._lock:
                self._reload()
        return self._accounts

    def _reload(self) -> None:
        state = _state(self._path)  # before reading: what changes meanwhile is read again
        if state == self._state:
            return
        try:
            self._accounts = accounts.read(self._path)
        except TorcError as error:
            if error.message != self._complaint:
                self._complaint = error.message
                logger.warning("%s. The accounts read before stay valid until the file can be read", error.message)
            return
        self._state, self._complaint = state, None
        logger.info("Loaded %d users from htpasswd file, which has changed", len(self._accounts.users))


class Recent:
    """What was added, while it is asked for every few minutes and is among the last used."""

    def __init__(self) -> None:
        self._used_at: OrderedDict[bytes, float] = OrderedDict()

    def has(self, digest: bytes, now: float) -> bool:
        """Whether it is there; then this is a use of it. ``now`` is monotonic."""
        used_at = self._used_at.pop(digest, None)
        if used_at is None or now - used_at > REMEMBER_S:
            return False
        self._used_at[digest] = now
        return True

    def add(self, digest: bytes, now: float) -> None:
        """The one used longest ago makes room."""
        self._used_at[digest] = now
        if len(self._used_at) > MOST_REMEMBERED:
            self._used_at.popitem(last=False)


def _basic(header: str) -> tuple[str, str] | None:
    """User and password; None for what is not HTTP Basic. A missing password is an empty one."""
    credentials = basic_credentials(header)
    try:
        user, _, password = (credentials or b"").decode().partition(":")
    except UnicodeDecodeError:
        return None
    return None if credentials is None else (user, password)


def _state(path: Path) -> tuple[int, ...] | None:
    """Changes whenever the file does, also when another takes its name; None while there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
