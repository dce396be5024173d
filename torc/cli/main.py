"""The entry point: finds the command, connects, prints the result or the one sentence that explains a failure."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc import __version__, logs
from torc.cli import credentials, output
from torc.cli.command import COMMANDS, GLOBAL, WHOSE, Command, Parser, command_parser, commands_of, listing, noun_parser
from torc.errors import EXIT_INTERRUPTED, TorcError, UsageError
from torc.settings import API_URL, DEFAULT, FORMAT, Setting

if TYPE_CHECKING:
    from torc.client.api import Client

NOUNS = {
    "run": "Run a workflow on this machine",
    "exec": "Run commands as a workflow, without a specification",
    "submit": "Have a workflow run by Slurm",
    "submit-slurm": "Plan the allocations of a specification, create the workflow and submit it",
    "recover": "Run again what ran out of memory or time, with more of it",
    "workflows": "Create, look at, initialize and delete workflows",
    "jobs": "Look at jobs and their logs, add, cancel and rerun some",
    "hpc": "Look at known clusters, and which partitions suit a job",
    "slurm": "Ask Slurm for nodes, and look at what became of them",
    "watch": "Watch a workflow until it has ended",
    "events": "Look at what happened, also as it happens",
    "results": "Look at how jobs ended",
    "reports": "Report on what jobs used, and where their logs are",
    "actions": "Have actions carried out again",
    "config": "Look at settings, and write and check the files they come from",
    "user-data": "Look at and change the JSON data of workflows",
    "files": "Look at and change the files that jobs read and write",
    "resource-requirements": "Look at and change what jobs need",
    "compute-nodes": "Look at runners, give back the jobs of dead ones",
    "scheduled-compute-nodes": "Look at the allocations that were asked for",
    "job-dependencies": "See who waits for whom, and through what",
    "completions": "Print a script that completes command lines in a shell",
}
"""What may follow ``torc``: the module of that name in this package, imported only when it is asked for."""

OTHER_NOUNS = {"job-runner": "run", "candidates": "candidates"}
"""Older names, and what only completion scripts call; no help shows them."""


def module_of(noun: str) -> str:
    """Python's form of a noun's name."""
    return noun.replace("-", "_")


DEFAULT_DATABASE = "torc.db"


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is returned, usage errors exit by themselves with code 2."""
    _prepare_streams()
    given = parse(sys.argv[1:] if words is None else words)
    output_format = given.get("format") or "table"  # until the environment has been read without an error
    try:
        values = {**given, **_settings(GLOBAL, given, is_lenient=not given["declared"].needs_settings)}
        if values["declared"].json_in_pipe and not sys.stdout.isatty() and not _is_format_chosen(given):
            values["format"] = "json"
        output_format = values["format"]
        if output_format == "json":
            values["no_prompts"] = True
        return _execute(values, given)
    except TorcError as error:
        return output.show_error(error, output_format, given.get("workflow_id"))
    except KeyboardInterrupt:
        output.tell("Interrupted.")
        return EXIT_INTERRUPTED


