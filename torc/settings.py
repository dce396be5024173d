"""Each setting once: key in a configuration file, environment variable, option, default, help.

A value comes from the option, else from the environment, else from a configuration file, else it is the default. Entry
points only.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torc.errors import TorcError
from torc.units import parse_duration, parse_walltime

if TYPE_CHECKING:
    from torc.configuration import Entry

DEFAULT = "default"
"""The origin of a value that nobody has set."""


class Found(NamedTuple):
    """A value, and where it was set: a variable, ``file:line`` or ``default``."""

    value: Any
    origin: str


class Setting(NamedTuple):
    """One thing a user can set. ``read`` makes its value from text and raises ValueError with a reason."""

    key: str
    read: Callable[[str], Any]
    help: str
    default: Any = None  # None: unset
    options: tuple[str, ...] = ()
    metavar: str | None = None
    older_variable: str | None = None  # wins over the variable named after the key
    is_secret: bool = False

    @property
    def name(self) -> str:
        """Last part of the key, as functions call the value."""
        return self.key.rpartition(".")[2]

    @property
    def variable(self) -> str:
        """The environment variable: ``client.run.num_cpus`` is TORC_CLIENT__RUN__NUM_CPUS."""
        return "TORC_" + self.key.upper().replace(".", "__")

    def configured(self) -> Any:
        """The value from the environment, a file or the default; TorcError names the place of an unusable one."""
        return self.found().value

    def found(self) -> Found:
        """The same, with its origin."""
        if found := self.in_environment():
            return found
        entry = in_files().get(self.key)
        return Found(read_entry(self, entry), entry.place) if entry else Found(self.default, DEFAULT)

    def in_environment(self) -> Found | None:
        """What the environment says, if it does; TorcError names the variable of an unusable value."""
        for variable in (self.older_variable, self.variable):
            text = os.environ.get(variable, "") if variable else ""
            if text:
                try:
                    return Found(self.read(text), f"environment {variable}")
                except ValueError as error:
                    shown = "" if self.is_secret else f"={text!r}"
                    raise TorcError(f"{variable}{shown}: {error}. Set it differently or unset it.") from error
        return None


@lru_cache
def in_files() -> "dict[str, Entry]":
    """What the configuration files say, by key. TorcError for the first thing in them that cannot be used."""
    from torc.configuration import existing_files, read_file

    found: dict[str, Entry] = {}
    for path in existing_files():
        entries = read_file(path)
        for problem in problems_of(entries):
            raise TorcError(f"{problem} `torc config validate` checks everything.")
        found |= entries
    return found


def problems_of(entries: "dict[str, Entry]") -> list[str]:
    """A sentence for each entry of a file that is no setting or has a value that cannot be used."""
    problems: list[str] = []
    for key, entry in entries.items():
        setting = BY_KEY.get(key)
        if setting is None:
            if f"{key}.".startswith(FREE_FORM):
                from torc.hpc_tables import reasons  # hardly anybody has such tables

                problems += [f"{entry.place}: {key}: {reason}." for reason in reasons(key, entry.value)]
            else:
                problems.append(f"{entry.place}: there is no setting {key!r}{_cure(key)}")
            continue
        try:
            read_entry(setting, entry)
        except TorcError as error:
            problems.append(error.message)
    return problems


def read_entry(setting: Setting, entry: "Entry") -> Any:
    """The value of a setting in a file; TorcError names the place of an unusable one."""
    try:
        return setting.read(entry.text())
    except ValueError as error:
        reason = "cannot be used" if setting.is_secret else error
        raise TorcError(f"{entry.place}: {setting.key}: {reason}.") from error


def _cure(key: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, BY_KEY, n=1)
    return f"; do you mean {close[0]!r}?" if close else "; docs/settings.md has all of them."


def as_argument(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """``read`` for argparse, which shows a reason only when it is in an error of its own."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            from argparse import ArgumentTypeError

            raise ArgumentTypeError(str(error)) from error

    return convert


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


def any_path(text: str) -> Path:
    """Reads a path; ``~`` is the home folder."""
    return Path(text).expanduser()


