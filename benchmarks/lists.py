"""Reading all jobs of a large workflow, page by page, against the bare SELECT of the same rows in one process."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from benchmarks import documents
from benchmarks.caller import MINIMAL, Caller
from benchmarks.measure import Bench, Figure, ratio_figure, seconds
from benchmarks.processes import Server, server
from torc.models.draft import DraftDocument
from torc.store.jobs import NAMES
from torc.workflow.create import create_workflow

JOBS = 100_000
PAGE = 10_000
PLAIN_LIMIT = 3.0
RELATED_LIMIT = 8.0
FLOOR = "SELECT + encode"

GRAPHS: dict[str, Callable[[int], DraftDocument]] = {
    "few links a job": documents.linked,
    f"groups of {documents.BLOCK}": documents.grouped,
}


class Frame(msgspec.Struct):
    """The part of a page that says how to go on."""

    count: int
    has_more: bool


def listing_s(running: Server, workflow_id: int, jobs: int, related: bool) -> float:
    """Seconds to page through all jobs."""
    caller = Caller(running.url)
    decode = msgspec.json.Decoder(Frame).decode
    relationships = "&include_relationships=true" if related else ""

    def read() -> None:
        offset, has_more = 0, True
        while has_more:
            path = f"/jobs?workflow_id={workflow_id}&limit={PAGE}&offset={offset}{relationships}"
            frame = decode(caller.ask("GET", path, headers=MINIMAL))
            offset, has_more = offset + frame.count, frame.has_more
        assert offset == jobs

    taken = seconds(read)
    caller.close()
    return taken


def bare_s(running: Server, workflow_id: int, jobs: int) -> float:
    """Seconds to select the same rows in the same pages and to encode them as they come."""
    encode = msgspec.json.Encoder().encode
    db = sqlite3.connect(f"file:{running.database}?mode=ro", uri=True)

    def read() -> None:
        for offset in range(0, jobs, PAGE):
            encode(
                db.execute(
                    f"SELECT {', '.join(NAMES)} FROM job WHERE workflow_id = ? ORDER BY id LIMIT ? OFFSET ?",
                    (workflow_id, PAGE, offset),
                ).fetchall()
            )

    taken = seconds(read)
    db.close()
    return taken


def jobs(bench: Bench) -> Iterator[Figure]:
    """All jobs with and without their relations, and the first page alone."""
    count = bench.scaled(JOBS)
    with bench.fresh() as folder, server(folder) as running, running.client() as client:
        for number, (graph, make) in enumerate(GRAPHS.items()):
            workflow_id = create_workflow(client, make(count))
            contenders = {FLOOR: partial(bare_s, running, workflow_id, count)}
            limits = {"with relationships": RELATED_LIMIT}
            if number == 0:  # without relations the graph makes no difference
                contenders["plain"] = partial(listing_s, running, workflow_id, count, False)
                limits["plain"] = PLAIN_LIMIT
            contenders["with relationships"] = partial(listing_s, running, workflow_id, count, True)
            taken = bench.take_turns(contenders)
            for name in sorted(limits):
                text = f"list {count:,} jobs, {PAGE:,} a page" if name == "plain" else f"the same with {graph}, related"
                yield ratio_figure(text, taken, name, FLOOR, limit=limits[name])
