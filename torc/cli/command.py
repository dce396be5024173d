"""The @command decorator, what arguments are made of, and the parser of one noun's commands."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn, TypeVar

from torc.cli.output import Result
from torc.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_SERVER_AWAY, EXIT_USAGE
from torc.settings import CLIENT, Setting, as_argument, whole_number, yes_or_no

F = TypeVar("F", bound=Callable[..., Any])


class Argument(NamedTuple):
    """What argparse's add_argument takes."""

    names: tuple[str, ...]
    options: Mapping[str, Any]


def argument(*names: str, **options: Any) -> Argument:
    """An option with a value, or a positional argument."""
    return Argument(names, {"action": StoreOnce, **options})


def flag(*names: str, **options: Any) -> Argument:
    """An option without a value."""
    return Argument(names, {"action": FlagOnce, **options})


EXIT_CODES = {
    0: "success",
    EXIT_ERROR: "an error, told in a sentence on stderr",
    EXIT_USAGE: "a command line that makes no sense",
    EXIT_SERVER_AWAY: "no server answers",
    EXIT_INTERRUPTED: "interrupted",
}
"""What the exit codes mean that every command may end with. 5 only where a server is needed."""

NO_MORE_CODES: Mapping[int, str] = {}


class Command(NamedTuple):
    """A declared command. ``path`` is what the user types after ``torc``."""

    path: str
    arguments: tuple[Argument | Setting, ...]
    run: Callable[..., Any]
    aliases: tuple[str, ...]
    examples: tuple[str, ...]
    own_exit_codes: Mapping[int, str]
    prepare: Callable[[dict[str, Any]], dict[str, Any] | Result] | None
    needs_server: bool
    needs_settings: bool
    is_private: bool
    json_in_pipe: bool
    hidden: bool

    @property
    def description(self) -> str:
        """The function's docstring."""
        lines = (self.run.__doc__ or "").replace("``", "`").splitlines()
        return "\n".join(line.strip() for line in lines)

    @property
    def help(self) -> str:
        """The first line of it."""
        return self.description.partition("\n")[0].rstrip(".")

    @property
    def exit_codes(self) -> dict[int, str]:
        """All exit codes it may end with, and what they mean."""
        usual = {code: text for code, text in EXIT_CODES.items() if self.needs_server or code != EXIT_SERVER_AWAY}
        return dict(sorted({**usual, **self.own_exit_codes}.items()))

    @property
    def can_ask(self) -> bool:
        """Whether it may ask somebody at a terminal something, other than for a password."""
        return any(one in self.arguments for one in (WORKFLOW_ID, WORKFLOW_IDS, NO_PROMPTS))


COMMANDS: dict[str, Command] = {}
"""Every command of the modules imported so far, by path."""


def command(
    path: str,
    *arguments: Argument | Setting,
    aliases: tuple[str, ...] = (),
    examples: tuple[str, ...] = (),
    exit_codes: Mapping[int, str] = NO_MORE_CODES,
    prepare: Callable[[dict[str, Any]], dict[str, Any] | Result] | None = None,
    needs_server: bool = True,
    needs_settings: bool = True,
    is_private: bool = False,
    json_in_pipe: bool = False,
    hidden: bool = False,
) -> Callable[[F], F]:
    """Make ``torc <path>`` of a function that takes a Client and ``arguments`` by name, and returns a result.

    ``prepare`` may change the arguments before a server is asked for; what can be refused without one belongs there,
    and when it returns a result that is all there is to do. Without ``needs_server`` the function takes no Client,
    and without ``needs_settings`` a global setting that cannot be read counts as unset. One that
    ``is_private`` has a server of its own unless one is named, with its database in the output folder.
    With ``json_in_pipe`` a program that reads the output gets JSON unless the user has chosen a format. ``examples``
    are shell lines, with remarks behind `` # ``. ``exit_codes`` are those beside the usual ones. Aliases and what is
    ``hidden`` work, but no help names them.
    """

    def register(function: F) -> F:
        if not function.__doc__:
            raise TypeError(f"the command {path!r} needs a docstring; its first line is the help")
        COMMANDS[path] = Command(
            path=path,
            arguments=arguments,
            run=function,
            aliases=aliases,
            examples=examples,
            own_exit_codes=exit_codes,
            prepare=prepare,
            needs_server=needs_server,
            needs_settings=needs_settings,
            is_private=is_private,
            json_in_pipe=json_in_pipe,
            hidden=hidden,
        )
        return function

    return register


