"""What commands return, and the only code that knows ``table`` from ``json``."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple

from torc.cli.table import box
from torc.errors import TorcError
from torc.views.column import Column, colour_of

CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}
"""Names and commands are other people's text; a terminal must not act on it."""


COPIED_AT_ONCE = 256 * 1024

ANSI = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}


def unchanged(record: Any) -> Any:
    """JSON as the API has it."""
    return record


class Listing(NamedTuple):
    """Records of one kind: a table, or JSON under ``key`` (a bare array when there is none).

    They are asked for once, one by one, and JSON is printed as they come. ``total`` says how many there are, shown or
    not; ``tail`` what follows the records in JSON. Both are called after the last record.
    """

    key: str | None
    records: Iterable[Any]
    columns: Sequence[Column]
    title: str
    noun: str
    empty: str
    as_document: Callable[[Any], Any] = unchanged
    total: Callable[[], int] | None = None
    tail: Callable[[], dict[str, Any]] | None = None
    exit_code: int = 0
    remark: str | None = None

    def text(self) -> str:
        """Title, table and count; one sentence when there is nothing."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The lines of ``text``. None comes before all records have: columns are as wide as the widest cell."""
        rows = [[column.text(record) for column in self.columns] for record in self.records]
        total = self.total() if self.total else len(rows)
        if not rows and not total:
            yield self.empty
            return
        if rows:
            yield self.title
            yield from _box(self.columns, rows)
            yield ""
        is_all = len(rows) >= total
        yield f"Total: {len(rows)} {self.noun}" if is_all else f"Showing {len(rows)} of {total} total {self.noun}"

    def json(self) -> Iterator[str]:
        """Pieces of JSON text, as the records come. The first piece comes with the first record."""
        margin = "    " if self.key else "  "
        opening = f'{{\n  "{self.key}": [' if self.key else "["
        count = 0
        for count, record in enumerate(self.records, start=1):
            # a line feed between the values; inside of strings it is an escape sequence
            value = as_json(self.as_document(record)).replace("\n", f"\n{margin}")
            yield f"{opening if count == 1 else ','}\n{margin}{value}"
        yield f"\n{margin[2:]}]" if count else f"{opening}]"
        for name, value in (self.tail() if self.tail else {}).items():
            yield f',\n  "{name}": {as_json(value)}'
        yield "\n}\n" if self.key else "\n"

    def document(self) -> Any:
        """What JSON output is made of, for those who put it into something bigger."""
        documents = [self.as_document(record) for record in self.records]
        return {self.key: documents} if self.key else documents


class Record(NamedTuple):
    """One record: a line per column that has a value, or the JSON object."""

    title: str
    record: Any
    columns: Sequence[Column]
    as_document: Callable[[Any], Any] = unchanged
    exit_code: int = 0
    remark: str | None = None

    def text(self) -> str:
        """Title and indented lines; a column without a value is left out, unless it words that itself."""
        cells = ((column, column.text(self.record).translate(CONTROL)) for column in self.columns)
        lines = (
            f"  {column.heading}: {painted(cell, cell) if column.is_status else cell}" for column, cell in cells if cell
        )
        return "\n".join([self.title, *lines])

    def document(self) -> Any:
        """What JSON output is made of."""
        return self.as_document(self.record)


class Message(NamedTuple):
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


class Document(NamedTuple):
    """A file that goes to stdout as it is, whatever the format."""

    content: BinaryIO
    exit_code: int = 0
    remark: str | None = None


class Feed(NamedTuple):
    """Things as they happen: a line for each, in JSON a compact object in a line.

    ``live`` shows them otherwise to somebody at a terminal. ``code`` is asked for at the end.
    """

    records: Iterable[Any]
    text: Callable[[Any], str]
    live: Callable[[], None] | None = None
    code: Callable[[], int] = int


Result = Listing | Record | Message | Document | Feed


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A box with a heading."""
    return "\n".join(_box(columns, rows))


def _box(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    cells = [[cell.translate(CONTROL) for cell in row] for row in rows]
    statuses = [at for at, column in enumerate(columns) if column.is_status]
    return box([column.heading for column in columns], cells, dict.fromkeys(statuses, painted))


def painted(cell: str, text: str) -> str:
    """Text in the colour of the status that ``cell`` begins with, where somebody can see it and has not said no."""
    colour = colour_of(cell)
    if colour is None or not is_colourful():
        return text
    return f"\x1b[{ANSI[colour]}m{text}\x1b[0m"


def is_colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(result: Result, output_format: str) -> int:
    """Print a result and return the exit code that goes with it."""
    if isinstance(result, Feed):
        return _follow(result, output_format)
    if isinstance(result, Document):
        _copy(result.content)
    elif isinstance(result, Listing):
        pieces = result.json() if output_format == "json" else (f"{line}\n" for line in result.lines())
        if failure := _print_pieces(pieces):
            return show_error(failure, "table", None)
    else:
        write(as_json(result.document()) if output_format == "json" else result.text())
    if result.remark:
        tell(result.remark)
    return result.exit_code


def _follow(feed: Feed, output_format: str) -> int:
    is_json = output_format == "json"
    with _stdout():
        if feed.live and not is_json and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            feed.live()
        else:
            for record in feed.records:
                print(_compact(record) if is_json else feed.text(record).translate(CONTROL), flush=True)
    return feed.code()


def show_error(error: TorcError, output_format: str, workflow_id: object) -> int:
    """Print a failure, in JSON mode as an object too, and return its exit code."""
    if output_format == "json":
        known = {"workflow_id": workflow_id} if isinstance(workflow_id, int) else {}
        with suppress(TorcError):  # a full disk changes nothing about what went wrong first
            write(as_json({"status": "error", "message": error.message, **known}))
    tell(f"Error: {error.message}")
    return error.exit_code


def tell(text: str) -> None:
    """Print to stderr. What nobody can read any more is no failure."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def as_json(document: Any) -> str:
    """Pretty JSON."""
    import msgspec  # not needed for help

    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _compact(document: Any) -> str:
    import msgspec  # not needed for help

    return msgspec.json.encode(document).decode()


def write(text: str) -> None:
    """Print to stdout. A reader that has gone, as ``head`` does, is no failure."""
    if text:
        with _stdout():
            print(text, flush=True)


def _print_pieces(pieces: Iterator[str]) -> TorcError | None:
    """Print pieces as they come; what ended it when some have been printed already.

    Then the text stays cut off, so that no reader takes it for the whole.
    """
    has_begun = False
    with _stdout():
        try:
            for piece in pieces:
                sys.stdout.write(piece)
                has_begun = True
        except TorcError as error:
            if not has_begun:
                raise
            return error
        finally:
            sys.stdout.flush()
    return None


def _copy(content: BinaryIO) -> None:
    with _stdout():
        while piece := content.read(COPIED_AT_ONCE):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()  # whoever follows a log wants to see it


@contextmanager
def _stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Otherwise the interpreter tries once more at exit and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise TorcError(f"the result cannot be written to stdout: {error.strerror}.") from error
