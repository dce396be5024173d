"""Questions to the person at the terminal. Without a terminal nobody is asked."""

import sys

from torc.cli.command import NO_PROMPTS
from torc.errors import TorcError

__all__ = ["NO_PROMPTS", "can_ask", "confirm", "consent", "read_line"]


def can_ask() -> bool:
    """Whether somebody sees a question and can answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def read_line(question: str) -> str:
    """Ask on stderr, so that stdout keeps only the result; an empty text at the end of the input."""
    print(f"{question} ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        print(file=sys.stderr)  # Ctrl-D leaves the cursor behind the question
    return line.strip()


def confirm(question: str) -> bool:
    """Anything but yes is no."""
    return read_line(f"{question} (y/N):").lower() in ("y", "yes")


def consent(question: str, *, no_prompts: bool) -> bool:
    """Whether something may be destroyed. With ``no_prompts`` it may; TorcError where nobody can be asked."""
    if no_prompts:
        return True
    if not can_ask():
        raise TorcError(f"{question} Nobody can be asked here; say yes with --no-prompts.")
    return confirm(question)
