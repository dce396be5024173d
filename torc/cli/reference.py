"""docs/cli.md, written from the parsers: ``python -m torc.cli.reference > docs/cli.md``."""

import argparse
from collections.abc import Iterable, Iterator

from torc.cli.command import GLOBAL, Command, Parser, command_parser
from torc.cli.completions.grammar import every_command, other_programs, subparsers

INTRODUCTION = """\
# The command line

Made from the programs' own help by `python -m torc.cli.reference > docs/cli.md`; changes belong there.

Options of every command may stand before or after it. What an option in the tables below is called in configuration
files and in the environment is in [settings.md](settings.md); exit codes are explained in
[exit-codes.md](exit-codes.md)."""


def reference() -> str:
    """The whole page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    commands = every_command()
    yield INTRODUCTION
    yield "\n| command | |\n|---|---|"
    for declared in commands:
        title = f"torc {declared.path}"
        yield f"| [`{title}`](#{title.replace(' ', '-')}) | {_cell(declared.help)} |"
    everywhere = Parser(prog="torc", add_help=False)
    for argument in GLOBAL:
        everywhere.add(argument)
    yield "\n## Options of every command\n"
    yield from _table(everywhere._actions)
    names = {name for action in everywhere._actions for name in action.option_strings}
    for declared in commands:
        yield from _command(declared, names)
    for program, parser in other_programs().items():
        yield from _program(program, parser)


def _command(declared: Command, names: set[str]) -> Iterator[str]:
    parser = command_parser(declared)
    own = [one for one in parser._actions if not one.option_strings or not set(one.option_strings) <= names]
    yield f"\n## torc {declared.path}\n"
    yield f"    {parser.usage}\n"
    yield declared.description.strip()
    if declared.aliases:
        yield f"\nAlso called {', '.join(f'`{name}`' for name in declared.aliases)}."
    yield from _arguments(own)
    if declared.examples:
        yield "\n```text"
        yield from declared.examples
        yield "```"
    yield f"\nExit codes: {'; '.join(f'{code} {text}' for code, text in declared.exit_codes.items())}."


def _program(words: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    nested = subparsers(parser)
    yield f"\n## {words}\n"
    yield (parser.description or "").strip()
    yield from _arguments([one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)])
    if parser.epilog and nested:
        yield f"\n```text\n{parser.epilog.strip()}\n```"
    for name, one in nested.items():
        yield from _program(f"{words} {name}", one)


def _arguments(actions: Iterable[argparse.Action]) -> Iterator[str]:
    shown = [one for one in actions if one.help is not argparse.SUPPRESS and "--help" not in one.option_strings]
    if shown:
        yield ""
        yield from _table(shown)


def _table(actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield "| argument | |\n|---|---|"
    for action in actions:
        value = "" if action.nargs == 0 else f" {_value(action)}"
        words = f"{', '.join(action.option_strings)}{value}".strip()
        yield f"| `{words.replace('|', chr(92) + '|')}` | {_cell((action.help or '').replace('%%', '%'))} |"


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return ",".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(reference(), end="")
