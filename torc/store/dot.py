"""The structure of a workflow as a picture in the DOT language of Graphviz: arrows point the way the work flows."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice

from torc.errors import NotFound, Unprocessable
from torc.models.status import JobStatus
from torc.models.workflow import DotGraph
from torc.store import workflows
from torc.store.database import Database

MAX_PARTS = 20_000
"""Nodes and arrows together; layout programs take minutes for more, and nobody can read it."""

COLOURS = {
    JobStatus.UNINITIALIZED: "white",
    JobStatus.BLOCKED: "lightgray",
    JobStatus.READY: "lightblue",
    JobStatus.PENDING: "khaki",
    JobStatus.RUNNING: "gold",
    JobStatus.COMPLETED: "palegreen",
    JobStatus.FAILED: "salmon",
    JobStatus.CANCELED: "plum",
    JobStatus.TERMINATED: "orange",
    JobStatus.DISABLED: "gray",
}


def dot_graph(database: Database, workflow_id: int, name: str) -> DotGraph:
    """One of GRAPHS. A dependency group is a dot between its members and its dependents: n + m arrows."""
    if name not in GRAPHS:
        raise NotFound(f"Graph not found: '{name}'; choose one of {', '.join(GRAPHS)}")
    with database.read() as db:
        workflows.require(db, workflow_id)
        lines = list(islice(GRAPHS[name](db, workflow_id), MAX_PARTS + 1))
    if len(lines) > MAX_PARTS:
        raise Unprocessable(
            f"{name} of workflow {workflow_id} has more than {MAX_PARTS} nodes and arrows, too many for a picture; "
            "read the list of its relationships page by page instead"
        )
    return DotGraph(
        graph="\n".join(
            [
                f"digraph {name} {{",
                '  node [shape=box, style="rounded,filled", fillcolor=white];',
                *(f"  {line};" for line in lines),
                "}\n",
            ]
        )
    )


def _job_graph(db: sqlite3.Connection, workflow_id: int) -> Iterator[str]:
    """All jobs, and an arrow to each from what it waits for."""
    yield from _jobs(db, "SELECT id FROM job WHERE workflow_id = ?", (workflow_id,))
    in_use = """
        SELECT id FROM dependency_group WHERE workflow_id = ? AND id IN (SELECT group_id FROM job_depends_on_group)
    """
    for (group_id,) in db.execute(f"{in_use} ORDER BY id", (workflow_id,)):
        yield f'group{group_id} [shape=point, label=""]'
    members = f"SELECT group_id, job_id FROM dependency_group_member WHERE group_id IN ({in_use}) ORDER BY 1, 2"
    for group_id, job_id in db.execute(members, (workflow_id,)):
        yield f"job{job_id} -> group{group_id}"
    dependents = f"SELECT group_id, job_id FROM job_depends_on_group WHERE group_id IN ({in_use}) ORDER BY 1, 2"
    for group_id, job_id in db.execute(dependents, (workflow_id,)):
        yield f"group{group_id} -> job{job_id}"
    for job_id, other in db.execute(
        """
        SELECT job_id, depends_on_job_id FROM job_depends_on
         WHERE job_id IN (SELECT id FROM job WHERE workflow_id = ?) ORDER BY 1, 2
        """,
        (workflow_id,),
    ):
        yield f"job{other} -> job{job_id}"


def _file_graph(db: sqlite3.Connection, workflow_id: int) -> Iterator[str]:
    return _record_graph(db, workflow_id, "file", "note")


def _user_data_graph(db: sqlite3.Connection, workflow_id: int) -> Iterator[str]:
    return _record_graph(db, workflow_id, "user_data", "cylinder")


def _record_graph(db: sqlite3.Connection, workflow_id: int, table: str, shape: str) -> Iterator[str]:
    """The records that jobs are linked to, an arrow to each from who writes it, and from each to who reads it."""
    own = f"SELECT id FROM {table} WHERE workflow_id = ?"
    written = f"SELECT {table}_id, job_id FROM job_output_{table} WHERE {table}_id IN ({own})"
    read = f"SELECT {table}_id, job_id FROM job_input_{table} WHERE {table}_id IN ({own})"
    both = (workflow_id, workflow_id)
    yield from _jobs(db, f"SELECT job_id FROM ({written} UNION {read})", both)
    linked = f"SELECT {table}_id FROM ({written} UNION {read})"
    for record_id, name in db.execute(f"SELECT id, name FROM {table} WHERE id IN ({linked}) ORDER BY id", both):
        yield f"{table}{record_id} [label={quote(name)}, shape={shape}, style=solid]"
    for record_id, job_id in db.execute(f"{written} ORDER BY 1, 2", (workflow_id,)):
        yield f"job{job_id} -> {table}{record_id}"
    for record_id, job_id in db.execute(f"{read} ORDER BY 1, 2", (workflow_id,)):
        yield f"{table}{record_id} -> job{job_id}"


def _jobs(db: sqlite3.Connection, ids: str, arguments: tuple[int, ...]) -> Iterator[str]:
    for job_id, name, status in db.execute(
        f"SELECT id, name, status FROM job WHERE id IN ({ids}) ORDER BY id", arguments
    ):
        yield f"job{job_id} [label={quote(name)}, fillcolor={COLOURS[status]}]"


GRAPHS: dict[str, Callable[[sqlite3.Connection, int], Iterator[str]]] = {
    "job_job_dependencies": _job_graph,
    "job_file_relationships": _file_graph,
    "job_user_data_relationships": _user_data_graph,
}


ESCAPES = dict.fromkeys((*range(32), 127), "\ufffd") | {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\"}
"""DOT reads backslashes in labels itself; control characters break its readers."""


def quote(text: str) -> str:
    """A label that shows this text."""
    return f'"{text.translate(ESCAPES)}"'