def job_runner() -> int:
    """The program ``torc-job-runner``, an older name of ``torc run``."""
    return main(["run", *sys.argv[1:]])


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller has closed it
            setattr(sys, name, open(os.devnull, "w"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets an escape sequence instead of a traceback.
            stream.reconfigure(errors="backslashreplace")


def parse(words: Sequence[str]) -> dict[str, Any]:
    """Everything on the command line by name, with the Command as ``declared`` and its parser as ``parser``."""
    found = argparse.Namespace()
    noun = top_parser().parse_to_command(words, found)
    noun = OTHER_NOUNS.get(noun, noun)
    import_module(f"torc.cli.{module_of(noun)}")
    declared = COMMANDS.get(noun)
    if declared is None:
        declared = commands_of(noun)[noun_parser(noun).parse_to_command(found.words, found)]
    command_parser(declared).parse_arguments(found.words, found)
    return vars(found)


def top_parser() -> Parser:
    """The parser for the line up to the first word that is no option."""
    parser = Parser(
        prog="torc",
        usage="torc [OPTIONS] COMMAND ...",
        description=f"Runs workflows of jobs with dependencies and resources.\n\n{listing(NOUNS)}",
        epilog="`torc COMMAND --help` tells more. Options of torc may stand before or after the command.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"torc {__version__}")
    parser.expect_command(NOUNS, OTHER_NOUNS)
    parser.add_global()
    return parser


def _settings(arguments: Sequence[object], given: dict[str, Any], *, is_lenient: bool = False) -> dict[str, Any]:
    """The values of the settings among ``arguments``: as given, else as configured."""
    values = {}
    for setting in arguments:
        if isinstance(setting, Setting):
            values[setting.name] = given.get(setting.name)
            if values[setting.name] is None:
                values[setting.name] = _lenient(setting) if is_lenient else setting.configured()
    return values


def _lenient(setting: Setting) -> Any:
    """The configured value, or the default where that cannot be read."""
    try:
        return setting.configured()
    except TorcError:
        return setting.default


def _is_format_chosen(given: dict[str, Any]) -> bool:
    return given.get("format") is not None or FORMAT.found().origin != DEFAULT


def _execute(values: dict[str, Any], given: dict[str, Any]) -> int:
    command: Command = values["declared"]
    logs.configure(values["log_level"])
    declared = {name: values[name] for name in _names(command) if name in values}
    if WHOSE in command.arguments:
        declared.pop("user")  # only for the question which workflow
    arguments = {**declared, **_settings(command.arguments, declared)}
    if command.prepare:
        prepared = command.prepare(arguments)
        if not isinstance(prepared, dict):
            return output.show(prepared, values["format"])
        arguments = prepared
    if not command.needs_server:
        return output.show(command.run(**arguments), values["format"])
    from torc.cli import pick  # not for --help

    pick.refuse_to_guess(command, arguments, values["parser"], no_prompts=bool(values.get("no_prompts")))
    with _connect(values, given, _database(values, given, arguments)) as torc:
        pick.workflows(torc, command, arguments, user=values.get("user"))
        return output.show(command.run(torc, **arguments), values["format"])


def _names(command: Command) -> list[str]:
    """How the command's function calls its arguments: as argparse does, by the first long option."""
    names = [(one.name,) if isinstance(one, Setting) else one.names for one in command.arguments]
    long = [next((name for name in each if name.startswith("--")), each[0]) for each in names]
    return [name.lstrip("-").replace("-", "_") for name in long]


def _database(values: dict[str, Any], given: dict[str, Any], arguments: dict[str, Any]) -> Path | None:
    """The database of a private server; None for a server that is there. ``given`` is the command line alone."""
    named = values.get("database")
    if values["declared"].is_private:
        has_server = given.get("api_url") is not None or API_URL.found().origin != DEFAULT
        if named is not None or values.get("standalone") or not has_server:
            return Path(named or arguments["output_dir"] / DEFAULT_DATABASE)
    elif values.get("standalone"):
        return Path(named or DEFAULT_DATABASE)
    if named is not None:
        raise UsageError("--database only means something together with --standalone; a server has its own database.")
    return None


@contextmanager
def _connect(values: dict[str, Any], given: dict[str, Any], database: Path | None) -> "Iterator[Client]":
    """The server that was asked for; a private one if it has a database of its own."""
    if database is not None:
        from torc.client.standalone import attach

        with attach(database, take_over=bool(values.get("take_over"))) as server:
            with closing(_client(server.url, server.username, server.password)) as torc:
                yield torc
        return
    username, password = credentials.find(given.get("username"), given.get("password"))
    with closing(_client(values["api_url"], username, password)) as torc:
        yield torc


def _client(url: str, username: str | None, password: str | None) -> "Client":
    from torc.client.api import Client  # HTTP is not for --help

    return Client(url, username=username, password=password)
