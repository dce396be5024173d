"""Specifications that write out every job, where reading the text is most of the work.

``files``: from the text to the stored workflow, in this process and a server that runs already, as `torc workflows
create` does it after starting up. It may take 3 times as long as the parser library needs to make plain values of the
same text, and 10 times as long as ``plain_insert`` needs for as many rows, together; both are measured in this process
too. The figure is the part of this allowance that is used up.

``parsing``: from the text to the plain values that the rest of torc works with, which for YAML means its version 1.2
and for all formats repeated keys refused, against the parser library alone. CPU time, since nothing waits.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import ckdl  # type: ignore[import-untyped]  # it has no stubs
import yaml

from benchmarks import specs
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.plain_insert import insert
from benchmarks.processes import Server, server
from torc.spec.formats.read import parse_text
from torc.workflow.create import create_workflow
from torc.workflow.read import check_spec

JOBS = 10_000
PARSER_LIMIT = 3.0
ROWS_LIMIT = 10.0


def read_json5(text: str) -> Any:
    """The faster of the two packages, where it is installed."""
    if find_spec("pyjson5"):
        import pyjson5

        return pyjson5.decode(text)
    import json5

    return json5.loads(text)


LIBRARIES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "yaml": ("yaml.CSafeLoader", partial(yaml.load, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))),
    "json": ("json.loads", json.loads),
    "json5": ("pyjson5" if find_spec("pyjson5") else "json5", read_json5),
    "kdl": ("ckdl", ckdl.parse),
}
"""What reads a format, by its extension."""


def files(bench: Bench) -> Iterator[Figure]:
    """A long file, from its text to the stored workflow."""
    count = bench.scaled(JOBS)
    with bench.fresh() as folder, server(folder) as running:
        for extension in ("yaml", "json"):
            library, read = LIBRARIES[extension]
            path = folder / f"long.{extension}"
            path.write_text(specs.written_out(count)[extension])
            taken = bench.take_turns(
                {
                    "torc": partial(loaded_and_created, running, path),
                    library: partial(parsed, path, read),
                    "sqlite3": partial(inserted, bench, count),
                }
            )
            used = [
                ours / (PARSER_LIMIT * parsing + ROWS_LIMIT * rows)
                for ours, parsing, rows in zip(taken["torc"], taken[library], taken["sqlite3"], strict=True)
            ]
            took, parsing, rows = (median(taken[name]) for name in ("torc", library, "sqlite3"))
            yield Figure(
                f"load and create {count:,} jobs written out in {extension.upper()}",
                f"{took:.2f} s",
                f"{PARSER_LIMIT:.0f} x {library} {parsing:.3f} s + {ROWS_LIMIT:.0f} x sqlite3 {rows:.3f} s",
                median(used),
                1.0,
                spread=(min(used), max(used)),
            )


def loaded_and_created(running: Server, path: Path) -> float:
    """Seconds from a file to a workflow on the server."""
    with running.client() as client:
        return seconds(lambda: create_workflow(client, check_spec(path, user="benchmark").usable()))


def parsed(path: Path, read: Callable[[str], Any]) -> float:
    """Seconds that the parser library takes for the text."""
    return seconds(lambda: read(path.read_text()))


def inserted(bench: Bench, count: int) -> float:
    """Seconds that SQLite takes for the rows."""
    with bench.fresh() as folder:
        return seconds(lambda: insert(str(folder / "floor.db"), count))


def parsing(bench: Bench) -> Iterator[Figure]:
    """The same texts, parsed only."""
    for extension, text in specs.written_out(bench.scaled(JOBS)).items():
        library, read = LIBRARIES[extension]
        contenders = {"torc": partial(parse_text, text, f"long.{extension}"), library: partial(read, text)}
        for parse in contenders.values():
            parse()  # what is imported and compiled at first use is not asked for here
        taken = bench.take_turns({name: partial(cpu_s, parse) for name, parse in contenders.items()})
        name = f"parse {bench.scaled(JOBS):,} jobs written out in {extension.upper()}"
        yield ratio_figure(name, taken, "torc", library, limit=PARSER_LIMIT, decimals=3)


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds that ``work`` takes in this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
