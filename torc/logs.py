"""The one place that configures logging. Entry points call it."""

import logging
import socket
import sys
import time
from pathlib import Path
from typing import TextIO

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

LEVELS = {
    "off": logging.CRITICAL + 10,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}


# What FORMAT does not show need not be found out: a runner writes two lines for a job that may take a millisecond.
logging._srcfile = None  # the switch that the logging HOWTO names for this
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class Formatter(logging.Formatter):
    """FORMAT, with the date and time of a second worked out once."""

    _second, _text = -1, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        second = int(record.created)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._text},{int(record.msecs):03d}"


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what is sys.stderr now, so that a progress line can step aside."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(directives: str) -> None:
    """Log to stderr what ``directives`` let through.

    They are a level, or ``torc.runner=debug,warn``: levels of single loggers beside the one of all others. An
    unknown word is named in a warning and otherwise ignored.
    """
    handler = StderrHandler()
    handler.setFormatter(Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for directive in filter(None, (word.strip() for word in directives.split(","))):
        name, _, word = directive.rpartition("=")
        level = LEVELS.get(word.lower())
        if level is None:
            logging.getLogger(__name__).warning("unknown log level %r; known are: %s", word, ", ".join(LEVELS))
        else:
            logging.getLogger(name.replace("::", ".") or None).setLevel(level)


def move_to_file(path: Path) -> None:
    """From now on write to the end of ``path``; only warnings and errors still go to stderr as well."""
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(Formatter(FORMAT))
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(logging.WARNING)
    root.addHandler(file)


def runner_file_name(workflow_id: int, run_id: int, hostname: str | None = None) -> str:
    """What the log of a local runner is called in its output folder. Without ``hostname``: of one on this machine."""
    return f"job_runner_{hostname or socket.gethostname()}_{workflow_id}_{run_id}.log"
