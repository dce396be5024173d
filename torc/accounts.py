"""Accounts in an htpasswd file, ``name:bcrypt hash`` a line: read, verify, edit. Who may do what is not said there."""

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import bcrypt

from torc.errors import InvalidRequest, NotFound, TorcError

MOST_PASSWORD_BYTES = 72
"""bcrypt looks at no more, so a longer password would be open to everyone who knows its beginning."""

COSTS = range(4, 32)
USUAL_COST = 12

HEADER = ["# Torc htpasswd file\n", "# Format: username:bcrypt_hash\n"]

# The last character of the salt stands for two bits, which leaves four characters that it can be.
HASH = re.compile(rb"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")

Lines = list[str]


class Accounts:
    """Users and the hashes of their passwords, as a file held them."""

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        self._hashes = dict(hashes)
        costs = Counter(found[4:6] for found in self._hashes.values())
        usual = costs.most_common(1)[0][0] if costs else b"%02d" % USUAL_COST
        self._decoy = b"$2b$" + usual + b"$" + b"." * 53

    @property
    def users(self) -> list[str]:
        """In the order of the file."""
        return list(self._hashes)

    def hash_of(self, user: str) -> bytes:
        """The user's hash; for an unknown user one that no password has and that takes as long to check as most."""
        return self._hashes.get(user, self._decoy)

    def verify(self, user: str, password: str) -> bool:
        """Whether this is the user's password. An unknown user takes as long as a wrong password."""
        secret = password.encode(errors="surrogatepass")
        is_possible = len(secret) <= MOST_PASSWORD_BYTES and b"\0" not in secret
        matches = bcrypt.checkpw(secret if is_possible else b"", self.hash_of(user))
        return matches and is_possible and user in self._hashes


def read(path: Path) -> Accounts:
    """The accounts in a file. Raises TorcError that names file and line, and never shows a hash."""
    return Accounts(dict(_accounts(path, _read_lines(path))))


def put(path: Path, user: str, password: str, cost: int) -> bool:
    """Add a user or replace the password; whether the user was there before. The file is made if missing.

    Raises InvalidRequest for a name or a password that cannot be used, TorcError for a file that cannot.
    """
    check_user(user)
    check_password(password)
    line = f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode('ascii')}\n"

    def with_line(lines: Lines) -> Lines:
        if not any(_is_of(user, one) for one in lines):
            return [*lines, line]
        return [line if _is_of(user, one) else one for one in lines]

    return user in _edit(path, with_line, missing_is=HEADER)


def remove(path: Path, user: str) -> None:
    """Take a user out. Raises NotFound for an unknown one, TorcError for a file that cannot be used."""

    def without_line(lines: Lines) -> Lines:
        left = [one for one in lines if not _is_of(user, one)]
        if len(left) == len(lines):
            raise NotFound(f"there is no user {user!r} in {path}")
        return left

    _edit(path, without_line)


def create(path: Path) -> None:
    """Make a file without users. Raises TorcError if it is there already."""
    if path.exists():
        raise TorcError(f"{path} is there already; add users to it with: torc-htpasswd add --file {path} NAME")
    _edit(path, lambda lines: lines, missing_is=HEADER)


def check_user(user: str) -> None:
    """Raises InvalidRequest for what HTTP Basic or the file cannot hold as a name."""
    if not user.strip():
        reason = "it is blank"
    elif ":" in user:
        reason = "it contains ':', which ends the name in the file and on the wire"
    elif user.startswith("#") or user != user.strip():
        reason = "it begins with '#', or begins or ends with a blank"
    elif not user.isprintable():
        reason = "it contains a control character"
    else:
        return
    raise InvalidRequest(f"{user!r} cannot be a user name: {reason}; choose another")


def check_password(password: str) -> None:
    """Raises InvalidRequest for what bcrypt would cut or cannot hold; the password is not shown."""
    length = len(password.encode(errors="surrogatepass"))
    if not password:
        reason = "it is empty"
    elif length > MOST_PASSWORD_BYTES:
        reason = f"it has {length} bytes, and bcrypt would ignore what follows the first {MOST_PASSWORD_BYTES}"
    elif "\0" in password:
        reason = "it contains a NUL character"
    elif any("\ud800" <= character <= "\udfff" for character in password):
        reason = "it is not text in UTF-8"
    else:
        return
    raise InvalidRequest(f"the password cannot be used: {reason}; choose another")


def _read_lines(path: Path) -> Lines:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TorcError(f"cannot read the accounts in {path}: {error.strerror}") from error
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            raise TorcError(f"{path}, line {number}: this is not text in UTF-8; correct or delete the line") from error
    return [line.decode() for line in lines]


def _accounts(path: Path, lines: Lines) -> Iterator[tuple[str, bytes]]:
    """Every account, each name once. What a broken line holds may be a secret, so it is not shown."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        if not _is_account(line):
            continue
        user, colon, hashed = line.strip().partition(":")
        if not colon:
            raise TorcError(f"{place}: there is no ':' between a user name and a hash; correct or delete the line")
        try:
            check_user(user)
        except InvalidRequest as error:
            raise TorcError(f"{place}: {error.message}") from error
        if not HASH.fullmatch(hashed.encode()):
            raise TorcError(
                f"{place}: what follows {user!r} is no bcrypt hash ($2a$, $2b$ or $2y$); delete the line and set the "
                "password with torc-htpasswd add"
            )
        if user in seen:
            raise TorcError(f"{place}: {user!r} stands on line {seen[user]} already; delete one of the two")
        seen[user] = number
        yield user, hashed.encode()


def _is_account(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_of(user: str, line: str) -> bool:
    return _is_account(line) and line.strip().partition(":")[0] == user


def _edit(path: Path, edit: Callable[[Lines], Lines], *, missing_is: Lines | None = None) -> set[str]:
    """Replace the whole file by its edited lines, all at once; the users it held before."""
    path = path.resolve()  # the file a link leads to is replaced, not the link
    with _alone_in(path.parent):
        state = _state(path)
        lines = missing_is if state is None and missing_is is not None else _read_lines(path)
        before = {user for user, _ in _accounts(path, lines)}
        _write(path, edit([line if line.endswith("\n") else f"{line}\n" for line in lines]), state)
    return before


def _state(path: Path) -> os.stat_result | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TorcError(f"cannot use {path}: {error.strerror}") from error
    if not stat.S_ISREG(state.st_mode):
        raise TorcError(f"{path} is not an ordinary file; name another with --file")
    return state


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two programs that edit at once wait for each other; on a file system without locks the last one wins."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise TorcError(f"cannot use the folder {folder}: {error.strerror}") from error
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _write(path: Path, lines: Lines, before: os.stat_result | None) -> None:
    """A new file is its owner's alone; another keeps mode and owner, or a server could no longer read it."""
    draft = None
    try:
        fd, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 600
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            if before is not None:
                made = os.fstat(fd)
                if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
                    os.fchown(fd, before.st_uid, before.st_gid)
                os.fchmod(fd, stat.S_IMODE(before.st_mode))
            file.writelines(lines)
            file.flush()
            os.fsync(fd)
        os.rename(draft, path)
    except BaseException as error:
        if draft is not None:
            with contextlib.suppress(OSError):
                os.unlink(draft)
        if isinstance(error, OSError):
            raise TorcError(f"cannot write {path}: {error.strerror}; it is as it was") from error
        raise
