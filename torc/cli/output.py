"""What commands return, and the only code that knows ``table`` from ``json``."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from torc.errors import TorcError
from torc.views.column import Column

CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}
"""Names and commands are other people's text; a terminal must not act on it."""


def _unchanged(record: Any) -> Any:
    return record


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Records of one kind: a table, or JSON under ``key`` (a bare array when there is none)."""

    key: str | None
    records: Iterable[Any]
    columns: Sequence[Column]
    title: str
    noun: str
    empty: str
    as_document: Callable[[Any], Any] = _unchanged
    exit_code: int = 0
    remark: str | None = None

    def text(self) -> str:
        """Title, table and count; one sentence when there is nothing."""
        rows = [[column.text(record) for column in self.columns] for record in self.records]
        if not rows:
            return self.empty
        return f"{self.title}\n{table(self.columns, rows)}\n\nTotal: {len(rows)} {self.noun}"

    def document(self) -> Any:
        """What JSON output is made of."""
        documents = [self.as_document(record) for record in self.records]
        return {self.key: documents} if self.key else documents


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record: a line per column that has a value, or the JSON object."""

    title: str
    record: Any
    columns: Sequence[Column]
    as_document: Callable[[Any], Any] = _unchanged
    exit_code: int = 0
    remark: str | None = None

    def text(self) -> str:
        """Title and indented lines; a column without a value is left out, unless it words that itself."""
        cells = ((column.heading, column.text(self.record)) for column in self.columns)
        return "\n".join([self.title, *(f"  {heading}: {cell}" for heading, cell in cells if cell)])

    def document(self) -> Any:
        """What JSON output is made of."""
        return self.as_document(self.record)


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something said: ``text`` for people, ``data`` for JSON, ``remark`` for stderr in both."""

    says: str
    data: Any
    exit_code: int = 0
    remark: str | None = None

    def text(self) -> str:
        """The text."""
        return self.says

    def document(self) -> Any:
        """What JSON output is made of."""
        return self.data


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that goes to stdout as it is, whatever the format."""

    content: BinaryIO
    exit_code: int = 0
    remark: str | None = None


Result = Listing | Record | Message | Document


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A box with a heading."""
    import tabulate  # not needed for JSON and help

    tabulate.MIN_PADDING = 0  # headings get one space on each side, as cells do
    cells = [[cell.translate(CONTROL) for cell in row] for row in rows]
    headings = [column.heading for column in columns]
    return tabulate.tabulate(cells, headings, tablefmt="rounded_outline", disable_numparse=True)


def show(result: Result, output_format: str) -> int:
    """Print a result and return the exit code that goes with it."""
    if isinstance(result, Document):
        _copy(result.content)
    else:
        write(as_json(result.document()) if output_format == "json" else result.text())
    if result.remark:
        print(result.remark, file=sys.stderr)
    return result.exit_code


def show_error(error: TorcError, output_format: str, workflow_id: object) -> int:
    """Print a failure, in JSON mode as an object too, and return its exit code."""
    if output_format == "json":
        known = {"workflow_id": workflow_id} if isinstance(workflow_id, int) else {}
        write(as_json({"status": "error", "message": error.message, **known}))
    print(f"Error: {error.message}", file=sys.stderr)
    return error.exit_code


def as_json(document: Any) -> str:
    """Pretty JSON."""
    import msgspec  # not needed for help

    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def write(text: str) -> None:
    """Print to stdout. A reader that has gone, as ``head`` does, is no failure."""
    if text:
        with _stdout():
            print(text, flush=True)


def _copy(content: BinaryIO) -> None:
    with _stdout():
        shutil.copyfileobj(content, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextmanager
def _stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Otherwise the interpreter tries once more at exit and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise TorcError(f"the result cannot be written to stdout: {error.strerror}.") from error
