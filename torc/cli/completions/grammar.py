"""What may stand where on a command line, read off the parsers of all programs."""

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from torc.cli import htpasswd
from torc.cli.command import COMMANDS, Command, Parser, command_parser
from torc.models.status import JobStatus
from torc.settings import any_path

FILES, WORKFLOWS = "@files", "@workflows"
"""Kinds of words that only the shell, or only the server, knows."""

PATH_METAVARS = ("FILE", "DIR", "PATH", "SPEC_OR_ID")
FORMATS = "table json"
LIST_NARGS = ("*", "+")


class Level(NamedTuple):
    """What may follow the words that lead here: ``torc jobs list``. All texts are names separated by spaces.

    ``values`` has the options that take a value, with a kind, the possible values, or nothing. ``places`` are the same
    for words that are no options, one after the other; the last repeats when ``is_open``.
    """

    commands: dict[str, str]
    options: dict[str, str]
    values: dict[str, str]
    places: tuple[str, ...] = ()
    is_open: bool = False


Grammar = dict[str, Level]
"""By the words that lead there. ``torc ...`` has what every level of torc has."""


def grammar() -> Grammar:
    """Of all programs."""
    return {**dict(_torc()), **dict(_others())}


def every_command() -> list[Command]:
    """Each command that help names, in its order."""
    from torc.cli.main import NOUNS, module_of  # it is what imports this module

    found: list[Command] = []
    for noun in NOUNS:
        import_module(f"torc.cli.{module_of(noun)}")
        found += [one for one in COMMANDS.values() if one.path.split()[0] == noun and not one.hidden]
    return found


def other_programs() -> dict[str, argparse.ArgumentParser]:
    """The parsers of the programs beside torc."""
    from torc import pytorc
    from torc.server import options

    made = options.parser(print, print, print)  # nothing is parsed with it
    return {"torc-server": made, "torc-htpasswd": htpasswd.make_parser(), "pytorc": pytorc.make_parser()}


def _torc() -> Iterator[tuple[str, Level]]:
    from torc.cli.main import NOUNS

    everywhere = Parser(prog="torc")
    everywhere.add_global()
    common = _level(everywhere)
    yield "torc ...", common
    yield "torc", Level({**NOUNS, "help": "Help for a command"}, {"--version": "Print the version"}, {})
    nouns: dict[str, dict[str, str]] = {}
    for declared in every_command():
        noun, _, verb = declared.path.partition(" ")
        if verb:
            nouns.setdefault(noun, {})[verb] = declared.help
        level = _level(command_parser(declared))
        own = {name: text for name, text in level.options.items() if common.options.get(name) != text}
        yield f"torc {declared.path}", level._replace(options=own, values=_only(own, level.values))
    for noun, verbs in nouns.items():
        yield f"torc {noun}", Level(verbs, {}, {})


def _others() -> Iterator[tuple[str, Level]]:
    for program, parser in other_programs().items():
        yield from _walk(program, parser)


def _walk(words: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, Level]]:
    level, choices = _level(parser), subparsers(parser)
    if words == "torc-server":  # its options may stand without `run`
        run = _level(choices["run"])
        level = level._replace(options={**level.options, **run.options}, values=run.values)
    yield words, level
    for name, one in choices.items():
        yield from _walk(f"{words} {name}", one)


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers behind the commands of one that argparse itself leads on from."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def _level(parser: argparse.ArgumentParser) -> Level:
    shown = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    nested = next((action for action in shown if isinstance(action, argparse._SubParsersAction)), None)
    about = {one.dest: one.help or "" for one in nested._choices_actions} if nested else {}
    options = {name: _told(action) for action in shown for name in action.option_strings}
    places = [action for action in shown if not action.option_strings and action is not nested]
    return Level(
        commands={name: about.get(name, "") for name in subparsers(parser)},
        options=options,
        values={name: _kind(one) for one in shown if one.nargs != 0 for name in one.option_strings},
        places=tuple(map(_kind, places)),
        is_open=any(one.nargs in LIST_NARGS for one in places),
    )


def _told(action: argparse.Action) -> str:
    """The help of an option, short enough for one line."""
    text = (action.help or "").replace("%%", "%").replace("\n", " ")
    return text.partition(" [")[0].partition(";")[0]


def _kind(action: argparse.Action) -> str:
    if action.dest in ("workflow_id", "workflow_ids"):
        return WORKFLOWS
    if action.choices is not None:
        return " ".join(map(str, action.choices))
    if action.metavar == "STATUS":
        return " ".join(status.value for status in JobStatus)
    if action.metavar in PATH_METAVARS or action.type in (Path, any_path):
        return FILES
    if action.metavar == "true|false":
        return "true false"
    return FORMATS if "--format" in action.option_strings else ""


def _only(names: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in values.items() if name in names}
