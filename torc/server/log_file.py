"""A copy of the server's log in a folder, for a server that nobody watches."""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler, WatchedFileHandler
from pathlib import Path

from torc.errors import TorcError
from torc.logs import FORMAT, Formatter

NAME = "torc-server.log"
MOST_BYTES = 10 * 1024 * 1024
OLDER_FILES = 5


class JsonFormatter(logging.Formatter):
    """An object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "timestamp": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "target": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def open_log(folder: Path, *, as_json: bool) -> None:
    """Write everything to ``torc-server.log`` in ``folder`` as well. TorcError when that is not possible.

    The process may fork; one of them calls ``rotate``, and the others follow when it renames the file.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        watched = WatchedFileHandler(path, encoding="utf-8")
    except OSError as error:
        raise TorcError(f"cannot write {path}: {error.strerror}; choose another folder with --log-dir") from error
    watched.setFormatter(JsonFormatter() if as_json else Formatter(FORMAT))
    logging.getLogger().addHandler(watched)


def rotate() -> None:
    """From now on this process renames the log when it is full, and drops the oldest one."""
    root = logging.getLogger()
    for watched in [handler for handler in root.handlers if isinstance(handler, WatchedFileHandler)]:
        rotating = RotatingFileHandler(
            watched.baseFilename, maxBytes=MOST_BYTES, backupCount=OLDER_FILES, encoding="utf-8"
        )
        rotating.setFormatter(watched.formatter)
        root.removeHandler(watched)
        watched.close()
        root.addHandler(rotating)
