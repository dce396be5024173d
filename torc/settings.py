"""Each setting once: key in a configuration file, environment variable, option, default, help.

A value comes from the option, else from the environment, else it is the default. Entry points only.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torc.errors import TorcError
from torc.units import parse_duration, parse_walltime


@dataclass(frozen=True)
class Setting:
    """One thing a user can set. ``read`` makes its value from text and raises ValueError with a reason."""

    key: str
    read: Callable[[str], Any]
    help: str
    default: Any = None  # None: unset
    options: tuple[str, ...] = ()
    metavar: str | None = None
    older_variable: str | None = None  # wins over the variable named after the key

    @property
    def name(self) -> str:
        """Last part of the key, as functions call the value."""
        return self.key.rpartition(".")[2]

    @property
    def variable(self) -> str:
        """The environment variable: ``client.run.num_cpus`` is TORC_CLIENT__RUN__NUM_CPUS."""
        return "TORC_" + self.key.upper().replace(".", "__")

    def configured(self) -> Any:
        """The value from the environment or the default; TorcError names the variable of an unusable one."""
        for variable in (self.older_variable, self.variable):
            text = os.environ.get(variable, "") if variable else ""
            if text:
                try:
                    return self.read(text)
                except ValueError as error:
                    raise TorcError(f"{variable}={text!r}: {error}. Set it differently or unset it.") from error
        return self.default


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Reads an integer that is at least ``minimum``, and at most ``maximum``."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a whole number") from None
        if number < minimum:
            raise ValueError(f"{text!r} is less than {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"{text!r} is more than {maximum}")
        return number

    return read


def positive_number(text: str) -> float:
    """Reads a number above zero."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not 0 < number < float("inf"):
        raise ValueError(f"{text!r} is not a number above zero")
    return number


def yes_or_no(text: str) -> bool:
    """Reads a truth value."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(f"{text!r} is neither true nor false")
    return words[text.lower()]


def time_limit(text: str) -> int:
    """Reads a time as sbatch does, or such as ``2h`` or ``PT90M``; seconds."""
    seconds = parse_duration(text) if text.lstrip().startswith("P") else parse_walltime(text)
    if not seconds:
        raise ValueError(f"{text!r} leaves no time")
    return seconds


def output_format(text: str) -> str:
    """Reads ``table`` or ``json``."""
    if text not in ("table", "json"):
        raise ValueError(f"format must be either 'table' or 'json', not {text!r}")
    return text


API_URL = Setting(
    "client.api_url",
    str,
    "address of the server",
    default="http://localhost:8080/torc-service/v1",
    options=("--url",),
    metavar="URL",
    older_variable="TORC_API_URL",
)
USERNAME = Setting(
    "client.username",
    str,
    "name for a server that asks for one",
    options=("--username",),
    metavar="NAME",
    older_variable="TORC_USERNAME",
)
PASSWORD = Setting(
    "client.password",
    str,
    "password for --username; asked for on a terminal when not given",
    options=("--password",),
    metavar="PASSWORD",
    older_variable="TORC_PASSWORD",
)
PASSWORD_FILE = Setting(
    "client.password_file",
    Path,
    "file of yours alone that holds the password on its one line, for scripts",
    older_variable="TORC_PASSWORD_FILE",
)
FORMAT = Setting(
    "client.format",
    output_format,
    "how results are printed: table or json",
    default="table",
    options=("-f", "--format"),
    metavar="FORMAT",
)
LOG_LEVEL = Setting(
    "client.log_level",
    str,
    "what is logged: error, warning, info, debug, off, or name=level pairs separated by commas",
    default="info",
    options=("--log-level",),
    metavar="LEVEL",
    older_variable="RUST_LOG",
)

MAX_PARALLEL_JOBS = Setting(
    "client.run.max_parallel_jobs",
    whole_number(1),
    "run this many jobs at a time, whatever they need (default: as many as fit)",
    options=("--max-parallel-jobs",),
    metavar="N",
)
NUM_CPUS = Setting(
    "client.run.num_cpus",
    whole_number(1),
    "CPUs to offer to jobs (default: all of this machine)",
    options=("--num-cpus",),
    metavar="N",
)
MEMORY_GB = Setting(
    "client.run.memory_gb",
    positive_number,
    "memory to offer to jobs, in GiB (default: all of this machine)",
    options=("--memory-gb",),
    metavar="GIB",
)
NUM_GPUS = Setting(
    "client.run.num_gpus",
    whole_number(0),
    "GPUs to offer to jobs (default: all of this machine)",
    options=("--num-gpus",),
    metavar="N",
)
POLL_INTERVAL = Setting(
    "client.run.poll_interval",
    positive_number,
    "seconds between questions for work when there is none",
    default=5.0,
    options=("-p", "--poll-interval"),
    metavar="SECONDS",
)
OUTPUT_DIR = Setting(
    "client.run.output_dir",
    Path,
    "folder for the output of jobs and the log",
    default=Path("output"),
    options=("-o", "--output-dir", "--output"),
    metavar="DIR",
)
TIME_LIMIT = Setting(
    "client.run.time_limit",
    time_limit,
    "stop after this time, such as 90m, 4h or 1-12:00:00, and start no job that needs longer than what is left of it",
    options=("--time-limit",),
    metavar="TIME",
)
ENFORCE_RUNTIME = Setting(
    "client.run.enforce_runtime",
    yes_or_no,
    "end a job that runs longer than the runtime it asked for",
    default=False,
    options=("--enforce-runtime",),
)
ENFORCE_MEMORY = Setting(
    "client.run.enforce_memory",
    yes_or_no,
    "end a job that uses more than the memory it asked for",
    default=False,
    options=("--enforce-memory",),
)
OOM_SCORE_ADJ = Setting(
    "client.run.oom_score_adj",
    whole_number(0, 1000),
    "how much rather than this program a job is ended when memory runs out, from 0 to 1000; 0 changes nothing",
    default=500,
    options=("--oom-score-adj",),
    metavar="N",
)

COMPLETION_CHECK_INTERVAL = Setting(
    "server.completion_check_interval_secs",
    positive_number,
    "pause between two rounds of the server's housekeeping; jobs never wait for it",
    default=5.0,
    options=("-c", "--completion-check-interval-secs"),
    metavar="SECONDS",
    older_variable="TORC_COMPLETION_CHECK_INTERVAL_SECS",
)
AUTH_FILE = Setting(
    "server.auth_file",
    Path,
    "htpasswd file with the accounts; wrong credentials are refused from then on",
    options=("--auth-file",),
    metavar="FILE",
    older_variable="TORC_AUTH_FILE",
)
REQUIRE_AUTH = Setting(
    "server.require_auth",
    yes_or_no,
    "refuse requests without credentials, too",
    default=False,
    options=("--require-auth",),
)

CLIENT = (API_URL, USERNAME, PASSWORD, LOG_LEVEL, FORMAT)
RUN = (
    MAX_PARALLEL_JOBS,
    NUM_CPUS,
    MEMORY_GB,
    NUM_GPUS,
    POLL_INTERVAL,
    OUTPUT_DIR,
    TIME_LIMIT,
    ENFORCE_RUNTIME,
    ENFORCE_MEMORY,
    OOM_SCORE_ADJ,
)


def user_name() -> str:
    """Who works with torc, for new workflows and for filters."""
    return os.environ.get("USER") or os.environ.get("USERNAME") or "unknown"
