"""Command lines in texts: where they begin, and what of them a program gets to see."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress

PROGRAM = r"(?:torc|torc-server|torc-client|torc-htpasswd|torc-slurm-job-runner|pytorc)"
BEFORE = r"(?:^\s*(?:[$#>] +)?|[(`|;&=]\s*|\bsudo |\bdo |\bthen |\bif )"
LINE = re.compile(rf"{BEFORE}(?<![-\w./]){PROGRAM} +(?=\S)", re.MULTILINE)
MOST_LINES = 12
OPERATORS = set("|&;()<>`")


def commands_in(text: str) -> Iterator[str]:
    """The command lines of our programs in a text, without what a shell does with them."""
    for found in LINE.finditer(text):
        start = re.compile(PROGRAM).search(text, found.start())
        assert start is not None
        if "<TAB>" in text[start.start() :].partition("\n")[0]:
            continue  # half of a line, which a shell completes
        yield _quoted_to_the_end(text[start.start() :].split("\n", MOST_LINES)[:MOST_LINES])


def _quoted_to_the_end(rows: list[str]) -> str:
    """The command in the first row, and in as many more as a quotation in it needs."""
    for count in range(1, len(rows) + 1):
        with suppress(ValueError):
            return _command("\n".join(rows[:count]))
    return _command(rows[0].replace("'", " ").replace('"', " "))  # an apostrophe of prose


def _command(line: str) -> str:
    """The first command of a shell line, with 1 for whatever the reader is to put in."""
    line = re.sub(r"<[\w -]+>", "1", line)
    line = re.sub(r"""["']?\$(\([^()]*\)|\{(?:[\w.]|\{\w+\}|\$\w+)+\}|\w+)["']?""", "1", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>`")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= OPERATORS:
            break
        words.append(word)
    return shlex.join(words)
