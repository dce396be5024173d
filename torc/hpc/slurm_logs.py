"""The output of allocations, looked through for what went wrong."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from torc.hpc.log_patterns import LogPattern, find, node_in

NAME = re.compile(r"slurm_output_(\d+)\.[oe]")
MOST_OF_A_LINE = 10_000
"""Bytes; what programs print without an end is looked at in pieces."""

SHOWN_CHARS = 500


class Issue(NamedTuple):
    """A line that tells of something that went wrong."""

    file: Path
    slurm_job_id: int
    line_number: int  # from 1
    line: str
    pattern: LogPattern
    node: str | None


def files_of(folder: Path, job_ids: Collection[int]) -> list[tuple[int, Path]]:
    """The output files of these allocations that are there, by number. Raises OSError."""
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))]
    return sorted((job_id, path) for job_id, path in found if job_id in job_ids)


def scan(job_id: int, path: Path, *, errors_only: bool = False) -> Iterator[Issue]:
    """The issues in a file, in order. Raises OSError."""
    with path.open("rb") as file:
        number, is_new = 0, True
        while piece := file.readline(MOST_OF_A_LINE):
            number += is_new
            is_new = piece.endswith(b"\n")
            line = piece.decode(errors="replace").rstrip()
            pattern = find(line, errors_only=errors_only)
            if pattern is not None:
                yield Issue(path, job_id, number, line[:SHOWN_CHARS], pattern, node_in(line))
