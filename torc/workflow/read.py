"""A specification from a file or from stdin, read and checked."""

import sys
from pathlib import Path

from torc.errors import InvalidSpec
from torc.models.checked import Checked, Summary

STDIN = Path("-")


def check_spec(path: Path, *, user: str, skip_checks: bool = False) -> Checked:
    """Read and check a specification; a file that cannot be read is one of the errors.

    ``user`` owns the workflow unless the specification says who does. ``-`` is stdin.
    """
    from torc.spec import check  # parsing YAML is not for `torc run 17`

    source = "stdin" if path == STDIN else str(path)
    try:
        text = _decoded(content_of(path), source)
    except InvalidSpec as error:
        return Checked(document=None, errors=[error.message], warnings=[], summary=Summary())
    return check(text, source=source, user=user, skip_checks=skip_checks)


def content_of(path: Path) -> bytes:
    """What stands in a file, or comes through stdin. Raises InvalidSpec."""
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except FileNotFoundError:
        raise InvalidSpec(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise InvalidSpec(f"{path} is a folder, not a workflow specification.") from None
    except OSError as error:
        raise InvalidSpec(f"{path} cannot be read: {error.strerror}.") from error


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSpec(
            f"{source}: byte {error.start} is not UTF-8 text; save the file in UTF-8, or name another one."
        ) from None
