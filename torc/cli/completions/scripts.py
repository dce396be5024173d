"""The completion scripts: the grammar as each shell writes data, and a small program that walks along it.

All of them walk alike. Words lead from level to level; behind an option that takes a value stands that value; a word
that begins with ``-`` is an option of this level or of all; any other is a command or takes the next place.
"""

import json
from collections.abc import Callable

from torc.cli.completions.grammar import Grammar
from torc.cli.completions.scripts_json import ELVISH, POWERSHELL
from torc.cli.completions.scripts_text import BASH, FISH, ZSH


def _as_case(grammar: Grammar) -> str:
    """Branches of a ``case`` for bash and zsh."""
    lines = []
    for words, level in grammar.items():
        values = "|".join(f"{name}={kind}" for name, kind in level.values.items())
        parts = {
            "commands": " ".join(level.commands),
            "options": " ".join(level.options),
            "values": values,
            "places": "|".join(level.places),
            "more": "y" if level.is_open else "",
        }
        assigned = " ".join(f"{name}={_quoted(text)}" for name, text in parts.items() if text)
        lines.append(f"    {_quoted(words)}) {assigned} ;;")
    return "\n".join(lines)


def _as_switch(grammar: Grammar) -> str:
    """Branches of a ``switch`` for fish: lines of kind, name, rest, separated by tabs."""
    lines = []
    for words, level in grammar.items():
        records = [f"command\t{name}\t{text}" for name, text in level.commands.items()]
        records += [f"option\t{name}\t{text}" for name, text in level.options.items()]
        records += [f"value\t{name}\t{kind}" for name, kind in level.values.items()]
        records += [f"place\t{number}\t{kind}" for number, kind in enumerate(level.places, start=1)]
        records += [f"place\t*\t{level.places[-1]}"] if level.is_open else []
        lines += [f"        case {_fish_quoted(words)}"]
        lines += ["            printf '%s\\n' \\"] + [f"                {_fish_quoted(one)} \\" for one in records]
        lines[-1] = lines[-1].removesuffix(" \\")
    return "\n".join(lines)


def _as_json(grammar: Grammar) -> str:
    """For shells that read JSON. Nothing in it is longer than a line."""
    lines = []
    for words, level in grammar.items():
        document = {
            "commands": level.commands,
            "options": level.options,
            "values": level.values,
            "places": level.places,
            "open": level.is_open,
        }
        lines.append(f"{json.dumps(words)}: {json.dumps(document, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _doubled(text: str) -> str:
    """Inside of single quotes in elvish and PowerShell."""
    return text.replace("'", "''")


SCRIPTS: dict[str, Callable[[Grammar], str]] = {
    "bash": lambda grammar: BASH.replace("@GRAMMAR@", _as_case(grammar)),
    "elvish": lambda grammar: ELVISH.replace("@GRAMMAR@", _doubled(_as_json(grammar))),
    "fish": lambda grammar: FISH.replace("@GRAMMAR@", _as_switch(grammar)),
    "powershell": lambda grammar: POWERSHELL.replace("@GRAMMAR@", _doubled(_as_json(grammar))),
    "zsh": lambda grammar: ZSH.replace("@GRAMMAR@", _as_case(grammar)),
}
"""What prints the script for each shell."""
