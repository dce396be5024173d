"""What names a workflow on the command line: the file it is specified in, or its id."""

import os
from pathlib import Path

from torc.errors import TorcError

SPEC_SUFFIXES = (".yaml", ".yml", ".json", ".json5", ".kdl")
STDIN = "-"


def spec_or_id(given: str) -> Path | int:
    """The specification or the id that is meant. A file wins, even one that is called 17, and a pipe is a file."""
    is_file = os.path.exists(given) and not os.path.isdir(given)  # unlike Path's, these refuse no name
    if is_file or given == STDIN or given.lower().endswith(SPEC_SUFFIXES):
        return Path(given)
    if given.isascii() and given.isdecimal():
        return int(given)
    raise TorcError(f"{given!r} is neither a workflow specification file nor a workflow ID.")