class StoreOnce(argparse.Action):
    """Keeps a value. An option that is given twice is a mistake, not a correction."""

    used = False

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if option and self.used:
            parser.error(f"{option} is given more than once")
        self.used = True
        setattr(namespace, self.dest, values)


class FlagOnce(StoreOnce):
    """Keeps that a flag was given; one that begins with ``--no-`` and is the opposite of another keeps False."""

    def __init__(self, default: Any = False, opposites: Sequence[str] = (), **options: Any) -> None:
        super().__init__(nargs=0, default=default, **options)
        self._opposites = opposites

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        super().__call__(parser, namespace, option not in self._opposites, option)


class Parser(argparse.ArgumentParser):
    """An argparse parser that shortens no option and ends with code 2 and one clear sentence."""

    def __init__(self, **options: Any) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        # resolve: what a command declares wins over a global option with the same letter.
        defaults = {"allow_abbrev": False, "formatter_class": layout, "conflict_handler": "resolve"}
        super().__init__(**{**defaults, **options})

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().removeprefix("usage: ")
        self.exit(EXIT_USAGE, f"error: {message}\n\nUsage: {usage}\nSee `{self.prog} --help`.\n")

    def expect_command(self, shown: Iterable[str], hidden: Iterable[str]) -> None:
        """Let the words be options, then one of these commands or ``help``, then what is for another parser."""
        self._shown, self._hidden = tuple(shown), tuple(hidden)
        self.add_argument("next", nargs="?", help=argparse.SUPPRESS)
        self.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)

    def parse_to_command(self, words: Sequence[str], found: argparse.Namespace) -> str:
        """Add the options to ``found``, the words behind the command as ``words``, and return the command."""
        found.next = None
        self.parse_args(words, found)
        if found.next is None:
            self.print_help(sys.stderr)
            raise SystemExit(EXIT_USAGE)
        if found.next == "help":
            found.next, found.words = (found.words or ["--help"])[0], [*found.words[1:], "--help"]
        if found.next == "--help":
            self.print_help()
            raise SystemExit(0)
        word: str = found.next
        if word not in self._shown and word not in self._hidden:
            close = get_close_matches(word, self._shown, n=1)
            cure = f"do you mean {close[0]!r}?" if close else f"there are: {', '.join(self._shown)}"
            self.error(f"there is no command {word!r}; {cure}")
        return word

    def parse_arguments(self, words: Sequence[str], found: argparse.Namespace) -> None:
        """Add the arguments of a command to ``found``."""
        _, unknown = self.parse_known_args(words, found)
        if unknown:
            self.error(f"unexpected: {' '.join(unknown)}")

    def add_global(self, default: Any = argparse.SUPPRESS) -> None:
        """Add the global options so that one left out here keeps what was given earlier in the line."""
        group = self.add_argument_group("options of every command")
        for argument in GLOBAL:
            self.add(argument, default=default, group=group)

    def add(
        self, argument: Argument | Setting, default: Any = None, group: argparse._ArgumentGroup | None = None
    ) -> None:
        """Add what a command declares."""
        place = group or self
        if isinstance(argument, Setting) and argument.read is yes_or_no:
            opposites = tuple(f"--no-{name.removeprefix('--')}" for name in argument.options if name.startswith("--"))
            place.add_argument(
                *argument.options,
                *opposites,
                action=FlagOnce,
                opposites=opposites,
                dest=argument.name,
                default=default,
                help=_help_of(argument),
            )
        elif isinstance(argument, Setting):
            place.add_argument(
                *argument.options,
                action=StoreOnce,
                dest=argument.name,
                type=as_argument(argument.read),
                default=default,
                metavar=argument.metavar,
                help=_help_of(argument),
            )
        else:
            extra = {} if default is None else {"default": default}
            place.add_argument(*argument.names, **{**argument.options, **extra})


STANDALONE = flag("--standalone", help="start a private server for this command when none serves the database")
DATABASE = argument("--database", metavar="FILE", help="the database of --standalone (default: ./torc.db)")
TAKE_OVER = flag("--take-over", help="with --standalone: although a server on another machine did not sign off")
GLOBAL = (*CLIENT, STANDALONE, DATABASE, TAKE_OVER)
"""Options of every command; they may stand before or after it."""


