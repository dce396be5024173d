"""Where the user name and the password for a server come from. A script needs neither on a command line."""

import os
import stat
import sys
from getpass import getpass
from pathlib import Path

from torc.errors import TorcError, UsageError
from torc.settings import PASSWORD, PASSWORD_FILE, USERNAME

MOST_BYTES = 4096


def find(username: str | None, password: str | None) -> tuple[str | None, str | None]:
    """Name and password: as given on the command line, else from the environment; a missing password is asked for.

    A password in the environment goes with the name there: another user's is not sent to anybody.
    """
    configured = USERNAME.configured()
    name: str | None = configured if username is None else username
    if name is None:
        if password is not None:
            raise UsageError("--password goes with a user name; add --username NAME or set TORC_USERNAME.")
        return None, None
    if password is None and configured in (None, name):
        password = _from_environment()
    return name, _ask_for(name, configured) if password is None else password


def ask_password(prompt: str) -> str:
    """What is typed on the terminal, which does not show it."""
    try:
        return getpass(prompt)
    except EOFError:
        raise TorcError("no password was typed.") from None


def can_ask() -> bool:
    """Whether somebody is there who can type."""
    return sys.stdin is not None and sys.stdin.isatty()


def _from_environment() -> str | None:
    password: str | None = PASSWORD.configured()
    path: Path | None = PASSWORD_FILE.configured()
    return _read(path) if password is None and path is not None else password


def _read(path: Path) -> str:
    """The one line of a password file. Raises TorcError for a file that others may use, too."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise TorcError(
                    f"the password file {path} can be used by others (mode {mode:03o}); change the password, then: "
                    f"chmod 600 {path}"
                )
            text = file.read(MOST_BYTES).decode()
    except OSError as error:
        raise TorcError(f"cannot read the password file {path}: {error.strerror}; see TORC_PASSWORD_FILE.") from error
    except UnicodeDecodeError as error:
        raise TorcError(f"the password file {path} is not text in UTF-8; see TORC_PASSWORD_FILE.") from error
    line, _, more = text.partition("\n")
    password = line.removesuffix("\r")
    if not password or more:
        raise TorcError(f"the password file {path} has to hold one line, the password, and nothing else.")
    return password


def _ask_for(name: str, configured: str | None) -> str:
    if can_ask():
        return ask_password("Password: ")
    if configured not in (None, name):
        raise TorcError(
            f"no password for {name!r}: TORC_PASSWORD is for {configured!r}, whom TORC_USERNAME names; set both for "
            f"{name!r}."
        )
    raise TorcError(f"no password for {name!r}: set TORC_PASSWORD, or TORC_PASSWORD_FILE to a file that holds it.")
