"""The ``pytorc`` program: runs the Python functions that ``map_function_to_jobs`` made jobs of."""

import argparse
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import msgspec

from torc import __version__
from torc.client.api import Client
from torc.errors import ServerAway, TorcError, Unavailable
from torc.functions import NOTHING_YET, POSTPROCESS_INPUT, Call, as_json
from torc.models.user_data import UserData

T = TypeVar("T")

PATIENCE_S = 20 * 60.0
"""How long a server may be away: runners wait as long by default."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0

HELP = """\
The runner sets TORC_API_URL, TORC_WORKFLOW_ID and TORC_JOB_ID for its jobs, and TORC_USERNAME and TORC_PASSWORD where
the server asks for them."""


class Job:
    """The job this process is: what it was given, and where its result goes."""

    def __init__(self, client: Client, workflow_id: int, job_id: int) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._job_id = job_id

    def inputs(self) -> list[UserData]:
        """The user data it reads, in the order in which they were made."""
        return self._linked(consumer_job_id=self._job_id)

    def store(self, result: Any) -> None:
        """Put what the function returned where other jobs and people find it; None stands for nothing."""
        outputs = self._linked(producer_job_id=self._job_id)
        if len(outputs) != 1:
            raise TorcError(
                f"job {self._job_id} writes {len(outputs)} user data records; it takes one, for its result."
            )
        record = outputs[0]
        record.data = NOTHING_YET if result is None else as_json(result, "what the function returned")
        patiently(lambda: self._client.user_data.update(record.id or 0, record))

    def _linked(self, **link: int) -> list[UserData]:
        return patiently(lambda: list(self._client.user_data.list(self._workflow_id, sort_by="id", **link)))


def run_function(job: Job) -> None:
    """Call the mapped function with its parameters."""
    inputs = job.inputs()
    if len(inputs) != 1:
        raise TorcError(f"a job of `pytorc run-function` reads one user data record; this one reads {len(inputs)}.")
    call = _call(inputs[0])
    job.store(_result(call.function(), call.job_name, call.params))


def run_postprocess(job: Job) -> None:
    """Call the postprocess function with the results of the mapped ones."""
    inputs = job.inputs()
    calls = [record for record in inputs if record.name == POSTPROCESS_INPUT]
    if len(calls) != 1:
        raise TorcError(
            f"a job of `pytorc run-postprocess` reads one user data record named {POSTPROCESS_INPUT!r}; this one reads "
            f"{len(calls)}."
        )
    results = [record.data for record in inputs if record.name != POSTPROCESS_INPUT]
    job.store(_result(_call(calls[0]).function(), results))


def _result(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the user's function returns. Its failure is shown as Python shows it and ends the job."""
    try:
        return function(*arguments)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


COMMANDS: dict[str, Callable[[Job], None]] = {"run-function": run_function, "run-postprocess": run_postprocess}


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 1 when the function fails or cannot be called."""
    command = COMMANDS[make_parser().parse_args(arguments).command]
    try:
        url = _variable("TORC_API_URL")
        workflow_id, job_id = _id("TORC_WORKFLOW_ID"), _id("TORC_JOB_ID")
        username = os.environ.get("TORC_USERNAME") or None
        with closing(Client(url, username=username, password=os.environ.get("TORC_PASSWORD"))) as client:
            command(Job(client, workflow_id, job_id))
    except TorcError as error:
        print(f"pytorc: {error}", file=sys.stderr)
        return 1
    return 0


def patiently(ask: Callable[[], T]) -> T:
    """What ``ask`` returns, asked again while no server answers. It must be safe to repeat."""
    give_up_at = time.monotonic() + PATIENCE_S
    for pause_s in _pauses():
        try:
            return ask()
        except (ServerAway, Unavailable) as error:
            if time.monotonic() > give_up_at:
                raise
            print(f"pytorc: {error} Trying again in {pause_s:.1f} s.", file=sys.stderr)
        time.sleep(pause_s)
    raise AssertionError("pauses never end")


def _pauses() -> Iterator[float]:
    """Ever longer, and never the same for the hundreds of jobs that wait for one server."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1.0)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _call(record: UserData) -> Call:
    try:
        return msgspec.convert(record.data, Call)
    except msgspec.ValidationError as error:
        raise TorcError(
            f"user data {record.id} ({record.name!r}) is not one that map_function_to_jobs has made: {error}."
        ) from error


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise TorcError(f"{name} is not set: pytorc is a command for jobs, and the runner sets it for them.")
    return value


def _id(name: str) -> int:
    text = _variable(name)
    if not text.isdecimal():
        raise TorcError(f"{name}={text!r} is not an id.")
    return int(text)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="pytorc",
        description="Run Python functions that were mapped to the jobs of a workflow.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pytorc {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        about = (function.__doc__ or "").strip()
        commands.add_parser(name, help=about, description=about, epilog=HELP)
    return parser


if __name__ == "__main__":
    sys.exit(main())
