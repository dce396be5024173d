"""``torc exec``: commands become a workflow without a specification, and it is run here."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torc import settings
from torc.cli.command import argument, command, flag, number
from torc.cli.output import CONTROL, Message
from torc.cli.replacements import PRODUCT, combine, fill, split_sources
from torc.cli.resource_requirements import memory, runtime
from torc.cli.run import EXIT_CODES
from torc.cli.run import run as run_workflow
from torc.errors import TorcError, UsageError
from torc.models.draft import DraftDocument, DraftFailureHandler, DraftJob, DraftRequirements
from torc.models.failure_handler import FailureRule
from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME
from torc.models.workflow import Workflow

if TYPE_CHECKING:
    from torc.client.api import Client

STDIN = "-"


def _prepare(given: dict[str, Any]) -> dict[str, Any] | Message:
    """Make the document; with --dry-run the commands are the result."""
    commands = _commands(given.pop("commands"), given.pop("command_file"))
    if not commands:
        raise UsageError("there is nothing to run: no command, or no value for one.")
    if given.pop("dry_run"):
        return Message(says="\n".join(commands).translate(CONTROL), data={"commands": commands})
    _make_folder(given["output_dir"])
    names = ("name", "num_cpus", "memory", "runtime", "retries")
    document = _document(commands, **{name: given.pop(name) for name in names})
    return {**given, "document": document}


def _commands(words: list[str], file: str | None) -> list[str]:
    given, sources = split_sources(words)
    if file is not None:
        if words:
            raise UsageError("give commands either on the command line or with --command-file, not both.")
        return _lines(file)
    for word in given[:1] if sources else given:
        if word.startswith("-"):
            raise UsageError(f"{word!r} is no command; options stand before the first command.")
    if not sources:
        return _checked([one for one in given if one.strip()], "the command line")
    if not given:
        raise UsageError(f"there is no command before {sources[0][0]!r}.")
    values = [(kind, _values(kind, listed)) for kind, listed in sources]
    return _checked(list(fill(" ".join(given), combine(values))), "the values")


def _values(kind: str, listed: list[str]) -> list[str]:
    if kind in (PRODUCT[0], ":::+"):
        return listed
    return [line for file in listed for line in _lines(file)]


def _lines(file: str) -> list[str]:
    """The lines of a file, or of stdin, that are not blank."""
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        text = data.decode()
    except OSError as error:
        raise TorcError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TorcError(f"{file} is not text in UTF-8: byte {error.start} is {data[error.start]:#x}.") from error
    return _checked([line for line in text.replace("\r\n", "\n").split("\n") if line.strip()], file)


def _checked(texts: list[str], place: str) -> list[str]:
    """The texts, once it is clear that they can be stored and run."""
    for text in texts:
        if "\0" in text or not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            raise TorcError(f"{place}: {text[:60]!r} holds a NUL byte or bytes that are not UTF-8; no shell runs that.")
    return texts


def _make_folder(output_dir: Path) -> None:
    """The database of the private server is to lie there."""
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the output folder {output_dir} cannot be used: {error.strerror}; name another with --output-dir."
        ) from error


def _document(
    commands: list[str], *, name: str, num_cpus: int, memory: str, runtime: str, retries: int
) -> DraftDocument:
    width = max(3, len(str(len(commands))))
    handler = 0 if retries else None
    rule = FailureRule(match_all_exit_codes=True, max_retries=retries)
    return DraftDocument(
        workflow=Workflow(name=name, user=settings.user_name()),
        resource_requirements=[DraftRequirements(name=name, num_cpus=num_cpus, memory=memory, runtime=runtime)],
        failure_handlers=[DraftFailureHandler(name="retries", rules=[rule])] if retries else [],
        jobs=[
            DraftJob(name=f"exec_{i:0{width}d}", command=text, resource_requirements=0, failure_handler=handler)
            for i, text in enumerate(commands, start=1)
        ],
    )


NOT_FOR_THE_RUNNER = (settings.MAX_PARALLEL_JOBS, settings.NUM_CPUS, settings.MEMORY_GB, settings.NUM_GPUS)


@command(
    "exec",
    argument("commands", metavar="COMMAND", nargs=argparse.REMAINDER, help="commands, or one command, ::: and values"),
    argument("-f", "--command-file", metavar="FILE", help="run each line of this file; - is stdin"),
    settings.MAX_PARALLEL_JOBS._replace(options=("-j", *settings.MAX_PARALLEL_JOBS.options)),
    argument("--num-cpus", metavar="N", type=number(1), default=1, help="CPUs of each command (default: 1)"),
    argument("--memory", metavar="MEM", type=memory, default=DEFAULT_MEMORY, help="memory of each, such as 2g"),
    argument("--runtime", metavar="TIME", type=runtime, default=DEFAULT_RUNTIME, help="time of each, such as 2h"),
    argument("--retries", metavar="N", type=number(0), default=0, help="run a command that fails so often again"),
    argument("--name", metavar="NAME", default="exec", help="name of the workflow (default: exec)"),
    flag("--dry-run", help="only print the commands"),
    *(one for one in settings.RUN if one not in NOT_FOR_THE_RUNNER),
    examples=(
        "torc exec 'make a' 'make b'          # two commands at the same time",
        "torc exec -j 4 'gzip {}' ::: *.csv   # one for each file, four at a time",
        "torc exec -f commands.txt            # one for each line",
        "torc exec './fit {1} {2}' ::: a b ::: 1 2 3  # six: every combination",
    ),
    exit_codes=EXIT_CODES,
    prepare=_prepare,
    is_private=True,
)
def exec_commands(torc: "Client", *, document: DraftDocument, output_dir: Path, **choices: Any) -> Message:
    """Run commands as a workflow, without a specification.

    Options stand before the first command. Behind ``:::`` stand values, behind ``::::`` files with a value in each
    line. Each value is quoted for the shell and takes the place of {}; {.} is without extension, {/} without folder,
    {//} the folder, {/.} the name without both, {#} the number of the command, {2} the value of the second ``:::``.
    Several ``:::`` are combined; ``:::+`` goes in step with the one before. The output of the commands stays in files.

    The database is torc.db in the output folder, or what --database names, unless --url names a server.
    """
    return run_workflow(
        torc,
        document=document,
        workflow_id=None,
        output_dir=output_dir,
        force=False,
        delete_outputs=False,
        no_prompts=True,
        **choices,
    )
