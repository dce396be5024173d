"""Configuration files: where they are, and what stands where in them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from torc.errors import TorcError

SYSTEM = Path("/etc/torc/config.toml")
LOCAL = Path("torc.toml")
ANOTHER = "TORC_CONFIG"
"""The variable that names a file to be used instead of the user's."""


class Entry(NamedTuple):
    """A value in a file, and the place it stands at: ``file:line``."""

    value: Any
    place: str

    def text(self) -> str:
        """As one would write it in the environment; ValueError for what is more than one value."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, str | int | float):
            return str(self.value)
        raise ValueError(f"expected one value, not {self.value!r}")


def user_file() -> Path:
    """The file of whoever runs this, whether it exists or not."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.environ.get(ANOTHER) or f"{folder}/torc/config.toml").expanduser()


def places() -> dict[str, Path]:
    """The files that count, whether they exist or not; what stands in a later one wins."""
    return {"system": SYSTEM, "user": user_file(), "local": LOCAL}


def existing_files() -> list[Path]:
    """Those that are there. TorcError when TORC_CONFIG names one that is not."""
    named = os.environ.get(ANOTHER)
    if named and not os.path.exists(user_file()):
        raise TorcError(f"{ANOTHER}={named!r}: there is no such file. Set it differently or unset it.")
    return [path for path in places().values() if os.path.exists(path)]


def read_file(path: Path) -> dict[str, Entry]:
    """The entries of a file by key, such as ``client.run.num_cpus``."""
    import tomllib  # most people have no such file

    try:
        text = path.read_text(encoding="utf-8-sig")
        flat = list(_flat(tomllib.loads(text)))
    except OSError as error:
        raise TorcError(f"{path} cannot be read: {error.strerror}; see `torc config paths`.") from error
    except UnicodeDecodeError as error:
        raise TorcError(f"{path} is no text in UTF-8; see `torc config paths`.") from error
    except tomllib.TOMLDecodeError as error:
        raise TorcError(f"{path} is not TOML: {error}; see `torc config validate`.") from error
    except RecursionError as error:
        raise TorcError(f"{path} cannot be read: its tables or lists are nested too deeply.") from error
    lines = dict(_keys_with_lines(text))
    return {key: Entry(value, f"{path}:{_line_of(key, lines)}") for key, value in flat}


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _keys_with_lines(text: str) -> Iterator[tuple[str, int]]:
    """Each key and table that begins a line, with that line. Good enough to lead a person there."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            table = _plain(header[1]) + "."
            yield table[:-1], number
        elif entry := re.match(r"\s*([^=#\[]+?)\s*=", line):
            yield table + _plain(entry[1]), number


def _plain(key: str) -> str:
    return re.sub(r"""[\s"']""", "", key)


def _line_of(key: str, lines: dict[str, int]) -> int:
    """Of the key itself, else of what it stands in."""
    key = _plain(key)
    while key not in lines and "." in key:
        key = key.rpartition(".")[0]
    return lines.get(key, 1)
