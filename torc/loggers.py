"""Logging for scripts that use torc as a library. The programs of torc use ``torc.logs``."""

import logging
import re
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

from torc.exceptions import InvalidParameter

FORMAT = "%(asctime)s %(levelname)s [%(name)s %(filename)s:%(lineno)d] : %(message)s"

SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMG]?)i?B?", re.IGNORECASE)
BYTES_PER_UNIT = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}

FILES_KEPT = 5
"""Full log files kept beside the one that is written."""


def setup_logging(
    filename: str | Path | None = None,
    console_level: str = "INFO",
    file_level: str = "DEBUG",
    mode: Literal["w", "a"] = "w",
    rotation: str | int | None = "10 MB",
    packages: Iterable[str] | None = None,
) -> None:
    """Log what torc, the script itself and ``packages`` say: on stderr, and in a file if one is named.

    ``mode`` says whether an older file is overwritten or continued. A file of the size ``rotation`` is set aside; None
    lets it grow. Handlers that were set up before are replaced.
    """
    console = logging.StreamHandler()
    console.setLevel(console_level)
    handlers: list[logging.Handler] = [console]
    if filename is not None:
        handlers.append(_file(Path(filename), mode, 0 if rotation is None else _bytes(rotation)))
        handlers[-1].setLevel(file_level)
    logging.basicConfig(format=FORMAT, level=logging.WARNING, handlers=handlers, force=True)
    for name in ("torc", "__main__", *(packages or ())):
        logging.getLogger(name).setLevel(min(handler.level for handler in handlers))


def _file(path: Path, mode: str, max_bytes: int) -> logging.Handler:
    if mode == "w":
        path.write_bytes(b"")  # a rotating handler only ever appends
    return RotatingFileHandler(path, maxBytes=max_bytes, backupCount=FILES_KEPT, encoding="utf-8")


def _bytes(rotation: str | int) -> int:
    """Bytes in ``10 MB``."""
    if isinstance(rotation, int):
        return rotation
    found = SIZE.fullmatch(rotation.strip())
    if found is None:
        raise InvalidParameter(f"rotation must be a size such as '10 MB', got {rotation!r}")
    return int(float(found[1]) * BYTES_PER_UNIT[found[2].lower()])