def seconds(text: str) -> float:
    """Reads a time of at most a day."""
    if positive_number(text) > 86400:
        raise ValueError(f"{text!r} is more than a day, 86400 seconds")
    return float(text)


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
    is_secret=True,
)
PASSWORD_FILE = Setting(
    "client.password_file",
    any_path,
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
    any_path,
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

DATABASE_POLL_INTERVAL = Setting(
    "client.run.database_poll_interval",
    whole_number(1),
    "accepted from older configuration files and not used: runners learn of new work from every answer",
    default=30,
)
SLURM_POLL_INTERVAL = Setting(
    "client.slurm.poll_interval",
    whole_number(1),
    "seconds between questions for work in Slurm allocations",
    default=60,
)
KEEP_SUBMISSION_SCRIPTS = Setting(
    "client.slurm.keep_submission_scripts",
    yes_or_no,
    "keep the scripts that were given to sbatch",
    default=False,
    options=("--keep-submission-scripts",),
)
NODES_API_URL = Setting(
    "client.slurm.api_url", str, "address of the server as compute nodes reach it, where that is another one"
)
MAX_NODES = Setting(
    "client.slurm.max_nodes", whole_number(1), "most nodes that all allocations of a workflow may have at a time"
)
MAX_QUEUED_ALLOCATIONS = Setting(
    "client.slurm.max_queued_allocations", whole_number(1), "most allocations of a workflow that may wait in the queue"
)
MAX_SUBMISSIONS_PER_MINUTE = Setting(
    "client.slurm.max_submissions_per_minute",
    whole_number(1),
    "allocations of a workflow asked for within a minute; more of them wait",
    default=60,
)
HPC_ACCOUNT = Setting("client.hpc.default_account", str, "account for Slurm allocations")

URL = Setting(
    "server.url",
    str,
    "name or address to listen on",
    default="localhost",
    options=("-u", "--url", "--host"),
    metavar="HOST",
)
PORT = Setting(
    "server.port",
    whole_number(0, 65535),
    "port; 0 takes a free one and prints it",
    default=8080,
    options=("-p", "--port"),
    metavar="PORT",
)
THREADS = Setting(
    "server.threads",
    whole_number(1, 256),
    "requests served at a time",
    default=16,
    options=("-t", "--threads"),
    metavar="N",
)
SERVER_DATABASE = Setting(
    "server.database",
    str,
    "SQLite file, made if missing",
    options=("-d", "--database"),
    metavar="FILE",
    older_variable="DATABASE_URL",
)
SERVER_LOG_LEVEL = Setting(
    "server.log_level",
    str,
    "what is logged: error, warning, info, debug, off, or name=level pairs separated by commas",
    default="info",
    options=("-l", "--log-level"),
    metavar="LEVEL",
    older_variable="RUST_LOG",
)
COMPLETION_CHECK_INTERVAL = Setting(
    "server.completion_check_interval_secs",
    seconds,
    "pause between two rounds of the server's housekeeping; jobs never wait for it",
    default=5.0,
    options=("-c", "--completion-check-interval-secs"),
    metavar="SECONDS",
    older_variable="TORC_COMPLETION_CHECK_INTERVAL_SECS",
)
AUTH_FILE = Setting(
    "server.auth_file",
    any_path,
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

HTTPS = Setting(
    "server.https",
    yes_or_no,
    "speak TLS only; needs a certificate and its key",
    default=False,
    options=("--https",),
)
TLS_CERT = Setting(
    "server.tls_cert",
    any_path,
    "PEM file with the certificate for --https, and those up to its authority",
    options=("--tls-cert",),
    metavar="FILE",
)
TLS_KEY = Setting(
    "server.tls_key",
    any_path,
    "PEM file with the key of that certificate, without a password",
    options=("--tls-key",),
    metavar="FILE",
)
LOG_DIR = Setting(
    "server.logging.log_dir",
    any_path,
    "folder, made if missing, for a copy of the log: torc-server.log, and five older ones of 10 MiB",
    options=("--log-dir",),
    metavar="DIR",
    older_variable="TORC_LOG_DIR",
)
JSON_LOGS = Setting(
    "server.logging.json_logs",
    yes_or_no,
    "write each line of that file as a JSON object",
    default=False,
    options=("--json-logs",),
)

DASH_HOST = Setting("dash.host", str, "name or address on which the dashboard listens", default="127.0.0.1")
DASH_PORT = Setting("dash.port", whole_number(1, 65535), "port of the dashboard", default=8090)
DASH_API_URL = Setting("dash.api_url", str, "address of the server whose workflows the dashboard shows")
DASH_TORC_BIN = Setting("dash.torc_bin", str, "the program torc, for the dashboard", default="torc")
DASH_SERVER_BIN = Setting(
    "dash.torc_server_bin", str, "the program torc-server, for the dashboard", default="torc-server"
)
DASH_STANDALONE = Setting("dash.standalone", yes_or_no, "the dashboard starts a server of its own", default=False)
DASH_SERVER_PORT = Setting(
    "dash.server_port", whole_number(0, 65535), "port of that server; 0 takes a free one", default=0
)
DASH_DATABASE = Setting("dash.database", str, "database of that server")
DASH_COMPLETION_CHECK_INTERVAL = Setting(
    "dash.completion_check_interval_secs",
    seconds,
    "pause between two rounds of that server's housekeeping",
    default=5.0,
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

SERVER = (
    URL,
    PORT,
    THREADS,
    SERVER_DATABASE,
    AUTH_FILE,
    REQUIRE_AUTH,
    HTTPS,
    TLS_CERT,
    TLS_KEY,
    COMPLETION_CHECK_INTERVAL,
    SERVER_LOG_LEVEL,
    LOG_DIR,
    JSON_LOGS,
)

BY_KEY = {setting.key: setting for setting in list(vars().values()) if isinstance(setting, Setting)}
"""All settings, in the order of this file."""

FREE_FORM = ("client.hpc.profile_overrides.", "client.hpc.custom_profiles.")
"""What stands below these keys is named by the user."""


def user_name() -> str:
    """Who works with torc, for new workflows and for filters."""
    return os.environ.get("USER") or os.environ.get("USERNAME") or "unknown"