def commands_of(noun: str) -> dict[str, Command]:
    """What may follow ``torc <noun>``, aliases too; the noun's module has been imported."""
    found = [one for path, one in COMMANDS.items() if path.split()[0] == noun and path != noun]
    names = {one.path.split()[1]: one for one in found}
    return {**names, **{alias: one for one in found for alias in one.aliases}}


def noun_parser(noun: str) -> Parser:
    """The parser for what follows ``torc <noun>``, up to the name of the command."""
    commands = commands_of(noun)
    shown = {verb: one.help for verb, one in commands.items() if not one.hidden and verb not in one.aliases}
    parser = Parser(
        prog=f"torc {noun}",
        usage=f"torc {noun} COMMAND [OPTIONS] ...",
        description=listing(shown),
        epilog=f"`torc {noun} COMMAND --help` tells more.",
    )
    parser.expect_command(shown, commands)
    parser.add_global()
    return parser


def listing(commands: Mapping[str, str]) -> str:
    """The names of commands, with what they do."""
    width = max(map(len, commands), default=0) + 2
    return "\n".join(["commands:", *(f"  {name:<{width}}{help}" for name, help in commands.items())])


def command_parser(declared: Command) -> Parser:
    """The parser for what follows the name of a command."""
    parser = Parser(prog=f"torc {declared.path}", description=declared.description, epilog=_epilog_of(declared))
    words = [_usage_of(one) for one in declared.arguments if isinstance(one, Argument)]
    parser.usage = " ".join([parser.prog, "[OPTIONS]", *filter(None, words)])
    parser.set_defaults(declared=declared, parser=parser)
    parser.add_global()
    for argument in declared.arguments:
        parser.add(argument)
    if declared.can_ask and NO_PROMPTS not in declared.arguments:
        parser.add(NO_PROMPTS)
    return parser


def _epilog_of(declared: Command) -> str:
    lines = ["examples:", *(f"  {line}" for line in declared.examples), ""] if declared.examples else []
    lines += ["exit codes:", *(f"  {code:<5}{text}" for code, text in declared.exit_codes.items())]
    return "\n".join(lines)


def _usage_of(argument: Argument) -> str:
    """A positional argument as the usage line shows it; nothing for an option."""
    if argument.names[0].startswith("-"):
        return ""
    name: str = argument.options["metavar"]
    return {"?": f"[{name}]", "+": f"{name}...", "*": f"[{name}...]"}.get(argument.options.get("nargs", ""), name)


def _help_of(setting: Setting) -> str:
    default = "" if setting.default in (None, False) else f"default: {setting.default}; "
    return f"{setting.help} [{default}{setting.older_variable or setting.variable}]".replace("%", "%%")


def number(minimum: int) -> Callable[[str], int]:
    """An argument type: an integer of at least ``minimum``."""
    return as_argument(whole_number(minimum))


def id_or_name(text: str) -> int | str:
    """An argument type: the id of a workflow, or what may be its name."""
    return number(1)(text) if text.removeprefix("-").isdecimal() else text


WORKFLOW_ID = argument(
    "workflow_id",
    metavar="WORKFLOW_ID",
    nargs="?",
    type=id_or_name,
    help="ID of the workflow, or its name if no other is called so; asked for on a terminal when not given",
)
WORKFLOW_IDS = argument(
    "workflow_ids", metavar="WORKFLOW_ID", nargs="*", type=id_or_name, help="one or several, as WORKFLOW_ID elsewhere"
)
"""Commands that declare one of the two get ids: main() has found what was named, or asked."""

WHOSE = argument("-u", "--user", metavar="NAME", help="whose workflows to offer when no ID is given (default: USER)")
NO_PROMPTS = flag("--no-prompts", help="never ask anything")
PAGING = (
    argument("-l", "--limit", metavar="N", type=number(0), default=10000, help="at most so many (default: 10000)"),
    argument("-o", "--offset", metavar="N", type=number(0), default=0, help="leave out so many at the beginning"),
    argument("--sort-by", metavar="FIELD", help="order by this field instead of by ID"),
    flag("--reverse-sort", help="biggest first"),
)
PAGING_WITH_LETTERS = (
    *PAGING[:2],
    argument("-s", "--sort-by", metavar="FIELD", help="order by this field instead of by ID"),
    flag("-r", "--reverse-sort", help="biggest first"),
)
"""The same where ``-s`` and ``-r`` mean nothing else."""
